"""Which certificate a host presumably served when: the newest that was valid, and its siblings.

What a server really sent in the past nobody wrote down. A certificate is presumed to be
served from its first day until a newer one begins or it ends; then the newest that is still
valid takes over. Those that begin within a day of the newest are presumed to be served
beside it: hosts with an RSA and an ECDSA certificate get both within minutes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise

from pinwarden.issuances import PastIssuance
from pinwarden.pinning.backtest.trial import Ground, Trial
from pinwarden.pinning.host import is_ip

__all__ = ["BESIDE", "Turn", "covers", "turns"]

BESIDE = timedelta(days=1)
"""Certificates that begin so much apart are presumed to be served side by side."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """What was presumably served from `start` until before `end`.

    `valid` has the newest valid certificate of each ground that any has, the newest first;
    `served` those of them that are presumed to be served. Both are empty in a gap.
    """

    start: datetime
    end: datetime
    served: tuple[Trial, ...]
    valid: tuple[Trial, ...]


def covers(names: Sequence[str], host: str) -> bool:
    """Whether a certificate with these names is good for a host (RFC 9525 section 6.3).

    A wildcard stands for exactly one label, and only as the whole of the leftmost one.
    """
    if is_ip(host):
        return any(_address(each) == host for each in names)
    label, dot, rest = host.partition(".")
    return host in names or bool(label and dot and f"*.{rest}" in names)


def _address(name: str) -> str:
    try:
        return str(ip_address(name))
    except ValueError:
        return ""


def turns(
    issuances: Sequence[PastIssuance],
    judge: Callable[[PastIssuance], Trial],
    start: datetime,
    end: datetime,
) -> Iterator[Turn]:
    """The turns from `start` until before `end`, in their order and without holes."""
    starts, ends = [], []
    for issuance in issuances:
        first = max(issuance.not_before, start)
        # The last second is part of the validity (RFC 5280 section 4.1.2.5).
        last = end if issuance.not_after >= end else issuance.not_after + _SECOND
        if first < min(last, end):
            starts.append((first, issuance))
            ends.append(last)
    order = sorted(range(len(starts)), key=lambda each: starts[each][0])
    moments = sorted({start, end, *(first for first, _ in starts), *ends})
    # The newest valid certificate of each kind, without looking at the others: a heap of
    # which what has ended is dropped only when it comes to the top.
    heaps: dict[Ground, list[tuple[float, int]]] = {}
    trials: dict[int, Trial] = {}
    begun = 0
    for moment, after in pairwise(moments):
        while begun < len(order) and starts[order[begun]][0] <= moment:
            number = order[begun]
            trials[number] = judge(starts[number][1])
            newest = -starts[number][1].not_before.timestamp()
            heapq.heappush(heaps.setdefault(trials[number].ground, []), (newest, number))
            begun += 1
        for heap in heaps.values():
            while heap and ends[heap[0][1]] <= moment:
                heapq.heappop(heap)
        yield _turn(moment, after, heaps, trials)


def _turn(
    start: datetime,
    end: datetime,
    heaps: Mapping[Ground, Sequence[tuple[float, int]]],
    trials: Mapping[int, Trial],
) -> Turn:
    newest_first = sorted(heap[0] for heap in heaps.values() if heap)
    valid = tuple(trials[number] for _, number in newest_first)
    served = tuple(
        each for each in valid if valid[0].issuance.not_before - each.issuance.not_before < BESIDE
    )
    return Turn(start, end, served, valid)
