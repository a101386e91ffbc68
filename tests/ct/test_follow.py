"""The state machine of following one log."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.follow import (
    ConsistencyQuestion,
    FollowState,
    WrongRootError,
    advance,
    final_contradiction,
    from_beginning,
    from_head,
    joined_late,
    offer,
    rewound,
    staleness,
    wrong_root,
)
from pinwarden.ct.head import Head
from pinwarden.ct.merkle import Frontier, LeafHash, RootHash
from pinwarden.ct.tree import Tree
from pinwarden.findings import LOG_FORK, LOG_FUTURE, LOG_SHRUNK, LOG_STALLED, LOG_WRONG_ROOT

START = datetime(2026, 1, 1, tzinfo=UTC)
LOG = "Lab 2026"


def leaf(number: int, face: str = "honest") -> LeafHash:
    return LeafHash(hashlib.sha256(f"{face} {number}".encode()).digest())


def leaves(low: int, high: int, face: str = "honest") -> list[LeafHash]:
    return [leaf(number, face) for number in range(low, high)]


def head(size: int, minute: int = 0, face: str = "honest", root: bytes | None = None) -> Head:
    computed = Tree(leaves(0, size, face)).root() if root is None else RootHash(root)
    at = START + timedelta(minutes=minute)
    return Head(
        size=size,
        root=computed,
        timestamp=at,
        timestamp_ms=int(at.timestamp() * 1000),
        signature=b"",
        raw=f"{size} {minute} {computed.hex()}".encode(),
        source="sth",
    )


def followed(size: int, minute: int = 0) -> FollowState:
    """A log verified up to `size`."""
    state = offer(from_beginning(), head(size, minute), LOG).state
    return advance(state, 0, leaves(0, size))


@given(
    sizes=st.lists(st.integers(0, 200), min_size=1, max_size=6),
    chunk=st.integers(1, 70),
)
def test_an_honest_log_is_verified_at_every_head_in_any_chunking(
    sizes: list[int], chunk: int
) -> None:
    """However an honest log grows and is fetched, every head comes out and nothing is found."""
    state = from_beginning()
    for minute, size in enumerate(sorted(sizes)):
        offered = offer(state, head(size, minute), LOG)
        assert offered.findings == ()
        state = offered.state
        while (wanted := state.wanted()) is not None:
            low, high = wanted[0], min(wanted[0] + chunk, wanted[1])
            state = advance(state, low, leaves(low, high))
        state = advance(state, state.frontier.size, ())
        assert state.verified.size == size
        assert state.verified.root() == Tree(leaves(0, size)).root()
    assert state.pending == ()


def test_heads_on_the_way_are_checked_as_they_are_passed() -> None:
    """A head between the position and the target is verified when its size is reached."""
    state = offer(from_beginning(), head(10), LOG).state
    state = offer(state, head(6, minute=-1), LOG).state
    state = advance(state, 0, leaves(0, 8))
    assert state.verified.size == 6
    assert state.frontier.size == 8
    assert advance(state, 8, leaves(8, 10)).verified.size == 10


def test_a_wrong_root_keeps_both_heads_and_the_position_goes_back() -> None:
    """Entries that do not make the signed root are evidence, and nothing of them stays."""
    state = offer(followed(5), head(9, minute=1, face="other"), LOG).state
    with pytest.raises(WrongRootError) as caught:
        advance(state, 5, leaves(5, 9))
    finding = wrong_root(LOG, state, caught.value)
    assert finding.kind is LOG_WRONG_ROOT
    assert dict(finding.evidence) == {
        "verified head": head(5).raw,
        "signed head": head(9, minute=1, face="other").raw,
    }
    back = rewound(state)
    assert (back.frontier, back.pending) == (followed(5).frontier, ())


def test_two_roots_for_one_size_are_a_fork() -> None:
    """A second head of a verified size with another root is a fork, with both as evidence."""
    offered = offer(followed(5), head(5, minute=1, face="other"), LOG)
    assert [finding.kind for finding in offered.findings] == [LOG_FORK]
    assert [raw for _, raw in offered.findings[0].evidence] == [
        head(5).raw,
        head(5, minute=1, face="other").raw,
    ]
    assert offered.state == followed(5)


def test_two_pending_heads_of_one_size_are_a_fork_before_any_entry_is_read() -> None:
    """Contradicting heads are recognised even while both are still ahead."""
    state = offer(from_beginning(), head(7), LOG).state
    assert offer(state, head(7, face="other"), LOG).findings[0].kind is LOG_FORK


def test_a_later_smaller_head_is_a_shrunk_log() -> None:
    """A head signed later that covers fewer entries is found, and asked about."""
    offered = offer(followed(9), head(4, minute=5), LOG)
    assert [finding.kind for finding in offered.findings] == [LOG_SHRUNK]
    assert offered.question == ConsistencyQuestion(head(4, minute=5), head(9))


def test_an_older_head_of_another_front_end_is_asked_about_and_not_accused() -> None:
    """A smaller head that is also older may be stale, so only a proof is asked for."""
    offered = offer(followed(9, minute=5), head(4, minute=1), LOG)
    assert offered.findings == ()
    assert offered.question == ConsistencyQuestion(head(4, minute=1), head(9, minute=5))


def test_a_head_behind_an_unverified_frontier_is_asked_about() -> None:
    """Past the size of a head, its root can no longer be recomputed."""
    state = offer(from_beginning(), head(9, minute=5), LOG).state
    state = advance(state, 0, leaves(0, 6))
    offered = offer(state, head(4), LOG)
    assert offered.question == ConsistencyQuestion(head(4), head(9, minute=5))
    assert offered.state == state


def test_the_same_tree_signed_again_renews_its_time() -> None:
    """A quiet log that goes on signing is not stale."""
    state = offer(followed(5), head(5, minute=90), LOG).state
    assert state.verified_head == head(5, minute=90)


def test_an_empty_log_must_sign_the_empty_root() -> None:
    """Size 0 with a root that is not that of the empty tree does not come out."""
    state = offer(from_beginning(), head(0), LOG).state
    assert advance(state, 0, ()).verified_head == head(0)
    state = offer(from_beginning(), head(0, root=b"\x01" * 32), LOG).state
    with pytest.raises(WrongRootError):
        advance(state, 0, ())


def test_following_from_a_head_checks_what_comes_after_it() -> None:
    """Started at the end of a log, the first new entries verify against the old frontier."""
    frontier = Frontier(0, ()).extend(leaves(0, 5))
    state = from_head(head(5), frontier)
    assert state.start == 5
    state = offer(state, head(9, minute=1), LOG).state
    assert state.wanted() == (5, 9)
    assert advance(state, 5, leaves(5, 9)).verified.size == 9


def test_entries_out_of_order_are_the_callers_bug() -> None:
    """A gap or an overlap never reaches the tree."""
    state = offer(from_beginning(), head(9), LOG).state
    for start in (1, 5):
        with pytest.raises(RuntimeError):
            advance(state, start, leaves(start, 9))


def test_a_head_older_than_the_merge_delay_is_a_stalled_log() -> None:
    """Freshness is judged by the log's own time; a closed log owes none."""
    newest = head(5)
    mmd = timedelta(hours=24)
    assert staleness(LOG, newest, START + timedelta(hours=24), mmd, final=False) is None
    late = START + timedelta(hours=26)
    stalled = staleness(LOG, newest, late, mmd, final=False)
    assert stalled is not None
    assert stalled.kind is LOG_STALLED
    assert staleness(LOG, newest, late, mmd, final=True) is None


def test_a_head_from_the_future_is_found() -> None:
    """One head dated ahead would hide a freeze for as long as it pleases the log."""
    found = staleness(LOG, head(5), START - timedelta(hours=2), timedelta(hours=24), final=False)
    assert found is not None
    assert found.kind is LOG_FUTURE


def test_the_nearest_head_comes_first() -> None:
    """A head that promises entries nobody can serve does not keep an honest one waiting."""
    state = offer(from_beginning(), head(5, minute=9, root=b"\x07" * 32), LOG).state
    state = offer(state, head(3, minute=1), LOG).state
    assert state.wanted() == (0, 3)
    state = advance(state, 0, leaves(0, 3))
    assert state.verified.size == 3
    assert state.wanted() == (3, 5)


@pytest.mark.parametrize(("minutes", "found"), [(None, False), (5, False), (11, True)])
def test_a_log_joined_long_after_watching_began_has_a_gap(minutes: int | None, found: bool) -> None:
    """What a log took while it did not answer is said to be unknown."""
    began = None if minutes is None else START - timedelta(minutes=minutes)
    finding = joined_late(LOG, head(5), began, START)
    assert (finding is not None) == found


def test_a_closed_log_must_end_as_the_log_list_says() -> None:
    """The final head in the log list is one more signed statement to hold against the log."""
    state = followed(5)
    root = Tree(leaves(0, 5)).root()
    other = Tree(leaves(0, 5, "other")).root()
    assert final_contradiction(LOG, state, None, None) is None
    assert final_contradiction(LOG, state, 5, root) is None
    assert final_contradiction(LOG, state, 6, other) is None
    found = final_contradiction(LOG, state, 5, other)
    assert found is not None
    assert found.kind is LOG_FORK
    assert dict(found.evidence)["verified head"] == head(5).raw
