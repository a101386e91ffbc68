"""`pinwarden pin import`: from other programs' forms to a set that clients would load."""

from __future__ import annotations

import base64
import hashlib
import io
import sys
from pathlib import Path

import pytest

from cli.pin.conftest import Pin
from pinwarden.lab.ca import pem
from pinwarden.pinning import PinRole, PinSet
from pinwarden.pinning.formats.reading.table import SOURCES
from support.pin_world import world

AAAA = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """OkHttp code with a leaf, an intermediate and a key that nobody serves."""
    names = ("leaf", "intermediate", "spare")
    pins = ", ".join(f'"{world().pins[each].okhttp}"' for each in names)
    file = tmp_path / "Pins.kt"
    file.write_text(f'CertificatePinner.Builder().add("**.shop.example", {pins}).build()')
    return file


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """The chain that is served."""
    file = tmp_path / "chain.pem"
    file.write_bytes(pem(world().chains["genuine"].certificates))
    return file


def test_with_the_chain(pin: Pin, code: Path, chain: Path, tmp_path: Path) -> None:
    """Each pin gets its role, and the set loads."""
    target = tmp_path / "pins.toml"
    ran = pin("import", code, "--chain", chain, "-o", target)
    assert (ran.code, ran.out) == (0, "")
    (policy,) = PinSet.load(str(target)).policies
    assert (policy.host, policy.include_subdomains) == ("shop.example", True)
    for role, name in (("leaf", "leaf"), ("ca", "intermediate"), ("backup", "spare")):
        assert policy.pins(PinRole(role)) == {world().pins[name]}
    assert pin("import", code, "--chain", chain, "-o", target).code == 2


def test_without_knowing_the_backup(pin: Pin, code: Path) -> None:
    """Refused, and told how to go on; each of the ways works."""
    ran = pin("import", code)
    assert (ran.code, ran.out) == (1, "")
    assert "[PW-PIN-NO-BACKUP]" in ran.err
    assert "--chain" in ran.err
    named = pin("import", code, "--backup", world().pins["spare"].hpkp)
    assert named.code == 0
    assert PinSet.parse(named.out).policies[0].pins(PinRole.BACKUP) == {world().pins["spare"]}
    without = pin("import", code, "--allow-no-backup")
    assert without.code == 0
    assert PinSet.parse(without.out).policies[0].allow_no_backup


def test_bad_pins(pin: Pin, code: Path, chain: Path) -> None:
    """Told of by their finding, and only left out when that is asked for."""
    code.write_text(code.read_text().replace(".build", f'.add("shop.example", "{AAAA}").build'))
    ran = pin("import", code, "--chain", chain)
    assert ran.code == 1
    assert "[PW-PIN-PLACEHOLDER]" in ran.err
    assert pin("import", code, "--chain", chain, "--drop-bad-pins").code == 0


def test_the_hash_of_a_certificate(pin: Pin, code: Path, chain: Path) -> None:
    """Not a key of the chain, and so it would pass for the backup."""
    digest = hashlib.sha256(world().chains["genuine"].certificates[0]).digest()
    fingerprint = f"sha256/{base64.b64encode(digest).decode()}"
    code.write_text(code.read_text().replace(world().pins["spare"].okhttp, fingerprint))
    ran = pin("import", code, "--chain", chain)
    assert (ran.code, ran.out) == (1, "")
    assert "[PW-PIN-CERTIFICATE-HASH]" in ran.err
    ran = pin("import", code, "--chain", chain, "--drop-bad-pins")
    assert (ran.code, ran.out) == (1, "")
    assert "[PW-PIN-NO-BACKUP]" in ran.err


def test_json(pin: Pin, code: Path, chain: Path) -> None:
    """The set, or why there is none, with notes and findings."""
    line = pin("import", code, "--json").line
    assert (line["format"], line["hosts"], line["set"]) == ("okhttp", ["shop.example"], None)
    assert line["problems"][0]["host"] == "shop.example"
    assert {each["id"] for each in line["findings"]} >= {"PW-PIN-NO-BACKUP"}
    line = pin("import", code, "--chain", chain, "--json").line
    assert PinSet.parse(line["set"]).policies
    assert (line["problems"], line["written"]) == ([], None)


def test_standard_input(pin: Pin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header as another program prints it."""
    header = (
        f"Public-Key-Pins: {world().pins['root'].hpkp}; {world().pins['spare'].hpkp}; max-age=1"
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(header.encode())))
    ran = pin("import", "-", "--host", "a.example", "--backup", world().pins["spare"].curl)
    assert ran.code == 0
    assert PinSet.parse(ran.out).policies[0].host == "a.example"


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("hello", (), "nothing tells"),
        ("hello", ("--format", "x"), "one of android, curl"),
        ("hello", ("--format", "hpkp"), "holds no Public-Key-Pins"),
        ("hello", ("--format", "x"), "no such form"),
        ("Public-Key-Pins: max-age=1", (), "name the host"),
        ("\x1b[31m", ("--format", "android"), "is not XML"),
        ("hello", ("--format", "curl", "--backup", "x"), "--backup"),
    ],
)
def test_what_cannot_be(
    pin: Pin, tmp_path: Path, text: str, options: tuple[str, ...], words: str
) -> None:
    """One line, exit code 2."""
    file = tmp_path / "file"
    file.write_text(text)
    ran = pin("import", file, *options)
    assert ran.code == 2
    assert words in ran.err


def test_what_was_exported_comes_back(pin: Pin, code: Path, chain: Path, tmp_path: Path) -> None:
    """From OkHttp to a set, to Android's XML, and back to the same pins."""
    first, xml = tmp_path / "first.toml", tmp_path / "network_security_config.xml"
    assert pin("import", code, "--chain", chain, "-o", first).code == 0
    assert pin("export", first, "--format", "android-xml", "-o", xml).code == 0
    again = pin("import", xml, "--chain", chain)
    assert again.code == 0
    (one,), (two,) = PinSet.load(str(first)).policies, PinSet.parse(again.out).policies
    assert {key.pin: key.role for key in one.keys} == {key.pin: key.role for key in two.keys}


def test_list_formats(pin: Pin) -> None:
    """Every form and what it is, for people and for programs, without a file."""
    lines = pin("import", "--list-formats").out.splitlines()
    assert [line.split()[0] for line in lines] == list(SOURCES)
    listed = pin("import", "--list-formats", "--json").line["formats"]
    assert {each["name"]: each["description"] for each in listed} == SOURCES
    without = pin("import")
    assert (without.code, "needs a file" in without.err) == (2, True)
