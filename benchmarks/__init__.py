"""Measurements, always as comparisons made in one run on one machine."""
