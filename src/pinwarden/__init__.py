"""Pinwarden defends a domain against certificates it did not ask for."""

__version__ = "0.1.0"
