"""`coverage()`: the question that a program asks about itself when it starts."""

from __future__ import annotations

from pinwarden.clients.inventory.gap import Gap

__all__ = ["Gap", "coverage"]


def coverage() -> list[Gap]:
    """Every TLS client known here that goes past the pins of this process; those in use first.

    Looks at what is loaded, what is installed, and what was patched. A client that makes
    contexts of its own is a gap unless `install()` is in force. Whether each client was
    also given its context cannot be seen, and a client that is not known here is not
    named: an empty list is no proof.
    """
    # The rows of all clients, and package metadata: only who asks pays for them.
    from pinwarden.clients.inventory.search import find_gaps

    return find_gaps()
