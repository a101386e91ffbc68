"""Reads the first flight of a TLS server, for what it hands over beside its certificates."""
