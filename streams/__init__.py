"""Streams: all that moves or keeps events, from a counter's outbox to the balances."""
