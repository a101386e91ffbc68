"""A source of bundles: what it puts in force, what it refuses, and what it remembers."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pinwarden.clients import LivePins
from pinwarden.clients.bundle import Outcome
from pinwarden.errors import ConfigError, MalformedError
from pinwarden.pinning import PinSet, PinVerdict, Reason
from pinwarden.pinning.bundle_trust import BundleRefusedError, Refusal
from support.bundle_source import Shelf, source
from support.pin_bundles import (
    ANNA,
    DORA,
    EMIL,
    file_of,
    fresh,
    octets_of,
    pin_set,
)
from support.pin_world import pin_set as world_set
from support.pin_world import world

PASSED = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def stale(version: int, **changes: Any) -> Any:
    return fresh(version, issued=PASSED - timedelta(days=9), expires=PASSED, **changes)


def test_a_bundle_is_put_in_force_for_contexts_that_are_there() -> None:
    shelf = Shelf(file_of(fresh(1)))
    bundles = source(shelf, initial=pin_set("older key"))
    live = bundles.live
    assert isinstance(live, LivePins)
    assert live.pins == pin_set("older key")
    update = bundles.refresh()
    assert (update.outcome, update.state.version, update.state.stale) == ("updated", 1, False)
    assert bundles.live is live
    assert live.pins == pin_set()
    shelf.file = file_of(fresh(2, pins=pin_set("newer key")))
    assert bundles.refresh().state.version == 2
    assert live.pins == pin_set("newer key")


def test_until_something_is_known_nothing_is_allowed() -> None:
    bundles = source(Shelf(OSError("no network")))
    for _ in range(2):
        result = bundles.live.pins.check((), "api.example.com", at=datetime.now(UTC))
        assert (result.allowed, result.problem) == (False, "no bundle of pins came yet")
        assert bundles.refresh().outcome is Outcome.UNREACHABLE
    assert bundles.state.version is None


def test_no_news_begins_no_epoch() -> None:
    """A new epoch has every pooled connection looked at again."""
    bundles = source(Shelf(file_of(fresh(1))))
    bundles.refresh()
    epoch = bundles.live.epoch
    assert bundles.refresh().outcome is Outcome.UNCHANGED
    assert bundles.live.epoch == epoch


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (file_of(fresh(9), (ANNA,)), Refusal.UNSIGNED),
        (file_of(fresh(9), (DORA, EMIL)), Refusal.UNSIGNED),
        (file_of(fresh(9, name="bank")), Refusal.OTHER_NAME),
        (file_of(fresh(4)), Refusal.ROLLED_BACK),
        (file_of(fresh(5, pins=pin_set("other"))), Refusal.EQUIVOCATION),
        (file_of("{}"), Refusal.MALFORMED),
        (b"", Refusal.MALFORMED),
        (b"<html>", Refusal.MALFORMED),
        (b"[" * 100_000, Refusal.MALFORMED),
        (b" " * (5 << 20), Refusal.MALFORMED),
    ],
)
def test_what_is_refused_changes_nothing(
    file: Any, why: Refusal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf(file_of(fresh(5)))
    bundles = source(shelf, tmp_path / "cache")
    bundles.refresh()
    before = (bundles.live.current, (tmp_path / "cache").read_bytes())
    shelf.file = file
    update = bundles.refresh()
    assert (update.outcome, update.refusal, update.state.version) == ("refused", why, 5)
    assert (bundles.live.current, (tmp_path / "cache").read_bytes()) == before
    assert any("refused" in each.message for each in caplog.records)


@pytest.mark.parametrize("given", [None, "text", OSError(2, "no\nsuch"), KeyError("x")])
def test_a_fetch_that_fails_is_no_answer(given: Any) -> None:
    def fetch() -> Any:
        if isinstance(given, Exception):
            raise given
        return given

    update = source(fetch, initial=pin_set()).refresh()
    assert update.outcome is Outcome.UNREACHABLE
    assert update.problem.isprintable()


def test_a_fetch_that_never_ends_is_left_alone() -> None:
    let_go = threading.Event()

    def fetch() -> bytes:
        let_go.wait(60)
        return b""

    def fetching() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name == "pinwarden-bundle-fetch"]

    bundles = source(fetch, seconds=0.01)
    try:
        for _ in range(40):
            assert bundles.refresh().outcome is Outcome.UNREACHABLE
        assert "have not ended" in bundles.refresh().problem
        assert len(fetching()) < 40
    finally:
        # They count for every source of the process.
        let_go.set()
        for thread in fetching():
            thread.join(60)


def test_what_ships_with_the_program_is_verified_and_is_a_floor(tmp_path: Path) -> None:
    shelf = Shelf(file_of(fresh(4)))
    shipped = octets_of(file_of(fresh(5)))
    bundles = source(shelf, initial=shipped)
    assert bundles.state.version == 5
    assert bundles.refresh().refusal is Refusal.ROLLED_BACK
    with pytest.raises(BundleRefusedError):
        source(shelf, initial=octets_of(file_of(fresh(5), (ANNA,))))
    # An older cache does not outdo it, and a newer one does.
    for version, expected in ((4, 5), (6, 6)):
        cache = tmp_path / f"cache-{version}"
        cache.write_bytes(octets_of(file_of(fresh(version))))
        assert source(shelf, cache, initial=shipped).state.version == expected


def checked(pins: PinSet) -> Any:
    chain = (*world().chains["genuine"].certificates, world().authorities.a.root)
    return pins.check(chain, "localhost", at=datetime.now(UTC))


@pytest.mark.parametrize(("when_stale", "allowed"), [("closed", False), ("keep", True)])
def test_a_stale_bundle_is_treated_as_was_said(when_stale: str, allowed: bool) -> None:
    old = octets_of(file_of(stale(5, pins=world_set("good"))))
    bundles = source(Shelf(OSError()), when_stale=when_stale, initial=old)
    assert bundles.refresh().state.stale
    result = checked(bundles.live.pins)
    assert result.allowed is allowed
    assert result.verdict is (PinVerdict.MATCH if allowed else PinVerdict.MISMATCH)
    if not allowed:
        assert result.reason is Reason.EXPIRED
        assert "no newer bundle came than version 5" in str(result)


def test_a_stale_bundle_never_lets_a_wrong_key_pass() -> None:
    old = octets_of(file_of(stale(5, pins=world_set("wrong"))))
    for when_stale in ("closed", "keep"):
        bundles = source(Shelf(OSError()), when_stale=when_stale, initial=old)
        assert not checked(bundles.live.pins).allowed


def test_what_only_reports_goes_on_reporting_when_stale() -> None:
    old = octets_of(file_of(stale(5, pins=world_set("report-only"))))
    result = checked(source(Shelf(OSError()), initial=old).live.pins)
    assert (result.allowed, result.failed) == (True, True)


def test_a_bundle_grows_stale_while_the_program_runs() -> None:
    bundles = source(Shelf(OSError()), initial=octets_of(file_of(fresh(5, pins=world_set("good")))))
    pins = bundles.live.pins
    chain = (*world().chains["genuine"].certificates, world().authorities.a.root)
    expires = bundles.state.expires
    assert expires is not None
    assert pins.check(chain, "localhost", at=expires - timedelta(seconds=1)).allowed
    assert not pins.check(chain, "localhost", at=expires).allowed


def test_a_newer_bundle_ends_staleness() -> None:
    shelf = Shelf(file_of(fresh(6, pins=world_set("good"))))
    old = octets_of(file_of(stale(5, pins=world_set("good"))))
    bundles = source(shelf, initial=old)
    assert not checked(bundles.live.pins).allowed
    bundles.refresh()
    assert checked(bundles.live.pins).allowed


def test_pooled_connections_are_looked_at_again_once_when_a_bundle_ends() -> None:
    epochs = []
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    bundles = source(Shelf(OSError()), initial=octets_of(file_of(fresh(5, expires=soon))))
    epochs.append(bundles.live.epoch)
    with bundles:
        ended = threading.Event()
        for _ in range(200):
            if bundles.state.stale and bundles.live.epoch > epochs[0]:
                break
            ended.wait(0.05)
        epochs.append(bundles.live.epoch)
        bundles.refresh()
        epochs.append(bundles.live.epoch)
    assert epochs[1] == epochs[2] == epochs[0] + 1


def test_the_thread_asks_at_once_and_again() -> None:
    shelf = Shelf(file_of(fresh(1)))
    came = threading.Semaphore(0)
    bundles = source(shelf, on_update=lambda _: came.release())
    bundles.start(0.01)
    bundles.start(0.01)
    for _ in range(3):
        assert came.acquire(timeout=30)
    assert bundles.state.version == 1
    bundles.stop()
    bundles.stop()


def test_a_callback_that_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def raising(_: object) -> None:
        raise RuntimeError

    assert source(Shelf(file_of(fresh(1))), on_update=raising).refresh().state.version == 1
    assert "callback" in caplog.text


@pytest.mark.parametrize(
    "options",
    [
        {"when_stale": "open"},
        {"when_stale": None},
        {"threshold": 0},
        {"threshold": 4},
        {"name": ""},
        {"name": "a shop"},
        {"seconds": 0},
        {"seconds": float("nan")},
        {"initial": "shop.json"},
        {"initial": Path("shop.json")},
        {"keys": []},
        {"keys": [ANNA.public.text, ANNA.public]},
        {"keys": ["RW"]},
        {"shelf": "http://pins.example/shop.json"},
        {"shelf": "ftp://127.0.0.1/"},
        {"shelf": "file:///etc/passwd"},
        {"shelf": "https://user:pw@pins.example/"},
    ],
)
def test_what_makes_no_sense_is_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises((ConfigError, MalformedError)):
        source(options.pop("shelf", lambda: b""), **options)
