"""The rules of Neraca: events, their postings, the ledger and the scores that follow from it.

Pure functions over frozen data: no clock, no chance, no input or output, no floating point.
"""
