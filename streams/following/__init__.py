"""Following: from the journal to the store, and from other processes' folds to what this one serves."""
