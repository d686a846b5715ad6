"""The auditor's desk: replays, comparisons, and the journal with its search."""
