"""`pinwarden pin make`: sets from what is served, and every reason to refuse one."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import date
from pathlib import Path

import pytest

from cli.pin.conftest import Pin, Served
from pinwarden.lab.ca import pem
from pinwarden.pinning import Mode, OnExpiry, PinPolicy, PinRole, PinSet, UnpinnedHosts
from support.pin_world import HOST, world

TRUST = ("--cafile", world().cafile)
BACKUP = ("--backup", world().pins["spare"].curl)


def only(text: str) -> PinPolicy:
    (policy,) = PinSet.parse(text).policies
    return policy


def pinned(policy: PinPolicy) -> dict[PinRole, set[str]]:
    """Names of the pin world by role."""
    names = {pin: name for name, pin in world().pins.items()}
    return {
        role: {names[pin] for pin in policy.pins(role)} for role in PinRole if policy.pins(role)
    }


def test_a_set_for_a_host(pin: Pin, served: Served) -> None:
    """By default the CA keys of the verified chain, with what they are, and the backup."""
    ran = pin("make", served("genuine"), *BACKUP, *TRUST)
    assert ran.code == 0
    policy = only(ran.out)
    assert (policy.host, policy.mode) == (HOST, Mode.ENFORCE)
    assert pinned(policy) == {PinRole.CA: {"intermediate", "root"}, PinRole.BACKUP: {"spare"}}
    kinds = {key.kind: key for key in policy.keys}
    assert kinds["root"].expires is not None
    assert "CN=Genuine Root" in kinds["root"].comment
    assert "never expire" in ran.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--leaf",), {PinRole.LEAF: {"leaf"}}),
        (("--root",), {PinRole.CA: {"root"}}),
        (("--intermediate",), {PinRole.CA: {"intermediate"}}),
        (("--leaf", "--ca"), {PinRole.LEAF: {"leaf"}, PinRole.CA: {"intermediate", "root"}}),
    ],
)
def test_which_keys(
    options: tuple[str, ...], expected: dict[PinRole, set[str]], pin: Pin, served: Served
) -> None:
    """Each place in the chain can be chosen."""
    policy = only(pin("make", served("genuine"), *options, *BACKUP, *TRUST).out)
    assert pinned(policy) == {**expected, PinRole.BACKUP: {"spare"}}


def test_every_other_option(pin: Pin, served: Served) -> None:
    """What the options say stands in the set."""
    ran = pin(
        *("make", served("genuine"), *BACKUP, *TRUST, "--mode", "report-only"),
        *("--expires", "2099-06-30", "--on-expiry", "open", "--include-subdomains"),
        *("--exclude", f"old.{HOST}", "--report-uri", "https://reports.example/", "--owner", "me"),
        *("--comment", 'quotes " and \\ and é', "--unpinned-hosts", "refuse"),
    )
    assert ran.code == 0
    made = PinSet.parse(ran.out)
    policy = only(ran.out)
    assert made.unpinned_hosts is UnpinnedHosts.REFUSE
    assert (policy.mode, policy.expires) == (Mode.REPORT_ONLY, date(2099, 6, 30))
    assert policy.on_expiry is OnExpiry.OPEN
    assert policy.include_subdomains
    assert policy.exclude == (f"old.{HOST}",)
    assert policy.comment == 'quotes " and \\ and é'


def test_without_a_backup(pin: Pin, served: Served) -> None:
    """Refused, with what to do; forced only by name."""
    ran = pin("make", served("genuine"), *TRUST)
    assert (ran.code, ran.out) == (2, "")
    assert "--allow-no-backup" in ran.err
    forced = pin("make", served("genuine"), "--allow-no-backup", *TRUST)
    assert forced.code == 0
    assert only(forced.out).allow_no_backup
    assert "locks every client out" in forced.err


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_backup_that_is_the_hash_of_a_certificate(
    place: int, pin: Pin, served: Served, tmp_path: Path
) -> None:
    """No key has it: who took it for a backup would have none."""
    chain = world().chains["genuine"].certificates
    certificate = [*chain, world().authorities.a.root][place]
    digest = hashlib.sha256(certificate).hexdigest()
    ran = pin("make", served("genuine"), "--backup", digest, *TRUST)
    assert (ran.code, ran.out) == (2, "")
    assert "is the hash of a whole certificate, and no pin" in ran.err
    file = tmp_path / "chain.pem"
    file.write_bytes(pem(chain))
    from_file = ("--from-file", str(file))
    ran = pin("make", HOST, *from_file, "--backup", digest, *TRUST)
    assert (ran.code, ran.out) == (2, "")
    assert "is the hash of a whole certificate, and no pin" in ran.err


@pytest.mark.parametrize("name", ["leaf", "intermediate", "root"])
def test_a_backup_that_is_in_use(name: str, pin: Pin, served: Served) -> None:
    """A key of the served chain is no backup, whichever keys are pinned."""
    backup = ("--backup", world().pins[name].curl)
    ran = pin("make", served("genuine"), "--root", *backup, *TRUST, "--allow-no-backup")
    assert (ran.code, ran.out) == (2, "")
    assert "is in the served chain" in ran.err


def test_a_backup_that_is_only_sent(pin: Pin, served: Served) -> None:
    """Nor is a key that the server sends beside its verified chain."""
    backup = ("--backup", world().pins["intermediate"].curl)
    assert pin("make", served("stuffed"), *backup, *TRUST).code == 2


def test_backups_from_files(pin: Pin, served: Served, files: Path) -> None:
    """A certificate of another CA, or a key."""
    (files / "other-ca.pem").write_bytes(pem([world().authorities.b.root]))
    ran = pin("make", served("genuine"), "--backup", files / "other-ca.pem", *TRUST)
    policy = only(ran.out)
    assert pinned(policy)[PinRole.BACKUP] == {"rogue-root"}
    assert "CN=Rogue Root" in policy.keys[-1].comment
    own = pin("make", served("genuine"), "--backup", files / "key.pem", *TRUST)
    assert own.code == 2


@pytest.mark.parametrize("name", ["forged", "expired", "wrong-host", "self-signed"])
def test_what_does_not_verify(name: str, pin: Pin, served: Served, files: Path) -> None:
    """No set is made of it, not even together with a host that is in order."""
    output = files / "new.toml"
    ran = pin("make", served("genuine"), served(name), *BACKUP, *TRUST, "-o", output)
    assert ran.code == 1
    assert not output.exists()


def test_nobody_there(pin: Pin, served: Served) -> None:
    """Nor of hosts of which an address did not answer: its chain may be another."""
    place = served("genuine").replace(HOST, "127.0.0.1")
    places = ("--address", place, "--address", "127.0.0.1:1")
    ran = pin("make", HOST, *places, *BACKUP, *TRUST)
    assert (ran.code, ran.out) == (3, "")


def test_addresses_with_different_chains(pin: Pin, served: Served) -> None:
    """All of them are pinned, and that is told."""
    places = []
    for name in ("genuine", "rogue"):
        places += ["--address", served(name).replace(HOST, "127.0.0.1")]
    ran = pin("make", HOST, *places, *BACKUP, *TRUST, "--root")
    assert pinned(only(ran.out))[PinRole.CA] == {"root", "rogue-root"}
    assert "end at 2 roots" in ran.err


def test_a_chain_in_a_file(pin: Pin, files: Path) -> None:
    """Up to the root where it verifies; else as it stands there, and that is told."""
    ran = pin("make", HOST, "--from-file", files / "chain.pem", *BACKUP, *TRUST)
    assert pinned(only(ran.out))[PinRole.CA] == {"intermediate", "root"}
    other = pin("make", "other.example", "--from-file", files / "chain.pem", *BACKUP, *TRUST)
    assert pinned(only(other.out))[PinRole.CA] == {"intermediate"}
    assert "not verified for other.example" in other.err
    key = pin("make", HOST, "--from-file", files / "key.pem", "--leaf", *BACKUP, *TRUST)
    assert pinned(only(key.out))[PinRole.LEAF] == {"leaf"}


def test_the_file(pin: Pin, served: Served, files: Path) -> None:
    """Written whole, never over another without --force, and loaded as it was made."""
    output = files / "new.toml"
    arguments = ("make", served("genuine"), *BACKUP, *TRUST, "-o", output)
    assert pin(*arguments).code == 0
    made = PinSet.load(str(output))
    assert made.policy_for(HOST) is not None
    assert stat.S_IMODE(output.stat().st_mode) & 0o600 == 0o600
    output.write_text("mine")
    again = pin(*arguments)
    assert (again.code, output.read_text()) == (2, "mine")
    assert "--force" in again.err
    assert pin(*arguments, "--force").code == 0
    assert PinSet.load(str(output)) == made
    assert pin(*arguments[:-1], files / "new.json").code == 0
    assert PinSet.load(str(files / "new.json")) == made
    assert pin(*arguments[:-1], files / "no" / "folder.toml").code == 2
    assert pin(*arguments[:-1], files).code == 2
    assert {each.name for each in files.iterdir() if each.name.startswith(".")} == set()


def test_a_device_is_not_replaced(pin: Pin, served: Served, files: Path) -> None:
    """`-o /dev/stdout --force` must not put a file in the place of a device."""
    pipe = files / "pipe"
    os.mkfifo(pipe)
    words = ("--backup", world().pins["spare"].curl, *TRUST, "-o", pipe)
    ran = pin("make", served("genuine"), *words, "--force")
    assert (ran.code, ran.out) == (2, "")
    assert "is no ordinary file" in ran.err
    assert pipe.is_fifo()
    assert pin("make", served("genuine"), *words).code == 2


def test_what_is_made_is_what_check_takes(pin: Pin, served: Served, files: Path) -> None:
    """The two commands agree, also about the rogue that made pins necessary."""
    output = files / "new.toml"
    assert pin("make", served("genuine"), *BACKUP, *TRUST, "-o", output).code == 0
    assert pin("check", output, served("genuine"), *TRUST).code == 0
    assert pin("check", output, served("stuffed"), *TRUST).code == 1


def test_json(pin: Pin, served: Served) -> None:
    """One document: the text, and what stands in it."""
    line = pin("make", served("genuine"), *BACKUP, *TRUST, "--json").line
    assert only(line["toml"]).host == HOST
    assert line["hosts"] == [HOST]
    roles = [(each["role"], each["kind"]) for each in line["policies"][0]["pins"]]
    assert roles == [("ca", "intermediate"), ("ca", "root"), ("backup", None)]


@pytest.mark.parametrize(
    "options",
    [
        ("--expires", "2099-06-30"),
        ("--expires", "2020-06-30", "--on-expiry", "open"),
        ("--expires", "soon", "--on-expiry", "open"),
        ("--on-expiry", "open"),
        ("--exclude", "old.localhost"),
        ("--backup", "no-such-file"),
        ("--backup", "sha256//AAAA"),
        ("--backup", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("--include-subdomains", "--exclude", "other.example"),
    ],
)
def test_what_is_meant_wrongly(options: tuple[str, ...], pin: Pin, served: Served) -> None:
    """One line and a hint, and exit code 2."""
    ran = pin("make", served("genuine"), *BACKUP, *TRUST, *options)
    assert (ran.code, ran.out) == (2, "")
    assert "error: " in ran.err
