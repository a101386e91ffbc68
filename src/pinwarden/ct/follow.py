"""Following one log: what its signed heads and its entries prove about it.

A pure state machine. The monitor feeds it verified signatures and leaf hashes
and does what it asks; it never fetches, waits or stores. What it promises:

* **Append-only.** Every head we accept contains everything we have verified:
  the root is recomputed from the entries served (RFC 6962 section 2.1), so no
  consistency proof has to be trusted.
* **Two positions.** Entries are processed up to `frontier`, but only what a
  signed root covers is `verified`. When a root does not come out, the position
  goes back to the verified one and both sides become evidence.
* **No gap.** Entries are taken only in order, one after another.
* **Old heads count.** A head smaller than the verified position is not thrown
  away: of a known size its root must be the known one, of another size the log
  is asked for a consistency proof. A log that shows two faces does it with old
  heads too.

Heads handed in have a verified signature. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pinwarden.ct.head import Head
from pinwarden.ct.merkle import Frontier, LeafHash, RootHash
from pinwarden.errors import VerificationError
from pinwarden.findings import (
    LOG_FORK,
    LOG_FUTURE,
    LOG_JOINED_LATE,
    LOG_SHRUNK,
    LOG_STALLED,
    LOG_WRONG_ROOT,
    Finding,
)

# Clocks differ and front ends cache; beyond this a log's time is its own fault.
_CLOCK_SLACK = timedelta(hours=1)

# Joined within this time, a log is read from where it was when watching began.
_JOINED_AT_ONCE = timedelta(minutes=10)

# How many verified heads are remembered, to recognise an old one.
_REMEMBERED = 64


class WrongRootError(VerificationError):
    """The entries served do not make the root of a signed head."""

    def __init__(self, head: Head, computed: RootHash) -> None:
        super().__init__(
            f"tree of size {head.size}: the entries served make root {computed.hex()}, "
            f"the signed root is {head.root.hex()}"
        )
        self.head = head
        self.computed = computed
        self.evidence = head.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowState:
    """Where we are in one log.

    `start` is the index of the first entry we processed. `pending` holds signed
    heads ahead of the verified position, by size; `verified_heads` those whose
    root came out, newest last.
    """

    start: int
    frontier: Frontier
    verified: Frontier
    pending: tuple[Head, ...] = ()
    verified_heads: tuple[Head, ...] = ()

    @property
    def target(self) -> Head | None:
        """The largest signed head still ahead."""
        return self.pending[-1] if self.pending else None

    @property
    def verified_head(self) -> Head | None:
        """The newest head whose root we recomputed."""
        return self.verified_heads[-1] if self.verified_heads else None

    def wanted(self) -> tuple[int, int] | None:
        """The entries to fetch next, as [from, to), or None when caught up."""
        # The nearest head first: one that promises entries nobody can serve must
        # not keep us from those that an honest one covers.
        for head in self.pending:
            if head.size > self.frontier.size:
                return self.frontier.size, head.size
        return None


EMPTY = Frontier(0, ())


def from_beginning() -> FollowState:
    """A log that is read from its first entry."""
    return FollowState(start=0, frontier=EMPTY, verified=EMPTY)


def from_head(head: Head, frontier: Frontier) -> FollowState:
    """A log that is read from its present end; `frontier` was verified against `head`."""
    return FollowState(
        start=head.size, frontier=frontier, verified=frontier, verified_heads=(head,)
    )


@dataclass(frozen=True, slots=True)
class ConsistencyQuestion:
    """Two signed heads of different size that a consistency proof must connect."""

    older: Head
    newer: Head


@dataclass(frozen=True, slots=True)
class Offered:
    """What a head led to: the next state, what it proves, and what is to be asked."""

    state: FollowState
    findings: tuple[Finding, ...] = ()
    question: ConsistencyQuestion | None = None


def offer(state: FollowState, head: Head, log: str) -> Offered:
    """Take a head with a verified signature; `log` names the log in findings."""
    for known in (*state.verified_heads, *state.pending):
        if known.size == head.size:
            if known.root != head.root:
                return Offered(state, (fork(log, known, head),))
            return Offered(_renewed(state, head))
    state, lost = _without_lost(state, head, log)
    verified = state.verified_head
    if head.size >= state.frontier.size and (verified is None or head.size > verified.size):
        pending = tuple(sorted((*state.pending, head), key=lambda h: h.size))
        return Offered(replace(state, pending=pending), lost)
    if verified is None or head.size > verified.size:
        # The entries up to here are processed, so the frontier is past it: only
        # a proof against the head that we are on the way to can tell.
        target = state.target
        return Offered(state, lost, ConsistencyQuestion(head, target) if target else None)
    question = ConsistencyQuestion(head, verified) if head.size > 0 else None
    if head.timestamp > verified.timestamp:
        # RFC 6962 section 3.5: a later tree head never covers fewer entries.
        return Offered(state, lost or (_shrunk(log, verified, head),), question)
    return Offered(state, lost, question)


def _without_lost(
    state: FollowState, head: Head, log: str
) -> tuple[FollowState, tuple[Finding, ...]]:
    """The state without heads ahead that a later, smaller head takes back.

    A log that lost what it had signed, or signed what it never had, would
    otherwise keep us waiting for entries that nobody can serve. What was read on
    the way to them, past the smaller head, is of a tree that is no more.
    """
    lost = [one for one in state.pending if one.size > head.size and one.timestamp < head.timestamp]
    if not lost:
        return state, ()
    kept = tuple(one for one in state.pending if one not in lost)
    frontier = state.frontier if state.frontier.size <= head.size else state.verified
    return replace(state, frontier=frontier, pending=kept), (_shrunk(log, lost[-1], head),)


def _renewed(state: FollowState, head: Head) -> FollowState:
    """The same tree signed again: remember the newer time, so a quiet log is not stale."""
    verified = state.verified_head
    if verified is None or head.size != verified.size or head.timestamp <= verified.timestamp:
        return state
    return replace(state, verified_heads=(*state.verified_heads[:-1], head))


def advance(state: FollowState, start: int, leaves: Sequence[LeafHash]) -> FollowState:
    """Take the leaf hashes of the entries from `start` on.

    Raises WrongRootError when a signed head's root does not come out (the caller
    then uses `rewound`), and RuntimeError for entries out of order, which is the
    caller's bug.
    """
    if start != state.frontier.size:
        raise RuntimeError(f"entries from {start} offered at position {state.frontier.size}")
    while state.pending:
        head = state.pending[0]
        missing = head.size - state.frontier.size
        if missing > len(leaves):
            break
        frontier = state.frontier.extend(leaves[:missing]) if missing else state.frontier
        leaves = leaves[missing:]
        computed = frontier.root()
        if computed != head.root:
            raise WrongRootError(head, computed)
        state = replace(
            state,
            frontier=frontier,
            verified=frontier,
            pending=state.pending[1:],
            verified_heads=(*state.verified_heads, head)[-_REMEMBERED:],
        )
    return replace(state, frontier=state.frontier.extend(leaves)) if leaves else state


def rewound(state: FollowState) -> FollowState:
    """Back to the verified position, without the heads that did not come out."""
    return replace(state, frontier=state.verified, pending=())


def wrong_root(log: str, state: FollowState, error: WrongRootError) -> Finding:
    """The finding for entries that do not make the signed root."""
    evidence = [("signed head", error.head.raw)]
    if state.verified_head is not None:
        evidence.insert(0, ("verified head", state.verified_head.raw))
    return Finding(
        kind=LOG_WRONG_ROOT,
        subject=log,
        message=str(error),
        details=(
            ("tree size", str(error.head.size)),
            ("signed root", error.head.root.hex()),
            ("computed root", error.computed.hex()),
            ("verified up to", str(state.verified.size)),
        ),
        evidence=tuple(evidence),
    )


def fork(log: str, one: Head, other: Head) -> Finding:
    """The finding for two signed heads that cannot both be true."""
    return _two_heads(
        log,
        f"two signed tree heads contradict each other: size {one.size} with root "
        f"{one.root.hex()}, and size {other.size} with root {other.root.hex()}",
        one,
        other,
    )


def unproven(log: str, older: Head, newer: Head) -> Finding:
    """The finding for two signed heads between which the log's own proof does not hold."""
    return _two_heads(
        log,
        f"the log's proof does not connect two heads it signed: size {older.size} with root "
        f"{older.root.hex()}, and size {newer.size} with root {newer.root.hex()}",
        older,
        newer,
    )


def _two_heads(log: str, message: str, one: Head, other: Head) -> Finding:
    return Finding(
        kind=LOG_FORK,
        subject=log,
        message=message,
        details=(
            ("first head", f"size {one.size}, {one.timestamp.isoformat()}"),
            ("second head", f"size {other.size}, {other.timestamp.isoformat()}"),
        ),
        evidence=(("first head", one.raw), ("second head", other.raw)),
    )


def _shrunk(log: str, larger: Head, head: Head) -> Finding:
    return Finding(
        kind=LOG_SHRUNK,
        subject=log,
        message=(
            f"the head signed at {head.timestamp.isoformat()} covers {head.size} entries, "
            f"fewer than the {larger.size} of {larger.timestamp.isoformat()}"
        ),
        evidence=(("larger head", larger.raw), ("smaller head", head.raw)),
    )


def joined_late(log: str, head: Head, began: datetime | None, at: datetime) -> Finding | None:
    """Whether a log is joined at its end long after watching began, which leaves a gap.

    Whoever wants a certificate unseen could have kept the log from answering.
    """
    if began is None or at - began <= _JOINED_AT_ONCE:
        return None
    return Finding(
        kind=LOG_JOINED_LATE,
        subject=log,
        message=(
            f"watching began at {began:%Y-%m-%d %H:%M} and the log answered first at "
            f"{at:%Y-%m-%d %H:%M} UTC, with {head.size} entries: those between were not read"
        ),
        evidence=(("signed head", head.raw),),
    )


def final_contradiction(
    log: str, state: FollowState, size: int | None, root: RootHash | None
) -> Finding | None:
    """Whether the log list names another final tree head than the entries make."""
    verified = state.verified_head
    if verified is None or root is None or verified.size != size or verified.root == root:
        return None
    return Finding(
        kind=LOG_FORK,
        subject=log,
        message=(
            f"the log list says that the log ended at size {size} with root {root.hex()}; "
            f"the head we verified at that size has root {verified.root.hex()}"
        ),
        evidence=(("verified head", verified.raw), ("final root in the log list", root)),
    )


def staleness(log: str, head: Head, at: datetime, mmd: timedelta, *, final: bool) -> Finding | None:
    """Whether the newest head is too old, or from the future, at the time `at`.

    RFC 6962 section 3: a log signs a head at least once within its Maximum Merge
    Delay. A log that has published its final tree head signs no more.
    """
    if head.timestamp > at + _CLOCK_SLACK:
        return Finding(
            kind=LOG_FUTURE,
            subject=log,
            message=f"its newest tree head is dated {head.timestamp.isoformat()}, in the future",
            evidence=(("signed head", head.raw),),
        )
    if final or at - head.timestamp <= mmd + _CLOCK_SLACK:
        return None
    return Finding(
        kind=LOG_STALLED,
        subject=log,
        message=(
            f"its newest tree head is of {head.timestamp.isoformat()}; the log promises one "
            f"every {int(mmd.total_seconds())} s"
        ),
        evidence=(("signed head", head.raw),),
    )
