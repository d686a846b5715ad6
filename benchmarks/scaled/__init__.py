"""Measurements over a real Kafka and a real PostgreSQL: relay, worker, freshness, recovery, beside Faust and Kafka Streams."""
