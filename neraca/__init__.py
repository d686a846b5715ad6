"""The composition root: the commands, each with its options beside its body, and the wiring of the rooms below."""
