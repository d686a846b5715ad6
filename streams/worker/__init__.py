"""The worker: folds segments exactly once, whatever the framework repeats, reorders or loses."""
