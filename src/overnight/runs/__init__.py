"""One run, from its configuration to its record; and a checkpoint measured again."""
