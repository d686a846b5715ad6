"""Intake rules: the wire form, field checks, and the values resolved once at recording."""
