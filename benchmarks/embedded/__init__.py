"""One process on SQLite, as `neraca up` runs it, beside the fast paths of the libraries underneath."""
