"""`pinwarden ct search` over services on loopback, a folder and a store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.ct.conftest import CT
from pinwarden.lab.ca import CA, Issued, pem
from support.history_services import (
    Answer,
    HistoryServices,
    crtsh_row,
    renewals,
    spotter_issuance,
)

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder of its own, and nothing of the user's environment."""
    for each in ("CONFIG", "CACHE", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{each}_HOME", str(tmp_path / each))
    for each in ("CERTSPOTTER_API_KEY", "PINWARDEN_CERTSPOTTER_KEY", "PINWARDEN_CONTACT"):
        monkeypatch.delenv(each, raising=False)


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA("Some CA")


@pytest.fixture(scope="module")
def made(ca: CA) -> list[Issued]:
    """Four certificates of 90 days, one each 60 days; the first two have ended by now."""
    return renewals(ca, ["shop.example"], NOW - timedelta(days=205), 4)


@pytest.fixture
def services(ca: CA, made: list[Issued]) -> Iterator[HistoryServices]:
    with HistoryServices() as services:
        services.rows = [crtsh_row(n, each, NOW) for n, each in enumerate(made)]
        services.issuances = [spotter_issuance(n, each, ca) for n, each in enumerate(made[2:])]
        yield services


def test_sources_are_joined(
    ct: CT, services: HistoryServices, made: list[Issued], tmp_path: Path
) -> None:
    """One line an issuance, whoever tells of it, newest first."""
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "one.pem").write_bytes(pem([made[3].certificate]))
    sources = [f"crtsh={services.url}", f"certspotter={services.url}", f"folder={tmp_path}/certs"]
    options = [option for each in sources for option in ("--source", each)]
    ran = ct("search", "shop.example", "--expired", "--json", *options)
    assert ran.code == 0
    assert [line["certificate_sha256"] for line in ran.lines] == [
        made[3].fingerprint.hex(),
        made[2].fingerprint.hex(),
        None,
        None,
    ]
    told = [[each["source"] for each in line["sources"]] for line in ran.lines]
    assert [sorted(set(each)) for each in told] == [
        ["certspotter", "crtsh", "folder"],
        ["certspotter", "crtsh"],
        ["crtsh"],
        ["crtsh"],
    ]
    first = ran.lines[0]
    assert first["tbs_sha256"] == hashlib.sha256(made[3].tbs).hexdigest()
    assert first["names"] == ["shop.example"]
    assert first["issuer_spki_sha256"]
    assert first["seen"]
    assert "note: Cert Spotter: tells only of certificates that have not ended" in ran.err


def test_for_people(ct: CT, services: HistoryServices, made: list[Issued]) -> None:
    """Dates, names, issuer and who tells; without --expired what is valid only."""
    ran = ct("search", "shop.example", "--source", f"crtsh={services.url}")
    assert ran.code == 0
    first, second = ran.out.splitlines()
    assert first.startswith(f"{NOW - timedelta(days=25):%Y-%m-%d} to ")
    assert "  valid    shop.example  (C=XX, O=Some CA, CN=Some CA E1)  [crtsh]" in first
    assert second.startswith(f"{NOW - timedelta(days=85):%Y-%m-%d} to ")


def test_days_and_since(ct: CT, services: HistoryServices) -> None:
    """Count from when a certificate was issued."""
    asked = ("search", "shop.example", "--source", f"crtsh={services.url}", "--expired")
    assert len(ct(*asked, "--days", "100").out.splitlines()) == 2
    since = f"{NOW - timedelta(days=160):%Y-%m-%d}"
    assert len(ct(*asked, "--since", since).out.splitlines()) == 3
    assert ct(*asked, "--since", since, "--days", "3").code == 2
    assert ct(*asked, "--since", "2999-01-01").code == 2


def test_a_source_that_fails_is_told_and_the_others_shown(
    ct: CT, services: HistoryServices
) -> None:
    """With exit code 3: what is shown may not be all."""
    services.faults = [Answer(404)]
    options = ["--source", f"crtsh={services.url}", "--source", f"certspotter={services.url}"]
    ran = ct("search", "shop.example", *options)
    assert ran.code == 3
    assert len(ran.out.splitlines()) == 2
    assert "error: " in ran.err
    assert "404" in ran.err


def test_failure_is_never_nothing_issued(ct: CT, services: HistoryServices) -> None:
    """Neither an error nor an empty list says that there are no certificates."""
    services.faults = [Answer(404)]
    ran = ct("search", "shop.example", "--source", f"crtsh={services.url}")
    assert (ran.code, ran.out) == (3, "")
    assert "no certificate is told of by those who answered" in ran.err
    services.rows = []
    ran = ct("search", "shop.example", "--source", f"crtsh={services.url}")
    assert (ran.code, ran.out) == (0, "")
    assert "as it also does when it fails" in ran.err


def test_the_key_is_in_a_file_or_in_the_environment(
    ct: CT, services: HistoryServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And in no message, whether it is right or wrong."""
    services.key = "k-1234"
    asked = ("search", "shop.example", "--source", f"certspotter={services.url}")
    file = tmp_path / "key"
    file.write_text("k-1234\n")
    assert ct(*asked, "--key-file", file).code == 0
    for name in ("CERTSPOTTER_API_KEY", "PINWARDEN_CERTSPOTTER_KEY"):
        monkeypatch.setenv(name, "k-1234")
        assert ct(*asked).code == 0
        monkeypatch.setenv(name, "secret-and-wrong")
        ran = ct(*asked)
        assert ran.code == 3
        assert "not valid" in ran.err
        assert "secret-and-wrong" not in ran.err
        monkeypatch.delenv(name)
    file.write_text("two lines\nof text")
    assert ct(*asked, "--key-file", file).code == 2


@pytest.mark.parametrize(
    ("options", "word"),
    [
        pytest.param([], "nobody is named", id="none"),
        pytest.param(["--source", "facebook"], "is no source", id="unknown"),
        pytest.param(["--source", "folder"], "names no folder", id="folder"),
        pytest.param(["--source", "folder=/nowhere/at/all"], "no such folder", id="gone"),
        pytest.param(["--source", "store=x"], "--store", id="store"),
        pytest.param(
            ["--source", "store", "--store", "sqlite:////nowhere/x.db"], "", id="no-store"
        ),
        pytest.param(["--source", "crtsh"], "no contact", id="contact"),
        pytest.param(["--source", "crtsh=http://crt.example/"], "https", id="plain"),
        pytest.param(["--source", "crtsh=file:///etc"], "https", id="scheme"),
        pytest.param(["--source", "crtsh=http://127.0.0.1/?q=x"], "address", id="query"),
    ],
)
def test_sources_that_cannot_be(ct: CT, options: list[str], word: str) -> None:
    """Usage errors, before anybody is asked."""
    ran = ct("search", "shop.example", *options)
    assert (ran.code, ran.out) == (2, "")
    assert word in ran.err


def test_patterns_are_refused(ct: CT, services: HistoryServices) -> None:
    """With a word on what to give instead."""
    ran = ct("search", "*.shop.example", "--source", f"crtsh={services.url}")
    assert ran.code == 2
    assert "--below" in ran.err
    assert services.asked == []
