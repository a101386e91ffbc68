"""`pinwarden pin verify`: the judgement of a client, in words and in JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.pin.bundle_files import Desk
from pinwarden.pinning.bundle import BundleFile
from pinwarden.pinning.minisign import parse_public_key, parse_signature
from support.pin_bundles import (
    ANNA,
    BERT,
    CLEO,
    DORA,
    EMIL,
    file_of,
    fresh,
    key_set,
    octets_of,
    pin_set,
    signed,
)

KEYS = tuple(word for key in (ANNA, BERT, CLEO) for word in ("--key", key.public.text))
TRUST = (*KEYS, "--threshold", "2")


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    desk = Desk(tmp_path, capsys, monkeypatch)
    for version in (1, 2):
        put(desk, f"{version}.json", file_of(fresh(version)))
    return desk


def put(desk: Desk, name: str, file: BundleFile) -> None:
    desk.path(name).write_bytes(octets_of(file))


def test_a_good_bundle(desk: Desk) -> None:
    found = desk.json("verify", "2.json", *TRUST)
    assert (found["verdict"], found["reason"], found["problem"]) == ("good", "signed", "")
    assert (found["name"], found["version"], found["threshold"]) == ("shop", 2, 2)
    assert found["hosts"] == ["api.example.com"]
    assert found["signatures"] == [
        {"key_id": key.public.shown_id, "status": "valid", "comment": ""} for key in (ANNA, BERT)
    ]
    assert found["target"] == "2.json"


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (file_of(fresh(3), (ANNA,)), "unsigned"),
        (file_of(fresh(3), (DORA, EMIL)), "unsigned"),
        (file_of("{}"), "malformed"),
        (file_of(fresh(2, pins=pin_set("evil"))), "equivocation"),
        (file_of(fresh(1)), "rolled-back"),
        (file_of(fresh(3, name="bank")), "other-name"),
    ],
)
def test_what_clients_refuse_is_refused(desk: Desk, file: BundleFile, reason: str) -> None:
    put(desk, "x.json", file)
    found = desk.json("verify", "x.json", *TRUST, "--previous", "2.json", code=1)
    assert (found["verdict"], found["reason"]) == ("refused", reason)
    vouched = reason in ("equivocation", "rolled-back", "other-name")
    assert (found["version"] is not None) is vouched


def test_every_key_must_have_signed_unless_a_threshold_is_said(desk: Desk) -> None:
    assert desk.json("verify", "2.json", *KEYS, code=1)["threshold"] == 3


def test_an_old_version_is_rolled_back(desk: Desk) -> None:
    assert desk.json("verify", "2.json", *TRUST, "--after", "1")["verdict"] == "good"
    found = desk.json("verify", "2.json", *TRUST, "--after", "2", code=1)
    assert (found["reason"], found["version"]) == ("rolled-back", 2)


def test_a_version_is_that_of_a_client_which_saw_the_keys_change(desk: Desk) -> None:
    change = signed(fresh(3, next_keys=key_set(2, DORA, EMIL)), ANNA, BERT, DORA, EMIL)
    put(desk, "4.json", file_of(fresh(4), (DORA, EMIL), [change]))
    assert desk.json("verify", "4.json", *TRUST, "--after", "3")["verdict"] == "good"
    found = desk.json("verify", "4.json", *TRUST, "--after", "4", code=1)
    assert (found["reason"], found["version"]) == ("rolled-back", 4)


def test_a_clock_that_is_behind(desk: Desk) -> None:
    desk.run("verify", "2.json", *TRUST, "--at", "2020-01-01")
    assert "note: it is issued after 2020-01-01T00:00:00Z" in desk.err
    desk.run("verify", "2.json", *TRUST)
    assert "note" not in desk.err


def test_time_makes_it_stale(desk: Desk) -> None:
    later = (datetime.now(UTC) + timedelta(days=31)).isoformat()
    found = desk.json("verify", "2.json", *TRUST, "--at", later, code=1)
    assert (found["verdict"], found["reason"]) == ("stale", "expired")


def test_a_change_of_keys_is_walked_through(desk: Desk) -> None:
    later = key_set(2, DORA, EMIL)
    change = signed(fresh(3, next_keys=later), ANNA, BERT, DORA, EMIL)
    put(desk, "3.json", BundleFile(change))
    found = desk.json("verify", "3.json", *TRUST, "--previous", "2.json")
    assert found["next_keys"] == [DORA.public.shown_id, EMIL.public.shown_id]
    assert [each["status"] for each in found["signatures"]] == ["valid"] * 4
    assert "the signing keys change" in found["changes"]
    put(desk, "4.json", file_of(fresh(4), (DORA, EMIL), [change]))
    for more in ((), ("--previous", "2.json"), ("--previous", "3.json")):
        found = desk.json("verify", "4.json", *TRUST, *more)
        assert [each["status"] for each in found["signatures"]] == ["valid"] * 2


def test_without_a_key_nothing_is_vouched_for(desk: Desk) -> None:
    found = desk.json("verify", "2.json", code=1)
    assert (found["verdict"], found["version"]) == ("unknown", 2)
    assert {each["status"] for each in found["signatures"]} == {"unknown-key"}
    assert {each["comment"] for each in found["signatures"]} == {None}
    assert "without --key" in desk.refusal("verify", "2.json", "--threshold", "1")


def test_what_is_extracted_is_what_was_signed(desk: Desk) -> None:
    desk.run("verify", "2.json", *TRUST, "--extract", "out")
    text = desk.path("out").joinpath("bundle.json").read_bytes()
    for number, key in enumerate((ANNA, BERT), 1):
        file = desk.path("out").joinpath(f"bundle.json.{number}.minisig")
        parse_signature(file.read_text()).verify(text, parse_public_key(key.public.text))
    words = ("verify", "2.json", *TRUST, "--extract", "out")
    assert "is there already" in desk.refusal(*words)
    # All or nothing: what a signer finds there belongs together.
    desk.path("out").joinpath("bundle.json").unlink()
    assert "is there already" in desk.refusal(*words)
    assert not desk.path("out").joinpath("bundle.json").exists()


def test_words_for_people_hold_nothing_of_an_attacker(desk: Desk) -> None:
    put(desk, "x.json", file_of("\x1b[2J \u202e all is well"))
    desk.run("verify", "x.json", "--key", DORA.public.text, code=1)
    assert all(line.isprintable() for line in desk.out.splitlines())
    assert "all is well" not in desk.out


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "none.json"),
        ("verify", "pins.toml"),
        ("verify", "2.json", "--key", "none.pub"),
        ("verify", "2.json", "--key", "pins.toml"),
        ("verify", "2.json", *KEYS, "--threshold", "4"),
        ("verify", "2.json", *KEYS, "--key", ANNA.public.text),
        ("verify", "2.json", *TRUST, "--previous", "pins.toml"),
        ("verify", "2.json", "--key", DORA.public.text, "--previous", "1.json"),
        ("verify", "2.json", *TRUST, "--at", "soon"),
        ("verify", "http://pins.example/x.json"),
        ("verify", "ftp://pins.example/x.json"),
        ("verify", "https://user:secret@pins.example/x.json"),
    ],
)
def test_usage_is_told(desk: Desk, words: tuple[str, ...]) -> None:
    assert "secret" not in desk.refusal(*words)


def test_what_cannot_be_fetched_is_unfinished(desk: Desk) -> None:
    desk.run("verify", "http://127.0.0.1:1/x.json", *TRUST, code=3)
    assert desk.err.endswith(": cannot be fetched: Connection refused\n")
