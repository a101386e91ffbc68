"""The lab over real HTTP: both protocols, endpoint by endpoint, from outside."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import pytest

from pinwarden.ct.leaf import Extra
from pinwarden.ct.log import LogKind, LogState
from pinwarden.ct.loglist import parse_log_list
from pinwarden.lab.ca import CA
from pinwarden.lab.log import LabLog
from pinwarden.lab.odd_leaves import odd_leaves
from pinwarden.lab.serve import LabServer
from pinwarden.lab.submission import sct_from_json
from support import oracle

from .conftest import BOTH, NOW, Clock

Fill = Callable[[LabLog, int], None]
SIZE = 600


@pytest.fixture(scope="module")
def filled(ca: CA, fill: Fill) -> LabLog:
    """A log that no test changes, of two full tiles and a bit."""
    log = LabLog("both", kinds=BOTH, most_entries=64)
    log.roots.append(ca.root)
    fill(log, SIZE)
    return log


@pytest.fixture
async def log(filled: LabLog) -> AsyncIterator[LabLog]:
    async with LabServer([filled]):
        yield filled


async def get(
    session: aiohttp.ClientSession, url: str, **headers: str
) -> tuple[int, bytes, Mapping[str, str]]:
    async with session.get(url, headers=headers) as response:
        return response.status, await response.read(), response.headers


async def get_json(session: aiohttp.ClientSession, url: str) -> Any:
    status, body, headers = await get(session, url, **{"Accept-Encoding": "identity"})
    assert (status, headers["Content-Type"]) == (200, "application/json")
    return json.loads(body)


async def test_a_reader_of_rfc_6962_can_rebuild_the_root(
    log: LabLog, session: aiohttp.ClientSession
) -> None:
    """The entries that get-entries gives must make the root that get-sth signs."""
    face, url = log.face(LogKind.RFC6962), log.url(LogKind.RFC6962)
    _, body, _ = await get(session, url + "ct/v1/get-sth")
    head = oracle.read_sth(body, face.spki)
    leaves: list[bytes] = []
    while len(leaves) < head.size:
        query = f"start={len(leaves)}&end={head.size + 5}"
        _, body, headers = await get(session, f"{url}ct/v1/get-entries?{query}")
        assert "Content-Encoding" in headers
        got = oracle.read_entries(gzip.decompress(body))
        assert 0 < len(got) <= 64
        leaves += got
    assert (len(leaves), oracle.tree_hash(leaves)) == (SIZE, head.root)


async def test_a_reader_of_tiles_can_rebuild_the_root(
    log: LabLog, session: aiohttp.ClientSession
) -> None:
    """The data tiles must make the root that the checkpoint signs, and name issuers served."""
    face, url = log.face(LogKind.STATIC), log.url(LogKind.STATIC)
    _, body, _ = await get(session, url + "checkpoint")
    head = oracle.read_checkpoint(
        body, face.spki, urlsplit(log.submission_url(LogKind.STATIC)).netloc + "/both/submit"
    )
    entries: list[oracle.TileEntry] = []
    for path in ("000", "001", "002.p/88"):
        status, body, headers = await get(session, f"{url}tile/data/{path}")
        assert (status, headers["Content-Encoding"]) == (200, "gzip")
        entries += oracle.read_tile(gzip.decompress(body))
    assert oracle.tree_hash([each.leaf for each in entries]) == head.root
    indexes = [int.from_bytes(each.leaf[-5:], "big") for each in entries]
    assert indexes == list(range(SIZE))
    for fingerprint in {each for entry in entries for each in entry.fingerprints}:
        status, issuer, _ = await get(session, f"{url}issuer/{fingerprint.hex()}")
        assert (status, sha256(issuer).digest()) == (200, fingerprint)


async def test_hash_tiles_are_the_nodes_of_the_tree(
    log: LabLog, session: aiohttp.ClientSession
) -> None:
    """Level 0 must hold the leaf hashes, level 1 a node for each full tile below."""
    leaves = [log.leaf(index) for index in range(SIZE)]
    hashed = [oracle.leaf(each) for each in leaves]
    url = log.url(LogKind.STATIC)
    for path, expected in (
        ("0/001", hashed[256:512]),
        ("0/002.p/88", hashed[512:]),
        ("0/002.p/3", hashed[512:515]),
        ("1/000.p/2", [oracle.tree_hash(leaves[i : i + 256]) for i in (0, 256)]),
    ):
        status, body, _ = await get(session, f"{url}tile/{path}")
        assert (status, body) == (200, b"".join(expected))


@pytest.mark.parametrize(
    "path",
    [
        "tile/data/002", "tile/data/002.p/89", "tile/data/003.p/1", "tile/data/2.p/88",
        "tile/0/002", "tile/1/000", "tile/1/000.p/3", "tile/2/000.p/1", "tile/6/000",
        "tile/0/000.p/256", "tile/0/000.p/0", "tile/data/x000/001", f"issuer/{'0' * 64}", "nothing",
    ],
)  # fmt: skip
async def test_what_no_checkpoint_implies_is_not_there(
    log: LabLog, session: aiohttp.ClientSession, path: str
) -> None:
    """Tiles wider or further than the tree, and other spellings, must be 404."""
    status, _, _ = await get(session, log.url(LogKind.STATIC) + path)
    assert status == 404


async def test_proofs_over_http_are_those_of_the_definitions(
    log: LabLog, session: aiohttp.ClientSession
) -> None:
    """get-proof-by-hash, get-entry-and-proof and get-sth-consistency must agree with RFC 6962."""
    url = log.url(LogKind.RFC6962) + "ct/v1/"
    leaves = [log.leaf(index) for index in range(SIZE)]
    path = [b64encode(node).decode() for node in oracle.audit_path(300, leaves)]
    wanted = quote(b64encode(oracle.leaf(leaves[300])).decode(), safe="")
    by_hash = await get_json(session, f"{url}get-proof-by-hash?hash={wanted}&tree_size={SIZE}")
    assert by_hash == {"leaf_index": 300, "audit_path": path}
    entry = await get_json(session, f"{url}get-entry-and-proof?leaf_index=300&tree_size={SIZE}")
    assert (entry["audit_path"], b64decode(entry["leaf_input"])) == (path, leaves[300])
    proof = await get_json(session, f"{url}get-sth-consistency?first=300&second={SIZE}")
    expected = [b64encode(node).decode() for node in oracle.consistency(300, leaves)]
    assert proof == {"consistency": expected}


async def test_roots(log: LabLog, session: aiohttp.ClientSession, ca: CA) -> None:
    """Both submission prefixes must say which roots are taken."""
    expected = {"certificates": [b64encode(ca.root).decode()]}
    for kind in BOTH:
        assert await get_json(session, log.submission_url(kind) + "ct/v1/get-roots") == expected


async def test_a_whole_issuance_over_http(session: aiohttp.ClientSession, ca: CA) -> None:
    """SCTs got by POST must be embedded, verify, and be kept by both faces of the log."""
    log = LabLog("live", kinds=BOTH)
    log.roots.append(ca.root)
    async with LabServer([log]):
        promised = ca.precertify(["a.example"])
        body = {"chain": [b64encode(each).decode() for each in (promised.der, *promised.chain)]}
        scts = []
        for kind in BOTH:
            url = log.submission_url(kind) + "ct/v1/add-pre-chain"
            async with session.post(url, json=body) as response:
                answer = await response.read()
            sct = oracle.sct_from_json(answer)
            entry = promised.issuer_key_hash + oracle.vector(promised.tbs, 3)
            sct.check(log.face(kind).spki, entry, 1)
            assert oracle.read_sct(sct_from_json(answer)) == sct
            assert sct.leaf_index == 0
            scts.append(sct_from_json(answer))
        issued = ca.complete(promised, scts)
        body = {"chain": [b64encode(each).decode() for each in issued.certificate_chain]}
        url = log.submission_url(LogKind.STATIC) + "ct/v1/add-chain"
        async with session.post(url, json=body) as response:
            assert oracle.sct_from_json(await response.read()).leaf_index == 1
    assert log.size == 2


@pytest.mark.parametrize("fault", ["no chain", "wrong endpoint", "unknown root", "bad signature"])
async def test_a_bad_submission_is_refused(
    session: aiohttp.ClientSession, ca: CA, fault: str
) -> None:
    """A chain that proves nothing must be refused with 400, and not be entered."""
    log = LabLog("live")
    log.roots.append(ca.root)
    issued = ca.issue(["a.example"])
    chain = list(issued.certificate_chain)
    if fault == "wrong endpoint":
        chain = list(issued.precertificate_chain)
    if fault == "unknown root":
        chain = list(CA("Other").issue(["a.example"]).certificate_chain)
    if fault == "bad signature":
        chain[0] = chain[0][:-1] + bytes([chain[0][-1] ^ 1])
    body = {} if fault == "no chain" else {"chain": [b64encode(each).decode() for each in chain]}
    async with (
        LabServer([log]),
        session.post(log.url() + "ct/v1/add-chain", json=body) as response,
    ):
        assert response.status == 400
    assert log.size == 0


async def test_odd_leaves_are_served_as_they_are(session: aiohttp.ClientSession, ca: CA) -> None:
    """get-entries must give every odd leaf unchanged; tiles those that fit."""
    log = LabLog("odd", kinds=BOTH, gzip_tiles=False, gzip_json=False)
    cases = [case for case in odd_leaves(ca, "a.example", timestamp_ms=1) if case.tileable]
    for case in cases:
        log.add_leaf(case.leaf, case.extra)
    async with LabServer([log]):
        _, body, _ = await get(
            session, f"{log.url(LogKind.RFC6962)}ct/v1/get-entries?start=0&end=99"
        )
        assert oracle.read_entries(body) == [case.leaf for case in cases]
        _, body, _ = await get(session, f"{log.url(LogKind.STATIC)}tile/data/000.p/{len(cases)}")
        assert [each.leaf for each in oracle.read_tile(body)] == [case.leaf for case in cases]


async def test_visits_are_remembered(log: LabLog, session: aiohttp.ClientSession) -> None:
    """Paths, ranges, User-Agents and how many asked at once must be there for assertions."""
    log.visits.clear()
    base = log.url(LogKind.RFC6962) + "ct/v1/"
    await get(session, base + "get-sth", **{"User-Agent": "reader/1"})
    await get(session, base + "get-entries?start=0&end=63")
    await get(session, log.url(LogKind.STATIC) + "tile/0/000")
    assert [each.path for each in log.visits] == [
        "ct/v1/get-sth",
        "ct/v1/get-entries",
        "tiles/tile/0/000",
    ]
    assert log.visits.ranges() == [(0, 63)]
    assert log.visits.count("tile/") == 1
    assert "reader/1" in log.visits.user_agents()
    assert log.visits.most_at_once == 1
    log.faults.silent = True
    waiting = [asyncio.create_task(get(session, base + "get-sth")) for _ in range(3)]
    while log.visits.count("get-sth") < 4:  # noqa: ASYNC110 - only the counter tells
        await asyncio.sleep(0.01)
    log.faults.clear()
    assert log.visits.most_at_once == 3
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_real_entries_can_be_replayed(corpus: Path, session: aiohttp.ClientSession) -> None:
    """Tiles of a real log must come out as they went in, under a head of our own."""
    real = corpus / "ct-logs" / "sunlight-navigli2025h2" / "tile"
    log = LabLog("replay", kinds=BOTH, gzip_tiles=False)
    tiles = [(real / "data" / name).read_bytes() for name in ("000", "001")]
    for tile in tiles:
        for entry in oracle.read_tile(tile):
            prints = tuple(entry.fingerprints)
            log.add_leaf(entry.leaf, Extra(entry.precertificate, (), prints))
    async with LabServer([log]):
        url = log.url(LogKind.STATIC)
        for number, tile in enumerate(tiles):
            assert (await get(session, f"{url}tile/data/00{number}"))[1] == tile
            hashes = (real / "0" / f"00{number}").read_bytes()
            assert (await get(session, f"{url}tile/0/00{number}"))[1] == hashes


def test_the_log_list_describes_the_logs(clock: Clock) -> None:
    """Our own parser must read the list without a problem, and find the logs as they are."""
    interval = (NOW, NOW + timedelta(days=180))
    logs = [
        LabLog("both", kinds=BOTH, clock=clock, interval=interval),
        LabLog("plain", operator="Other", state=LogState.UNKNOWN, mmd=timedelta(hours=24)),
        LabLog("closed", state=LogState.READONLY),
    ]
    with LabServer(logs) as server:
        listed = parse_log_list(server.log_list_json(), "lab")
    assert listed.problems == ()
    assert len(listed.logs) == 4
    for log in logs:
        for face in log.faces:
            found, described = listed.by_id[face.log_id], log.description(face.kind)
            for name in (
                *("key", "description", "operator", "kind", "url", "submission_url"),
                *("origin", "mmd", "state", "interval"),
            ):
                assert getattr(found, name) == getattr(described, name), name
    assert listed.by_id[logs[2].face().log_id].final_size == 0


def test_a_synchronous_test_can_have_a_server(ca: CA) -> None:
    """`with` must serve in a thread of its own, also logs that come later, and end cleanly."""
    first, second = LabLog("first"), LabLog("second")

    def ask(url: str) -> tuple[int, bytes]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        try:
            connection.request("GET", parts.path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    with LabServer([first]) as server:
        server.add_log(second)
        second.add_certificate(ca.issue(["a.example"]).certificate_chain)
        status, body = ask(second.url() + "ct/v1/get-sth")
        assert (status, oracle.read_sth(body, second.face().spki).size) == (200, 1)
        status, body = ask(server.log_list_url)
        assert (status, len(parse_log_list(body, "lab").logs)) == (200, 2)
        server.refuse(second)
        with pytest.raises(ConnectionRefusedError):
            ask(second.url() + "ct/v1/get-sth")
        assert ask(first.url() + "ct/v1/get-sth")[0] == 200
        server.accept(second)
        assert ask(second.url() + "ct/v1/get-sth")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        ask(first.url() + "ct/v1/get-sth")


async def test_the_log_list_can_be_asked_for_conditionally(session: aiohttp.ClientSession) -> None:
    """An unchanged list must be answered with 304."""
    async with LabServer([LabLog("a")]) as server:
        _, _, headers = await get(session, server.log_list_url)
        status, body, _ = await get(
            session, server.log_list_url, **{"If-None-Match": headers["ETag"]}
        )
        assert (status, body) == (304, b"")
