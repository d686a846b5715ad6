"""The counter: pressing, rating, and the citizen's ticket."""
