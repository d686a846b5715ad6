"""Emitting: a counter's outbox, sent over HTTP or Kafka until each event is acknowledged."""
