"""What every log client promises, tried against lab logs on real sockets.

Each test runs for both protocols, which are two faces of one lab log.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pinwarden.ct.leaf import EntryType, Extra, encode_leaf, encode_leaf_index
from pinwarden.ct.log import LogKind
from pinwarden.ct.merkle import Frontier, leaf_hash, verify_consistency
from pinwarden.ct.tiles import DATA, parse_tile_path
from pinwarden.errors import BadProofError, MalformedError, OutsideError, PinwardenError
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.net.evidence import BadHeadError, GarbageError
from pinwarden.net.http import HTTPClient, Limits
from pinwarden.net.logs import LogClient, open_log

QUICK = Limits(timeout=5, attempts=2, patience=5, backoff_first=0)
IMPATIENT = Limits(timeout=0.5, attempts=2, patience=5, backoff_first=0)
TIMING_OUT = frozenset({"silence", "drip"})
UNHURRIED = Limits(timeout=30, attempts=2, backoff_first=0)
KINDS = (LogKind.RFC6962, LogKind.STATIC)
ENTRIES = {LogKind.RFC6962: "get-entries", LogKind.STATIC: "tile/data"}


def lab_log(size: int) -> LabLog:
    log = LabLog("contract", kinds=KINDS)
    leaves = [
        encode_leaf(
            1_790_000_000_000 + i, EntryType.X509, b"\x30%d" % i, None, encode_leaf_index(i)
        )
        for i in range(size)
    ]
    log.add_leaves(leaves, [Extra()] * size)
    return log


@pytest.fixture(params=KINDS, ids=str)
def kind(request) -> LogKind:
    return request.param


@pytest.fixture(scope="module")
def shared_log() -> LabLog:
    return lab_log(66_000)


@pytest.fixture
def big(shared_log) -> Iterator[LabLog]:
    """A log of more entries than one level of tiles holds, honest again after each test."""
    yield shared_log
    shared_log.faults.clear()
    shared_log.visits.clear()


@asynccontextmanager
async def reading(
    log: LabLog, kind: LogKind, limits: Limits = UNHURRIED, contact: str | None = None
) -> AsyncIterator[LogClient]:
    async with LabServer([log]), HTTPClient(contact, limits=limits) as http:
        yield open_log(log.description(kind), http)


async def fetch_all(client: LogClient, start: int, size: int) -> list[bytes]:
    leaves: list[bytes] = []
    for low, high in client.split(start, size):
        batch = await client.fetch_range(low, high, size)
        assert (batch.first, len(batch)) == (low, high - low)
        assert low == start + len(leaves)
        leaves += batch.leaves
    return leaves


# Honest logs


@pytest.mark.parametrize(
    ("start", "size"), [(0, 1), (0, 255), (0, 256), (0, 257), (100, 1000), (255, 513), (999, 1000)]
)
async def test_every_entry_arrives_once_and_in_order(big, kind, start, size):
    """From anywhere to anywhere, exactly the entries of the tree come."""
    async with reading(big, kind) as client:
        leaves = await fetch_all(client, start, size)
    assert leaves == [big.leaf(i) for i in range(start, size)]


async def test_entries_make_the_root_of_the_signed_head(big, kind):
    """What is fetched concurrently and hashed in order is what the log signed."""
    big.faults.shrink = 3000
    async with reading(big, kind) as client:
        head = await client.fetch_head()
        ranges = list(client.split(0, head.size))
        batches = await asyncio.gather(
            *(client.fetch_range(low, high, head.size) for low, high in ranges)
        )
    frontier = Frontier()
    for batch in batches:
        frontier = frontier.extend(batch.leaf_hashes())
    assert (frontier.size, frontier.root()) == (3000, head.root)


async def test_a_batch_is_one_range(big, kind):
    """At least one entry, beginning where it was asked to."""
    async with reading(big, kind) as client:
        for start in (0, 5, 255, 700):
            batch = await client.fetch_batch(start, 701)
            assert batch.first == start
            assert batch.leaves == [big.leaf(start + i) for i in range(len(batch))]
            assert len(batch) >= 1


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_800])
async def test_the_frontier_is_that_of_all_entries_before(big, kind, size):
    """Starting at the end continues exactly as if everything had been read."""
    big.faults.shrink = size
    expected = Frontier().extend([leaf_hash(big.leaf(i)) for i in range(size)])
    async with reading(big, kind) as client:
        head = await client.fetch_head()
        assert head.size == size
        assert await client.fetch_frontier(head) == expected
    assert big.visits.count(ENTRIES[kind]) == 0


async def test_the_frontier_is_refused_for_another_root(big, kind):
    """A root that no entries make has no frontier."""
    big.faults.wrong_root = True
    async with reading(big, kind) as client:
        for shrink in (0, 1, 256, 300, None):
            big.faults.shrink = shrink
            head = await client.fetch_head()
            with pytest.raises(BadProofError):
                await client.fetch_frontier(head)


@pytest.mark.parametrize(
    ("first", "second"), [(1, 2), (255, 256), (256, 65_536), (300, 65_537), (65_535, 65_800)]
)
async def test_consistency_proofs_verify(big, kind, first, second):
    """The log can show that an older tree is a prefix of a newer one."""
    tree = big.history.tree
    async with reading(big, kind) as client:
        proof = await client.fetch_consistency(first, second)
        assert await client.fetch_consistency(0, second) == []
        assert await client.fetch_consistency(second, second) == []
    verify_consistency(first, tree.root(first), second, tree.root(second), proof)


async def test_entries_of_both_kinds_can_be_taken_apart(kind):
    """Certificates, precertificates and chains reach the reader whole."""
    log, ca = LabLog("contract", kinds=KINDS), CA("Contract CA")
    issued = ca.issue(["www.example.net"])
    log.add_issued(issued)
    async with reading(log, kind) as client:
        batch = await client.fetch_range(0, 2, 2)
        precertificate, certificate = batch.entry(0), batch.entry(1)
        assert (precertificate.tbs, certificate.certificate) == (issued.tbs, issued.certificate)
        assert precertificate.precertificate == issued.precertificate
        assert not precertificate.problems
        assert not certificate.problems
        for fingerprint in certificate.chain_fingerprints:
            assert await client.fetch_issuer(fingerprint) in issued.certificate_chain


async def test_requests_say_who_we_are_and_stay_below_the_limit(big, kind):
    """A log sees our contact, and no more requests at once than were allowed."""
    limits = replace(UNHURRIED, concurrency=3)
    big.faults.slow = 0.005
    async with reading(big, kind, limits, "ops@example.net") as client:
        ranges = list(client.split(0, 8000))
        await asyncio.gather(*(client.fetch_range(*each, 8000) for each in ranges))
    assert all("(+ops@example.net)" in agent for agent in big.visits.user_agents())
    assert big.visits.most_at_once == 3


# Heads


async def test_a_head_with_a_bad_signature_is_evidence(big, kind):
    """It is refused, and kept exactly as received."""
    big.faults.bad_signature = True
    async with reading(big, kind) as client:
        with pytest.raises(BadHeadError) as caught:
            await client.fetch_head()
    assert caught.value.evidence == big.head(kind)


async def test_a_head_signed_by_another_key_is_refused(big, kind):
    """The key of the log list decides, whoever else signed."""
    other = LabLog("contract", kinds=KINDS)
    async with LabServer([big]), HTTPClient(limits=UNHURRIED) as http:
        face = other.face(kind)
        client = open_log(replace(big.description(kind), key=face.spki, log_id=face.log_id), http)
        with pytest.raises((BadHeadError, GarbageError)):
            await client.fetch_head()


async def test_an_old_head_is_returned_as_it_is(kind):
    """Judging it is for the caller, who remembers what came before."""
    log = lab_log(10)
    log.publish()
    log.add_leaves([b"\x00" * 20], [Extra()])
    log.faults.old_head_every = 2
    async with reading(log, kind) as client:
        sizes = [(await client.fetch_head()).size for _ in range(4)]
    assert sizes == [11, 10, 11, 10]


# Logs that misbehave


MISBEHAVIOUR = {
    "error": ({"status": 500}, OutsideError),
    "overloaded": ({"status": 503}, OutsideError),
    "forbidden": ({"status": 403}, OutsideError),
    "redirect": ({"redirect": "https://example.com/"}, OutsideError),
    "page": ({"garbage": "html"}, MalformedError),
    "noise": ({"garbage": "random"}, MalformedError),
    "broken gzip": ({"garbage": "gzip"}, OutsideError),
    "flood": ({"endless": "flood"}, OutsideError),
    "drip": ({"endless": "drip"}, OutsideError),
    "bomb": ({"bomb": 65 << 20}, OutsideError),
    "silence": ({"silent": True}, OutsideError),
    "reset": ({"reset": True}, OutsideError),
    "cut": ({"cut_body": True}, OutsideError),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
async def test_misbehaviour_is_an_error_of_ours_and_passes(big, kind, name):
    """Each call fails with our error and works again when the log does."""
    faults, error = MISBEHAVIOUR[name]
    size = 300
    big.faults.shrink = size
    limits = IMPATIENT if name in TIMING_OUT else QUICK
    async with reading(big, kind, limits) as client:
        head = await client.fetch_head()
        for fault, value in faults.items():
            setattr(big.faults, fault, value)
        for call in (client.fetch_head(), client.fetch_range(0, 10, size)):
            with pytest.raises(error):
                await call
        if name not in TIMING_OUT:
            for proof in (client.fetch_frontier(head), client.fetch_consistency(100, size)):
                with pytest.raises(PinwardenError):
                    await proof
        big.faults.clear()
        batch = await client.fetch_range(0, 10, size)
    assert batch.leaves == [big.leaf(i) for i in range(10)]


@pytest.mark.parametrize("name", ["error", "overloaded", "silence", "reset", "cut"])
async def test_a_fault_that_passes_is_not_noticed(big, kind, name):
    """One bad answer is retried within the call."""
    for fault, value in MISBEHAVIOUR[name][0].items():
        setattr(big.faults, fault, value)
    big.faults.on, big.faults.times = ENTRIES[kind], 1
    limits = IMPATIENT if name in TIMING_OUT else QUICK
    async with reading(big, kind, limits) as client:
        batch = await client.fetch_range(256, 300, 300)
    assert batch.leaves == [big.leaf(i) for i in range(256, 300)]


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_wish_to_be_left_alone_reaches_the_caller(big, kind, form):
    """A pause longer than one call may take is told, so that the caller can plan."""
    later = datetime.now(UTC) + timedelta(seconds=600)
    big.faults.status, big.faults.retry_after = 429, 600 if form == "seconds" else later
    async with reading(big, kind, QUICK) as client:
        with pytest.raises(OutsideError) as caught:
            await client.fetch_head()
        assert caught.value.retry_after == pytest.approx(600, abs=10)
        visits = len(big.visits)
        with pytest.raises(OutsideError):
            await client.fetch_range(0, 10, 10)
        assert len(big.visits) == visits == 1


async def test_a_refused_connection_passes(big, kind):
    """A log that is down is an OutsideError, and read again once it is up."""
    async with LabServer([big]) as server, HTTPClient(limits=QUICK) as http:
        client = open_log(big.description(kind), http)
        server.refuse(big)
        with pytest.raises(OutsideError):
            await client.fetch_head()
        server.accept(big)
        await client.fetch_head()


async def test_the_server_s_own_chunks_and_dropped_tiles_change_nothing(big, kind):
    """Short answers and partial tiles that are gone cost requests, never entries."""
    big.faults.short_answers, big.faults.partial_tile_404 = 7, True
    async with reading(big, kind) as client:
        assert await fetch_all(client, 200, 300) == [big.leaf(i) for i in range(200, 300)]


async def test_a_wrong_leaf_index_is_a_problem_of_the_entry(kind):
    """The leaf is still hashed and scanned as it is."""
    log, ca = LabLog("contract", kinds=KINDS), CA("Contract CA")
    log.faults.wrong_leaf_index = True
    log.add_issued(ca.issue(["www.example.net"]))
    async with reading(log, kind) as client:
        batch = await client.fetch_range(0, 2, 2)
    assert batch.leaves == [log.leaf(0), log.leaf(1)]
    assert any("leaf_index" in problem for problem in batch.entry(0).problems)


# One protocol only


async def test_an_rfc6962_log_without_entries_in_its_answers_is_given_up(big):
    """An empty answer is an error at once, and not asked for again without end."""
    big.faults.empty_entries = True
    async with reading(big, LogKind.RFC6962) as client:
        with pytest.raises(OutsideError, match="without any entry"):
            await client.fetch_range(0, 10, 300)
    assert big.visits.count("get-entries") == 1


async def test_requests_to_an_rfc6962_log_are_aligned_to_its_cap(big):
    """After the first range every request is whole and ends on the log's boundary."""
    async with reading(big, LogKind.RFC6962) as client:
        await fetch_all(client, 77, 10_000)
    later = [each for each in big.visits.ranges() if each[0] >= 1000]
    assert all((end + 1) % 256 == 0 or end == 9999 for _, end in later)
    assert len(later) == 37


async def test_a_static_log_is_asked_only_for_tiles_that_a_head_implies(big):
    """A width that no signed head implies need not exist."""
    size = 65_800
    big.faults.shrink = size
    async with reading(big, LogKind.STATIC) as client:
        head = await client.fetch_head()
        await client.fetch_frontier(head)
        for low, high in ((0, 10), (250, 260), (65_700, 65_790), (65_536, size)):
            await client.fetch_range(low, high, size)
        await client.fetch_consistency(1000, size)
    tiles = [parse_tile_path(each.path.removeprefix("tiles/")) for each in big.visits.to("tile/")]
    assert len(tiles) > 8
    for tile in tiles:
        columns = size >> (0 if tile.level == DATA else 8 * tile.level)
        assert tile.width == min(256, columns - tile.index * 256)


async def test_a_missing_tile_is_an_error_that_names_it(big):
    """A hole in a log is not an empty tile."""
    big.faults.missing = {"tile/data/001"}
    async with reading(big, LogKind.STATIC) as client:
        with pytest.raises(OutsideError, match="tile/data/001"):
            await client.fetch_range(256, 512, 1000)


async def test_a_cancelled_reader_leaves_nothing_behind(big, kind):
    """Stopping in mid request closes it, and the next call is served."""
    big.faults.silent = True
    async with reading(big, kind, replace(UNHURRIED, concurrency=1)) as client:
        task = asyncio.create_task(client.fetch_range(0, 10, 10))
        await asyncio.sleep(0.1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        big.faults.clear()
        assert len(await client.fetch_range(0, 10, 10)) == 10
