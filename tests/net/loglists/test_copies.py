"""The copies of log lists on disk: damaged, forged, or not to be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinwarden.findings import (
    LOG_LIST_NOT_KEPT,
    LOG_LIST_REFUSED,
)
from pinwarden.net.http import HTTPClient
from pinwarden.net.loglists.copies import Copy, copy_path, save_copy
from pinwarden.net.loglists.fetch import fetch_log_list
from pinwarden.net.loglists.known import load_log_list
from pinwarden.net.loglists.sources import Origin
from support.list_server import AT, ListServer, dated, kinds, names
from support.log_lists import sign_list

DAMAGED = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "noise": lambda path: path.write_bytes(b"\xff" * 1000),
    "other JSON": lambda path: path.write_bytes(b"[1]"),
    "other types": lambda path: path.write_bytes(b'{"format": 1, "url": 5}'),
    "nested": lambda path: path.write_bytes(b"[" * 100_000),
    "other list": lambda path: path.write_bytes(
        path.read_bytes().replace(b"/list.json", b"/x.json")
    ),
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "other body": lambda path: path.write_bytes(
        path.read_bytes().replace(b'"body": "e', b'"body": "f')
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
async def test_a_corrupt_copy_falls_back(
    damage: str, server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """Without network the shipped table is used; with network the copy is made anew."""
    server.serve(dated("2026-09-01", "A"))
    source = server.source()
    await fetch_log_list(http, source, tmp_path, at=AT)
    DAMAGED[damage](copy_path(tmp_path, source.place))
    kept = load_log_list(source, tmp_path, at=AT)
    assert kept.origin is Origin.SHIPPED
    assert kinds(kept) in ([LOG_LIST_NOT_KEPT.id], [LOG_LIST_REFUSED.id])
    server.paths()
    used = await fetch_log_list(http, source, tmp_path, at=AT)
    assert (names(used), used.origin) == (["A"], Origin.NETWORK)
    assert server.paths() == ["/list.json", "/list.sig"]
    if damage != "folder":
        assert load_log_list(source, tmp_path, at=AT).findings == ()


async def test_a_copy_signed_by_nobody_is_not_used(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """Whoever can write to the cache folder cannot choose our logs."""
    evil = dated("2026-09-05", "Evil")
    save_copy(
        tmp_path,
        Copy(url=server.source().place, body=evil, signature=None, fetched=AT, checked=AT),
    )
    used = load_log_list(server.source(), tmp_path, at=AT)
    assert (used.origin, kinds(used)) == (Origin.SHIPPED, [LOG_LIST_REFUSED.id])
    server.serve(dated("2026-09-01", "A"))
    assert names(await fetch_log_list(http, server.source(), tmp_path, at=AT)) == ["A"]


async def test_a_copy_with_hostile_validators_is_harmless(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """A header cannot be smuggled into our request through the copy."""
    body = dated("2026-09-01", "A")
    source = server.source()
    for etag in ("x\r\nX-Evil: 1", "\u20ac", "x" * 5000):
        save_copy(
            tmp_path,
            Copy(
                url=source.place,
                body=body,
                signature=sign_list(body),
                fetched=AT,
                checked=AT,
                etag=etag,
            ),
        )
        server.serve(body)
        server.asked.clear()
        used = await fetch_log_list(http, source, tmp_path, at=AT)
        assert used.origin is Origin.NETWORK
        assert "X-Evil" not in server.asked[0].headers
        assert "If-None-Match" not in server.asked[0].headers


async def test_a_cache_folder_that_cannot_be_written_costs_no_list(
    server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """The list is used, and a finding says that it is not kept."""
    folder = tmp_path / "file"
    folder.write_text("in the way")
    server.serve(dated("2026-09-01", "A"))
    used = await fetch_log_list(http, server.source(), folder, at=AT)
    assert names(used) == ["A"]
    assert set(kinds(used)) == {LOG_LIST_NOT_KEPT.id}
    assert (await fetch_log_list(http, server.source(), None, at=AT)).findings == ()
