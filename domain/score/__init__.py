"""Scores: from balances and a scheme to scorecards and ranks."""
