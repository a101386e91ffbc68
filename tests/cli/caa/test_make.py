"""`pinwarden caa make`: what it writes, what it says of it, and from what it proposes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pinwarden.caa.formats.registry import FORMATS
from pinwarden.cli.caa.issuer_map import current_issuers, save_issuers
from pinwarden.cli.main import run
from pinwarden.cli.wiring import opened_store
from pinwarden.lab.ca import CA
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.profile import pem
from store.values import certificate, later, move
from support.caa_own_map import DOMAIN, tables_knowing

ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/1"


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    current_issuers.cache_clear()
    yield
    current_issuers.cache_clear()


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA("Lab CA")


def made(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert run(["caa", "make", *arguments, "--json"]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def records(document: dict[str, Any]) -> list[str]:
    (only,) = document["sets"]
    listed: list[str] = only["records"]
    return listed


def test_records_to_stdout_and_the_rest_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """What is piped into a file is the records and nothing else."""
    bound = ("--account-uri", ACCOUNT, "--method", "dns-01")
    rest = ("--wildcard", "none", "--report", "mailto:a@example.com")
    code = run(["caa", "make", "Example.com.", "--ca", "LetsEncrypt.org", *bound, *rest])
    out, err = capsys.readouterr()
    assert code == 0
    value = f"letsencrypt.org;accounturi={ACCOUNT};validationmethods=dns-01"
    assert out.splitlines() == [
        f'example.com. 3600 IN CAA 0 issue "{value}"',
        'example.com. 3600 IN CAA 0 issuewild ";"',
        'example.com. 3600 IN CAA 0 iodef "mailto:a@example.com"',
    ]
    assert "PW-CAA-SMIME-OPEN" in err
    assert "SOA" in err


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_form_can_be_asked_for(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each form is written, and its traps are told."""
    document = made(
        capsys, "www.example.com", "--ca", "pki.goog", "--origin", "example.com", "--format", form
    )
    assert document["format"] == form
    assert "pki.goog" in document["text"] or form in {"generic", "dnsmasq", "tinydns"}
    assert document["sets"][0]["zone"] == "example.com"
    assert [note.partition(": ")[0] for note in document["notes"]] == [form] * len(
        FORMATS[form].traps
    )


def test_accounts_and_methods_find_their_ca(capsys: pytest.CaptureFixture[str]) -> None:
    """An account goes to the CA whose service it is of, a method to all, `CA=` to one."""
    document = made(
        capsys,
        *("example.com", "--ca", "letsencrypt.org", "--ca", "pki.goog", "--ca", "sectigo.com"),
        *("--account-uri", ACCOUNT, "--account-uri", "sectigo.com=https://acme.example/a?b=1"),
        *("--method", "pki.goog=http-01", "--wildcard", "none", "--smime", "none"),
    )
    assert records(document) == [
        f'0 issue "letsencrypt.org;accounturi={ACCOUNT}"',
        '0 issue "pki.goog;validationmethods=http-01"',
        '0 issue "sectigo.com;accounturi=https://acme.example/a?b=1"',
        '0 issuewild ";"',
        '0 issuemail ";"',
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to make records for"),
        (["example.com"], "no policy given"),
        (["*.example.com", "--ca", "pki.goog"], "--wildcard"),
        (["192.0.2.1", "--ca", "pki.goog"], "IP address"),
        (["example.com", "--ca", "Let's Encrypt"], "did you mean letsencrypt.org?"),
        (["example.com", "--ca", "https://www.digicert.com/"], "did you mean digicert.com?"),
        (["example.com", "--ca", "none", "--account-uri", "https://ca.example/1"], "bind a CA"),
        (["example.com", "--ca", "any", "--wildcard", "none", "--method", "dns-01"], "bind a CA"),
        (["example.com", "--ca", "none", "--ca", "pki.goog"], "stands alone"),
        (["example.com", "--ca", "pki.goog", "--wildcard", "any"], "--wildcard any"),
        (["example.com", "--ca", "any"], "nothing is restricted"),
        (["example.com", "--smime", "none", "--method", "dns-01"], "bind a CA"),
        (["example.com", "--ca", "pki.goog", "--method", "a.example=dns-01"], "not among"),
        (
            ["example.com", "--ca", "pki.goog", "--ca", "a.example", "--account-uri", "acct:1@b"],
            "pki.goog=acct:1@b",
        ),
        (["example.com", "--ca", "pki.goog", "--method", "dns 01"], "dns 01"),
        (["example.com", "--ca", "pki.goog", "--report", "x\x1b[31m"], "x\\x1b[31m"),
        (["example.com", "--ca", "pki.goog", "--origin", "example.net"], "not in this zone"),
        (["example.com", "--ca", "pki.goog", "--format", "external-dns"], "external-dns"),
        (["example.com", "--ca", "pki.goog", "--from-sightings"], "--from-sightings"),
        (["--from-certificates", "/nowhere/at.all"], "/nowhere/at.all"),
    ],
)
def test_what_cannot_be_made_is_one_clear_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Usage errors name the option, exit with 2 and write no record."""
    assert run(["caa", "make", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "\x1b" not in err
    assert len(err.splitlines()) <= 2


def test_a_method_binds_the_ca_of_wildcards(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing needs to be said of plain names for that."""
    assert run(["caa", "make", "example.com", "--wildcard", "pki.goog", "--method", "dns-01"]) == 0
    assert 'CAA 0 issuewild "pki.goog;validationmethods=dns-01"' in capsys.readouterr().out


def test_a_mistyped_ca_and_a_test_account_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The records are made, since a CA may be new; the doubt is told with what was meant."""
    staging = "https://acme-staging-v02.api.letsencrypt.org/acme/acct/1"
    document = made(capsys, "example.com", "--ca", "letsecrypt.org", "--account-uri", staging)
    found = {each["id"]: each["message"] for each in document["findings"]}
    assert "letsencrypt.org" in found["PW-CAA-UNKNOWN-CA"]
    assert "PW-CAA-ACCOUNT-STAGING" in found


def test_an_alias_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a CNAME stands no CAA can, and a resolver that was named is asked for it."""
    zone = "www 60 IN CNAME cdn.example.net.\n@ 60 IN A 192.0.2.1\n"
    with LabDNS({"example.com": zone, "example.net": "cdn 60 IN A 192.0.2.2\n"}, "resolver") as dns:
        document = made(
            capsys,
            *("www.example.com", "example.com", "--ca", "pki.goog"),
            *("--resolver", f"127.0.0.1:{dns.port}"),
        )
    (note,) = [note for note in document["notes"] if "alias" in note]
    assert note.startswith("www.example.com: is an alias of cdn.example.net")


def test_list_formats(capsys: pytest.CaptureFixture[str]) -> None:
    """Text and JSON list the same forms."""
    assert run(["caa", "make", "--list-formats"]) == 0
    text = capsys.readouterr().out
    assert run(["caa", "make", "--list-formats", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["formats"]
    assert [each["name"] for each in listed] == list(FORMATS)
    assert all(f"{name} " in text for name in FORMATS)


def test_from_certificates(ca: CA, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A chain in a file tells the CA by its key, the names tell where the records belong."""
    save_issuers(*tables_knowing(ca))
    chain = ca.issue(["example.com", "www.example.com", "*.shop.example.com"]).certificate_chain
    (tmp_path / "chain.pem").write_bytes(pem(chain))
    (tmp_path / "leaf.der").write_bytes(ca.issue(["a.example.net"]).certificate_chain[0])
    document = made(
        capsys,
        *("--from-certificates", str(tmp_path / "chain.pem")),
        *("--from-certificates", str(tmp_path / "leaf.der"), "--smime", "none"),
    )
    assert {each["name"]: each["records"] for each in document["sets"]} == {
        "a.example.net": [f'0 issue "{DOMAIN}"', '0 issuewild ";"', '0 issuemail ";"'],
        "example.com": [f'0 issue "{DOMAIN}"', f'0 issuewild "{DOMAIN}"', '0 issuemail ";"'],
    }
    assert any("other-ca.example" in note for note in document["notes"])


def test_a_ca_that_is_not_mapped_is_told(
    ca: CA, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is guessed: no records, the certificate named, exit code 1."""
    (tmp_path / "leaf.pem").write_bytes(pem(ca.issue(["example.com"]).certificate_chain[:1]))
    document = made(capsys, "--from-certificates", str(tmp_path / "leaf.pem"), code=1)
    assert document["sets"] == []
    (proposal,) = document["proposals"]
    assert (proposal["name"], proposal["certificates"]) == ("example.com", 1)
    assert "Lab CA" in proposal["unmapped"][0]["issuer"]
    assert any("would refuse" in note for note in document["notes"])


def test_from_sightings(ca: CA, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the store has seen and is still valid tells the policy; `--since` looks further."""
    save_issuers(*tables_knowing(ca))
    url = f"sqlite:///{tmp_path / 'store.db'}"
    good = ca.issue(["www.example.com"]).certificate_chain[0]
    star = ca.issue(["*.example.com"]).certificate_chain[0]

    async def fill() -> None:
        async with await opened_store(url, create=True) as store:
            await move(
                store,
                2,
                certificate(
                    "good",
                    0,
                    der=good,
                    names=("www.example.com",),
                    matched=(".example.com",),
                    not_after=later(days=90_000),
                ),
                certificate(
                    "star",
                    1,
                    der=star,
                    names=("*.example.com",),
                    matched=(".example.com",),
                    not_before=later(days=-90),
                    not_after=later() - timedelta(days=4000),
                ),
            )

    asyncio.run(fill())
    here = ("--from-sightings", "--store", url)
    assert records(made(capsys, *here)) == [f'0 issue "{DOMAIN}"', '0 issuewild ";"']
    longer = made(capsys, *here, "--since", "2026-01-01")
    assert records(longer) == [f'0 issue "{DOMAIN}"', f'0 issuewild "{DOMAIN}"']
    other = made(capsys, "example.net", *here, code=1)
    assert any("no certificate was seen" in note for note in other["notes"])
