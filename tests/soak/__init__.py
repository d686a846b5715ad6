"""Long runs that a release stands on; each writes a report that is committed."""
