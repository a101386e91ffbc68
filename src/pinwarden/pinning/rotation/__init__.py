"""Changing a pinned key in steps that lock nobody out."""
