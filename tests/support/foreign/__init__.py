"""A project of somebody else, in a package of its own."""
