"""A static-ct log of other people's making: submit to it, then follow it with verification."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from peers.cli import watch_once
from peers.sunlight import SunlightLog, sunlight_log
from pinwarden.ct.entry import Entry
from pinwarden.ct.loglist import parse_log_list
from pinwarden.ct.merkle import Frontier, RootHash, verify_consistency
from pinwarden.lab.ca import CA, Issued, pem
from pinwarden.net.http import HTTPClient
from pinwarden.net.logs import LogClient, open_log
from pinwarden.x509.certificate import view_certificate, view_tbs
from pinwarden.x509.precert import tbs_hash

pytestmark = pytest.mark.peer

# More than one full tile, and a partial one.
BYSTANDERS = 280
EMPTY = Frontier(0, ())


@pytest.fixture(scope="module")
def log(ca: CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SunlightLog]:
    """A running log in which a crowd of certificates stands already."""
    key = ca.issue(["bystander.example.org"]).private_key
    crowd = [ca.issue([f"host{i}.example.org"], key=key) for i in range(BYSTANDERS // 2)]
    with sunlight_log(tmp_path_factory.mktemp("sunlight"), pem([ca.root])) as running:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda each: _submit_both(running, each), crowd))
        yield running


def _submit_both(log: SunlightLog, issued: Issued) -> None:
    log.submit(issued.precertificate_chain, precertificate=True)
    log.submit(issued.certificate_chain, precertificate=False)


def _client(log: SunlightLog, http: HTTPClient) -> LogClient:
    listed = parse_log_list(log.log_list, "peer")
    assert listed.problems == ()
    return open_log(listed.logs[0], http)


async def _read(client: LogClient, frontier: Frontier, size: int) -> tuple[Frontier, list[Entry]]:
    """All entries from `frontier` to `size`, and the frontier after them."""
    entries = []
    for low, high in client.split(frontier.size, size):
        batch = await client.fetch_range(low, high, size)
        frontier = frontier.extend(batch.leaf_hashes())
        entries += [batch.entry(index) for index in range(low, high)]
    return frontier, entries


async def test_every_entry_is_under_the_signed_root(log: SunlightLog) -> None:
    """The leaves that the log serves make the root that it signs, and nothing in them is odd."""
    async with HTTPClient() as http:
        client = _client(log, http)
        head = await client.fetch_head()
        frontier, entries = await _read(client, EMPTY, head.size)
    assert head.size >= BYSTANDERS
    assert frontier.root() == head.root
    assert [each.index for each in entries if each.problems] == []


async def test_joining_at_the_present_head(log: SunlightLog) -> None:
    """The right edge made from hash tiles is the one that all leaves together make."""
    async with HTTPClient() as http:
        client = _client(log, http)
        head = await client.fetch_head()
        frontier, _ = await _read(client, EMPTY, head.size)
        assert frontier == await client.fetch_frontier(head)


async def test_growing_is_provable(log: SunlightLog, ca: CA) -> None:
    """After a submission the log's next head contains its last one, by proof and by hashing on."""
    async with HTTPClient() as http:
        client = _client(log, http)
        before = await client.fetch_head()
        frontier = await client.fetch_frontier(before)
        log.submit(ca.issue(["growth.example.org"]).precertificate_chain, precertificate=True)
        after = await client.fetch_head()
        proof = await client.fetch_consistency(before.size, after.size)
        verify_consistency(before.size, before.root, after.size, after.root, proof)
        grown, _ = await _read(client, frontier, after.size)
    assert after.size == before.size + 1
    assert grown.root() == after.root


@pytest.mark.parametrize("by_precert_signer", [False, True])
async def test_both_halves_are_one_issuance(
    log: SunlightLog, ca: CA, by_precert_signer: bool
) -> None:
    """What the log makes of a precertificate has the hash of the certificate that followed."""
    issued = ca.issue(["halves.example.org"], by_precert_signer=by_precert_signer)
    async with HTTPClient() as http:
        client = _client(log, http)
        before = await client.fetch_head()
        frontier = await client.fetch_frontier(before)
        _submit_both(log, issued)
        after = await client.fetch_head()
        _, (promise, certificate) = await _read(client, frontier, after.size)
        issuers = [await client.fetch_issuer(each) for each in certificate.chain_fingerprints]
    assert promise.tbs == issued.tbs
    assert promise.precertificate == issued.precertificate
    assert certificate.certificate == issued.certificate
    assert view_tbs(issued.tbs).identifiers().dns == ("halves.example.org",)
    assert tbs_hash(issued.tbs) == tbs_hash(view_certificate(issued.certificate).tbs)
    assert (promise.problems, certificate.problems) == ((), ())
    assert tuple(issuers) == issued.chain


async def _signed_root(log: SunlightLog) -> tuple[int, RootHash]:
    async with HTTPClient() as http:
        head = await _client(log, http).fetch_head()
    return head.size, head.root


async def test_a_watched_certificate_alerts(log: SunlightLog, ca: CA, tmp_path: Path) -> None:
    """`pinwarden watch` reads the whole log, verifies it, and alerts once for each issuance."""
    issued = ca.issue(["login.watched.example"])
    _submit_both(log, issued)

    first = watch_once(tmp_path, log.log_list, ".watched.example")

    (sighting,) = first.sightings
    assert sighting["names"] == ["login.watched.example"]
    assert sighting["tbs_sha256"] == tbs_hash(issued.tbs).hex()
    size, root = await _signed_root(log)
    (report,) = first.report["logs"]
    assert report["log_id"] == log.described["log_id"]
    assert (report["entries"], report["verified_size"]) == (size, size)
    assert base64.b64decode(report["root"]) == root

    assert watch_once(tmp_path, log.log_list, ".watched.example").alerts == ()

    log.submit(ca.issue(["*.watched.example"]).precertificate_chain, precertificate=True)
    (again,) = watch_once(tmp_path, log.log_list, ".watched.example").sightings
    assert again["names"] == ["*.watched.example"]
