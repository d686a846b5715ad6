"""Chaos: real processes, struck by faults of every kind."""
