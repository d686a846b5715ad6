"""Faults: real processes killed while they work."""
