"""Fetching log lists from real servers on loopback that lie, fail and fall silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from pinwarden.ct.known_logs import chrome_list_key, listed_logs
from pinwarden.ct.log import Program
from pinwarden.ct.loglist import logs_to_follow
from pinwarden.errors import OutsideError
from pinwarden.findings import (
    LOG_LIST_REFUSED,
    LOG_LIST_ROLLED_BACK,
    LOG_LIST_STALE,
    LOG_LIST_UNREACHABLE,
)
from pinwarden.net.http import HTTPClient
from pinwarden.net.loglists.copies import Copy, copy_path, load_copy, save_copy
from pinwarden.net.loglists.fetch import fetch_log_list
from pinwarden.net.loglists.known import load_log_list
from pinwarden.net.loglists.sources import ListSource, Origin
from support.list_server import AT, ListServer, dated, kinds, names
from support.log_lists import entry, list_json, sign_list


def files_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_a_signed_list_is_fetched_verified_and_kept(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """The next start has it without any network, and verifies it again."""
    server.serve(dated("2026-09-01", "A", "B"))
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
    assert (names(used), used.signed, used.origin) == (["A", "B"], True, Origin.NETWORK)
    assert used.findings == ()
    kept = load_log_list(server.source(), tmp_path, at=AT)
    assert (names(kept), kept.signed, kept.origin) == (["A", "B"], True, Origin.COPY)
    assert kept.fetched == kept.checked == AT
    assert files_in(tmp_path) == [copy_path(tmp_path, server.source().place).name]


async def test_a_list_that_did_not_change_is_not_sent_again(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """The server says 304, and that counts as a check."""
    server.serve(dated("2026-09-01"))
    await fetch_log_list(http, server.source(), tmp_path, at=AT)
    server.paths()
    later = AT + timedelta(days=1)
    used = await fetch_log_list(http, server.source(), tmp_path, at=later)
    assert server.paths() == ["/list.json"]
    assert (used.fetched, used.checked, used.findings) == (AT, later, ())
    assert load_log_list(server.source(), tmp_path, at=later).checked == later


async def test_a_list_checked_lately_is_not_asked_for(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """A monitor started every few minutes does not bother the program's server."""
    server.serve(dated("2026-09-01"))
    hour = timedelta(hours=1)
    for minutes, asked in ((0, 2), (59, 0), (60, 1), (-1, 1)):
        at = AT + timedelta(minutes=minutes)
        await fetch_log_list(http, server.source(), tmp_path, at=at, refresh_after=hour)
        assert len(server.paths()) == asked


async def test_a_newer_list_replaces_the_older(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """The usual case: a log is new."""
    server.serve(dated("2026-09-01", "A"))
    await fetch_log_list(http, server.source(), tmp_path, at=AT)
    server.serve(dated("2026-09-02", "A", "B"))
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
    assert (names(used), used.findings) == (["A", "B"], ())


@pytest.mark.parametrize("where", ["list", "signature"])
async def test_one_flipped_byte_and_the_list_is_refused(
    where: str, server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """What we have stays in use, and nothing bad is kept."""
    good = dated("2026-09-01", "A")
    server.serve(good)
    await fetch_log_list(http, server.source(), tmp_path, at=AT)
    evil = bytearray(dated("2026-09-02", "A", "Evil"))
    signature = bytearray(sign_list(bytes(evil)))
    (evil if where == "list" else signature)[40] ^= 1
    server.serve(bytes(evil), bytes(signature))
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
    assert (names(used), kinds(used)) == (["A"], [LOG_LIST_REFUSED.id])
    assert "signature does not verify" in used.findings[0].message
    copy = load_copy(tmp_path, server.source().place)
    assert copy is not None
    assert copy.body == good


async def test_a_missing_signature_is_no_way_around_it(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """A list whose signature cannot be had is not used, on a first start either."""
    server.serve(dated("2026-09-01", "Evil"))
    for signature in (None, b""):
        if signature is None:
            del server.bodies["/list.sig"]
        else:
            server.bodies["/list.sig"] = signature
        used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
        assert used.origin is Origin.SHIPPED
        assert used.log_list.logs == listed_logs(Program.CHROME).logs
        assert kinds(used) in ([LOG_LIST_UNREACHABLE.id], [LOG_LIST_REFUSED.id])


async def test_a_list_and_signature_out_of_step_are_asked_for_again(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """The two files have been served a version apart for a while; that is no attack."""
    old, new = dated("2026-09-01", "A"), dated("2026-09-02", "A", "B")
    server.bodies = {
        "/list.json": [old, new],
        "/list.sig": sign_list(new),
    }
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
    assert (names(used), used.findings) == (["A", "B"], ())
    assert server.paths() == ["/list.json", "/list.sig"] * 2


async def test_a_roll_back_is_refused_with_a_finding(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """A list that was good once could hide every log since; a restart forgets nothing."""
    server.serve(dated("2026-09-02", "A", "B", version="90.2"))
    await fetch_log_list(http, server.source(), tmp_path, at=AT)
    server.serve(dated("2026-09-01", "A", version="90.1"))
    for _ in range(2):
        used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
        assert (names(used), kinds(used)) == (["A", "B"], [LOG_LIST_ROLLED_BACK.id])
        assert "'90.1' of 2026-09-01" in used.findings[0].message
    assert names(load_log_list(server.source(), tmp_path, at=AT)) == ["A", "B"]


async def test_a_roll_back_by_version_is_refused_where_there_is_no_date(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """Apple's lists have only a version."""
    source = server.source(Program.APPLE, signed=False)
    server.serve(list_json(entry("A"), entry("B"), version="520"))
    await fetch_log_list(http, source, tmp_path, at=AT)
    server.serve(list_json(entry("A"), version="519"))
    used = await fetch_log_list(http, source, tmp_path, at=AT)
    assert (names(used), kinds(used)) == (["A", "B"], [LOG_LIST_ROLLED_BACK.id])


@pytest.mark.parametrize("cached", [False, True])
async def test_a_list_older_than_this_version_of_pinwarden_is_refused(
    cached: bool, server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """On a first start the shipped table is the memory; after an upgrade it outranks a copy."""
    old = dated("2023-01-01", "A")
    server.serve(old)
    if cached:
        save_copy(
            tmp_path,
            Copy(
                url=server.source().place,
                body=old,
                signature=sign_list(old),
                fetched=AT,
                checked=AT - timedelta(days=9),
                etag=f'"{hash(old)}"',
            ),
        )
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
    assert (used.origin, kinds(used)) == (Origin.SHIPPED, [LOG_LIST_ROLLED_BACK.id])
    assert logs_to_follow(used.log_list, AT)


async def test_a_server_that_fails_leaves_the_copy_in_use(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """An outage is worth a remark, and no more while the copy is young."""
    server.serve(dated("2026-09-01", "A"))
    await fetch_log_list(http, server.source(), tmp_path, at=AT)
    server.bodies.clear()
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT + timedelta(days=1))
    assert (names(used), used.origin) == (["A"], Origin.COPY)
    assert kinds(used) == [LOG_LIST_UNREACHABLE.id]
    assert used.checked == AT


async def test_a_first_start_without_network_uses_the_shipped_table(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """There is always something to follow."""
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
    assert (used.origin, kinds(used)) == (Origin.SHIPPED, [LOG_LIST_UNREACHABLE.id])
    assert len(logs_to_follow(used.log_list, AT)) > 50


async def test_a_list_that_names_no_log_is_refused(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """Even a signed one: it would end all following without a word."""
    server.serve(dated("2026-09-01", "A"))
    await fetch_log_list(http, server.source(), tmp_path, at=AT)
    server.serve(list_json(log_list_timestamp="2026-09-02T00:00:00Z"))
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
    assert (names(used), kinds(used)) == (["A"], [LOG_LIST_REFUSED.id])
    assert "names no log" in used.findings[0].message


async def test_a_frozen_server_makes_a_stale_list(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """A server that says 304 for ever hides new logs; after ten weeks we say so."""
    server.serve(dated("2026-09-01", "A"))
    await fetch_log_list(http, server.source(), tmp_path, at=AT)
    for day, stale in (("2026-11-10", False), ("2026-11-12", True)):
        at = datetime.fromisoformat(f"{day}T00:00:00Z")
        used = await fetch_log_list(http, server.source(), tmp_path, at=at)
        assert (kinds(used) == [LOG_LIST_STALE.id]) == stale
    assert "2026-09-01, 72 days ago" in used.findings[0].message


async def test_an_undated_list_is_stale_when_it_was_not_checked(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """Apple's list has no date, so what counts is when it was last confirmed."""
    source = server.source(Program.APPLE, signed=False)
    server.serve(list_json(entry("A"), version="600"))
    await fetch_log_list(http, source, tmp_path, at=AT)
    assert load_log_list(source, tmp_path, at=AT + timedelta(days=69)).findings == ()
    late = load_log_list(source, tmp_path, at=AT + timedelta(days=71))
    assert kinds(late) == [LOG_LIST_STALE.id]


async def test_the_shipped_table_becomes_stale(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """An old version of Pinwarden without network says that it misses logs."""
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT + timedelta(days=365))
    assert kinds(used) == [LOG_LIST_UNREACHABLE.id, LOG_LIST_STALE.id]


async def test_a_server_that_answers_304_unasked_is_refused(
    http: HTTPClient, tmp_path: Path
) -> None:
    """There is no copy that could be meant."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=304)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        with pytest.raises(OutsideError):
            await fetch_log_list(http, f"http://{host}:{port}/list.json", tmp_path, at=AT)
    finally:
        await runner.cleanup()


async def test_each_refused_log_is_a_finding(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """The good logs are followed; the bad ones are named, each once and up to a limit."""
    bad = [entry(f"Bad{n}", mmd="x") for n in range(25)]
    server.serve(list_json(entry("A"), *bad, log_list_timestamp="2026-09-01T00:00:00Z"))
    used = await fetch_log_list(http, server.source(), tmp_path, at=AT)
    assert len(used.log_list.logs) == 26
    assert len(used.findings) == len({finding.subject for finding in used.findings}) == 21
    assert "log 'Bad0'" in used.findings[0].message
    assert "5 more logs or fields were refused" in used.findings[-1].message


async def test_the_real_signed_lists_through_a_server(
    corpus: Path, server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """Chrome's list of 2026-08-20 with its signature, as a server would give it."""
    folder = corpus / "ct-loglists/crtsh-ctloglists/gstatic/v3"
    source = ListSource(f"{server.url}/list.json", Program.CHROME, chrome_list_key())
    body = (folder / "all_logs_list.json").read_bytes()
    server.serve(body, (folder / "all_logs_list.sig").read_bytes())
    used = await fetch_log_list(http, source, tmp_path, at=AT)
    assert (len(used.log_list.logs), used.signed, used.findings) == (117, True, ())
    server.serve(body.replace(b"https://ct.cloud", b"https://ct.evil1"))
    used = await fetch_log_list(http, source, tmp_path, at=AT)
    assert (used.origin, kinds(used)) == (Origin.COPY, [LOG_LIST_REFUSED.id])
