"""Version 1 of the API: intake, reads, the stream, operations, and their schemas."""
