"""Practice mode: a small city to try everything in, and its tours."""
