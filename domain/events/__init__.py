"""Events: as submitted, as recorded."""
