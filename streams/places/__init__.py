"""Places: a data directory or a database, who may open it, and the tokens it holds."""
