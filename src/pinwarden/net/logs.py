"""Reading a log, whatever its protocol.

A log client fetches and checks form and signatures; it does not judge. Whether
heads fit each other and entries fit heads is decided by `ct/follow.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pinwarden.ct.entry import RawBatch
from pinwarden.ct.head import Head
from pinwarden.ct.log import Log, LogKind
from pinwarden.ct.merkle import Frontier, LeafHash, NodeHash
from pinwarden.net.evidence import NotInLogError
from pinwarden.net.http import HTTPClient
from pinwarden.net.rfc6962 import RFC6962Client
from pinwarden.net.static_ct import StaticClient

__all__ = ["LogClient", "NotInLogError", "open_log"]


class LogClient(Protocol):
    """One log, read over the network.

    Sizes given to it must be those of signed heads: a static log is asked for
    tiles of exactly the width that such a size implies. Every call raises
    OutsideError when the log does not answer usefully, and GarbageError when
    its answer is not CT.
    """

    @property
    def log(self) -> Log:
        """The log that is read."""

    async def fetch_head(self) -> Head:
        """The head the log gives now, its signature verified; it may be an old one.

        Raises BadHeadError, which holds the head as received.
        """

    def split(self, start: int, size: int) -> Iterator[tuple[int, int]]:
        """The ranges in which to fetch the entries from `start` to before `size`.

        They follow each other without a gap, and end where the log's own chunks
        end. Made one at a time, because the chunk size is learnt on the way.
        """

    async def fetch_range(self, low: int, high: int, size: int) -> RawBatch:
        """Exactly the entries from `low` to before `high` of a tree of `size` entries."""

    async def fetch_batch(self, start: int, size: int) -> RawBatch:
        """At least one entry from `start` on, as many as one range of `split` has."""

    async def fetch_frontier(self, head: Head) -> Frontier:
        """The right edge of the tree of `head`, verified against its root.

        Raises BadProofError.
        """

    async def fetch_issuer(self, fingerprint: bytes) -> bytes:
        """The issuer certificate with this SHA-256, in DER.

        Raises VerificationError when it is another one.
        """

    async def fetch_consistency(self, first: int, second: int) -> list[NodeHash]:
        """The log's consistency proof; it proves nothing before `verify_consistency`."""

    async def fetch_inclusion(
        self, leaf: LeafHash, index: int | None, head: Head
    ) -> tuple[int, list[NodeHash]]:
        """Where in the tree of `head` the leaf is, and the audit path to its root.

        `index` is what the SCT says (`leaf_index`), which a static log must be asked by
        and another does not want. It proves nothing before `verify_inclusion`. Raises
        NotInLogError when the log says that it has no such entry, which is its word only.
        """


def open_log(log: Log, http: HTTPClient) -> LogClient:
    """A client for the log's protocol; raises MalformedError for a key no log may have."""
    if log.kind is LogKind.STATIC:
        return StaticClient(log, http)
    return RFC6962Client(log, http)
