"""`pinwarden caa`: who may issue for a name, and is it meant so."""
