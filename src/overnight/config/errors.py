"""What a configuration raises that cannot be used."""


class ConfigError(ValueError):
    """A value that cannot be used; the message says what was given, what is needed and what to type."""
