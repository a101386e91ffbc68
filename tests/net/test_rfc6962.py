"""What is special about reading RFC 6962 logs: caps, front ends and proofs by hash."""

from __future__ import annotations

import asyncio
import contextlib
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from net.raw_server import Asked, Handler, RawServer, answer
from net.small_log import NO, SmallLog, described, head_of, ok
from pinwarden.ct.log import LogKind
from pinwarden.ct.merkle import EMPTY_ROOT, Frontier, RootHash, leaf_hash, verify_consistency
from pinwarden.errors import BadProofError, OutsideError, PinwardenError
from pinwarden.net.chunks import MOST, ChunkSize
from pinwarden.net.evidence import BadHeadError, GarbageError
from pinwarden.net.http import BodyTooLargeError, HTTPClient, Limits
from pinwarden.net.logs import open_log
from pinwarden.net.rfc6962 import RFC6962Client


@asynccontextmanager
async def reading(handler: Handler) -> AsyncIterator[RFC6962Client]:
    limits = Limits(timeout=5, attempts=2, backoff_first=0)
    async with RawServer([handler]) as server, HTTPClient(limits=limits) as http:
        client = open_log(described(server.url("/log/"), LogKind.RFC6962), http)
        assert isinstance(client, RFC6962Client)
        yield client


async def fetch_all(client: RFC6962Client, start: int, size: int) -> list[bytes]:
    leaves: list[bytes] = []
    for low, high in client.split(start, size):
        assert low == start + len(leaves)
        leaves += (await client.fetch_range(low, high, size)).leaves
    return leaves


async def test_short_answers_are_completed():
    """A range is exact although the log gives seven entries at a time."""
    log = SmallLog(100, cap=7)
    async with reading(log) as client:
        batch = await client.fetch_range(3, 95, 100)
    assert (batch.first, batch.leaves) == (3, log.leaves[3:95])
    assert batch.entry(94).leaf == log.leaves[94]


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("start", [0, 1000, 1337])
async def test_the_cap_of_a_log_is_learnt_and_kept_to(aligned, start):
    """After the first range each request is answered whole and ends on the log's own boundary."""
    log = SmallLog(4000, cap=256, aligned=aligned)
    async with reading(log) as client:
        ranges = client.split(start, 4000)
        await client.fetch_range(*next(ranges), 4000)
        await client.fetch_range(*next(ranges), 4000)
        log.ranges.clear()
        leaves = []
        for low, high in ranges:
            leaves += (await client.fetch_range(low, high, 4000)).leaves
    asked_first = log.ranges[0][0]
    assert leaves == log.leaves[asked_first:]
    assert all(stop % 256 == 0 or stop == 4000 for _, stop in log.ranges)
    assert sum(stop - start for start, stop in log.ranges) == len(leaves)


async def test_the_cap_is_learnt_also_from_a_range_that_failed():
    """A log that gives little and fails often is asked for less at once, and so read."""
    log = SmallLog(2000, cap=32)

    def entries(query: dict) -> object:
        return log.get_entries(query) if len(log.ranges) < 5 else NO

    log.override["get-entries"] = entries
    async with reading(log) as client:
        with pytest.raises(OutsideError):
            await client.fetch_range(0, 1000, 2000)
        assert next(client.split(0, 2000)) == (0, 32)


async def test_ranges_are_aligned_and_without_gap():
    """From anywhere, the first range ends on a boundary and the last at the size."""
    async with reading(SmallLog(1)) as client:
        assert list(client.split(10, 2500)) == [(10, 1000), (1000, 2000), (2000, 2500)]
        assert list(client.split(5, 5)) == []


def test_a_small_answer_is_not_believed_for_ever():
    """After enough whole answers more is asked for; each time in vain, later."""
    chunks = ChunkSize()
    chunks.learn(1000, [24, 32])
    assert chunks.size == 32
    runs = []
    for _ in range(3):
        run = 0
        while chunks.size == 32:
            chunks.learn(32, [])
            run += 1
        runs.append(run)
        chunks.learn(64, [32])
        assert chunks.size == 32
    assert runs == [32, 64, 128]
    for _ in range(2000):
        chunks.learn(chunks.size, [])
    assert chunks.size > 32


@given(st.lists(st.tuples(st.integers(1, 2000), st.lists(st.integers(0, 2000), max_size=3))))
def test_the_chunk_size_stays_in_its_bounds(history):
    """Whatever a log answers, the next request is for one entry at least."""
    chunks = ChunkSize()
    for wanted, short in history:
        chunks.learn(wanted, short)
        assert 1 <= chunks.size <= MOST


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(1, 1000))
def test_ranges_cover_everything_once(start, count, size):
    """Whatever the chunk size, they follow each other and end on its multiples."""
    chunks = ChunkSize()
    chunks.fall_to(size)
    at = start
    for low, high in chunks.ranges(start, start + count):
        assert low == at < high
        assert high % size == 0 or high == start + count
        at = high
    assert at == start + count


async def test_an_answer_without_entries_is_an_error_and_not_a_loop():
    """Go writes such an answer as null or as an empty list."""
    for entries in (None, []):
        log = SmallLog(10)
        log.override["get-entries"] = lambda query, entries=entries: ok({"entries": entries})
        async with reading(log) as client:
            with pytest.raises(OutsideError, match="without any entry") as caught:
                await client.fetch_range(0, 10, 10)
        assert not caught.value.permanent


async def test_more_entries_than_asked_are_left_out():
    """What was not asked for is neither lost time nor trusted."""
    log = SmallLog(100)
    log.override["get-entries"] = lambda query: log.entries(query["start"], 100)
    async with reading(log) as client:
        batch = await client.fetch_range(10, 20, 100)
    assert batch.leaves == log.leaves[10:20]


async def test_an_answer_too_large_to_take_is_asked_for_in_parts():
    """Certificates stuffed to the limit delay a log and do not stop it."""
    log = SmallLog(100)

    def entries(query: dict) -> object:
        if query["end"] - query["start"] >= 5:
            return answer(headers={"Content-Length": str(1 << 30)})
        return log.get_entries(query)

    log.override["get-entries"] = entries
    async with reading(log) as client:
        assert await fetch_all(client, 0, 100) == log.leaves
        assert max(high - low for low, high in client.split(0, 100)) <= 5


async def test_one_entry_too_large_to_take_is_an_error():
    """Halving ends at one entry."""
    log = SmallLog(100)
    log.override["get-entries"] = lambda query: answer(headers={"Content-Length": str(1 << 30)})
    async with reading(log) as client:
        with pytest.raises(BodyTooLargeError):
            await client.fetch_range(0, 100, 100)


async def test_a_front_end_that_lags_behind_is_not_permanent():
    """It refuses what the newest head covers, and will not for long."""
    log = SmallLog(100)
    log.override["get-entries"] = lambda query: ("400 Bad Request", b"need tree size: 11")
    async with reading(log) as client:
        with pytest.raises(OutsideError, match="need tree size") as caught:
            await client.fetch_range(10, 20, 100)
    assert not caught.value.permanent


async def test_ranges_out_of_order_are_the_caller_s_bug():
    """Nothing is asked for outside the tree."""
    async with reading(SmallLog(10)) as client:
        for low, high, size in ((5, 5, 10), (-1, 5, 10), (5, 11, 10)):
            with pytest.raises(RuntimeError):
                await client.fetch_range(low, high, size)


# Heads


async def test_a_head_with_a_bad_signature_is_kept_as_evidence():
    """The error holds the head exactly as received."""
    log = SmallLog(3)
    forged = log.head(3).raw.replace(b'"tree_size": 3', b'"tree_size": 4')
    log.override["get-sth"] = lambda query: ("200 OK", forged)
    async with reading(log) as client:
        with pytest.raises(BadHeadError, match="does not verify") as caught:
            await client.fetch_head()
    assert caught.value.evidence == forged


async def test_what_is_not_a_head_is_garbage_with_evidence():
    """A friendly page with status 200 is no tree head."""
    log = SmallLog(3)
    page = b"<html>maintenance</html>"
    log.override["get-sth"] = lambda query: ("200 OK", page)
    async with reading(log) as client:
        with pytest.raises(GarbageError, match="get-sth") as caught:
            await client.fetch_head()
    assert caught.value.evidence == page


async def test_an_older_head_is_returned_as_it_is():
    """Whether an old head is a lie or a slow front end is for the caller to judge."""
    log = SmallLog(10)
    async with reading(log) as client:
        assert (await client.fetch_head()).size == 10
        log.override["get-sth"] = lambda query: ("200 OK", log.head(4).raw)
        assert (await client.fetch_head()).size == 4


# Proofs


SIZES = [1, 2, 3, 7, 8, 9, 100]


@pytest.mark.parametrize("size", SIZES)
async def test_the_frontier_comes_from_get_entry_and_proof(size):
    """It is the frontier of all entries before, found with one request."""
    log = SmallLog(100)
    expected = Frontier().extend([leaf_hash(leaf) for leaf in log.leaves[:size]])
    async with reading(log) as client:
        assert await client.fetch_frontier(log.head(size)) == expected
    assert log.ranges == []


FAILURES = {
    "absent": lambda query: NO,
    "refused": lambda query: ("400 Bad Request", b"no"),
    "not JSON": lambda query: ("200 OK", b"<html>"),
    "other JSON": lambda query: ok({"leaf_input": 5}),
    "not base64": lambda query: ok({"leaf_input": "!", "audit_path": []}),
    "odd node": lambda query: ok({"leaf_input": "AA==", "audit_path": ["AA=="]}),
    "wrong proof": lambda query: ok({"leaf_input": "AA==", "audit_path": [EMPTY_TEXT] * 7}),
    "endless proof": lambda query: ok({"leaf_input": "AA==", "audit_path": [EMPTY_TEXT] * 999}),
}
EMPTY_TEXT = b64encode(EMPTY_ROOT).decode()


@pytest.mark.parametrize("failure", FAILURES)
async def test_the_frontier_is_found_without_get_entry_and_proof(failure):
    """Not every log has that call; then the proof is asked for by leaf hash."""
    log = SmallLog(100)
    log.override["get-entry-and-proof"] = FAILURES[failure]
    async with reading(log) as client:
        for size in (1, 7, 8, 77):
            expected = Frontier().extend([leaf_hash(leaf) for leaf in log.leaves[:size]])
            assert await client.fetch_frontier(log.head(size)) == expected


async def test_a_frontier_that_does_not_make_the_root_is_refused():
    """Neither way may lead past the signed root."""
    log = SmallLog(100)
    async with reading(log) as client:
        with pytest.raises(BadProofError):
            await client.fetch_frontier(head_of(50, RootHash(bytes(32))))
        with pytest.raises(BadProofError):
            await client.fetch_frontier(head_of(0, RootHash(bytes(32))))


async def test_the_empty_tree_needs_no_request():
    """Its root is known."""
    async with reading(answer("500 No")) as client:
        assert await client.fetch_frontier(head_of(0, EMPTY_ROOT)) == Frontier()


async def test_a_proof_for_the_twin_of_the_last_leaf_is_not_taken():
    """A leaf that occurs twice has two proofs, and only one of them is the edge."""
    log = SmallLog(10)
    log.override["get-entry-and-proof"] = lambda query: NO
    log.override["get-proof-by-hash"] = lambda query: ok({"leaf_index": 3, "audit_path": []})
    async with reading(log) as client:
        with pytest.raises(OutsideError, match="proves entry 3 and not 9"):
            await client.fetch_frontier(log.head(10))


async def test_a_consistency_proof_is_returned_for_the_caller_to_verify():
    """The proof between any two sizes verifies; between equal sizes none is needed."""
    log = SmallLog(50)
    async with reading(log) as client:
        for first, second in ((1, 50), (32, 33), (31, 48)):
            proof = await client.fetch_consistency(first, second)
            verify_consistency(first, log.tree.root(first), second, log.tree.root(second), proof)
        assert await client.fetch_consistency(0, 50) == []
        assert await client.fetch_consistency(50, 50) == []
        log.override["get-sth-consistency"] = lambda query: ok({"consistency": None})
        assert await client.fetch_consistency(1, 2) == []


async def test_hashes_are_escaped_in_urls():
    """Base64 has characters that mean something else in a query."""
    seen: list[str] = []
    log = SmallLog(200)
    log.override["get-entry-and-proof"] = lambda query: NO

    async def noting(asked: Asked, writer: asyncio.StreamWriter) -> None:
        seen.append(asked.path)
        await log(asked, writer)

    async with reading(noting) as client:
        for size in range(150, 200):
            await client.fetch_frontier(log.head(size))
    hashes = [path for path in seen if "get-proof-by-hash" in path]
    assert len(hashes) == 50
    assert any("%2B" in path for path in hashes)
    assert not any("+" in path or "//" in path for path in seen)


async def test_issuers_are_not_served_one_by_one():
    """The chain of an entry has them; asking again cannot help."""
    async with reading(SmallLog(1)) as client:
        with pytest.raises(OutsideError) as caught:
            await client.fetch_issuer(bytes(32))
    assert caught.value.permanent


# Real and hostile answers


async def test_four_real_entries_are_read(corpus):
    """Entries of 2013 as a real log served them."""
    file = corpus / "ct-logs" / "rfc6962-json" / "ct_go_get_entries_real.json"
    body = json.loads(file.read_text())["FourEntries"].encode()
    async with reading(answer(body=body)) as client:
        batch = await client.fetch_range(0, 4, 4)
        entries = [batch.entry(i) for i in range(4)]
    assert b"mail.google.com" in entries[0].certificate
    assert all(entry.chain for entry in entries)


JSONISH = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.just(EMPTY_TEXT) | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["entries", "leaf_input", "extra_data", "audit_path", "consistency", "tree_size"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=80) | JSONISH.map(lambda value: json.dumps(value).encode()))
def test_any_answer_gives_a_value_or_our_error(body):
    """Whatever a log answers to whatever call, only our own errors leave."""

    async def all_calls() -> None:
        async with reading(answer(body=body)) as client:
            for call in (
                client.fetch_head(),
                client.fetch_range(0, 2, 2),
                client.fetch_frontier(head_of(3, RootHash(bytes(32)))),
                client.fetch_consistency(1, 3),
            ):
                with contextlib.suppress(PinwardenError):
                    await call

    asyncio.run(all_calls())
