"""Cert Spotter's API on loopback: real issuances, pages, keys and refusals."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from net.history.conftest import AT, told, told_in_part
from pinwarden.errors import MalformedError, OutsideError
from pinwarden.lab.ca import CA
from pinwarden.net.history.certspotter import CertSpotterSource
from pinwarden.net.history.certspotter_page import parse_page
from pinwarden.net.http import HTTPClient
from support.history_services import Answer, HistoryServices, renewals, spotter_issuance

LEAST: dict[str, Any] = {
    "id": "1",
    "dns_names": ["shop.example"],
    "not_before": "2026-10-01T00:00:00Z",
    "not_after": "2026-12-30T00:00:00Z",
}


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA("Some CA")


@pytest.fixture
def source(http: HTTPClient, services: HistoryServices) -> CertSpotterSource:
    return CertSpotterSource(http, services.url)


async def test_a_real_answer_is_read_in_full(
    corpus: Path, source: CertSpotterSource, services: HistoryServices
) -> None:
    """Every issuance with its hashes, and the keys of its issuers."""
    kept = json.loads((corpus / "feeds" / "certspotter_api_github_2026.json").read_bytes())
    services.issuances = kept
    found = await told(source, "github.com")
    assert len(found) == len(kept) == 3
    for issuance, row in zip(found, kept, strict=True):
        assert issuance.names == tuple(row["dns_names"])
        assert issuance.tbs_sha256 == bytes.fromhex(row["tbs_sha256"])
        assert issuance.certificate_sha256 == bytes.fromhex(row["cert_sha256"])
        assert issuance.spki_sha256 == bytes.fromhex(row["pubkey_sha256"])
        assert issuance.issuer_spki_sha256 == bytes.fromhex(row["issuer"]["pubkey_sha256"])
        assert (issuance.issuer, issuance.revoked) == (row["issuer"]["name"], False)
        assert (issuance.reference, issuance.problems) == (row["id"], ())


async def test_pages_follow_by_the_last_id(
    source: CertSpotterSource, services: HistoryServices, ca: CA
) -> None:
    """Until one is empty; every question says what is to be expanded."""
    made = renewals(ca, ["shop.example"], AT - timedelta(days=240), 5)
    services.issuances = [spotter_issuance(n, each, ca) for n, each in enumerate(made)]
    found = await told(source, "shop.example", below=True)
    assert [each.certificate_sha256 for each in found] == [each.fingerprint for each in made]
    queries = [query for _, query in services.asked]
    assert [each.get("after") for each in queries] == [None, ["1"], ["3"], ["4"]]
    assert all("cert_der" in each["expand"] for each in queries)
    assert queries[0]["include_subdomains"] == queries[0]["match_wildcards"] == ["true"]


async def test_octets_tell_the_rest(
    source: CertSpotterSource, services: HistoryServices, ca: CA
) -> None:
    """With `cert_der` an issuance has its serial number, so that it joins with crt.sh."""
    issued = ca.issue(["shop.example"])
    services.issuances = [spotter_issuance(1, issued, ca, domains=["ca.example", "not a name"])]
    [found] = await told(source, "shop.example")
    assert found.der == issued.certificate
    assert found.serial
    assert found.issuer_spki_sha256 == ca.issuer_key_hash
    assert found.issuer_domains == ("ca.example",)


async def test_octets_of_another_issuance_are_not_taken(
    source: CertSpotterSource, services: HistoryServices, ca: CA
) -> None:
    """What the service says of one must not be mixed with the octets of another."""
    row = spotter_issuance(1, ca.issue(["shop.example"]), ca)
    other = ca.issue(["shop.example"])
    row["cert_der"] = base64.b64encode(other.certificate).decode()
    services.issuances = [row, spotter_issuance(2, other, ca) | {"cert_der": "AAAA"}]
    first, second = await told(source, "shop.example")
    assert (first.der, second.der) == (None, None)
    assert first.problems == ("cert_der is of another issuance than tbs_sha256",)
    assert second.problems[0].startswith("cert_der: ")


async def test_a_key_is_sent_and_a_refusal_told(
    http: HTTPClient, services: HistoryServices
) -> None:
    """In the words of the service, and never with the key."""
    services.key = "k-1234"
    services.issuances = [LEAST]
    assert len(await told(CertSpotterSource(http, services.url, key="k-1234"), "shop.example")) == 1
    with pytest.raises(OutsideError) as raised:
        await told(CertSpotterSource(http, services.url, key="wrong-key"), "shop.example")
    assert "The API key is not valid." in str(raised.value)
    assert "(not_authorized)" in str(raised.value)
    assert "wrong-key" not in str(raised.value)
    assert raised.value.hint is not None


async def test_an_error_in_json_under_status_200_is_one(
    source: CertSpotterSource, services: HistoryServices
) -> None:
    """Older versions of the API answered so."""
    body = json.dumps({"code": "api_discontinued", "message": "See the documentation."})
    services.faults = [Answer(body=body.encode())]
    with pytest.raises(OutsideError, match=r"See the documentation.*api_discontinued"):
        await told(source, "shop.example")


async def test_a_short_pause_is_kept_and_a_long_one_told(
    source: CertSpotterSource, services: HistoryServices
) -> None:
    """By `Retry-After`, as the service asks."""
    services.issuances = [LEAST]
    services.faults = [Answer(429, headers=(("Retry-After", "0"),))]
    assert len(await told(source, "shop.example")) == 1
    services.faults = [Answer(429, headers=(("Retry-After", "1800"),))]
    with pytest.raises(OutsideError, match="429"):
        await told(source, "shop.example")


async def test_what_was_told_before_a_failure_is_kept(
    source: CertSpotterSource, services: HistoryServices
) -> None:
    """The second page fails: the first is told, and then that there is more."""
    services.page = 1
    services.issuances = [LEAST, LEAST | {"id": "2"}]
    services.faults_at = {2: Answer(404)}
    found, error = await told_in_part(source, "shop.example")
    assert "404" in str(error)
    assert [each.reference for each in found] == ["1"]


async def test_pages_in_a_circle_end(source: CertSpotterSource, services: HistoryServices) -> None:
    """A hostile service cannot keep us for ever."""
    services.faults = [Answer(body=json.dumps([LEAST]).encode())] * 5
    with pytest.raises(OutsideError, match="circle"):
        await told(source, "shop.example")
    assert len(services.asked) == 2


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"not_after": "never"}, id="time"),
        pytest.param({"dns_names": "shop.example"}, id="names"),
        pytest.param({"issuer": []}, id="issuer"),
        pytest.param({"revoked": "perhaps"}, id="revoked"),
    ],
)
async def test_an_issuance_that_cannot_be_read_hides_no_other(
    source: CertSpotterSource, services: HistoryServices, damage: dict[str, Any]
) -> None:
    """And is a failure in the end."""
    services.issuances = [LEAST | damage, LEAST | {"id": "2"}]
    found, error = await told_in_part(source, "shop.example")
    assert re.search("1 issuances cannot be read", str(error))
    assert [each.reference for each in found] == ["2"]


def test_fields_may_be_missing_or_null() -> None:
    """Only the validity must be there, and an id for the next page."""
    nothing = dict.fromkeys(("issuer", "tbs_sha256", "pubkey_sha256", "revoked", "cert_der"))
    page = parse_page(json.dumps([LEAST | nothing | {"new": {"a": 1}}]).encode())
    assert (len(page.issuances), page.problems, page.last) == (1, [], "1")
    [found] = page.issuances
    assert (found.tbs_sha256, found.issuer, found.revoked) == (None, "", None)


@pytest.mark.parametrize("last", [None, "", "x" * 300, "a\x1b", {"a": 1}], ids=repr)
def test_a_page_without_a_usable_end_is_refused(last: object) -> None:
    """Nobody could ask for what comes after it."""
    with pytest.raises(MalformedError, match="no usable id"):
        parse_page(json.dumps([LEAST | {"id": last}]).encode())


async def test_an_address_cannot_be_searched(source: CertSpotterSource) -> None:
    """That is told, and not answered with nothing."""
    with pytest.raises(OutsideError, match="no search for addresses"):
        await told(source, "192.0.2.7")


async def test_that_only_the_unexpired_are_told_is_said(
    source: CertSpotterSource, services: HistoryServices
) -> None:
    """To whoever asked for what has ended too."""
    services.issuances = [LEAST]
    await told(source, "shop.example", expired=False)
    assert source.notes == []
    await told(source, "shop.example")
    assert source.notes == ["Cert Spotter: tells only of certificates that have not ended"]


@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: f"[{text}]".encode()))
def test_any_octets_are_read_or_refused(body: bytes) -> None:
    """In one printable line."""
    try:
        problems = parse_page(body).problems
    except MalformedError as error:
        problems = [str(error)]
    assert all(each.isprintable() for each in problems)
