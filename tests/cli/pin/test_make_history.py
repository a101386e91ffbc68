"""`pinwarden pin make --from-history`: the tightest pins that the past supports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.pin.conftest import Pin, Served
from pinwarden.lab.ca import CA, new_key, pem
from pinwarden.lab.tls import Credentials
from pinwarden.pinning import PinSet
from pinwarden.pinning.policy import PinRole
from support.pin_world import HOST, world

TRUST = ("--cafile", world().cafile)
BACKUP = ("--backup", world().pins["spare"].curl)


def history(folder: Path, *keys: str) -> Path:
    """A year of certificates by A, the last of which has the key that is served now.

    Of the others each has the served key ("kept"), or one of its own by A ("changed") or by
    B ("moved").
    """
    folder.mkdir()
    now = datetime.now(UTC)
    genuine: Credentials = world().chains["genuine"]
    for number, key in enumerate((*keys, "kept")):
        by: CA = world().authorities.b if key == "moved" else world().authorities.a
        served = genuine.private_key if key == "kept" else new_key()
        begins = now - timedelta(days=60 * (len(keys) - number) + 1)
        issued = by.issue([HOST], key=served, not_before=begins, days=90)
        (folder / f"{number}.pem").write_bytes(pem(issued.certificate_chain))
    return folder


@pytest.mark.parametrize(
    ("keys", "pinned"),
    [
        (("kept", "kept"), "leaf"),
        (("changed", "kept"), "intermediate"),
        (("changed", "changed"), "intermediate"),
    ],
    ids=["key-kept", "key-changed-once", "key-changed-always"],
)
def test_the_tightest_that_locks_nobody_out(
    keys: tuple[str, ...], pinned: str, pin: Pin, served: Served, tmp_path: Path
) -> None:
    """The leaf if its key was kept, else the intermediate; what each would cost is told."""
    folder = history(tmp_path / "history", *keys)
    file = tmp_path / "pins.toml"
    asked = (served("genuine"), *TRUST, *BACKUP, "--from-history", "--source", f"folder={folder}")
    ran = pin("make", *asked, "-o", file)
    assert ran.code == 0, ran.err
    (policy,) = PinSet.load(file).policies
    (key,) = [each for each in policy.keys if each.role is not PinRole.BACKUP]
    assert key.pin == world().pins[pinned]
    assert f"{pinned}: {HOST}: would have let clients in on every one of" in ran.err
    if pinned != "leaf":
        assert f"leaf: {HOST}: would have locked clients out on " in ran.err
    assert pin("backtest", file, *TRUST, "--source", f"folder={folder}").code == 0


def test_a_past_that_supports_nothing(pin: Pin, served: Served, tmp_path: Path) -> None:
    """A host that came from another CA gets no set in silence."""
    folder = history(tmp_path / "history", "moved")
    file = tmp_path / "pins.toml"
    asked = (served("genuine"), *TRUST, *BACKUP, "--from-history", "--source", f"folder={folder}")
    ran = pin("make", *asked, "-o", file)
    assert ran.code == 2
    assert "clients would have been locked out" in ran.err
    assert not file.exists()


def test_a_past_that_cannot_be_read(pin: Pin, served: Served, tmp_path: Path) -> None:
    """Without the whole of it nothing is known to be safe."""
    folder = history(tmp_path / "history", "kept")
    (folder / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    asked = (served("genuine"), *TRUST, *BACKUP, "--from-history", "--source", f"folder={folder}")
    ran = pin("make", *asked)
    assert (ran.code, ran.out) == (3, "")


@pytest.mark.parametrize(
    "options",
    [
        ("--from-history",),
        ("--from-history", "--source", "store", "--leaf"),
        ("--source", "store"),
        ("--days", "3"),
    ],
    ids=["no-source", "both", "source-alone", "days-alone"],
)
def test_what_cannot_be_meant(options: tuple[str, ...], pin: Pin, served: Served) -> None:
    """One line, and nothing is asked."""
    ran = pin("make", served("genuine"), *TRUST, *BACKUP, *options)
    assert (ran.code, ran.out) == (2, "")


def test_a_set_needs_its_backup_here_too(pin: Pin, served: Served, tmp_path: Path) -> None:
    """The past does not make up for a missing backup."""
    folder = history(tmp_path / "history", "kept")
    asked = (served("genuine"), *TRUST, "--from-history", "--source", f"folder={folder}")
    ran = pin("make", *asked)
    assert ran.code == 2
    assert "there is no backup pin" in ran.err
