"""The intake service: the single writer, what it decides under the lock, intake from a topic, and the way to another intake."""
