"""Reading a log with the API of RFC 6962 section 4: JSON over GET.

Such logs are often many servers behind one name. One of them may know an older
tree than another, and refuse what the newest head covers: both pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from pinwarden.ct.entry import RawBatch, join_batches, parse_get_entries
from pinwarden.ct.head import Head, LogKey, parse_sth
from pinwarden.ct.log import Log
from pinwarden.ct.merkle import (
    HASH_SIZE,
    Frontier,
    LeafHash,
    NodeHash,
    frontier_from_inclusion,
    leaf_hash,
)
from pinwarden.ct.wire import decode_base64, encode_base64
from pinwarden.errors import BadProofError, MalformedError, OutsideError, quoted
from pinwarden.net.chunks import ChunkSize
from pinwarden.net.evidence import NotInLogError, signed_head, understood
from pinwarden.net.http import BodyTooLargeError, HTTPClient

_MOST_HEAD = 64 * 1024
_MOST_PROOF = 64 * 1024
_MOST_ENTRIES = 32 * 1024 * 1024
# An entry holds two certificates of up to 16 MB and their chain, in base64.
_MOST_ENTRY = 64 * 1024 * 1024
_LONGEST_PROOF = 64
_NO_SUCH_HASH = frozenset({400, 404})

T = TypeVar("T")


class _Consistency(msgspec.Struct):
    # Go writes an empty slice as null.
    consistency: list[str] | None


class _EntryAndProof(msgspec.Struct):
    leaf_input: str
    audit_path: list[str] | None


class _ProofByHash(msgspec.Struct):
    leaf_index: int
    audit_path: list[str] | None


class RFC6962Client:
    """One RFC 6962 log; the promises are those of `logs.LogClient`."""

    def __init__(self, log: Log, http: HTTPClient) -> None:
        self.log = log
        self._http = http
        self._key = LogKey(log.key)
        self._chunks = ChunkSize()

    async def fetch_head(self) -> Head:
        """The answer to get-sth (RFC 6962 section 4.3), its signature verified."""
        url = self._url("get-sth")
        response = await self._http.get(url, max_bytes=_MOST_HEAD)
        return signed_head(url, response.body, parse_sth, self._key)

    def split(self, start: int, size: int) -> Iterator[tuple[int, int]]:
        """Ranges that end on multiples of what the log gives at once."""
        return self._chunks.ranges(start, size)

    async def fetch_range(self, low: int, high: int, size: int) -> RawBatch:
        """Exactly these entries (RFC 6962 section 4.6); short answers are completed."""
        if not 0 <= low < high <= size:
            raise RuntimeError(f"entries {low} to {high} asked of a tree of {size}")
        batches: list[RawBatch] = []
        short: list[int] = []
        at = low
        try:
            while at < high:
                asked = min(high - at, self._chunks.size)
                batch = await self._fetch_fitting(at, asked)
                if len(batch) < asked:
                    short.append(len(batch))
                batches.append(batch)
                at += len(batch)
        finally:
            # Also from a range that failed: the next one is shorter and may not.
            self._chunks.learn(at - low, short)
        return batches[0] if len(batches) == 1 else join_batches(batches)

    async def fetch_batch(self, start: int, size: int) -> RawBatch:
        """The first range of `split`."""
        low, high = next(self.split(start, size))
        return await self.fetch_range(low, high, size)

    async def fetch_frontier(self, head: Head) -> Frontier:
        """The right edge from the audit path of the last entry.

        By get-entry-and-proof (RFC 6962 section 4.8), which not every log has,
        or by get-entries and get-proof-by-hash (section 4.5).
        """
        if head.size == 0:
            frontier = Frontier()
            if frontier.root() != head.root:
                raise BadProofError(f"{quoted(self.log.url)}: wrong root of the empty tree")
            return frontier
        try:
            return await self._frontier_by_index(head)
        except (OutsideError, MalformedError, BadProofError):
            return await self._frontier_by_hash(head)

    async def fetch_issuer(self, fingerprint: bytes) -> bytes:
        """Never: this protocol serves issuers only within the chain of an entry."""
        raise OutsideError(
            f"{quoted(self.log.url)}: an RFC 6962 log serves no single issuers",
            target=self.log.url,
            permanent=True,
        )

    async def fetch_consistency(self, first: int, second: int) -> list[NodeHash]:
        """The answer to get-sth-consistency (RFC 6962 section 4.4)."""
        if not 0 < first < second:
            return []
        url = self._url("get-sth-consistency", first=first, second=second)
        response = await self._http.get(url, max_bytes=_MOST_PROOF)
        return understood(url, response.body, _parse_consistency)

    async def fetch_inclusion(
        self, leaf: LeafHash, index: int | None, head: Head
    ) -> tuple[int, list[NodeHash]]:
        """The answer to get-proof-by-hash (RFC 6962 section 4.5); `index` is not asked for.

        Logs say 404 or 400 for a hash that they do not have, and some of them 400 for a
        tree that one of their servers has not heard of: the caller tells these apart.
        """
        url = self._url("get-proof-by-hash", hash=encode_base64(leaf), tree_size=head.size)
        response = await self._http.get(url, max_bytes=_MOST_PROOF, accept=_NO_SUCH_HASH)
        if response.status in _NO_SUCH_HASH:
            raise NotInLogError(
                f"{quoted(self.log.url)}: has no such entry among {head.size}",
                target=url,
                evidence=response.body,
            )
        return understood(url, response.body, _parse_proof_by_hash)

    async def _fetch_fitting(self, start: int, count: int) -> RawBatch:
        """At least one of these entries, and no more than fit into an answer we take.

        Otherwise somebody who fills a log with huge certificates could stop us.
        """
        while True:
            try:
                return await self._fetch_entries(start, count)
            except BodyTooLargeError:
                if count == 1:
                    raise
                count //= 2
                self._chunks.fall_to(count)

    async def _fetch_entries(self, start: int, count: int) -> RawBatch:
        """At least one and at most `count` entries from `start` on."""
        url = self._url("get-entries", start=start, end=start + count - 1)
        cap = _MOST_ENTRY if count == 1 else _MOST_ENTRIES
        response = await self._http.get(url, max_bytes=cap)
        batch = understood(url, response.body, lambda body: parse_get_entries(body, start))
        if not len(batch):
            # Asking at once again would go on for ever.
            raise OutsideError(f"{quoted(url)}: answered without any entry", target=url)
        return batch if len(batch) <= count else batch.between(start, start + count)

    async def _frontier_by_index(self, head: Head) -> Frontier:
        url = self._url("get-entry-and-proof", leaf_index=head.size - 1, tree_size=head.size)
        response = await self._http.get(url, max_bytes=_MOST_ENTRY)
        leaf, path = understood(url, response.body, _parse_entry_and_proof)
        return self._proven(head, leaf, path)

    async def _frontier_by_hash(self, head: Head) -> Frontier:
        batch = await self._fetch_entries(head.size - 1, 1)
        leaf = batch.leaf_hashes()[0]
        url = self._url("get-proof-by-hash", hash=encode_base64(leaf), tree_size=head.size)
        response = await self._http.get(url, max_bytes=_MOST_PROOF)
        index, path = understood(url, response.body, _parse_proof_by_hash)
        if index != head.size - 1:
            # The same leaf twice: the log may prove either of the two.
            raise OutsideError(
                f"{quoted(url)}: proves entry {index} and not {head.size - 1}", target=url
            )
        return self._proven(head, leaf, path)

    def _proven(self, head: Head, leaf: LeafHash, path: Sequence[NodeHash]) -> Frontier:
        try:
            return frontier_from_inclusion(leaf, head.size, path, head.root)
        except BadProofError as error:
            raise BadProofError(f"{quoted(self.log.url)}: {error}") from error

    def _url(self, call: str, **parameters: str | int) -> str:
        query = f"?{urlencode(parameters)}" if parameters else ""
        return f"{self.log.url}ct/v1/{call}{query}"


def _parse_consistency(body: bytes) -> list[NodeHash]:
    return _hashes(_decoded(body, _Consistency).consistency)


def _parse_entry_and_proof(body: bytes) -> tuple[LeafHash, list[NodeHash]]:
    answer = _decoded(body, _EntryAndProof)
    return leaf_hash(decode_base64(answer.leaf_input, "leaf_input")), _hashes(answer.audit_path)


def _parse_proof_by_hash(body: bytes) -> tuple[int, list[NodeHash]]:
    answer = _decoded(body, _ProofByHash)
    return answer.leaf_index, _hashes(answer.audit_path)


def _decoded(body: bytes, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=type_)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedError(f"answer is not the JSON it should be: {error}") from error


def _hashes(encoded: list[str] | None) -> list[NodeHash]:
    nodes = encoded or []
    if len(nodes) > _LONGEST_PROOF:
        raise MalformedError(f"proof of {len(nodes)} nodes is longer than any tree is high")
    hashes = [decode_base64(node, "node of a proof") for node in nodes]
    if any(len(one) != HASH_SIZE for one in hashes):
        raise MalformedError("proof has a node that is no SHA-256 hash")
    return [NodeHash(one) for one in hashes]
