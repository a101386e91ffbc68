"""Which TLS clients of an environment are held to pins, and which are not.

`coverage()` is for a program's own start: it names every client in the process that goes
past its pins. What it does not know it cannot name: a list is never a proof. The proof for
a client is a rogue server (`pinwarden pin doctor --self-test`).
"""

from pinwarden.clients.coverage.gap import Covered, Gap
from pinwarden.clients.coverage.search import coverage, covered_clients

__all__ = ["Covered", "Gap", "coverage", "covered_clients"]
