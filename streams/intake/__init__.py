"""The intake service: the single writer, what it decides under the lock, and intake from a topic."""
