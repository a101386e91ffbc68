"""`pinwarden pin`: pins in your own clients, and their life."""
