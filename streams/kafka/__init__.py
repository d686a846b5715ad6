"""Kafka: its client, its settings, and how events and segments cross it."""
