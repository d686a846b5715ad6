"""Intake rules: the wire form, field checks, natural keys, and what is resolved once at recording."""
