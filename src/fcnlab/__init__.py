"""Fully connected networks on FashionMNIST: configured, swept, recorded, compared."""
