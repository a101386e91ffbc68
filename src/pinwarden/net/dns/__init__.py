"""Asking DNS for CAA records, and saying honestly what is known of the answer."""
