"""`pinwarden caa issuers`, and the map that the other commands get."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwarden.caa.issuers.map import load_issuers
from pinwarden.cli.caa.issuer_map import current_issuers, saved_map_file
from pinwarden.cli.main import run
from pinwarden.lab.ca import CA, pem
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.key_ids import subject_key_id

V2 = '"Subject","Subject Key Identifier (Hex)","Recognized CAA Domains"\n'
V5 = '"CA Owner","SHA-256 Fingerprint","Subject Key Identifier"\n'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of its own, so that nothing of the user's is read or written."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    current_issuers.cache_clear()
    yield tmp_path
    current_issuers.cache_clear()


@pytest.fixture(scope="module")
def ca() -> CA:
    return CA("Some CA")


@pytest.fixture
def leaf(ca: CA, tmp_path: Path) -> Path:
    file = tmp_path / "leaf.pem"
    file.write_bytes(pem([ca.issue(["www.example.org"]).certificate]))
    return file


@pytest.fixture
def report(ca: CA, tmp_path: Path) -> Path:
    key = subject_key_id(view_certificate(ca.chain[0]))
    assert key is not None
    file = tmp_path / "identifiers.csv"
    file.write_text(f'{V2}"Some CA","{key.hex()}","some-ca.example, N/A?"\n')
    return file


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    code = run(["caa", "issuers", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_the_list_names_every_ca(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, and the age of the facts last."""
    assert run(["caa", "issuers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Let's Encrypt: letsencrypt.org" in lines
    assert len(lines) > 80
    assert "days old" in lines[-1]


@pytest.mark.parametrize("word", ["letsencrypt.org", "Let's Encrypt", "letsenc", "ISRG"])
def test_a_ca_is_found_by_domain_name_or_part(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """However the user calls it."""
    code, found = answered(capsys, word)
    assert code == 0
    [owner] = found["owners"]  # type: ignore[misc]
    assert owner["name"] == "Let's Encrypt"
    assert owner["domains"] == ["letsencrypt.org"]
    assert owner["recognised"] == owner["former"] == []
    assert "ISRG" in owner["also"]
    assert found["certificates"] == []


def test_one_ca_is_shown_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    """With the names of others that it honours."""
    assert run(["caa", "issuers", "sectigo.com"]) == 0
    out = capsys.readouterr().out
    assert "  CAA domains: sectigo.com, comodoca.com" in out
    assert "  honours too: entrust.net, affirmtrust.com" in out


def test_a_mistyped_domain_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, since no CA goes by it."""
    assert run(["caa", "issuers", "letsecrypt.org"]) == 1
    assert "perhaps letsencrypt.org of Let's Encrypt: one letter apart" in capsys.readouterr().out
    code, found = answered(capsys, "letsecrypt.org")
    assert code == 1
    assert found["suggestions"] == [
        {"domain": "letsencrypt.org", "owner": "Let's Encrypt", "why": "one letter apart"}
    ]


def test_hostile_text_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked for is shown, and does not reach the terminal as it is."""
    assert run(["caa", "issuers", "\x1b[31m\u202eca"]) == 1
    assert "\\x1b[31m\\u202eca" in capsys.readouterr().out


def test_an_unknown_issuer_is_said_to_be_unmapped(
    leaf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and no guess."""
    assert run(["caa", "issuers", "--certificate", str(leaf)]) == 1
    assert "issuer not mapped" in capsys.readouterr().out
    code, found = answered(capsys, "--certificate", str(leaf))
    assert code == 1
    [certificate] = found["certificates"]  # type: ignore[misc]
    assert certificate["mapped"] is False
    assert certificate["owners"] == []


def test_a_report_maps_a_key_and_is_kept_on_request(
    leaf: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For one call, then for every command, and no longer after `--forget`."""
    asked = ["--certificate", str(leaf)]
    code, found = answered(capsys, *asked, "--identifiers", str(report))
    assert code == 0
    [certificate] = found["certificates"]  # type: ignore[misc]
    assert certificate["domains"] == ["some-ca.example"]
    assert certificate["how"] == "by-key"
    assert found["problems"] == ["row 2: 'N/A?' is no domain"]
    assert not saved_map_file().exists()
    assert answered(capsys, *asked)[0] == 1

    assert run(["caa", "issuers", *asked, "--identifiers", str(report), "--save"]) == 0
    captured = capsys.readouterr()
    assert f"kept in {saved_map_file()}" in captured.err
    assert "row 2: 'N/A?' is no domain" in captured.err
    assert "CAA domains: some-ca.example" in captured.out
    assert current_issuers().owner_of("some-ca.example") is not None
    assert answered(capsys, *asked)[0] == 0

    assert run(["caa", "issuers", "--forget", "letsencrypt.org"]) == 0
    assert current_issuers() == load_issuers()
    assert run(["caa", "issuers", "--forget", "letsencrypt.org"]) == 0
    assert "no other map was kept" in capsys.readouterr().err


def test_records_say_whose_a_key_is(
    ca: CA, leaf: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the fingerprint of the CA certificate; a chain in the file is used."""
    issuer = view_certificate(ca.chain[0])
    assert issuer.fingerprint is not None
    records = report.with_name("records.csv")
    records.write_text(f'{V5}"Some Owner","{issuer.fingerprint.hex()}",""\n')
    leaf.write_bytes(leaf.read_bytes() + pem(ca.chain[:1]))
    arguments = ["--identifiers", str(report), "--records", str(records), "--dated", "2026-10-01"]
    code, found = answered(capsys, "some owner", *arguments)
    assert code == 0
    assert [owner["name"] for owner in found["owners"]] == ["Some Owner"]  # type: ignore[attr-defined]
    assert found["sources"][0]["date"] == "2026-10-01"  # type: ignore[index]


def test_an_older_saved_map_gives_way(
    report: Path, leaf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After an upgrade the map that ships may be the newer one."""
    old = ["--identifiers", str(report), "--dated", "2001-01-01", "--save"]
    assert run(["caa", "issuers", "letsencrypt.org", *old]) == 0
    assert current_issuers() == load_issuers()
    capsys.readouterr()
    assert answered(capsys, "--certificate", str(leaf))[0] == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"owners":1,"keys":""}', '{"owners":"{}"}'])
def test_a_damaged_saved_map_is_left_aside(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And stderr says so, once a run."""
    saved_map_file().parent.mkdir(parents=True)
    saved_map_file().write_text(text)
    assert run(["caa", "issuers", "letsencrypt.org"]) == 0
    assert capsys.readouterr().err.count("the saved issuer map is not used") == 1


def test_an_old_map_is_warned_of(
    report: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the age in days."""
    os.utime(report, (0, 0))
    arguments = ["--identifiers", str(report), "--dated", "2001-01-01"]
    monkeypatch.setattr("pinwarden.caa.issuers.map.STALE_AFTER_DAYS", 1)
    code, found = answered(capsys, "letsencrypt.org", *arguments)
    assert code == 0
    assert found["stale"] is True
    assert run(["caa", "issuers", "letsencrypt.org"]) == 0
    assert "days old; newer reports of the CCADB help" in capsys.readouterr().err


def test_a_der_certificate_on_standard_input(
    ca: CA, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `openssl x509 -outform der` writes it."""
    der = ca.issue(["www.example.org"]).certificate

    class Input:
        buffer = io.BytesIO(der)

    monkeypatch.setattr(sys, "stdin", Input())
    code, found = answered(capsys, "--certificate", "-")
    assert code == 1
    assert found["certificates"][0]["subject"] == "CN=www.example.org"  # type: ignore[index]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--save"],
        ["--records", "records.csv"],
        ["--dated", "2026-01-01"],
        ["--forget", "--identifiers", "identifiers.csv"],
        ["--certificate", "missing.pem"],
        ["--identifiers", "missing.csv"],
    ],
)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What makes no sense, and files that are not there, are told in a line."""
    assert run(["caa", "issuers", *arguments]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("pinwarden: error: ")


def test_a_file_that_is_no_certificate(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and what it should be."""
    file = home / "text.pem"
    for data in (b"", b"hello", b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"):
        file.write_bytes(data)
        assert run(["caa", "issuers", "--certificate", str(file)]) == 2
        assert "is not a certificate" in capsys.readouterr().err


def test_another_report_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that has not the columns."""
    file = home / "other.csv"
    file.write_text("a,b\n1,2\n")
    assert run(["caa", "issuers", "--identifiers", str(file)]) == 2
    assert "other.csv': CCADB report: has no column" in capsys.readouterr().err


def test_an_endless_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Before it fills the memory."""
    for option in ("--identifiers", "--certificate"):
        assert run(["caa", "issuers", option, "/dev/zero"]) == 2
        assert "is larger than 64 MiB" in capsys.readouterr().err
