"""A pin set tried on what a real run of `watch` has seen in the logs: the store is the history."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.watching import Home
from pinwarden.ct.log import LogKind
from pinwarden.lab.ca import CA, new_key, pem, spki_of
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.pinning import Pin, PinPolicy, PinSet

HOST = "app.shop.example"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
NEW_KEY, ROGUE, NEW_CA = (TODAY - timedelta(days=ago) for ago in (70, 40, 10))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A key kept over a renewal, a change of it, a rogue week, and another CA since ten days ago.

    Precertificates and certificates in logs of both protocols; in the folder, `ca.pem` has
    the CAs, `leaf.toml` pins the first key and `root.toml` the first CA's root.
    """
    home = Home(tmp_path_factory.mktemp("watched"))
    first, second = LabLog("first"), LabLog("second", kinds=(LogKind.STATIC,))
    old, new, rogue = CA("Old CA"), CA("New CA"), CA("Rogue CA")
    key, changed = new_key(), new_key()
    plan = (
        (old, key, TODAY - timedelta(days=130), 60),
        (old, key, TODAY - timedelta(days=100), 60),
        (old, changed, NEW_KEY, 90),
        (rogue, new_key(), ROGUE, 7),
        (new, changed, NEW_CA, 90),
    )
    with LabServer([first, second]):
        for ca, subject, begins, days in plan:
            issued = ca.issue(
                [f"*.{HOST.partition('.')[2]}"], key=subject, not_before=begins, days=days
            )
            first.add_precertificate(issued.precertificate_chain)
            second.add_certificate(issued.certificate_chain)
        home.configure(watch=[".shop.example"], start="beginning")
        home.list_logs(first, second)
        home.configured_once().checked(1)
    (home.folder / "ca.pem").write_bytes(pem([*old.chain, *new.chain, *rogue.chain]))
    backup = Pin.of_spki(spki_of(new.root_key))
    for name, pins in {
        "leaf": {"leaf_pins": [Pin.of_spki(spki_of(key))]},
        "root": {"ca_pins": [Pin.of_spki(spki_of(old.root_key))]},
    }.items():
        policy = PinPolicy.of(HOST, "enforce", backup_pins=[backup], **pins)
        (home.folder / f"{name}.toml").write_text(PinSet([policy]).to_toml())
    return home


def tried(home: Home, name: str, *arguments: str | Path) -> dict[str, Any]:
    pins, source = home.folder / f"{name}.toml", ("--source", "store", "-c", home.config)
    ran = home.run_here("pin", "backtest", *map(str, (pins, *source, *arguments, "--json")))
    line = json.loads(ran.checked(1).out)
    assert isinstance(line, dict)
    return line


def days(line: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Outcome, reason and first day of each time."""
    return [(each["outcome"], each["reason"], each["start"][:10]) for each in line["stretches"]]


def test_a_root_pin_holds_until_somebody_else_issues(home: Home) -> None:
    """Changes of the key pass; the rogue week locks out; the new CA is met by the backup."""
    line = tried(home, "root", "--chain", home.folder / "ca.pem")
    first, after = (TODAY - timedelta(days=130)), ROGUE + timedelta(days=7)
    assert days(line) == [
        ("match", "pin-matched", f"{first:%Y-%m-%d}"),
        ("match", "pin-matched", f"{first + timedelta(days=30):%Y-%m-%d}"),
        ("match", "pin-matched", f"{NEW_KEY:%Y-%m-%d}"),
        ("locked-out", "no-pin-matched", f"{ROGUE:%Y-%m-%d}"),
        ("match", "pin-matched", f"{after:%Y-%m-%d}"),
        ("backup-alone", "backup-matched", f"{NEW_CA:%Y-%m-%d}"),
    ]
    assert line["days"]["locked-out"] == 7
    assert line["first_locked_out"] == f"{ROGUE:%Y-%m-%d}"
    assert "Rogue CA" in line["stretches"][3]["certificate"]["issuer"]
    assert line["certificates"] == 5
    assert [each[:10] for each in line["issuer_key_changes"]] == [
        f"{each:%Y-%m-%d}" for each in (ROGUE, after, NEW_CA)
    ]


def test_a_leaf_pin_breaks_with_the_key(home: Home) -> None:
    """Locked out from the day of the new key on, until the new CA's root, the backup, is met."""
    line = tried(home, "leaf", "--chain", home.folder / "ca.pem")
    assert line["first_locked_out"] == f"{NEW_KEY:%Y-%m-%d}"
    assert line["last_locked_out"] == f"{NEW_CA - timedelta(days=1):%Y-%m-%d}"
    assert line["days"]["locked-out"] == 60
    assert line["days"]["match"] == 60
    assert line["stretches"][2]["way_back"]["not_before"][:10] == (
        f"{TODAY - timedelta(days=100):%Y-%m-%d}"
    )


def test_without_the_cas_a_lockout_is_not_sure(home: Home) -> None:
    """The store has leaves: a pinned root may stand above any of them, and that is said."""
    line = tried(home, "leaf")
    assert line["outcome"] == "unknown"
    assert line["days"]["match"] == 60
    assert any("--chain FILE" in note for note in line["notes"])
