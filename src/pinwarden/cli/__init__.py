"""The command line: the only floor that knows every other one."""
