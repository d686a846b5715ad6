"""Rules: standards and schemes, and which of them holds at an instant."""
