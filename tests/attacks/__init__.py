"""Attacks: a test for each finding of the security review, which fails on the program that was reviewed."""
