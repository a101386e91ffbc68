"""DNS over HTTPS, against the lab's front."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from net.dns.asking import IMPATIENT, PATIENT, ZONES
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.lab.ca import CA, pem
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.tls import Credentials
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import parse_server


@pytest.fixture(scope="module")
def authority() -> CA:
    return CA("DNS CA")


@pytest.fixture
def cafile(authority: CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    path.write_bytes(pem([authority.root]))
    return str(path)


@pytest.fixture
async def lab(authority: CA) -> AsyncIterator[LabDNS]:
    credentials = Credentials.of(authority.issue(["dns.example"], ips=["127.0.0.1"]))
    async with LabDNS(ZONES, "validating", secure=["."], credentials=credentials) as running:
        yield running


async def asked(lab: LabDNS, cafile: str | None, patience: float = PATIENT) -> Lookup:
    server = parse_server(lab.doh_url)
    async with open_resolver(server, timeout=patience, cafile=cafile) as asking:
        return await asking.look_up("example.com")


async def test_records(lab: LabDNS, cafile: str) -> None:
    """By POST, with the id 0 that lets caches share answers (RFC 8484 section 4.1)."""
    lookup = await asked(lab, cafile)
    assert (lookup.outcome, lookup.transport) == (Outcome.RECORDS, "https")
    assert lookup.dnssec == DNSSECState.SECURE
    assert lookup.server == lab.doh_url
    assert set(lab.doh.methods) == {"POST"}
    assert lab.queries[0].id == 0


async def test_many_names(lab: LabDNS, cafile: str) -> None:
    names = [f"n{n}.example.com" for n in range(200)]
    async with open_resolver(parse_server(lab.doh_url), cafile=cafile) as asking:
        lookups = await asyncio.gather(*map(asking.look_up, names))
    assert {each.outcome for each in lookups} == {Outcome.NO_SUCH_NAME}


@pytest.mark.parametrize(
    ("manner", "failure", "problem"),
    [
        ("wrong-type", Failure.MALFORMED, "and no DNS message"),
        ("too-long", Failure.MALFORMED, "larger than 65535 octets"),
        ("endless", Failure.MALFORMED, "larger than 65535 octets"),
        ("empty", Failure.MALFORMED, "ends before it says"),
        ("redirect", Failure.UNREACHABLE, "HTTP status 3"),
    ],
)
async def test_misbehaviour(
    lab: LabDNS, cafile: str, manner: str, failure: Failure, problem: str
) -> None:
    lab.doh.manner = manner
    lookup = await asked(lab, cafile)
    assert (lookup.outcome, lookup.failure) == (Outcome.FAILED, failure)
    assert problem in lookup.problem
    assert lookup.problem.isprintable()


async def test_silence(lab: LabDNS, cafile: str) -> None:
    lab.doh.manner = "silent"
    lookup = await asked(lab, cafile, IMPATIENT)
    assert (lookup.failure, lookup.attempts) == (Failure.TIMEOUT, 2)


@pytest.mark.parametrize("status", [204, 403, 429, 500, 503])
async def test_a_refusal_in_http(lab: LabDNS, cafile: str, status: int) -> None:
    lab.doh.status = status
    lookup = await asked(lab, cafile)
    assert lookup.failure == Failure.UNREACHABLE
    assert lookup.problem.endswith(f"answered with HTTP status {status}")


async def test_authorities_of_the_environment(
    lab: LabDNS, cafile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL's own variable names those that count instead of the system's."""
    monkeypatch.setenv("SSL_CERT_FILE", cafile)
    assert (await asked(lab, None)).records


async def test_a_certificate_of_an_unknown_authority(lab: LabDNS) -> None:
    lookup = await asked(lab, None)
    assert lookup.failure == Failure.UNREACHABLE
    assert "TLS certificate does not verify" in lookup.problem
    assert lab.queries == []


async def test_nobody_listens(lab: LabDNS, cafile: str) -> None:
    await lab.doh.stop()
    lookup = await asked(lab, cafile)
    assert lookup.failure == Failure.UNREACHABLE
