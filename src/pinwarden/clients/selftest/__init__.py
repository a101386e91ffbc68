"""A proof instead of a list: each client here meets a rogue server on loopback.

Two authorities are made up for one run, and the client trusts both. A host is pinned to the
first. The client must get through to a server of the first, and must be ended by its pins
at a server of the second before it has said one byte.
"""

from pinwarden.clients.selftest.trial import Outcome, Trial, self_test

__all__ = ["Outcome", "Trial", "self_test"]
