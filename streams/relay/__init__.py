"""The relay: cuts the journal into segments and sends them to Kafka until they are acknowledged."""
