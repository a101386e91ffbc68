"""Zone files (RFC 1035 section 5), read tolerantly, and answered from."""
