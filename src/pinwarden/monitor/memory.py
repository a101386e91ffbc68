"""Between the state machine of following a log and what the store keeps of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pinwarden.ct.follow import EMPTY, FollowState, from_beginning
from pinwarden.ct.head import Head, parse_checkpoint, parse_sth
from pinwarden.ct.log import Log
from pinwarden.ct.merkle import RootHash, parse_frontier
from pinwarden.ct.note import parse_checkpoint_body, parse_note
from pinwarden.store.contract import LogPosition, PendingHead


def read_head(log: Log, raw: bytes) -> Head:
    """A signed head of this log from the bytes in which it was received.

    They say themselves what they are: the log list may by now name another
    protocol or another origin for the log, whose tree stays the same.
    """
    if raw.lstrip().startswith(b"{"):
        return parse_sth(raw)
    return parse_checkpoint(raw, parse_checkpoint_body(parse_note(raw).text).origin, log.log_id)


def restored(log: Log, position: LogPosition | None, heads: tuple[PendingHead, ...]) -> FollowState:
    """The state in which a log was left, with the signed heads still ahead of it.

    Without a position the log is at its beginning: a crash came before the first
    commit, and perhaps after a head was seen.
    """
    if position is None:
        return replace(from_beginning(), pending=tuple(read_head(log, each.raw) for each in heads))
    verified = (
        parse_frontier(position.verified_frontier)
        if position.verified_frontier is not None
        else EMPTY
    )
    return FollowState(
        start=position.start_index,
        frontier=parse_frontier(position.frontier),
        verified=verified,
        pending=tuple(read_head(log, head.raw) for head in heads if head.size >= position.size),
        verified_heads=(read_head(log, position.head),) if position.head is not None else (),
    )


def position_of(log: Log, state: FollowState, at: datetime) -> LogPosition:
    """What is to be kept of a state."""
    head = state.verified_head
    root: RootHash | None = head.root if head is not None else None
    return LogPosition(
        log_id=log.log_id,
        description=log.description,
        url=log.url,
        start_index=state.start,
        size=state.frontier.size,
        frontier=state.frontier.to_bytes(),
        verified_size=state.verified.size,
        verified_root=root,
        verified_frontier=state.verified.to_bytes() if head is not None else None,
        head=head.raw if head is not None else None,
        head_timestamp=head.timestamp if head is not None else None,
        updated=at,
    )


def same_place(before: LogPosition | None, after: LogPosition) -> bool:
    """Whether a commit of `after` would change nothing."""
    return before is not None and (before.size, before.head) == (after.size, after.head)


def pending_head(log: Log, head: Head, at: datetime) -> PendingHead:
    """A head on the way to which a crash may come: evidence that must survive it."""
    return PendingHead(
        log_id=log.log_id,
        size=head.size,
        root=head.root,
        timestamp=head.timestamp,
        source=head.source,
        raw=head.raw,
        seen=at,
    )


def identity(head: PendingHead) -> tuple[int, bytes]:
    """What makes two heads one: the same tree, however often it was signed."""
    return head.size, head.root
