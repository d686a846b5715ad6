"""The demo: a simulated city and the small city of practice mode."""
