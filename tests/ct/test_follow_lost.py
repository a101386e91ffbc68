"""Following a log that lost what it had signed."""

from __future__ import annotations

from ct.test_follow import LOG, followed, head, leaves
from pinwarden.ct.follow import advance, offer
from pinwarden.findings import LOG_SHRUNK


def test_a_later_smaller_head_takes_back_what_is_ahead() -> None:
    """Nobody can serve entries that are gone: the loss is found, and the smaller head followed."""
    state = offer(followed(5), head(20, minute=1, face="lost"), LOG).state
    offered = offer(state, head(9, minute=2), LOG)
    assert [finding.kind for finding in offered.findings] == [LOG_SHRUNK]
    assert [raw for _, raw in offered.findings[0].evidence] == [
        head(20, minute=1, face="lost").raw,
        head(9, minute=2).raw,
    ]
    assert offered.state.wanted() == (5, 9)
    assert advance(offered.state, 5, leaves(5, 9)).verified.size == 9


def test_what_was_read_of_a_lost_tree_is_read_again() -> None:
    """A position past the smaller head is no position in the tree that is left."""
    state = offer(followed(5), head(20, minute=1), LOG).state
    state = advance(state, 5, leaves(5, 12))
    state = offer(state, head(9, minute=2), LOG).state
    assert state.wanted() == (5, 9)
    state = advance(state, 5, leaves(5, 9))
    assert state.verified.size == 9
    assert state.pending == ()


def test_an_older_smaller_head_takes_nothing_back() -> None:
    """A front end that lags behind is no loss."""
    state = offer(followed(5), head(20, minute=2), LOG).state
    offered = offer(state, head(9, minute=1), LOG)
    assert offered.findings == ()
    assert offered.state.wanted() == (5, 9)
