"""The journal: an append-only log on SQLite or PostgreSQL. The only folder that knows the event store."""
