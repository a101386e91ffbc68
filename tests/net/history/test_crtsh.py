"""crt.sh on loopback: its real answers, its lies and its silences."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from net.history.conftest import AT, told, told_in_part
from pinwarden.errors import MalformedError, OutsideError
from pinwarden.lab.ca import CA
from pinwarden.net.history import crtsh
from pinwarden.net.history.crtsh import CrtShSource
from pinwarden.net.history.crtsh_rows import parse_rows
from pinwarden.net.http import HTTPClient
from support.history_services import BUSY, Answer, HistoryServices, crtsh_row

BASE = "https://crt.sh/"
ROW: dict[str, Any] = {
    "issuer_name": "C=US, O=Some CA, CN=E1",
    "common_name": "shop.example",
    "name_value": "shop.example",
    "id": 7,
    "entry_timestamp": "2026-10-01T01:02:03.004",
    "not_before": "2026-10-01T00:00:00",
    "not_after": "2026-12-30T00:00:00",
    "serial_number": "00ab",
}


@pytest.fixture
def source(http: HTTPClient, services: HistoryServices) -> CrtShSource:
    return CrtShSource(http, services.url, wait=0.0)


async def test_a_real_answer_is_read_in_full(
    corpus: Path, http: HTTPClient, services: HistoryServices
) -> None:
    """Every row has names, an issuer, a validity and a serial number, and none is lost."""
    kept = gzip.decompress((corpus / "feeds" / "crtsh_paypal_inc_2020.json.gz").read_bytes())
    services.raw = kept
    rows = json.loads(kept)
    issuances, problems = parse_rows(kept, BASE)
    assert (len(issuances), problems) == (300, [])
    for issuance, row in zip(issuances, rows, strict=True):
        lines = {row["common_name"].lower(), *row["name_value"].lower().split("\n")}
        assert set(issuance.names) == {
            each for each in lines if each and "." in each and " " not in each
        }
        assert int(issuance.serial, 16) == int(row["serial_number"], 16)
        assert f"{issuance.not_after:%Y-%m-%dT%H:%M:%S}" == row["not_after"]
    source = CrtShSource(http, services.url, wait=0.0)
    found = {each.reference for each in await told(source, "paypal.com", below=True)}
    # Asked twice, once for the name and once below it, and answered alike.
    named = {
        each["id"]
        for each in rows
        if any(
            name == "paypal.com" or name.endswith(".paypal.com")
            for name in (each["common_name"], *each["name_value"].split("\n"))
        )
    }
    assert found == {f"{services.url}?id={each}" for each in named}


async def test_what_the_lab_issued_comes_back(
    source: CrtShSource, services: HistoryServices
) -> None:
    """Times are UTC, a wildcard covers the name, an organisation is a note and not a name."""
    issued = CA("Some CA").issue(["*.shop.example"], not_before=AT - timedelta(days=9))
    services.rows = [crtsh_row(5, issued, AT, "Shop, Inc.")]
    # Told for each of the two questions.
    [found] = set(await told(source, "www.shop.example"))
    assert found.names == ("*.shop.example",)
    assert found.not_before == AT - timedelta(days=9)
    assert found.seen == AT
    assert found.problems == ("not DNS names: 'Shop, Inc.'",)
    assert (found.tbs_sha256, found.spki_sha256, found.revoked) == (None, None, None)
    assert [query["q"] for _, query in services.asked] == [["www.shop.example"], ["*.shop.example"]]
    assert all(query["deduplicate"] == ["Y"] for _, query in services.asked)


async def test_what_does_not_concern_the_name_is_left_out(
    source: CrtShSource, services: HistoryServices
) -> None:
    """A search by text finds more than was meant."""
    services.rows = [ROW | {"common_name": "a.example", "name_value": "xshop.example"}]
    assert await told(source, "shop.example", below=True) == []


async def test_expired_rows_are_asked_for_only_if_wanted(
    source: CrtShSource, services: HistoryServices
) -> None:
    """And left out even where the service tells of them."""
    services.rows = [ROW | {"not_after": "2026-10-20T00:00:00"}]
    assert await told(source, "shop.example", expired=False) == []
    assert services.asked[0][1]["exclude"] == ["expired"]
    assert len(await told(source, "shop.example")) == 1
    assert await told(source, "shop.example", since=datetime(2026, 10, 21, tzinfo=UTC)) == []


async def test_a_busy_page_under_status_200_is_asked_again(
    source: CrtShSource, services: HistoryServices
) -> None:
    """It is no answer, and says nothing of what was issued."""
    services.rows = [ROW]
    services.faults = [Answer(body=BUSY)] * 2
    assert len(await told(source, "shop.example")) == 1
    services.faults = [Answer(body=BUSY)] * 3
    with pytest.raises(OutsideError, match=r"crt\.sh: answered with something that is no JSON"):
        await told(source, "shop.example")


@pytest.mark.parametrize("status", [404, 429, 502, 503, 504])
async def test_an_error_is_an_error(
    source: CrtShSource, services: HistoryServices, status: int
) -> None:
    """And never an empty history."""
    services.faults = [Answer(status)] * 2
    with pytest.raises(OutsideError, match=str(status)):
        await told(source, "shop.example")


async def test_a_long_pause_is_told(source: CrtShSource, services: HistoryServices) -> None:
    """Whoever asks us to come back in an hour is not asked again at once."""
    services.faults = [Answer(429, headers=(("Retry-After", "3600"),))]
    with pytest.raises(OutsideError) as raised:
        await told(source, "shop.example")
    assert raised.value.retry_after == 3600
    assert len(services.asked) == 1


async def test_an_empty_list_is_noted(source: CrtShSource) -> None:
    """It may mean that nothing was issued, or that the service failed: nobody can say."""
    assert await told(source, "shop.example") == []
    assert source.notes == [
        "crt.sh: answered for 'shop.example' with an empty list, as it also does when it fails"
    ]


async def test_an_answer_that_is_cut_is_told_and_a_failure(
    source: CrtShSource, services: HistoryServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service stops at its limit without a word."""
    monkeypatch.setattr(crtsh, "MOST_ROWS", 3)
    services.rows = [ROW | {"id": number} for number in range(3)]
    found, error = await told_in_part(source, "shop.example")
    assert re.search("for 'shop.example' is cut at 3 rows", str(error))
    assert len(found) == 3


async def test_an_answer_beyond_all_bounds_is_refused(
    http: HTTPClient, services: HistoryServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large domain must not fill our memory."""
    monkeypatch.setattr(crtsh, "_LARGEST_ANSWER", 1 << 20)
    services.raw = b"[" + b" " * (1 << 20) + b"]"
    with pytest.raises(OutsideError, match="larger than 1 MiB"):
        await told(CrtShSource(http, services.url), "shop.example")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"not_before": "yesterday"}, id="no-time"),
        pytest.param({"not_after": None}, id="null"),
        pytest.param({"serial_number": "xyz"}, id="serial"),
        pytest.param({"name_value": 5.5, "issuer_name": []}, id="types"),
        pytest.param({"not_before": "0001-01-01T00:00:00"}, id="calendar"),
    ],
)
async def test_a_row_that_cannot_be_read_hides_no_other(
    source: CrtShSource, services: HistoryServices, row: dict[str, Any]
) -> None:
    """The others are told, and then that one was not."""
    services.rows = [ROW | row, ROW]
    found, error = await told_in_part(source, "shop.example")
    assert re.search("1 of 2 rows .*: row 1: ", str(error))
    assert [each.serial for each in found] == ["ab"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("*.Shop.Example", ("*.shop.example",)),
        ("shop.example.", ("shop.example",)),
        ("bücher.example", ("xn--bcher-kva.example",)),
        ("192.0.2.7", ("192.0.2.7",)),
        ("2001:DB8::1", ("2001:db8::1",)),
        ("https://shop.example/path", ("shop.example",)),
        ("owner@shop.example", ()),
        ("Shop", ()),
        ("Amazon.com, Inc.", ()),
        ("\u202eshop\x1b", ()),
    ],
)
def test_identities_that_are_names(text: str, names: tuple[str, ...]) -> None:
    """The others are noted, each in printable text."""
    body = json.dumps([ROW | {"common_name": None, "name_value": text}]).encode()
    [found], problems = parse_rows(body, BASE)
    assert (found.names, problems) == (names, [])
    assert bool(found.problems) == (not names)
    assert all(each.isprintable() for each in found.problems)


def test_many_odd_names_end_the_reading_of_them() -> None:
    """Time is bounded, and the rows that were not read are told."""
    odd = "\n".join(f"é{number}.x:/" + "y" * 900 for number in range(300))
    body = json.dumps([ROW | {"name_value": odd}] * 3 + [ROW]).encode()
    found, problems = parse_rows(body, BASE)
    assert (len(found), len(problems)) == (2, 2)
    assert "too many before it" in problems[0]


async def test_an_address_is_searched_as_one(
    source: CrtShSource, services: HistoryServices
) -> None:
    """The service has a question of its own for it."""
    services.rows = [ROW | {"name_value": "192.0.2.7"}]
    assert len(await told(source, "192.0.2.7")) == 1
    assert services.asked[0][1]["iPAddress"] == ["192.0.2.7"]


@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: f"[{text}]".encode()))
def test_any_octets_are_read_or_refused(body: bytes) -> None:
    """In one printable line."""
    try:
        _, problems = parse_rows(body, BASE)
    except MalformedError as error:
        problems = [str(error)]
    assert all(each.isprintable() for each in problems)
