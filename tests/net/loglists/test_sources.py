"""What a user may name as a log list: files, URLs and the lists of programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinwarden.ct.known_logs import chrome_list_key
from pinwarden.ct.log import Program
from pinwarden.ct.loglist import logs_to_follow
from pinwarden.errors import ConfigError, OutsideError
from pinwarden.findings import (
    LOG_LIST_REFUSED,
)
from pinwarden.net.http import HTTPClient
from pinwarden.net.loglists.fetch import fetch_log_list
from pinwarden.net.loglists.known import load_log_list
from pinwarden.net.loglists.sources import Origin, list_source
from support.list_server import AT, ListServer, dated, kinds, names
from support.log_lists import entry, list_json


async def test_a_users_file_with_logs_on_this_machine(http: HTTPClient, tmp_path: Path) -> None:
    """It is read each time, asks nobody and is kept nowhere."""
    file = tmp_path / "logs.json"
    file.write_bytes(list_json(entry("A", url="http://127.0.0.1:8080/a/", state=None)))
    for used in (
        await fetch_log_list(http, str(file), tmp_path / "cache", at=AT),
        load_log_list(list_source(str(file)), None, at=AT),
    ):
        assert (used.origin, used.findings) == (Origin.FILE, ())
        assert [log.url for log in logs_to_follow(used.log_list, AT)] == [
            "http://127.0.0.1:8080/a/"
        ]
    assert not (tmp_path / "cache").exists()


async def test_a_users_file_with_a_log_outside_without_tls(
    http: HTTPClient, tmp_path: Path
) -> None:
    """It is refused in one clear line."""
    file = tmp_path / "logs.json"
    file.write_bytes(list_json(entry("A", url="http://example.com/")))
    with pytest.raises(ConfigError) as refused:
        await fetch_log_list(http, str(file), None, at=AT)
    assert str(refused.value) == (
        f"log list '{file}': log 'A': 'http://example.com/' is not https and not on this machine"
    )
    file.write_bytes(list_json(entry("A", url="http://example.com/"), entry("B")))
    used = await fetch_log_list(http, str(file), None, at=AT)
    assert (names(used), kinds(used)) == (["B"], [LOG_LIST_REFUSED.id])
    assert used.findings[0].message == (
        "log 'A': 'http://example.com/' is not https and not on this machine"
    )


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"operators": []}', "folder"])
async def test_a_users_file_that_cannot_be_used(
    content: bytes | str | None, http: HTTPClient, tmp_path: Path
) -> None:
    """That is a mistake in the configuration, in one line, and nothing else is followed."""
    file = tmp_path / "logs.json"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        file.mkdir()
    with pytest.raises(ConfigError) as error:
        await fetch_log_list(http, str(file), None, at=AT)
    assert str(error.value).startswith(f"log list '{file}': ")


@pytest.mark.parametrize("named", ["", "nowhere\0", "x" * 5000])
def test_a_path_that_is_none(named: str) -> None:
    """It is a mistake of the user's, and no crash."""
    with pytest.raises(ConfigError):
        load_log_list(list_source(named), None, at=AT)


@pytest.mark.parametrize("named", ["ftp://example.net/list.json", "http://example.net/list.json"])
async def test_a_list_is_not_fetched_without_tls(named: str, http: HTTPClient) -> None:
    """Whoever sits on the line would choose our logs."""
    with pytest.raises(ConfigError):
        await fetch_log_list(http, named, None, at=AT)


def test_the_names_of_lists() -> None:
    """Chrome's list must be signed wherever it is named; a user's list is what is left."""
    chrome = list_source("chrome")
    assert chrome.place == "https://www.gstatic.com/ct/log_list/v3/all_logs_list.json"
    assert (chrome.program, chrome.key) == (Program.CHROME, chrome_list_key())
    assert list_source(chrome.place.replace("all_logs_list.json", "log_list.zip")).key is not None
    assert list_source("apple").program is Program.APPLE
    assert list_source("https://www.gstatic.com.evil.com/ct/log_list/").program is Program.USER
    assert list_source("./chrome").is_file
    assert "PUBLIC KEY" not in repr(chrome)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"operators": []}', list_json(entry("A", url="http://x.y/"))]
)
async def test_a_users_list_is_never_replaced_by_another(
    body: bytes, server: ListServer, http: HTTPClient, tmp_path: Path
) -> None:
    """Whoever names a list wants its logs; other ones would be a silent hole."""
    source = server.source(Program.USER, signed=False)
    with pytest.raises(OutsideError) as missing:
        await fetch_log_list(http, source, tmp_path, at=AT)
    assert missing.value.target == source.place
    server.serve(body)
    with pytest.raises(OutsideError) as refused:
        await fetch_log_list(http, source.place, tmp_path, at=AT)
    assert str(refused.value).isprintable()
    with pytest.raises(OutsideError, match="was never fetched"):
        load_log_list(source, tmp_path, at=AT)
    server.serve(dated("2026-09-01", "A"))
    assert names(await fetch_log_list(http, source.place, tmp_path, at=AT)) == ["A"]
    server.serve(body)
    used = await fetch_log_list(http, source.place, tmp_path, at=AT)
    assert (names(used), kinds(used)) == (["A"], [LOG_LIST_REFUSED.id])
