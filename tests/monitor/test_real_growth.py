"""Two real logs that grew entry by entry, followed from checkpoint to checkpoint.

The state goes through a store between the steps, as if the monitor had been
started anew each time. Real are the entries, the roots and what was signed; only
the times are made up, since these checkpoints have none.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinwarden.ct.follow import (
    ConsistencyQuestion,
    FollowState,
    WrongRootError,
    advance,
    from_beginning,
    from_head,
    offer,
    rewound,
)
from pinwarden.ct.head import Head
from pinwarden.ct.merkle import (
    EMPTY_ROOT,
    Frontier,
    LeafHash,
    leaf_hash,
    parse_frontier,
    verify_consistency,
)
from pinwarden.ct.note import parse_checkpoint_body, parse_note
from pinwarden.ct.tiles import Tile, consistency_proof_from_tiles, edge_tiles, frontier_from_tiles
from pinwarden.store.contract import LogPosition, PendingHead, Step, Store
from pinwarden.store.store import open_store
from support.real_logs import GROWING, GrowingLog

NAME = "testdata"
LOG_ID = bytes(32)
START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(params=GROWING)
def real(request: pytest.FixtureRequest, corpus: Path) -> GrowingLog:
    return GrowingLog(corpus / str(request.param))


def read_head(raw: bytes) -> Head:
    """The head in a checkpoint, a minute for each entry after the start."""
    body = parse_checkpoint_body(parse_note(raw).text)
    at = START + timedelta(minutes=body.size)
    return Head(
        size=body.size,
        root=body.root,
        timestamp=at,
        timestamp_ms=int(at.timestamp() * 1000),
        signature=b"",
        raw=raw,
        source="checkpoint",
    )


def hashes(real: GrowingLog, low: int, high: int) -> list[LeafHash]:
    return [leaf_hash(entry) for entry in real.entries[low:high]]


def edge(real: GrowingLog, size: int) -> dict[Tile, bytes]:
    folder = real.folder / "tile/0/000.p"
    return {tile: (folder / str(tile.width)).read_bytes() for tile in edge_tiles(size)}


async def restarted(url: str, state: FollowState) -> FollowState:
    """The state after it was written to the store, forgotten and read back."""
    async with await open_store(url) as store:
        await _save(store, state)
    async with await open_store(url) as store:
        return await _load(store)


async def _save(store: Store, state: FollowState) -> None:
    head = state.verified_head
    pending = tuple(
        PendingHead(
            log_id=LOG_ID,
            size=each.size,
            root=each.root,
            timestamp=each.timestamp,
            source=each.source,
            raw=each.raw,
            seen=each.timestamp,
        )
        for each in state.pending
    )
    position = LogPosition(
        log_id=LOG_ID,
        description=NAME,
        url="http://127.0.0.1/",
        start_index=state.start,
        size=state.frontier.size,
        frontier=state.frontier.to_bytes(),
        verified_size=state.verified.size,
        verified_root=head.root if head else None,
        verified_frontier=state.verified.to_bytes() if head else None,
        head=head.raw if head else None,
        head_timestamp=head.timestamp if head else None,
        updated=START,
    )
    await store.commit(
        Step(
            position_before=await store.load_position(LOG_ID),
            position=position,
            heads=pending,
            drop_heads=tuple(
                each for each in await store.load_heads(LOG_ID) if each not in pending
            ),
            at=START,
        )
    )


async def _load(store: Store) -> FollowState:
    position = await store.load_position(LOG_ID)
    assert position is not None
    verified = position.verified_frontier
    return FollowState(
        start=position.start_index,
        frontier=parse_frontier(position.frontier),
        verified=parse_frontier(verified) if verified is not None else Frontier(0, ()),
        pending=tuple(read_head(each.raw) for each in await store.load_heads(LOG_ID)),
        verified_heads=(read_head(position.head),) if position.head is not None else (),
    )


async def test_every_checkpoint_verifies_across_restarts(real: GrowingLog, tmp_path: Path) -> None:
    """From the empty log to the last entry each signed root comes out, whenever we restart."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    state = from_beginning()
    for checkpoint in real.heads:
        head = read_head(checkpoint.raw)
        offered = offer(state, head, NAME)
        assert (offered.findings, offered.question) == ((), None)
        state = await restarted(url, offered.state)
        assert state == replace(offered.state, verified_heads=offered.state.verified_heads[-1:])
        at = state.frontier.size
        state = await restarted(url, advance(state, at, hashes(real, at, head.size)))
        assert (state.wanted(), state.pending, state.verified_heads) == (None, (), (head,))
        assert state.frontier == state.verified
        assert state.verified.root() == checkpoint.root
    assert state.verified.size == len(real.entries) == 15


async def test_a_restart_between_two_heads_keeps_both_positions(
    real: GrowingLog, tmp_path: Path
) -> None:
    """Stopped after each single entry on the way, what is examined and what is proven differ."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    known, last = read_head(real.heads[6].raw), read_head(real.heads[15].raw)
    state = advance(offer(from_beginning(), known, NAME).state, 0, hashes(real, 0, 6))
    state = offer(state, last, NAME).state
    for at in range(6, 15):
        assert state.wanted() == (at, 15)
        assert (state.verified.size, state.verified_head) == (6, known)
        state = await restarted(url, advance(state, at, hashes(real, at, at + 1)))
    assert (state.verified.size, state.verified_head, state.pending) == (15, last, ())


def test_all_checkpoints_at_once(real: GrowingLog) -> None:
    """Offered in any order and followed in one go, all sixteen roots are verified."""
    for heads in (real.heads, real.heads[::-1]):
        state = from_beginning()
        for checkpoint in heads:
            offered = offer(state, read_head(checkpoint.raw), NAME)
            assert (offered.findings, offered.question) == ((), None)
            state = offered.state
        state = advance(state, 0, hashes(real, 0, 15))
        assert [head.root for head in state.verified_heads] == [each.root for each in real.heads]
        assert state.verified_heads[0].root == EMPTY_ROOT


def test_old_checkpoints_raise_no_alarm(real: GrowingLog) -> None:
    """A head of the past is one we know, or the log's own tiles prove that it is in ours."""
    last = read_head(real.heads[15].raw)
    frontier = frontier_from_tiles(15, edge(real, 15), last.root)
    joined = from_head(last, frontier)
    followed = advance(offer(from_beginning(), last, NAME).state, 0, hashes(real, 0, 15))
    assert frontier == followed.verified
    for checkpoint in real.heads[1:15]:
        older = read_head(checkpoint.raw)
        offered = offer(joined, older, NAME)
        assert (offered.state, offered.findings) == (joined, ())
        assert offered.question == ConsistencyQuestion(older, last)
        proof = consistency_proof_from_tiles(older.size, 15, edge(real, 15))
        verify_consistency(older.size, older.root, 15, last.root, proof)


@pytest.mark.parametrize("wrong", range(15))
def test_a_changed_entry_fails_at_the_next_checkpoint(real: GrowingLog, wrong: int) -> None:
    """Whichever entry differs, the first head over it does not come out, and we step back."""
    state = advance(
        offer(from_beginning(), read_head(real.heads[wrong].raw), NAME).state,
        0,
        hashes(real, 0, wrong),
    )
    for checkpoint in real.heads[wrong + 1 :]:
        state = offer(state, read_head(checkpoint.raw), NAME).state
    changed = leaf_hash(real.entries[wrong] + b"!")
    with pytest.raises(WrongRootError) as caught:
        advance(state, wrong, [changed, *hashes(real, wrong + 1, 15)])
    assert caught.value.evidence == real.heads[wrong + 1].raw
    back = rewound(state)
    assert (back.verified.size, back.verified.root()) == (wrong, real.heads[wrong].root)
    again = offer(back, read_head(real.heads[15].raw), NAME).state
    assert advance(again, wrong, hashes(real, wrong, 15)).verified.size == 15
