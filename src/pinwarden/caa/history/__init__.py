"""Policies as they were observed, and which was in force when."""
