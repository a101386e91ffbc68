"""Whom a certificate concerns: the watch list, the bulk scan, and what was seen."""
