"""What a source of bundles remembers: over restarts, beside others, and against attackers."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from pinwarden.clients.bundle import Outcome
from pinwarden.clients.bundle_cache import BundleCache
from pinwarden.errors import StoreError
from pinwarden.pinning.bundle import BundleFile
from pinwarden.pinning.bundle_trust import Refusal
from support.bundle_source import Shelf, refreshed, source, writing_on
from support.pin_bundles import (
    ANNA,
    BERT,
    DORA,
    EMIL,
    file_of,
    fresh,
    key_set,
    octets_of,
    pin_set,
    signed,
)

LATER = key_set(2, DORA, EMIL)


def test_a_restart_remembers_how_far_the_versions_had_come(tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "cache.json"
    source(Shelf(file_of(fresh(7))), cache).refresh()
    shelf = Shelf(file_of(fresh(6)))
    again = source(shelf, cache, initial=pin_set("older"))
    assert again.state.version == 7
    assert again.live.pins == pin_set()
    assert again.refresh().refusal is Refusal.ROLLED_BACK
    assert oct(cache.stat().st_mode & 0o777) == "0o600"
    assert {each.name for each in cache.parent.iterdir()} == {"cache.json", "cache.json.lock"}


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff" * 99, b"{}", b" " * (5 << 20)])
def test_a_damaged_cache_is_as_good_as_none(
    damage: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The versions may then fall to the floor, and no further."""
    cache = tmp_path / "cache"
    cache.write_bytes(damage)
    shelf = Shelf(file_of(fresh(4)))
    bundles = source(shelf, cache, floor=5, initial=pin_set("older"))
    assert "as good as none" in caplog.text
    assert bundles.refresh().refusal is Refusal.ROLLED_BACK
    shelf.file = file_of(fresh(5))
    assert bundles.refresh().outcome is Outcome.UPDATED
    assert source(shelf, cache).state.version == 5


def test_a_cache_written_by_an_attacker_puts_nothing_in_force(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for file in (
        file_of(fresh(99, pins=pin_set("evil")), (DORA, EMIL)),
        file_of(fresh(99, pins=pin_set("evil")), (ANNA,)),
        file_of(fresh(99, name="bank")),
    ):
        cache.write_bytes(octets_of(file))
        bundles = source(Shelf(file_of(fresh(1))), cache)
        assert bundles.state.version is None
        assert bundles.refresh().state.version == 1


def test_the_cache_is_not_believed_against_what_a_process_knows(tmp_path: Path) -> None:
    """Keys that were given up bring nothing back through it while the process runs."""
    cache = tmp_path / "cache"
    change = file_of(fresh(3, next_keys=LATER), (ANNA, BERT, DORA, EMIL))
    bundles = source(Shelf(change), cache)
    bundles.refresh()
    cache.write_bytes(octets_of(file_of(fresh(99, pins=pin_set("evil")))))
    assert bundles.refresh().state.version == 3
    assert source(Shelf(b""), cache).state.version == 3


def test_a_change_of_keys_outlives_a_restart(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    change = signed(fresh(3, next_keys=LATER), ANNA, BERT, DORA, EMIL)
    shelf = Shelf(BundleFile(change))
    source(shelf, cache).refresh()
    shelf.file = file_of(fresh(4), (DORA, EMIL))
    source(shelf, cache).refresh()
    again = source(shelf, cache)
    assert again.state.version == 4
    shelf.file = file_of(fresh(5), (ANNA, BERT))
    assert again.refresh().refusal is Refusal.UNSIGNED


def test_of_several_processes_the_newest_bundle_stays(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    versions = [3, 9, 1, 7, 5, 8, 2, 6, 4]
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        found = pool.starmap(refreshed, [(os.fspath(cache), version) for version in versions])
    assert all(have >= version for have, version in zip(found, versions, strict=True))
    assert source(Shelf(b""), cache).state.version == 9


def test_another_process_tells_what_was_kept_from_us(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    ours = source(Shelf(OSError()), cache, initial=octets_of(file_of(fresh(1))))
    source(Shelf(file_of(fresh(2))), cache).refresh()
    update = ours.refresh()
    assert (update.outcome, update.state.version) == ("updated", 2)


def test_what_another_process_believed_is_not_written_over(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    ours = source(Shelf(file_of(fresh(5))), cache, initial=octets_of(file_of(fresh(1))))
    source(Shelf(file_of(fresh(9, pins=pin_set("newest")))), cache).refresh()
    update = ours.refresh()
    assert (update.outcome, update.refusal, update.state.version) == ("refused", "rolled-back", 9)
    assert ours.live.pins == pin_set("newest")
    assert source(Shelf(b""), cache).state.version == 9


def test_a_cache_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    update = source(Shelf(file_of(fresh(2))), tmp_path / "file" / "cache").refresh()
    assert (update.outcome, update.state.version) == ("updated", 2)
    assert "bundle cache" in update.cache_problem


def test_what_is_no_file_is_no_cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Opening a pipe would wait for somebody to write to it."""
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (pipe, folder):
        assert source(Shelf(b""), path).state.version is None
        assert "as good as none" in caplog.text
        caplog.clear()
    assert source(Shelf(file_of(fresh(2))), pipe).refresh().cache_problem == ""
    assert source(Shelf(b""), pipe).state.version == 2


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    cache, elsewhere = tmp_path / "cache", tmp_path / "elsewhere"
    (tmp_path / "cache.new").symlink_to(elsewhere)
    (tmp_path / "cache.lock").write_text("")
    assert source(Shelf(file_of(fresh(2))), cache).refresh().cache_problem == ""
    assert not elsewhere.exists()
    assert source(Shelf(b""), cache).state.version == 2


def test_a_lock_that_is_held_is_not_waited_for_without_end(tmp_path: Path) -> None:
    first = BundleCache(tmp_path / "cache")
    second = BundleCache(tmp_path / "cache", patience=0.05)
    with first.locked(), pytest.raises(StoreError, match="does not let go"), second.locked():
        pass
    with second.locked():
        second.write(b"x")
    assert first.read() == b"x"


def test_a_process_killed_while_it_writes_leaves_a_whole_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    reached = 0
    for _ in range(3):
        process = multiprocessing.get_context("spawn").Process(
            target=writing_on, args=(os.fspath(cache),)
        )
        process.start()
        while not cache.exists() or source(Shelf(b""), cache).state.version == reached:
            assert process.is_alive()
        process.kill()
        process.join()
        version = source(Shelf(b""), cache).state.version
        assert version is not None
        assert version > reached
        reached = version
