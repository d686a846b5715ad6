"""The outside: intake over HTTP, reads, the stream, and the pages. Knows ports and read models, no journal and no Kafka."""
