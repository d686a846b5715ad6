"""Places: a data directory or a database, who may open it, and its tokens, sessions and security log."""
