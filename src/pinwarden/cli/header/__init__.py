"""`pinwarden header`: retired headers."""
