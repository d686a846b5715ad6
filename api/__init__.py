"""The outside: intake over HTTP, reads, the stream, the pages. Knows ports and read models, no journal and no Kafka."""
