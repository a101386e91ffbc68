"""One host, looked at from all sides: what is found, what passed, what was not checked."""
