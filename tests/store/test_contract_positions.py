"""Contract: positions move by compare and set, and heads wait until they are verified."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pinwarden.errors import StoreError
from pinwarden.store.contract import Committed, LogPosition, StalePositionError, Step, Store
from store.kinds import Opener
from store.values import (
    ARGON,
    NOW,
    TUSCOLO,
    certificate,
    finding,
    head,
    later,
    move,
    position,
    sighting,
    verified,
)


async def test_an_empty_store_has_no_position(store: Store) -> None:
    """A log that was never followed has no position."""
    assert await store.load_position(ARGON) is None
    assert await store.load_positions() == ()


async def test_a_position_comes_back_as_it_was_given(store: Store) -> None:
    """Every field of a position survives, also those that are None."""
    bare, full = position(7), verified(9, TUSCOLO, start_index=3)
    for after in (bare, full):
        step = Step(position_before=None, position=after, at=NOW)
        assert await store.commit(step) == Committed(0, 0)
    assert await store.load_position(ARGON) == bare
    assert await store.load_position(TUSCOLO) == full
    assert set(await store.load_positions()) == {bare, full}


async def test_a_position_moves_from_the_value_that_was_read(store: Store) -> None:
    """A step whose `position_before` is stored replaces it by `position`."""
    await move(store, 5)
    before = await store.load_position(ARGON)
    after = verified(8, description="renamed", url="https://moved.example/", updated=later(hours=1))
    await store.commit(Step(position_before=before, position=after, at=NOW))
    assert await store.load_position(ARGON) == after


async def test_a_renamed_log_is_no_other_position(store: Store) -> None:
    """Name, address and time of writing are not part of what a step was computed from."""
    await move(store, 5)
    before = position(5, description="other", url="https://other.example/", updated=later(days=1))
    await store.commit(Step(position_before=before, position=position(6), at=NOW))
    assert await store.load_position(ARGON) == position(6)


@pytest.mark.parametrize(
    "read",
    [
        None,
        position(4),
        position(5, frontier=b"other"),
        position(5, start_index=1),
        position(5, verified_size=1),
        position(5, verified_root=b"r"),
        position(5, verified_frontier=b"f"),
        position(5, head=b"h"),
        position(5, head_timestamp=NOW),
        position(5, log_id=TUSCOLO),
    ],
)
async def test_a_position_that_moved_refuses_the_whole_step(
    store: Store, read: LogPosition | None
) -> None:
    """A step computed from another position than the stored one leaves no trace at all."""
    await move(store, 5)
    log_id = ARGON if read is None else read.log_id
    stale = Step(
        position_before=read,
        position=position(9, log_id),
        sightings=(sighting("a", 6, log_id),),
        findings=(finding(),),
        heads=(head(9, log_id),),
        channels=("mail",),
        at=NOW,
    )
    with pytest.raises(StalePositionError) as refused:
        await store.commit(stale)
    assert isinstance(refused.value, StoreError)
    assert refused.value.hint
    assert await store.load_positions() == (position(5),)
    assert await store.sightings() == ()
    assert await store.findings() == ()
    assert await store.alerts() == ()
    assert await store.load_heads(log_id) == ()


async def test_of_many_writers_of_one_step_one_wins(reopen: Opener) -> None:
    """The same step offered by several stores on one database happens once."""
    stores = [await reopen() for _ in range(4)]
    await move(stores[0], 1)
    before = await stores[0].load_position(ARGON)
    step = Step(
        position_before=before,
        position=position(3),
        sightings=(sighting("a", 1), sighting("b", 2)),
        channels=("mail",),
        at=NOW,
    )
    results = await asyncio.gather(*(s.commit(step) for s in stores), return_exceptions=True)
    won = [result for result in results if not isinstance(result, BaseException)]
    assert won == [Committed(2, 2)]
    assert sum(isinstance(result, StalePositionError) for result in results) == 3
    assert len(await stores[3].due("mail", NOW)) == 2


async def test_steps_of_different_logs_do_not_disturb_each_other(reopen: Opener) -> None:
    """Many logs followed at once by two stores all arrive where they should."""
    stores = [await reopen(), await reopen()]
    logs = [bytes([number]) * 32 for number in range(8)]

    async def follow(number: int, log_id: bytes) -> None:
        for size in range(1, 6):
            seen = sighting(f"issuance {size}", size - 1, log_id)
            await move(stores[number % 2], size, seen)

    await asyncio.gather(*(follow(*numbered) for numbered in enumerate(logs)))
    positions = await stores[0].load_positions()
    assert {(at.log_id, at.size) for at in positions} == {(log_id, 5) for log_id in logs}
    found = await stores[1].sightings()
    assert [len(one.references) for one in found] == [8] * 5
    assert len(await stores[0].due("mail", NOW)) == 5


async def test_a_step_is_about_one_log(store: Store) -> None:
    """Mixing logs in a step is our caller's mistake, and leaves no trace."""
    await move(store, 5)
    mixed = [
        Step(position_before=position(5), position=position(6, TUSCOLO), at=NOW),
        Step(
            position_before=position(5),
            position=position(6),
            sightings=(sighting("a", 5, TUSCOLO),),
            at=NOW,
        ),
    ]
    for step in mixed:
        with pytest.raises(ValueError, match="log"):
            await store.commit(step)
    assert await store.load_positions() == (position(5),)


async def test_pending_heads_wait_smallest_first(store: Store) -> None:
    """Heads come back as received, by size, and only those of the log asked for."""
    heads = [head(9), head(4, source="checkpoint", raw=b"\x00note\n"), head(5, TUSCOLO)]
    for one in heads:
        await store.save_head(one)
    assert await store.load_heads(ARGON) == (heads[1], heads[0])
    assert await store.load_heads(TUSCOLO) == (heads[2],)


async def test_heads_of_one_tree_are_one(store: Store) -> None:
    """Of heads with the same size and root the newest is kept; another root is another head."""
    newest = head(9, timestamp=later(hours=2), raw=b"newest")
    fork = head(9, root=b"f" * 32)
    for one in (head(9), newest, head(9, timestamp=later(hours=1)), fork):
        await store.save_head(one)
    assert await store.load_heads(ARGON) == (fork, newest)


async def test_a_step_saves_and_drops_heads(reopen: Opener) -> None:
    """A head survives a restart until a step says that it was verified."""
    store = await reopen()
    await move(store, 4, heads=(head(9), head(12)))
    await store.close()
    store = await reopen()
    assert await store.load_heads(ARGON) == (head(9), head(12))
    await move(store, 9, drop_heads=(head(9),))
    assert await store.load_heads(ARGON) == (head(12),)
    await store.drop_heads([head(12), head(99)])
    await store.drop_heads([])
    assert await store.load_heads(ARGON) == ()


async def test_a_head_of_impossible_size_is_a_store_error(store: Store) -> None:
    """A tree size that fits no column is refused with our error, and the store goes on."""
    with pytest.raises(StoreError):
        await store.save_head(head(2**64 - 1, root=b"r"))
    await store.save_head(head(2**63 - 1))
    assert [one.size for one in await store.load_heads(ARGON)] == [2**63 - 1]


async def test_named_values_are_kept_and_replaced(reopen: Opener) -> None:
    """A named value is the last one saved, also after a restart."""
    store = await reopen()
    assert await store.load_meta("baseline") is None
    await store.save_meta("baseline", "a")
    await store.save_meta("baseline", "b\x00\\ü")
    await store.close()
    assert await (await reopen()).load_meta("baseline") == "b\x00\\ü"


async def test_entries_count_as_verified_once_a_head_covers_them(store: Store) -> None:
    """An entry is verified where the position says so, and not outside of what was read."""
    before = position(10, start_index=5)
    await move(store, 10, sighting("a", 5), certificate("a", 9), position=before)
    (found,) = await store.sightings()
    assert [one.verified for one in found.references] == [False, False]
    after = replace(before, verified_size=9, verified_root=b"r", head=b"h")
    await store.commit(Step(position_before=before, position=after, at=NOW))
    (found,) = await store.sightings()
    assert [(one.index, one.verified) for one in found.references] == [(5, True), (9, False)]


async def test_a_step_back_disowns_what_it_leaves(store: Store) -> None:
    """Entries of a refuted history stay, unverified until the log serves them again."""
    await move(store, 3, sighting("a", 1), sighting("b", 2))
    await move(store, 1)
    await move(store, 3, sighting("a", 1), sighting("c", 2), position=verified(3))
    found = {
        one.sighting.key: [(at.index, at.verified) for at in one.references]
        for one in await store.sightings()
    }
    assert found == {
        sighting("a", 0).key: [(1, True)],
        sighting("b", 0).key: [(2, False)],
        sighting("c", 0).key: [(2, True)],
    }
    assert len(await store.alerts()) == 3


async def test_cancelling_the_asker_does_not_tear_a_step(store: Store) -> None:
    """A step whose asker is cancelled at any moment happens whole or not, and the store goes on."""
    size = 0
    for turn in range(30):
        before = await store.load_position(ARGON)
        assert (before.size if before else 0) == size
        step = Step(
            position_before=before,
            position=position(size + 20),
            sightings=tuple(sighting(f"{turn} {one}", size + one) for one in range(20)),
            at=NOW,
        )
        asker = asyncio.create_task(store.commit(step))
        for _ in range(turn):
            await asyncio.sleep(0)
        asker.cancel()
        await asyncio.gather(asker, return_exceptions=True)
        # Wait for the writer, so that the next turn reads what it left.
        await store.save_meta("turn", str(turn))
        after = await store.load_position(ARGON)
        size = after.size if after else 0
        totals = await store.totals()
        assert totals.sightings == totals.alerts == size
    assert size > 0


async def test_cancelling_a_reader_harms_nobody(store: Store) -> None:
    """A list whose asker is cancelled at any moment leaves the store usable."""
    await move(store, 3, sighting("a", 0), sighting("b", 1))
    for turn in range(30):
        asker = asyncio.create_task(store.sightings())
        for _ in range(turn):
            await asyncio.sleep(0)
        asker.cancel()
        await asyncio.gather(asker, return_exceptions=True)
        assert len(await store.sightings()) == 2
