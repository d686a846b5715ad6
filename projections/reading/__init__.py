"""Reading: one snapshot of the store, its scorecards, and the reasons behind a score."""
