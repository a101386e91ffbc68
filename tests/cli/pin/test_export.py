"""`pinwarden pin export`: what comes out where, and that nothing weaker slips through."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from cli.pin.conftest import Pin
from pinwarden.lab.ca import pem
from pinwarden.pinning import PinSet
from pinwarden.pinning.formats.export import LossKind
from pinwarden.pinning.formats.table import FORMATS
from support.pin_world import pin_set, policy, world


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """A set that OkHttp can say."""
    file = tmp_path / "pins.toml"
    file.write_text(pin_set("good", "api.example.com").to_toml())
    return file


@pytest.fixture
def closing(tmp_path: Path) -> Path:
    """A set that closes, which OkHttp cannot."""
    file = tmp_path / "closing.toml"
    file.write_text(pin_set("expired-closed", "api.example.com").to_toml())
    return file


def test_to_stdout(pin: Pin, pins: Path) -> None:
    """The text on stdout, the differences on stderr."""
    ran = pin("export", pins, "--format", "okhttp-kotlin", "--package", "com.example")
    assert ran.code == 0
    assert ran.out.startswith("// Made by")
    assert "package com.example\n" in ran.out
    assert world().pins["intermediate"].okhttp in ran.out
    assert "[position-not-checked]" in ran.err


def test_from_stdin(pin: Pin, pins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that another program made, as with `pin check`."""
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(pins.read_bytes())))
    ran = pin("export", "-", "--format", "okhttp-kotlin")
    assert (ran.code, ran.out) == (0, pin("export", pins, "--format", "okhttp-kotlin").out)


def test_a_loss_is_not_accepted_silently(pin: Pin, closing: Path, tmp_path: Path) -> None:
    """Exit code 1, nothing written, and the words with which to go on."""
    to = ("--format", "okhttp-java", "-o", tmp_path / "Pins.java")
    ran = pin("export", closing, *to)
    assert (ran.code, ran.out) == (1, "")
    assert not (tmp_path / "Pins.java").exists()
    assert "weaker: api.example.com:" in ran.err
    assert "hint: --accept-loss expiry-never-closes" in ran.err
    assert pin("export", closing, *to, "--accept-loss", "forbidden-keys-left-out").code == 1
    assert pin("export", closing, *to, "--accept-loss", "expiry-never-closes").code == 0
    assert "CertificatePinner" in (tmp_path / "Pins.java").read_text()


def test_all_losses_at_once(pin: Pin, closing: Path) -> None:
    """Whoever wants all of them says so."""
    ran = pin("export", closing, "--format", "okhttp-java", "--accept-losses")
    assert ran.code == 0
    assert "weaker:" in ran.err


def test_json(pin: Pin, closing: Path) -> None:
    """Files only when the losses are accepted, and every loss with its harm."""
    line = pin("export", closing, "--format", "okhttp-java", "--json").line
    assert (line["format"], line["files"], line["written"]) == ("okhttp-java", [], [])
    losses = {each["id"]: each for each in line["losses"]}
    assert losses["expiry-never-closes"]["harm"] == "weakens"
    assert losses["expiry-never-closes"]["accepted"] is False
    assert losses["position-not-checked"]["harm"] == "none"
    accepted = pin("export", closing, "--format", "okhttp-java", "--json", "--accept-losses").line
    assert [each["name"] for each in accepted["files"]] == ["Pins.java"]


def test_files_are_not_overwritten(pin: Pin, pins: Path, tmp_path: Path) -> None:
    """Unless that is asked for."""
    target = tmp_path / "Pins.kt"
    target.write_text("mine")
    ran = pin("export", pins, "--format", "okhttp-kotlin", "-o", target)
    assert ran.code == 2
    assert "is there already" in ran.err
    assert target.read_text() == "mine"
    assert pin("export", pins, "--format", "okhttp-kotlin", "-o", target, "--force").code == 0
    assert target.read_text() != "mine"


def test_several_files_need_a_folder(pin: Pin, pins: Path, tmp_path: Path) -> None:
    """Certificates go beside the configuration that names them; none is written if one is there."""
    a = world().authorities.a
    certificates = tmp_path / "ca.pem"
    certificates.write_bytes(pem([a.intermediate]))
    command = ("export", pins, "--format", "curl", "--certificate", certificates)
    accept = ("--accept-loss", "backup-pins-left-out")
    assert "no CA certificate for" in pin(*command).err
    assert pin(*command, *accept).code == 2
    assert pin(*command, *accept, "-o", tmp_path / "none").code == 2
    folder = tmp_path / "curl"
    folder.mkdir()
    (folder / "api.example.com.curlrc").write_text("mine")
    assert pin(*command, *accept, "-o", folder).code == 2
    assert [each.name for each in folder.iterdir()] == ["api.example.com.curlrc"]
    assert pin(*command, *accept, "-o", folder, "--force").code == 0
    assert {each.name for each in folder.iterdir()} == {
        "api.example.com.curlrc",
        "api.example.com.pem",
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--format", "okhttp"), "did you mean okhttp-java?"),
        (("--format", "zzz"), "--list-formats"),
        (("--format", "go", "--package", "a b"), "is no name"),
        (("--format", "go", "--accept-loss", "x"), "--accept-loss"),
        (("--format", "go", "--certificate", "/nowhere.pem"), "nowhere.pem"),
        (("--format", "go", "--at", "soon"), "--at"),
        (("--format", "nginx"), "there is none for"),
    ],
)
def test_what_cannot_be(pin: Pin, pins: Path, options: tuple[str, ...], words: str) -> None:
    """One line, exit code 2."""
    ran = pin("export", pins, *options)
    assert ran.code == 2
    assert words in ran.err


def test_list_formats(pin: Pin) -> None:
    """Every form and what it is, for people and for programs, without a pin set."""
    ran = pin("export", "--list-formats")
    assert [line.split()[0] for line in ran.out.splitlines()] == list(FORMATS)
    assert "Public-Key-Pins headers (RFC 7469)" in ran.out
    listed = pin("export", "--list-formats", "--json").line["formats"]
    assert [each["name"] for each in listed] == list(FORMATS)
    assert all(each["description"] for each in listed)


@pytest.mark.parametrize("without", ["set", "form"])
def test_a_set_and_a_form_are_needed(pin: Pin, pins: Path, without: str) -> None:
    """Whoever leaves out one of them is told both, and where the forms are listed."""
    ran = pin("export", *((pins,) if without == "form" else ("--format", "go")))
    assert ran.code == 2
    assert "needs a pin set and --format FORM" in ran.err
    assert "--list-formats" in ran.err


def test_every_loss_and_form_is_on_the_page() -> None:
    """docs/pinning-exports.md explains each by its name."""
    page = (Path(__file__).parents[3] / "docs" / "pinning-exports.md").read_text("utf-8")
    assert [each for each in (*FORMATS, *LossKind) if f"`{each}`" not in page] == []


def test_the_set_must_be_one(pin: Pin, tmp_path: Path) -> None:
    """A file that clients would refuse is not exported."""
    file = tmp_path / "bad.toml"
    text = PinSet([policy("api.example.com", ca="root")]).to_toml()
    file.write_text(text.replace("backup_pins", "forbidden_pins"))
    assert pin("export", file, "--format", "go").code == 2


@pytest.mark.parametrize("form", ["hpkp", "trustkit-plist", "trustkit-android"])
def test_an_address_for_reports_that_the_form_cannot_hold(
    pin: Pin, tmp_path: Path, form: str
) -> None:
    """The set may say it, and the form may not: a fault of the input, not of anything outside."""
    file = tmp_path / "pins.toml"
    file.write_text(PinSet([policy(ca="root", report_uri="https://r.example/'x")]).to_toml())
    ran = pin("export", file, "--format", form, "--accept-losses")
    assert (ran.code, ran.out) == (2, "")
    assert f"--format {form}: policy 'localhost': report_uri" in ran.err
