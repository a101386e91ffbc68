"""A header that is still sent becomes a pin set for applications."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.header.conftest import Header, Serve
from pinwarden.cli.main import run
from pinwarden.lab.ca import pem
from pinwarden.pinning import PinRole, PinSet
from pinwarden.pinning.policy import Mode
from support.answering_tls import head
from support.pin_world import HOST, world

TRUST = ("--cafile", world().cafile)
LEAF, INTERMEDIATE, SPARE = (world().pins[each] for each in ("leaf", "intermediate", "spare"))
VALUE = (
    f"max-age=600; {LEAF.hpkp}; {INTERMEDIATE.hpkp}; {SPARE.hpkp}; includeSubDomains; "
    'report-uri="https://r.example/"'
)


def test_of_a_host(lint: Header, serve: Serve, tmp_path: Path) -> None:
    """The verified chain tells which pin is what, and which is the backup."""
    server = serve({"/": head(f"Public-Key-Pins: {VALUE}")})
    file = tmp_path / "pins.toml"
    ran = lint(f"{HOST}:{server.port}", *TRUST, "--pin-set", file, "--json")
    assert (ran.code, ran.line["pin_set"]) == (1, str(file))
    (policy,) = PinSet.load(file).policies
    assert (policy.host, policy.mode, policy.include_subdomains) == (HOST, Mode.ENFORCE, True)
    assert policy.report_uri == "https://r.example/"
    assert set(policy.pins(PinRole.LEAF)) == {LEAF}
    assert set(policy.pins(PinRole.CA)) == {INTERMEDIATE}
    assert set(policy.pins(PinRole.BACKUP)) == {SPARE}
    assert run(["pin", "lint", str(file)]) == 0
    checked = run(["pin", "check", str(file), f"{HOST}:{server.port}", *map(str, TRUST)])
    assert checked == 0


def test_of_a_file(lint: Header, tmp_path: Path) -> None:
    """The user says whose it is and which chain it has; without, nothing tells the backups."""
    chain, file = tmp_path / "chain.pem", tmp_path / "pins.toml"
    genuine = world().chains["genuine"].certificates
    chain.write_bytes(pem([*genuine, world().authorities.a.root]))
    text = "server {\n  add_header Public-Key-Pins '" + VALUE + "' always;\n}\n"
    conf = tmp_path / "nginx.conf"
    conf.write_text(text)
    ran = lint(conf, "--pin-set", file)
    assert (ran.code, ran.out) == (2, "")
    assert "--host" in ran.err
    ran = lint(conf, "--pin-set", file, "--host", "shop.example")
    assert ran.code == 1
    assert "nothing tells which pin is the backup" in ran.err
    assert not file.exists()
    ran = lint(conf, "--pin-set", file, "--host", "shop.example", "--chain", chain)
    assert ran.code == 1
    (policy,) = PinSet.load(file).policies
    assert (policy.host, set(policy.pins(PinRole.BACKUP))) == ("shop.example", {SPARE})


@pytest.mark.parametrize(
    ("name", "options", "mode"),
    [
        ("Public-Key-Pins", (), Mode.ENFORCE),
        ("Public-Key-Pins", ("--mode", "report-only"), Mode.REPORT_ONLY),
        ("Public-Key-Pins-Report-Only", (), Mode.REPORT_ONLY),
        ("Public-Key-Pins-Report-Only", ("--mode", "enforce"), Mode.ENFORCE),
    ],
)
def test_the_mode_is_a_choice(
    name: str, options: tuple[str, ...], mode: Mode, lint: Header, tmp_path: Path
) -> None:
    """As the header has it, unless said otherwise."""
    file = tmp_path / "pins.toml"
    ran = lint(
        *("--header", f"{name}: {VALUE}", "--host", "a.example", "--pin-set", file),
        *("--allow-no-backup", *options),
    )
    assert ran.code == 1
    assert f"pin set: {file}" in ran.out
    assert PinSet.load(file).policies[0].mode is mode


def test_the_backup_is_named(lint: Header, tmp_path: Path) -> None:
    """Without a chain the user says which pin of the header is the backup's, and bad pins go."""
    file = tmp_path / "pins.toml"
    value = f'{VALUE}; pin-sha256="AAAA"'
    given = ("--header", f"Public-Key-Pins: {value}", "--host", "a.example", "--pin-set", file)
    assert lint(*given, "--backup", SPARE.curl).code == 1
    assert not file.exists()
    lint(*given, "--backup", SPARE.curl, "--drop-bad-pins")
    (policy,) = PinSet.load(file).policies
    assert set(policy.pins(PinRole.BACKUP)) == {SPARE}


def test_the_header_that_pins_comes_first(lint: Header, tmp_path: Path) -> None:
    """Of the two kinds; a malformed one has its pins too, and a note."""
    file = tmp_path / "pins.toml"
    ran = lint(
        *("--header", f"Public-Key-Pins-Report-Only: {LEAF.hpkp}"),
        *("--header", f"Public-Key-Pins: {INTERMEDIATE.hpkp}; {SPARE.hpkp};"),
        *("--host", "a.example", "--pin-set", file, "--allow-no-backup"),
    )
    assert ran.code == 1
    assert "note: clients ignore the header" in ran.err
    assert set(PinSet.load(file).policies[0].pins()) == {INTERMEDIATE, SPARE}


def test_what_is_there_stays(lint: Header, tmp_path: Path) -> None:
    """A file is overwritten only if that was asked for."""
    file = tmp_path / "pins.toml"
    file.write_text("mine")
    given = ("--header", f"Public-Key-Pins: {VALUE}", "--host", "a.example", "--allow-no-backup")
    ran = lint(*given, "--pin-set", file)
    assert (ran.code, file.read_text()) == (2, "mine")
    assert lint(*given, "--pin-set", file, "--force").code == 1
    assert PinSet.load(file).policies


@pytest.mark.parametrize(
    ("headers", "code", "words"),
    [
        (["Expect-CT: max-age=1"], 1, "no pins to write"),
        (["Public-Key-Pins: max-age=1"], 1, "no pins"),
        (['Public-Key-Pins: max-age=1; pin-sha256="AAAA"'], 1, "is not written"),
    ],
)
def test_no_pins_to_write(
    headers: list[str], code: int, words: str, lint: Header, tmp_path: Path
) -> None:
    """Then there is no file."""
    file = tmp_path / "pins.toml"
    given = [each for text in headers for each in ("--header", text)]
    ran = lint(*given, "--host", "a.example", "--pin-set", file, "--allow-no-backup", "--json")
    assert (ran.code, ran.line["pin_set"]) == (code, None)
    assert words in ran.err
    assert not file.exists()


def test_one_file_is_for_one_host(lint: Header, serve: Serve, tmp_path: Path) -> None:
    """Two hosts with headers would need two."""
    servers = [serve({"/": head(f"Public-Key-Pins: {VALUE}")}) for _ in range(2)]
    targets = [f"{host}:{s.port}" for host, s in zip((HOST, "127.0.0.1"), servers, strict=True)]
    ran = lint(*targets, *TRUST, "--pin-set", tmp_path / "pins.toml")
    assert ran.code == 2
    assert "several hosts" in ran.err
