"""How a store of an older Pinwarden becomes one of this: Alembic revisions, in order."""
