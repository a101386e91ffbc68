"""Faults of CAA records, sets and zone files, each as a finding."""
