"""Simulated counters whose events cross every kind of broken network to the real intake."""
