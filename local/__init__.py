"""A real PostgreSQL and a real Kafka on this machine, for a developer and the tests; no part of the program."""
