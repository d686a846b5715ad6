"""Everything that moves or keeps events: journal, intake, follower, importer, emitter, demo."""
