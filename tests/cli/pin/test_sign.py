"""`pinwarden pin sign`: bundles, signatures on them, and keys to sign with."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.pin.bundle_files import PHRASE, Desk
from pinwarden.pinning import PinSet
from pinwarden.pinning.bundle import parse_bundle, parse_bundle_file, to_moment
from pinwarden.pinning.bundle_trust import Trust, accept
from pinwarden.pinning.minisign import parse_public_key
from pinwarden.pinning.minisign_secret import parse_secret_key
from support.pin_bundles import ANNA, BERT, CLEO, DORA, EMIL, KEYS, TRUST, key_set

FIRST = ("sign", "pins.toml", "--name", "shop", "--version", "1", "--expires", "30d")
NEXT = ("sign", "pins.toml", "--previous", "1.json", "--expires", "30d")


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    desk = Desk(tmp_path, capsys, monkeypatch)
    for name, key in (("anna", ANNA), ("bert", BERT), ("cleo", CLEO), ("dora", DORA)):
        desk.key(name, key, sealed=name == "bert")
    desk.key("emil", EMIL)
    return desk


def test_clients_believe_what_is_signed(desk: Desk) -> None:
    text = desk.run(*FIRST, "--key", "anna.key", "--key", "cleo.key")
    found = accept(parse_bundle_file(text), TRUST)
    assert found.version == 1
    assert found.bundle.pins == PinSet.load("pins.toml")
    assert found.bundle.expires - found.bundle.issued == timedelta(days=30)
    assert abs(datetime.now(UTC) - found.bundle.issued) < timedelta(minutes=10)


def test_signers_add_their_names_one_after_the_other(desk: Desk) -> None:
    report = desk.json(*FIRST, "-o", "1.json")
    assert (report["version"], report["signed_by"]) == (1, [])
    assert "draft" in desk.err
    desk.run("sign", "1.json", "--key", "anna.key", "-o", "1.json")
    before = desk.path("1.json").read_text()
    added = ("--key", "bert.key", "--passphrase-file", "phrase")
    report = desk.json("sign", "1.json", *added, "-o", "1.json")
    assert report["signed_by"] == [ANNA.public.shown_id, BERT.public.shown_id]
    assert json.loads(before)["bundle"] == json.loads(desk.path("1.json").read_text())["bundle"]
    # Once more is no more.
    desk.run("sign", "1.json", "--key", "anna.key", "-o", "2.json")
    assert desk.path("1.json").read_bytes() == desk.path("2.json").read_bytes()
    assert accept(parse_bundle_file(desk.path("2.json").read_bytes()), TRUST).version == 1
    assert not list(desk.folder.glob(".*"))


def test_a_bundle_follows_on_the_one_before(desk: Desk) -> None:
    desk.run(*FIRST, "--key", "anna.key", "--key", "cleo.key", "-o", "1.json")
    desk.pins("newer key", "api.example.com")
    desk.run(*NEXT, "--key", "anna.key", "--key", "cleo.key", "-o", "2.json")
    assert "changed: api.example.com: without sha256//" in desk.err
    assert parse_bundle(parse_bundle_file(desk.path("2.json").read_text()).signed.text).version == 2
    assert "does not follow on 1" in desk.refusal(*NEXT, "--version", "1")
    assert "is 'shop', not 'bank'" in desk.refusal(*NEXT, "--name", "bank")


def test_keys_are_handed_over_and_clients_follow(desk: Desk) -> None:
    desk.run(*FIRST, "--key", "anna.key", "--key", "cleo.key", "-o", "1.json")
    old = ("--key", "anna.key", "--key", "cleo.key", "--key", "dora.key", "--key", "emil.key")
    new = ("--next-key", "dora.pub", "--next-key", EMIL.public.text, "--next-threshold", "2")
    desk.run(*NEXT, *old, *new, "-o", "2.json")
    assert "it changes the keys" in desk.err
    later = ("sign", "pins.toml", "--previous", "2.json", "--expires", "30d")
    text = desk.run(*later, "--key", "dora.key", "--key", "emil.key")
    first = accept(parse_bundle_file(desk.path("1.json").read_bytes()), TRUST)
    for last in (None, first):
        found = accept(parse_bundle_file(text), TRUST, last)
        assert (found.version, found.keys) == (3, key_set(2, DORA, EMIL))


def test_an_end_is_a_number_of_days_or_a_moment(desk: Desk) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
    for text, expected in (("5d", None), (to_moment(soon), soon)):
        words = (*FIRST[:-1], text, "--key", "anna.key")
        bundle = parse_bundle(parse_bundle_file(desk.run(*words)).signed.text)
        assert abs(bundle.expires - (expected or soon)) < timedelta(minutes=10)
    desk.run(*FIRST[:-1], "400d", "--key", "anna.key")
    assert "note: for 400 days" in desk.err


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("sign",), "needs a pin set"),
        (("sign", "none.toml", *FIRST[2:]), "cannot be read|No such"),
        (("sign", "pins.toml"), "--name"),
        (("sign", "pins.toml", "--name", "shop"), "--version"),
        (("sign", "pins.toml", "--name", "shop", "--version", "1"), "--expires: must be said"),
        ((*FIRST, "--expires", "2020-01-01"), "is over"),
        ((*FIRST, "--expires", "0d"), "not a date"),
        ((*FIRST, "--expires", "soon"), "not a date"),
        ((*FIRST, "--version", "0"), "range"),
        ((*FIRST, "--version", str(2**60)), "can count"),
        ((*FIRST, "--name", "a b"), "is no name"),
        ((*FIRST, "--next-key", "RWx"), "many"),
        ((*FIRST, "--next-threshold", "1"), "which keys"),
        ((*FIRST, "--next-key", "RWx", "--next-threshold", "1"), "no file either"),
        ((*FIRST, "--next-key", ANNA.public.text, "--next-threshold", "2"), "cannot have to sign"),
        ((*FIRST, "--key", "anna.pub"), "kind that is not known|not known"),
        ((*FIRST, "--key", "pins.toml"), "two lines"),
        ((*FIRST, "--key", "none.key"), "No such file"),
        ((*FIRST, "--key", "bert.key"), "needs its passphrase"),
        ((*FIRST, "--signature", "pins.toml"), "is no signature"),
        ((*FIRST, "--json"), "no place on stdout"),
        ((*FIRST, "-o", "anna.pub"), "is there already"),
        ((*FIRST, "-o", "pins.toml"), "is the pin set itself"),
        ((*FIRST, "-o", "pins.toml", "--force"), "is the pin set itself"),
        ((*FIRST, "--previous", "pins.toml"), "not JSON"),
        (("sign", "1.json"), "is there already"),
        (("sign", "1.json", "--key", "anna.key", "--version", "2"), "others have signed"),
        (("sign", "1.json", "--key", "anna.key", "--expires", "2d"), "others have signed"),
        (("sign", "pins.toml", "--new-key", "x"), "signs nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, words: tuple[str, ...], error: str) -> None:
    desk.run(*FIRST, "--key", "anna.key", "-o", "1.json")
    before = {each.name: each.read_bytes() for each in desk.folder.iterdir()}
    refusal = desk.refusal(*words)
    assert any(part in refusal for part in error.split("|")), refusal
    assert {each.name: each.read_bytes() for each in desk.folder.iterdir()} == before


def test_a_wrong_passphrase_opens_nothing(desk: Desk) -> None:
    desk.path("wrong.txt").write_text("another\n")
    words = (*FIRST, "--key", "bert.key", "--passphrase-file", "wrong.txt")
    assert "not its passphrase" in desk.refusal(*words)
    assert PHRASE not in desk.err


def test_a_pin_set_that_would_be_refused_is_not_signed(desk: Desk) -> None:
    desk.path("pins.toml").write_text('[[policy]]\nhost = "a.example"\nmode = "enforce"\n')
    assert "pins nothing" in desk.refusal(*FIRST, "--key", "anna.key")


def test_nobody_signs_what_cannot_be_read(desk: Desk) -> None:
    """A signer's name stands under what the text says to clients."""
    desk.path("1.json").write_text('{"bundle": "{\\"version\\": 1}", "signatures": []}')
    assert "format" in desk.refusal("sign", "1.json", "--key", "anna.key")


def test_a_key_has_a_name(desk: Desk) -> None:
    assert "needs a name" in desk.refusal("sign", "--new-key", "", "--no-passphrase")
    for name in (".", "..", "keys/.."):
        desk.refusal("sign", "--new-key", name, "--no-passphrase")


def test_what_to_say_instead(desk: Desk) -> None:
    words = ("sign", "pins.toml", "--name", "shop", "--version", "1")
    desk.refusal(*words, "--expires", "30")
    assert "a number of days: 30d" in desk.err
    desk.path("large.key").write_bytes(bytes(1 << 17))
    assert "64 KiB" in desk.refusal(*words, "--expires", "30d", "--key", "large.key")


def test_a_device_is_not_replaced(desk: Desk) -> None:
    """Nor anything else that is no file; and what a link points to is, not the link."""
    words = ("pins.toml", "--name", "shop", "--version", "1", "--expires", "3d", "--force")
    os.mkfifo(desk.path("pipe"))
    assert "no ordinary file" in desk.refusal("sign", *words, "-o", "pipe")
    assert desk.path("pipe").is_fifo()
    desk.path("real.json").write_text("old")
    desk.path("link.json").symlink_to("real.json")
    desk.run("sign", *words, "-o", "link.json")
    assert desk.path("link.json").is_symlink()
    assert "bundle" in json.loads(desk.path("real.json").read_text())


def test_keys_are_made_for_signing(desk: Desk) -> None:
    made = desk.json("sign", "--new-key", "fred", "--no-passphrase")
    secret, public = desk.path("fred.key"), desk.path("fred.pub")
    assert oct(secret.stat().st_mode & 0o777) == "0o600"
    key = parse_public_key(public.read_text())
    assert made["new_keys"] == [{"key": "fred.key", "public": "fred.pub", "key_id": key.shown_id}]
    opened = parse_secret_key(secret.read_text()).open()
    assert opened.public == key
    assert key not in KEYS.keys
    before = secret.read_bytes()
    again = ("sign", "--new-key", "fred", "--no-passphrase")
    assert "is there already" in desk.refusal(*again)
    assert secret.read_bytes() == before
    text = desk.run(*FIRST, "--key", "fred.key")
    assert accept(parse_bundle_file(text), Trust("shop", key_set(1, opened))).version == 1


def test_a_key_takes_a_passphrase_unless_told_otherwise(desk: Desk) -> None:
    """Nobody can be asked here, so none is made."""
    assert "needs a passphrase" in desk.refusal("sign", "--new-key", "fred")
    assert not desk.path("fred.key").exists()
    assert not desk.path("fred.pub").exists()


def test_a_new_key_is_sealed(desk: Desk) -> None:
    """As minisign seals its own, at the cost of a gigabyte for each guess."""
    public = desk.run("sign", "--new-key", "fred", "--passphrase-file", "phrase").strip()
    text = desk.path("fred.key").read_text()
    assert parse_public_key(public) == parse_public_key(desk.path("fred.pub").read_text())
    assert parse_secret_key(text).encrypted
    assert PHRASE not in desk.out + desk.err + text


def test_a_new_key_is_not_written_through_a_link(desk: Desk) -> None:
    desk.path("fred.key").symlink_to(desk.path("elsewhere"))
    words = ("sign", "--new-key", "fred", "--no-passphrase")
    assert "is there already" in desk.refusal(*words)
    assert not desk.path("elsewhere").exists()
