"""What a run leaves on disk: its record, its lock, its name, the state of its sweep. Imports only filelock."""
