"""Which policies were in force for a name around an issuance, as one resolver saw them.

A CA may issue on a CAA answer for its TTL or 8 hours, whichever is greater (TLS Baseline
Requirements, section 3.2.2.8): the window before an issuance in which every policy counts.
Between two looks with equal results the policy is presumed unchanged; a policy is presumed
to last until a look first shows another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pinwarden.caa.history.observation import LONGEST_GAP, Observation

REUSE = timedelta(hours=8)
"""How long a CA may rely on a CAA answer whose TTL is shorter."""

# Resolvers keep nothing for longer (RFC 8767 section 4), whatever the TTL says.
_LONGEST_TTL = timedelta(days=7)


def reuse_of(ttl: int | None) -> timedelta:
    """For how long an answer with this TTL, in seconds, allows a CA to issue."""
    return max(REUSE, _lifetime(ttl))


def _lifetime(ttl: int | None) -> timedelta:
    return min(timedelta(seconds=max(0, min(ttl or 0, 2**31))), _LONGEST_TTL)


@dataclass(frozen=True, slots=True)
class Spell:
    """One policy from the first look that showed it to the last before another one.

    `until` is when the next policy was first seen, None if no other was. `longest_gap`
    is the longest time between two looks from the first to that next one.
    """

    policy: Observation
    first_seen: datetime
    last_seen: datetime
    until: datetime | None
    ttl: int | None
    longest_gap: timedelta

    @property
    def end(self) -> datetime:
        """When it was in force for the last time, as far as anybody can say."""
        return self.last_seen if self.until is None else self.until


def spells_of(observations: Sequence[Observation]) -> tuple[Spell, ...]:
    """Policies in the order of time, from observations through one resolver.

    Failures tell of no policy; equal policies around them are one spell.
    """
    spells: list[Spell] = []
    for seen in sorted(observations, key=lambda each: (each.first_seen, each.last_seen)):
        if seen.failed:
            continue
        if spells and spells[-1].policy.policy == seen.policy:
            spells[-1] = _prolonged(spells[-1], seen)
            continue
        if spells:
            spells[-1] = _ended(spells[-1], seen.first_seen)
        spells.append(
            Spell(seen, seen.first_seen, seen.last_seen, None, seen.ttl, seen.longest_gap)
        )
    return tuple(spells)


def _prolonged(spell: Spell, seen: Observation) -> Spell:
    gap = seen.first_seen - spell.last_seen
    ttls = [ttl for ttl in (spell.ttl, seen.ttl) if ttl is not None]
    return replace(
        spell,
        last_seen=max(spell.last_seen, seen.last_seen),
        ttl=max(ttls, default=None),
        longest_gap=max(spell.longest_gap, gap, seen.longest_gap),
    )


def _ended(spell: Spell, at: datetime) -> Spell:
    return replace(spell, until=at, longest_gap=max(spell.longest_gap, at - spell.last_seen))


@dataclass(frozen=True, slots=True)
class InForce:
    """What one timeline says about the window that ends at an issuance.

    `certain` are the policies in force in the window, oldest first. `lingering` are
    older ones that a CA's resolver may still have had from its cache (for one more TTL).
    `around` are the policies before and after a window without any look in it, where
    they differ: one of them, or another, was in force. `from_before`: the window begins
    after the first look. `to_after`: the last policy was seen after the issuance, or
    another one soon after it; `following` is that other one, however late.
    """

    certain: tuple[Spell, ...] = ()
    lingering: tuple[Spell, ...] = ()
    around: tuple[Spell, ...] = ()
    from_before: bool = False
    to_after: bool = False
    following: Spell | None = None


def window_start(spells: Sequence[Spell], issued: datetime) -> datetime:
    """When the window begins: the earliest moment whose answer could serve at `issued`."""
    starts = [
        issued - reuse_of(spell.ttl)
        for spell in spells
        if spell.first_seen <= issued <= spell.end + reuse_of(spell.ttl)
    ]
    return min(starts, default=issued - REUSE)


def in_force(spells: Sequence[Spell], issued: datetime, start: datetime) -> InForce:
    """The policies of one timeline in the window from `start` to `issued`."""
    # One first seen after the issuance came too late, though it may have begun unseen.
    begun = [spell for spell in spells if spell.first_seen <= issued]
    certain = tuple(spell for spell in begun if spell.end >= start)
    lingering = tuple(
        spell
        for spell in begun
        if spell.end < start and spell.end + _lifetime(spell.ttl) + reuse_of(spell.ttl) >= issued
    )
    if len(certain) == 1 and certain[0].last_seen < start:
        # Carried into the window by nothing but the lack of a look.
        after = tuple(spell for spell in spells if spell.first_seen > issued)[:1]
        return InForce(around=(*certain, *after), from_before=True, to_after=bool(after))
    last = certain[-1] if certain else None
    return InForce(
        certain,
        lingering,
        from_before=bool(begun) and begun[0].first_seen <= start,
        to_after=last is not None and _seen_after(last, issued),
        following=next((spell for spell in spells if spell.first_seen > issued), None),
    )


def _seen_after(last: Spell, issued: datetime) -> bool:
    if last.last_seen >= issued:
        return True
    return last.until is not None and last.until - last.last_seen <= LONGEST_GAP


def longest_gap(spells: Sequence[Spell]) -> timedelta | None:
    """The longest time in which a short change of these policies would have gone unseen."""
    return max((spell.longest_gap for spell in spells), default=None)
