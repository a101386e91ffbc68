"""DNSSEC as Unbound sees it, over zones signed from a root of our own that NSD or BIND serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from peers.dns_servers import check, named, nsd, unbound
from peers.programs import free_port
from peers.signed_world import world
from pinwarden.lab.ca import CA, key_pem, pem

pytestmark = pytest.mark.peer

SERVERS = {"nsd": nsd, "named": named}
OURS = ("--issuer", "ca.example")


@pytest.fixture(scope="module", params=SERVERS)
def authority(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, str]]:
    """A server for the whole tree, and the trust anchor of its root."""
    zones, anchor = world()
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param), zones) as port:
        yield port, anchor


@pytest.fixture(scope="module")
def resolver(authority: tuple[int, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A validating Unbound."""
    port, anchor = authority
    folder = tmp_path_factory.mktemp("unbound")
    with unbound(folder, port, f'trust-anchor: "{anchor}"') as listening:
        yield listening


def deciding(said: dict[str, Any]) -> dict[str, Any]:
    """The last question of the climb."""
    step: dict[str, Any] = said["steps"][-1]
    return step


@pytest.mark.parametrize(
    ("name", "verdict", "state"),
    [
        ("caa.secure", "allowed", "secure"),
        ("alias.secure", "allowed", "secure"),
        ("www.caa.secure", "allowed", "secure"),
        ("caa.insecure", "allowed", "insecure"),
        # A chain is as weak as its weakest link.
        ("alias.insecure", "allowed", "insecure"),
        ("to-insecure.secure", "allowed", "insecure"),
        # Proven not to be there (NSEC), and not proven.
        ("bare.secure", "allowed", "secure"),
        ("nobody.secure", "allowed", "secure"),
        ("bare.insecure", "allowed", "insecure"),
    ],
)
def test_secure_and_insecure(
    name: str, verdict: str, state: str, resolver: int, tmp_path: Path
) -> None:
    """What is signed must be told from what is not; the answer is the same."""
    said = check(tmp_path, resolver, name, *OURS)
    assert said["verdict"] == verdict, said["why"]
    assert said["steps"][0]["dnssec"] == state


@pytest.mark.parametrize("zone", ["expired", "wrong-ds", "unsigned"])
@pytest.mark.parametrize("owner", ["caa", "bare", "nobody"])
def test_bogus(zone: str, owner: str, resolver: int, tmp_path: Path) -> None:
    """What fails validation is no permission, whatever it says, and is told as what it is."""
    said = check(tmp_path, resolver, f"{owner}.{zone}", *OURS)
    assert (said["verdict"], said["reason"]) == ("unknown", "lookup-failure")
    step = deciding(said)
    assert (step["outcome"], step["failure"], step["dnssec"]) == ("failed", "bogus", "bogus")
    assert step["rcode"] == "SERVFAIL"
    assert step["extended_errors"]


def test_bogus_is_never_excused(resolver: int, tmp_path: Path) -> None:
    """The Baseline Requirements' exception for failures is not for these."""
    excuse = ("--lookup-failure=br", "--failure-outside-ca", "--retried")
    said = check(tmp_path, resolver, "caa.expired", *OURS, *excuse)
    assert said["verdict"] == "unknown"


def test_a_resolver_that_does_not_validate(authority: tuple[int, str], tmp_path: Path) -> None:
    """Without a trust anchor nothing can be known of DNSSEC, and nothing must be claimed."""
    port, _ = authority
    with unbound(tmp_path, port) as listening:
        for name in ("caa.secure", "caa.insecure", "caa.expired"):
            said = check(tmp_path, listening, name, *OURS)
            assert (said["verdict"], said["dnssec"]) == ("allowed", "indeterminate")


def test_a_resolver_in_permissive_mode(authority: tuple[int, str], tmp_path: Path) -> None:
    """It answers what fails validation, without a word: that must at least not look secure."""
    port, anchor = authority
    with unbound(
        tmp_path, port, f'trust-anchor: "{anchor}"', "val-permissive-mode: yes"
    ) as listening:
        assert check(tmp_path, listening, "caa.secure", *OURS)["dnssec"] == "secure"
        for zone in ("expired", "wrong-ds", "unsigned"):
            assert check(tmp_path, listening, f"caa.{zone}", *OURS)["dnssec"] != "secure"


def test_over_tls(authority: tuple[int, str], tmp_path: Path) -> None:
    """Unbound's own DNS over TLS must be verified by name, and its AD bit believed."""
    port, anchor = authority
    ca = CA("DNS CA")
    issued = ca.issue(["dns.example"])
    (tmp_path / "ca.pem").write_bytes(pem([ca.root]))
    (tmp_path / "tls.pem").write_bytes(pem(issued.served_chain))
    (tmp_path / "tls.key").write_bytes(key_pem(issued.private_key))
    secure = free_port()
    lines = (
        f"interface: 127.0.0.1@{secure}",
        f"tls-port: {secure}",
        f'tls-service-pem: "{tmp_path}/tls.pem"',
        f'tls-service-key: "{tmp_path}/tls.key"',
        f'trust-anchor: "{anchor}"',
    )
    trust = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    with unbound(tmp_path, port, *lines):
        where = f"tls://127.0.0.1:{secure}#dns.example"
        said = check(tmp_path, where, "caa.secure", *OURS, **trust)
        assert (said["verdict"], said["dnssec"]) == ("allowed", "secure"), said
        wrong = f"tls://127.0.0.1:{secure}#other.example"
        said = check(tmp_path, wrong, "caa.secure", *OURS, **trust)
        assert (said["verdict"], said["reason"]) == ("unknown", "lookup-failure")
