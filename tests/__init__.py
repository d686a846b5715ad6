"""Tests: laws as tables, each named after the law it shows."""
