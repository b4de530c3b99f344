"""From what was typed to a checked configuration, and from an error to one message."""
