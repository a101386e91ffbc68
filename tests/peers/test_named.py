"""`pinwarden caa check` against BIND and NSD: SSLMate's suite, and the vectors as they load."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers.dns_servers import HOST, check, named, nsd
from pinwarden.cli.main import run
from pinwarden.lab.dns_zone import generic_caa
from support.caa_vectors import Case, cases

pytestmark = pytest.mark.peer

SERVERS = {"named": named, "nsd": nsd}
# As text NSD takes tags of RFC 6844 only: in lower case, of 15 letters.
FORMS = {"named": str, "nsd": generic_caa}
APEX = """$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
"""
# Signatures and delegations lead away from this zone: tests/peers/test_dnssec.py has their like.
ELSEWHERE = ("caatestsuite-dnssec.com", "ipv6only.")


def loads(case: Case) -> bool:
    """Whether BIND takes a case's records, below a label; none of its lookups may fail."""
    if len(case.name) > 240 or any(not owner for owner, _, _ in case.records):
        return False
    tags = [re.match(r'\d+ "?(\S*?)"? ', rdata) for _, kind, rdata in case.records if kind == "CAA"]
    return not case.faults and all(tag and re.fullmatch("[A-Za-z0-9]+", tag[1]) for tag in tags)


FOLDER = Path(__file__).parents[1] / "vectors"
FILES = ("caa.json", "caa-more.json")
VECTORS = [each for file in FILES for each in cases(FOLDER, file) if loads(each)]


@pytest.fixture(scope="module", params=SERVERS)
def vector_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """One zone with all cases in it, each below a label of its own."""
    folder = tmp_path_factory.mktemp(request.param)
    zone = "".join(each.zone(f".{each.id.lower()}.vectors") for each in VECTORS)
    with SERVERS[request.param](folder, {"vectors": FORMS[request.param](APEX + zone)}) as port:
        yield port


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case.id)
def test_vectors(case: Case, vector_server: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that we did not write must lead to the same verdicts."""
    suffix = f".{case.id.lower()}.vectors"
    is_ip = case.expected["reason"] == "not-applicable"
    name = case.name if is_ip else case.name.removesuffix(".") + suffix
    name += "." if case.name.endswith(".") else ""
    run(["caa", "check", name, *case.options, "--resolver", f"{HOST}:{vector_server}", "--json"])
    said = json.loads(capsys.readouterr().out)
    found = said["relevant_name"]
    told = {
        "allowed": said["verdict"] == "allowed",
        "reason": said["reason"],
        "relevant_name": found and found.removesuffix(suffix),
    }
    assert told == case.expected, said["why"]


@pytest.fixture(scope="module", params=SERVERS)
def suite(
    request: pytest.FixtureRequest, corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """SSLMate's CAA test suite, served as its authors serve it."""
    text = (corpus / "caa" / "caatestsuite" / "zones" / "caatestsuite.com.").read_text()
    folder = tmp_path_factory.mktemp(request.param)
    with SERVERS[request.param](folder, {"caatestsuite.com": FORMS[request.param](text)}) as port:
        yield port


def test_the_suite_denies(suite: int, corpus: Path, tmp_path: Path) -> None:
    """No CA may issue for any name of SSLMate's suite, and a denial must be one for a reason."""
    listed = json.loads((corpus / "caa" / "caatestsuite" / "expectations.json").read_text())
    denied = [
        each["fqdn"]
        for each in listed
        if each["expected"] == "deny-every-CA" and not any(p in each["fqdn"] for p in ELSEWHERE)
    ]
    assert len(denied) > 15
    verdicts = {name: check(tmp_path, suite, name, "--issuer", "ca.example") for name in denied}
    assert {name: each["verdict"] for name, each in verdicts.items()} == dict.fromkeys(
        denied, "denied"
    )


def test_both_names_of_a_pair_are_looked_up(suite: int, tmp_path: Path) -> None:
    """With and without `www.` the suite has different policies on purpose."""

    def reason(name: str) -> str:
        said = check(tmp_path, suite, f"{name}.caatestsuite.com", "--issuer", "ca.example")
        return str(said["reason"])

    assert reason("www.auto-www-san") == "issuer-not-listed"
    assert reason("auto-base-san") == "issuer-not-listed"
    assert reason("www.auto-base-san") == "no-restricting-property"
    # No policy up to the apex, and of `com` only a resolver knows that it has none.
    assert reason("auto-www-san") == "lookup-failure"
