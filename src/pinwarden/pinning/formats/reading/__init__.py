"""Pins in the forms of other programs, read as drafts that lint can judge, faults and all."""
