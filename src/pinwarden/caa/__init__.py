"""CAA (RFC 8659): which certification authorities may issue for a name."""
