"""Pins tried on the past, against naive models: every hour anew, and the whole chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pinwarden.issuances import PastIssuance
from pinwarden.pinning.backtest import Ground, Outcome, backtest_pins
from pinwarden.pinning.evaluate import judged
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, PinnedKey, PinPolicy, PinRole
from pinwarden.pinning.result import PinVerdict
from support.pin_history import ABOVE, AT, DAY, HOST, START, issued, key

KEYS = ["leaf", "issuing", "above", "top", "elsewhere"]
TRUE_CHAIN = [key(name) for name in KEYS[:4]]


@st.composite
def policies_and_parts(draw: st.DrawFn) -> tuple[PinPolicy, PastIssuance]:
    """A policy about any keys, and a certificate of whose chain any part is told."""
    pinned_keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True))
    roles = [draw(st.sampled_from([PinRole.LEAF, PinRole.CA])) for _ in pinned_keys]
    keys = [PinnedKey(Pin.of_spki(n.encode()), r) for n, r in zip(pinned_keys, roles, strict=True)]
    others = [name for name in KEYS if name not in pinned_keys]
    for role in (PinRole.BACKUP, PinRole.FORBIDDEN):
        if others and draw(st.booleans()):
            taken = others.pop(draw(st.integers(0, len(others) - 1)))
            keys.append(PinnedKey(Pin.of_spki(taken.encode()), role))
    policy = PinPolicy(
        host=HOST,
        mode=Mode.ENFORCE,
        keys=tuple(keys),
        allow_no_backup=True,
        include_subdomains=True,
    )
    past = replace(
        issued(0, 90),
        spki_sha256=draw(st.sampled_from([None, TRUE_CHAIN[0]])),
        issuer_spki_sha256=draw(st.sampled_from([None, TRUE_CHAIN[1]])),
        chain_spki_sha256=tuple(TRUE_CHAIN[2 : draw(st.integers(2, 4))]),
    )
    return policy, past


@given(policies_and_parts())
def test_what_is_told_of_a_part_holds_for_the_whole(drawn: tuple[PinPolicy, PastIssuance]) -> None:
    """A verdict on some keys of a chain is that on the whole chain, or unknown."""
    policy, past = drawn
    tried = backtest_pins(PinSet([policy]), HOST, [past], at=AT)
    trial = tried.stretches[0].trial
    assert trial is not None
    whole, _ = judged(policy, TRUE_CHAIN, expired=False, readable=True)
    assert trial.verdict in (whole, PinVerdict.UNKNOWN)
    if trial.ground is Ground.BACKUP_MATCHED:
        found = {k.role for k in policy.keys if k.pin.spki_sha256 in TRUE_CHAIN}
        assert PinRole.BACKUP in found


spans = st.tuples(
    st.integers(-30, 70), st.integers(1, 60), st.sampled_from(["own", "new", "spare"])
)


@given(st.lists(spans, max_size=8), st.integers(0, 40))
def test_every_hour_against_a_naive_model(drawn: list[tuple[int, int, str]], first: int) -> None:
    """What a person finds who asks, for each hour anew, which certificate is the newest."""
    policy = PinPolicy.of(HOST, "enforce", leaf_pins=[_pin("own")], backup_pins=[_pin("spare")])
    past = [issued(*each) for each in drawn]
    since = START + first * DAY
    tried = backtest_pins(PinSet([policy]), HOST, past, at=AT, since=since, above=ABOVE)
    answers = list(_hours(past, since))
    while answers and answers[0][1] is Outcome.NO_CERTIFICATE:
        answers.pop(0)
    for hour, outcome in answers:
        (found,) = [each for each in tried.stretches if each.start <= hour < each.end]
        assert found.outcome is outcome
    gravest: dict[date, Outcome] = {}
    order = list(Outcome)
    for hour, outcome in answers:
        known = gravest.get(hour.date(), outcome)
        gravest[hour.date()] = min(known, outcome, key=order.index)
    assert tried.total_days == len(gravest)
    assert tried.days == {each: n for each in Outcome if (n := [*gravest.values()].count(each))}


def _pin(name: str) -> Pin:
    return Pin.of_spki(name.encode())


def _hours(past: Sequence[PastIssuance], since: datetime) -> Iterator[tuple[datetime, Outcome]]:
    outcomes = {
        key("own"): Outcome.MATCH,
        key("spare"): Outcome.BACKUP_ALONE,
        key("new"): Outcome.LOCKED_OUT,
    }
    hour = since
    while hour < AT:
        valid = [each for each in past if each.not_before <= hour <= each.not_after]
        newest = max((each.not_before for each in valid), default=hour)
        served = [outcomes[e.spki_sha256 or b""] for e in valid if newest - e.not_before < DAY]
        yield hour, min(served, key=list(Outcome).index, default=Outcome.NO_CERTIFICATE)
        hour += timedelta(hours=1)
