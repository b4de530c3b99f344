"""What a run leaves on disk: its record, its lock, its name, its sweep's state. Imports only filelock."""
