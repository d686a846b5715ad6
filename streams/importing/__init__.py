"""Importing: rows of foreign files as events, by a mapping."""
