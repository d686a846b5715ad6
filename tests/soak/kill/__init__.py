"""Kills: one process, killed while it acknowledges."""
