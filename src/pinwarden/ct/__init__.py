"""Certificate Transparency: what a log says, and how far that can be believed."""
