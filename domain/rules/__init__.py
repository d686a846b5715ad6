"""Rules: standards and schemes, and the ones in force at an instant."""
