"""From a certificate or a word to a CA and the domains it goes by in CAA."""
