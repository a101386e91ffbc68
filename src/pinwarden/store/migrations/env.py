"""Runs revisions on the connection, and in the transaction, of whoever asks."""

from alembic import context

from pinwarden.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by building another one.
    render_as_batch=True,
)
context.run_migrations()
