"""`pinwarden pin show` against servers on loopback, files and pins."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from cli.pin.conftest import Pin, Served
from pinwarden.lab.ca import pem
from support.pin_world import HOST, world

TRUST = ("--cafile", world().cafile)
SEALED = b"a passphrase"


def test_the_verified_chain_of_a_host(pin: Pin, served: Served) -> None:
    """Leaf, intermediate and root with the documented keys, the root from the trust store."""
    ran = pin("show", served("genuine"), *TRUST, "--json")
    assert ran.code == 0
    line = ran.line
    assert line["target"] == served("genuine")
    assert line["verified"] is True
    assert [each["role"] for each in line["certificates"]] == ["leaf", "intermediate", "root"]
    assert [each["position"] for each in line["certificates"]] == [0, 1, 2]
    for each, name in zip(line["certificates"], ("leaf", "intermediate", "root"), strict=True):
        assert each["pin"] == world().pins[name].curl
        assert each["spki_sha256"] == world().pins[name].base64
        assert each["subject"]
        assert each["issuer"]
        assert each["not_after"].endswith("Z")
    (address,) = line["addresses"]
    assert address["address"] == "127.0.0.1"
    assert address["pins"] == [each["pin"] for each in line["certificates"]]


def test_what_was_appended_is_not_shown(pin: Pin, served: Served) -> None:
    """Whoever copies pins from here must not get those of somebody else's chain."""
    ran = pin("show", served("stuffed"), *TRUST)
    assert ran.code == 0
    assert world().pins["rogue-root"].curl in ran.out
    assert world().pins["root"].curl not in ran.out


@pytest.mark.parametrize("name", ["forged", "expired", "wrong-host", "self-signed"])
def test_what_does_not_verify(name: str, pin: Pin, served: Served) -> None:
    """It is shown as sent and called so, the exit code is 1, and scripts get no pin of it."""
    ran = pin("show", served(name), *TRUST)
    assert ran.code == 1
    assert "NOT VERIFIED" in ran.out
    assert "does not verify" in ran.err
    assert pin("show", served(name), *TRUST, "--json").line["verified"] is False
    bare = pin("show", served(name), *TRUST, "--bare")
    assert (bare.code, bare.out) == (1, "")


def test_addresses_with_different_chains(pin: Pin, served: Served) -> None:
    """Every chain that was met is shown, with where."""
    places = [
        option
        for name in ("genuine", "rogue")
        for option in ("--address", served(name).replace(HOST, "127.0.0.1"))
    ]
    ran = pin("show", HOST, *places, *TRUST)
    assert ran.code == 0
    assert "chain 2 of 2, at 127.0.0.1:" in ran.out
    assert world().pins["rogue-leaf"].curl in ran.out
    line = pin("show", HOST, *places, *TRUST, "--json").line
    assert [each["role"] for each in line["other_chains"][0]] == ["leaf", "intermediate", "root"]


def test_one_address_that_is_not_there(pin: Pin, served: Served) -> None:
    """It is told, and is no reason to hide what others serve."""
    place = served("genuine").replace(HOST, "127.0.0.1")
    ran = pin("show", HOST, "--address", place, "--address", "127.0.0.1:1", *TRUST)
    assert ran.code == 0
    assert "127.0.0.1:1: cannot be connected to" in ran.err


def test_nobody_there(pin: Pin) -> None:
    """What could not be asked is not an empty answer."""
    ran = pin("show", "localhost:1", "does-not-exist.invalid", "--json")
    assert ran.code == 3
    assert [each["certificates"] for each in ran.lines] == [[], []]
    assert "has no address" in ran.lines[1]["problem"]


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("curl", "sha256//{}"),
        ("okhttp", "sha256/{}"),
        ("hpkp", 'pin-sha256="{}"'),
        ("base64", "{}"),
    ],
)
def test_the_forms_of_a_pin(form: str, shown: str, pin: Pin) -> None:
    """A pin in any form is shown in any other."""
    leaf = world().pins["leaf"]
    for text in (leaf.curl, leaf.okhttp, leaf.hpkp, leaf.hex, leaf.base64):
        ran = pin("show", text, "--format", form, "--bare")
        assert (ran.code, ran.out) == (0, shown.format(leaf.base64) + "\n")


def test_a_fingerprint_is_no_pin(pin: Pin) -> None:
    """The hash that browsers and openssl show is refused, and called what it is."""
    ran = pin("show", ":".join(["AB"] * 31 + ["CD"]))
    assert ran.code == 2
    assert "fingerprint of a whole certificate" in ran.err


@pytest.mark.parametrize("before", ["", "sha256 Fingerprint=", "SHA256 Fingerprint="])
def test_a_fingerprint_as_openssl_prints_it(before: str, pin: Pin) -> None:
    ran = pin("show", before + ":".join(["37", "44"] * 16))
    assert (ran.code, ran.out) == (2, "")
    assert "looks like the fingerprint of a whole certificate" in ran.err


def test_bare_pins_of_one_place(pin: Pin, served: Served) -> None:
    """What a script puts into a variable is the pin alone."""
    ran = pin("show", served("genuine"), *TRUST, "--bare", "--role", "leaf")
    assert (ran.out, ran.err) == (world().pins["leaf"].curl + "\n", "")


@pytest.mark.parametrize("name", ["chain.pem", "key.pem", "leaf.der"])
def test_files(name: str, pin: Pin, files: Path) -> None:
    """A chain, a key and a certificate in DER all have the leaf's pin."""
    ran = pin("show", files / name, "--json")
    assert ran.code == 0
    assert ran.line["certificates"][0]["pin"] == world().pins["leaf"].curl
    assert ran.line["source"] == "file"


def test_files_that_openssl_makes(pin: Pin, files: Path) -> None:
    """Public key, request and sealed key come to the same pin."""
    key = files / "key.pem"

    def openssl(*arguments: str | Path) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    openssl("pkey", "-in", key, "-pubout", "-out", files / "public.pem")
    openssl("req", "-new", "-key", key, "-subj", "/CN=request", "-out", files / "request.pem")
    openssl(
        *("pkcs8", "-topk8", "-in", key, "-out", files / "sealed.pem"),
        *("-passout", f"pass:{SEALED.decode()}"),
    )
    (files / "passphrase").write_bytes(SEALED + b"\n")
    for name, kind in (
        ("public.pem", "public-key"),
        ("request.pem", "request"),
        ("sealed.pem", "private-key"),
    ):
        ran = pin("show", files / name, "--passphrase-file", files / "passphrase", "--json")
        (found,) = ran.line["certificates"]
        assert (found["pin"], found["kind"]) == (world().pins["leaf"].curl, kind)
        assert found["role"] is None
    without = pin("show", files / "sealed.pem")
    assert without.code == 2
    assert "--passphrase-file" in without.err
    (files / "passphrase").write_bytes(b"wrong")
    assert pin("show", files / "sealed.pem", "--passphrase-file", files / "passphrase").code == 2


def test_a_chain_that_is_not_in_order(pin: Pin, files: Path) -> None:
    """It is shown in order, and the fault of the file is told."""
    leaf, intermediate = world().chains["genuine"].certificates
    (files / "odd.pem").write_bytes(pem([world().authorities.a.root, intermediate, leaf]))
    ran = pin("show", files / "odd.pem", "--json")
    roles = [each["role"] for each in ran.line["certificates"]]
    assert roles == ["leaf", "intermediate", "root"]
    assert "not in order" in ran.err


@pytest.mark.parametrize("content", [b"", b"hello", b"\x30\x80", b"-----BEGIN CERTIFICATE-----\n"])
def test_files_that_are_none(content: bytes, pin: Pin, files: Path) -> None:
    """One line that names the file."""
    (files / "bad").write_bytes(content)
    ran = pin("show", files / "bad")
    assert ran.code == 2
    assert len(ran.err.splitlines()) <= 2
    assert "bad'" in ran.err
    assert pin("show", files / "not-there").code == 2
    assert pin("show", files).code == 2


def test_a_subject_that_is_hostile(pin: Pin, files: Path) -> None:
    """What a certificate says of itself cannot write to the terminal."""
    issued = world().authorities.a.issue([HOST], cn="\x1b]0;owned\x07\u202e")
    (files / "hostile.pem").write_bytes(pem([issued.certificate]))
    ran = pin("show", files / "hostile.pem")
    assert ran.code == 0
    assert r"CN=\x1b]0\;owned\x07\u202e" in ran.out


def test_a_name_that_is_a_file_here(
    pin: Pin, files: Path, monkeypatch: pytest.MonkeyPatch, served: Served
) -> None:
    """A file wins over a host of its name, and that is told; a port says that a host is meant."""
    monkeypatch.chdir(files)
    (files / "localhost.example").write_bytes((files / "leaf.der").read_bytes())
    ran = pin("show", "localhost.example", "--json")
    assert ran.line["source"] == "file"
    assert "is a file here" in ran.err
    (files / HOST).write_bytes(b"x")
    assert pin("show", served("genuine"), *TRUST, "--json").line["source"] == "host"


@pytest.mark.parametrize("name", ["missing.pem", "missing.KEY", "missing.toml"])
def test_a_file_that_is_not_there(name: str, pin: Pin) -> None:
    """What can only be a file is asked of no resolver."""
    for words in (["show", name], ["check", name], ["make", "localhost:1", "--backup", name]):
        ran = pin(*words)
        assert (ran.code, ran.out) == (2, "")
        assert "No such file" in ran.err


def test_a_host_with_a_path(pin: Pin) -> None:
    ran = pin("show", "localhost:9/path")
    assert ran.code == 2
    assert "hint: a host stands without a path" in ran.err
    assert "hint" not in pin("show", "./nothing/here").err


def test_a_name_longer_than_a_file_may_have(pin: Pin) -> None:
    for words in (["show"], ["check"], ["check", "--pin", world().pins["leaf"].curl]):
        ran = pin(*words, "a" * 5000)
        assert (ran.code, ran.out) == (2, "")
        assert "cannot be written" not in ran.err


def test_a_timeout_that_is_no_number(pin: Pin) -> None:
    assert pin("show", "localhost:9", "--timeout", "nan").code == 2


def test_the_base64_is_that_of_the_key(pin: Pin, files: Path) -> None:
    """`spki_sha256` is standard base64 of 32 octets."""
    found = pin("show", files / "chain.pem", "--json").line["certificates"]
    assert {len(base64.b64decode(each["spki_sha256"], validate=True)) for each in found} == {32}
