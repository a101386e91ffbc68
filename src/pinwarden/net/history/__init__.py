"""Sources of history: whoever can tell which certificates were issued for a name."""
