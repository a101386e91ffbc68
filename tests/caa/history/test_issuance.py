"""Was it allowed when it was issued: the committed cases, and what they leave open."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caa.observations import (
    CA1,
    CA2,
    ISSUED,
    NOBODY,
    certificate,
    failure,
    hours,
    judged,
    look,
    verdict_of,
)
from pinwarden.caa.history.issuance import Issuance, evaluate_at_issuance
from pinwarden.caa.history.observation import Observation
from pinwarden.caa.history.observation_json import parse_observations
from pinwarden.caa.profiles import Profile
from pinwarden.verdicts import Verdict

BOUND = '0 issue "ca1.example.net;accounturi=https://ca1.example.net/account/1"'
BY_DNS = '0 issue "ca1.example.net;validationmethods=dns-01"'

STABLE = ("authorized", "policy-stable")
AT_ISSUANCE = ("authorized", "policy-at-issuance")
FORBIDDEN = ("unauthorized", "issuer-not-listed")
CHANGED = ("possibly-authorized", "changed-within-window")
UNSEEN = ("unknown", "no-observation-in-window")
NOT_BRACKETED = ("possibly-authorized", "not-bracketed")
FAILED = ("unknown", "lookup-failure")


def _cases() -> list[dict[str, Any]]:
    file = Path(__file__).parents[2] / "vectors" / "caa-temporal.json"
    cases: list[dict[str, Any]] = json.loads(file.read_text())
    return cases


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["id"])
def test_committed_cases(case: dict[str, Any]) -> None:
    """Verdict and reason of every case are those expected."""
    shown = case["certificate"]
    issuance = Issuance(
        names=tuple(shown["names"]),
        issuers=None if shown["issuer"] is None else (shown["issuer"],),
        earliest_sct=_moment(shown["earliest_sct"]),
        not_before=_moment(shown["not_before"]),
    )
    verdict = evaluate_at_issuance(parse_observations(json.dumps(case["observations"])), issuance)
    assert (verdict.verdict, verdict.reason) == (
        case["expect"]["verdict"],
        case["expect"]["reason"],
    )
    assert verdict.why


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param([look(-36, CA2), look(12, CA2)], FORBIDDEN, id="the same refusal all along"),
        pytest.param([look(-36, CA2), look(-9, CA1), look(12, CA1)], AT_ISSUANCE, id="loosened"),
        pytest.param([look(-36, CA2), look(11, CA2), look(12, CA1)], FORBIDDEN, id="too late"),
        pytest.param([look(-36, CA1), look(-4, CA2), look(9, CA2)], CHANGED, id="tightened within"),
        pytest.param([look(-36, CA2), look(-4, CA1), look(9, CA1)], CHANGED, id="loosened within"),
        pytest.param([look(-36, CA1), look(-9, CA2), look(9, CA2)], FORBIDDEN, id="before it"),
        pytest.param([look(-9, CA1), look(-8, CA2), look(9, CA2)], CHANGED, id="at its edge"),
        pytest.param(
            [look(-30, CA2, ttl=86400), look(-20, CA1), look(9, CA1)],
            CHANGED,
            id="a long TTL makes a long window, also for a refusal",
        ),
        pytest.param(
            [look(-12, CA1, ttl=14400), look(-10, CA2), look(9, CA2)],
            CHANGED,
            id="a permission lingers in a cache for one more TTL",
        ),
        pytest.param(
            [look(-12, CA2, ttl=14400), look(-10, CA1), look(9, CA1)],
            AT_ISSUANCE,
            id="a refusal that lingers would have been no certificate",
        ),
        pytest.param(
            [look(-36, CA1), look(-4, CA1, CA2), look(9, CA1, CA2)],
            AT_ISSUANCE,
            id="a change that does not matter for this CA",
        ),
        pytest.param(
            [look(-36, CA2), look(-4, NOBODY), look(9, NOBODY)],
            ("unauthorized", "empty-issuer"),
            id="another refusal",
        ),
        pytest.param(
            [look(-36, CA1, ttl=300), look(9, CA1, ttl=600)], STABLE, id="only the TTL changed"
        ),
        pytest.param(
            [look(-36, CA1), look(-4, CA1, relevant_name="com"), look(9, CA1)],
            AT_ISSUANCE,
            id="the same records elsewhere",
        ),
    ],
)
def test_changes(looks: list[Observation], expected: tuple[str, str]) -> None:
    """What counts is every policy in force while the CA may have looked."""
    assert judged(*looks) == expected
    assert judged(*reversed(looks)) == expected


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param([], UNSEEN, id="nothing at all"),
        pytest.param([look(0.1, CA1)], UNSEEN, id="only after"),
        pytest.param([look(-9, CA1)], UNSEEN, id="only before the window"),
        pytest.param([look(-9, CA2), look(9, CA1)], UNSEEN, id="different on both sides of it"),
        pytest.param([look(-9, CA1), look(9, CA1, CA2)], AT_ISSUANCE, id="permitted on both"),
        pytest.param([look(-9, CA2), look(9, NOBODY)], FORBIDDEN, id="forbidden on both"),
        pytest.param([look(-1, CA1)], NOT_BRACKETED, id="a permission, and no look since"),
        pytest.param([look(-9, CA1), look(-1, CA1)], NOT_BRACKETED, id="the same"),
        pytest.param([look(-1, CA1), look(1, CA1)], NOT_BRACKETED, id="first looked at within"),
        pytest.param([look(-1, CA2)], FORBIDDEN, id="a refusal, and no look since"),
        pytest.param([look(-9, CA1), look(-1, CA1), look(1, CA2)], AT_ISSUANCE, id="soon after"),
        pytest.param([look(-9, CA1), look(-1, CA1), look(99, CA2)], NOT_BRACKETED, id="long after"),
        pytest.param([look(-8, CA1), look(0, CA1)], STABLE, id="to the second"),
    ],
)
def test_gaps(looks: list[Observation], expected: tuple[str, str]) -> None:
    """What was not seen is not made up."""
    assert judged(*looks) == expected


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param([failure(-12), failure(12)], UNSEEN, id="only outside of the window"),
        pytest.param([failure(-4)], FAILED, id="only within"),
        pytest.param([look(-36, CA1), failure(-4)], FAILED, id="after a permission"),
        pytest.param([failure(-4), look(1, CA1)], FAILED, id="before one"),
        pytest.param([look(-36, CA1), failure(-4), look(9, CA1)], FAILED, id="all that is within"),
        pytest.param([look(-36, CA2), failure(-4), look(9, CA2)], FAILED, id="or refusals"),
        pytest.param(
            [look(-36, CA1), look(-6, CA1), failure(-4), look(9, CA1)], STABLE, id="one of several"
        ),
        pytest.param(
            [look(-36, CA2), failure(-4), look(-1, CA2), look(9, CA2)], FORBIDDEN, id="refusals"
        ),
        pytest.param(
            [look(-36, CA1), look(-6, CA1), failure(-4), look(-2, CA2), look(9, CA2)],
            CHANGED,
            id="beside a change",
        ),
    ],
)
def test_failures(looks: list[Observation], expected: tuple[str, str]) -> None:
    """A failed look is neither permission nor refusal, and if there is no other, doubt."""
    assert judged(*looks) == expected


def test_a_failure_that_a_ca_may_take_for_permission() -> None:
    """By the Baseline Requirements a failure can be one, so a refusal is not certain."""
    looks = [look(-36, CA2), failure(-4), look(-1, CA2), look(9, CA2)]
    lax = Profile(
        name="br",
        source="a test",
        lookup_failure="br",
        failure_outside_ca=True,
        retried=True,
        zone_insecure=True,
    )
    verdict = evaluate_at_issuance(looks, certificate(), lax)
    assert verdict.verdict is Verdict.POSSIBLY_AUTHORIZED
    assert verdict.reason == "lookup-failure-permitted"


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([BOUND], ("possibly-authorized", "account-not-observable")),
        ([BY_DNS], ("possibly-authorized", "method-not-observable")),
        ([BOUND, CA1], STABLE),
        ([BY_DNS, BOUND], ("possibly-authorized", "account-not-observable")),
        ([BOUND.replace("https:", "")], ("unauthorized", "account-unsatisfiable")),
        (['0 issuewild ";"'], ("authorized", "no-restricting-property")),
        (['0 issue "ca1.example.net;"', CA2], STABLE),
        (['0 issue "ca1 example net"'], ("unauthorized", "malformed-value")),
        ([CA1, '128 future "x"'], ("unauthorized", "unknown-critical")),
        ([CA1, "\\# 1 00"], FAILED),
        ([CA2, "\\# 1 00"], FORBIDDEN),
        ([], ("authorized", "no-rrset")),
    ],
)
def test_sets(records: list[str], expected: tuple[str, str]) -> None:
    """What one set that stands all along says; a certificate shows no account and no method."""
    assert judged(look(-36, *records), look(9, *records)) == expected


def test_an_account_that_the_owner_knows() -> None:
    """Known account and method decide."""
    looks = (look(-36, BOUND), look(9, BOUND))
    mine = "https://ca1.example.net/account/1"
    assert judged(*looks, account_uri=mine) == STABLE
    assert judged(*looks, account_uri=f"{mine}2") == ("unauthorized", "account-mismatch")
    looks = (look(-36, BY_DNS), look(9, BY_DNS))
    assert judged(*looks, method="dns-01") == STABLE
    assert judged(*looks, method="http-01") == ("unauthorized", "method-mismatch")


def test_one_account_after_another() -> None:
    """A binding that changed to another is still one that a certificate does not show."""
    other = BOUND.replace("account/1", "account/2")
    looks = (look(-36, BOUND), look(-4, other), look(9, other))
    assert judged(*looks) == ("possibly-authorized", "account-not-observable")
    assert judged(*looks, account_uri="https://ca1.example.net/account/1") == CHANGED


@pytest.mark.parametrize("wild", ["*.example.com", "*.EXAMPLE.com."])
def test_wildcard_names(wild: str) -> None:
    """A wildcard name is judged by issuewild, at the name without its star."""
    records = (CA1, '0 issuewild ";"')
    looks = (look(-36, *records), look(9, *records))
    assert judged(*looks) == STABLE
    assert judged(*looks, names=(wild,)) == ("unauthorized", "empty-issuer")
    named = [replace(each, name="*.example.com") for each in looks]
    assert judged(*named, names=(wild,)) == ("unauthorized", "empty-issuer")
    verdict = verdict_of(*looks, names=(wild,))
    assert [(each.name, each.wildcard) for each in verdict.names] == [("example.com", True)]


def test_the_worst_of_several_names_decides() -> None:
    """Every name must be permitted; a name that nobody looked at is not."""
    other = {"name": "other.example", "relevant_name": "other.example"}
    good = [look(-36, CA1), look(9, CA1)]
    bad = [look(-36, CA2, **other), look(9, CA2, **other)]
    names = ("example.com", "other.example")
    verdict = verdict_of(*good, *bad, names=names)
    assert (verdict.verdict, verdict.reason) == FORBIDDEN
    assert verdict.why[0].startswith("other.example: ")
    assert [each.verdict for each in verdict.names] == ["authorized", "unauthorized"]
    assert judged(*good, names=names) == UNSEEN
    assert judged(*bad, names=(*names, "third.example")) == FORBIDDEN
    bound = [look(-36, BOUND, **other), look(9, BOUND, **other)]
    assert judged(*good, *bound, names=names)[0] == "possibly-authorized"
    assert judged(*good, names=("example.com", "EXAMPLE.com", "192.0.2.1")) == STABLE


@pytest.mark.parametrize("name", ["192.0.2.1", "2001:db8::1", "abc.onion"])
def test_names_outside_of_caa(name: str) -> None:
    """CAA says nothing about addresses and onion names."""
    assert judged(names=(name,)) == ("authorized", "not-applicable")


@pytest.mark.parametrize("name", ["", "a..b", "\x00\x1b[31m", "x" * 2000, "*"])
def test_names_that_nobody_can_read(name: str) -> None:
    """A damaged name is unknown, in one line, and never a pass."""
    verdict = verdict_of(look(-36, CA1), look(9, CA1), names=("example.com", name))
    assert (verdict.verdict, verdict.reason) == ("unknown", "name-unreadable")
    assert all(line.isprintable() for line in verdict.why)


def test_a_ca_that_is_not_mapped() -> None:
    """Who is not known is never unauthorized, but where nobody at all is authorized."""
    for issuers in (None, ()):
        for records, expected in (
            ([CA1], ("unknown", "issuer-not-mapped")),
            ([NOBODY], ("unauthorized", "empty-issuer")),
            (['0 issue "%%"'], ("unauthorized", "malformed-value")),
            ([NOBODY, CA1], ("unknown", "issuer-not-mapped")),
            ([], ("authorized", "no-rrset")),
            (['0 iodef "mailto:a@example.com"'], ("authorized", "no-restricting-property")),
        ):
            looks = (look(-36, *records), look(9, *records))
            assert judged(*looks, issuers=issuers) == expected
    looks = (look(-36, CA2), look(9, CA2))
    assert judged(*looks, complete=False) == ("unknown", "issuer-not-mapped")
    looks = (look(-36, CA1), look(9, CA1))
    assert judged(*looks, complete=False) == STABLE


def test_a_ca_of_several_domains() -> None:
    """Any domain of the CA counts, in any case of letters."""
    looks = (look(-36, CA1), look(9, CA1))
    assert judged(*looks, issuers=("ca2.example.org", "CA1.example.net")) == STABLE


def test_without_an_sct_not_before_counts_and_it_is_said() -> None:
    """The certificate's own word is taken where there is no other."""
    looks = (look(-36, CA1), look(-30, CA1), look(-24, CA2), look(9, CA2))
    verdict = verdict_of(*looks, earliest_sct=None, not_before=hours(-25))
    assert (verdict.verdict, verdict.by_sct, verdict.at) == (
        "authorized",
        False,
        hours(-25),
    )
    assert "notBefore" in verdict.why[-1]
    verdict = verdict_of(*looks, not_before=hours(-25))
    assert (verdict.verdict, verdict.by_sct, verdict.at) == ("unauthorized", True, ISSUED)
    assert "notBefore" not in " ".join(verdict.why)
    assert judged(*looks, earliest_sct=None, not_before=None) == (
        "unknown",
        "issuance-time-unknown",
    )
    assert evaluate_at_issuance(looks, Issuance(names=(), earliest_sct=ISSUED)).verdict == "unknown"


def test_the_longest_gap_is_told() -> None:
    """How short a change could have gone unseen is part of the answer."""
    looks = [look(-36, CA1), look(-30, CA1), look(-2, CA1), look(3, CA1)]
    [name] = verdict_of(*looks).names
    assert name.longest_gap == timedelta(hours=28)
    merged = look(-36, CA1, last_seen=hours(3), count=9, longest_gap=timedelta(hours=7))
    [name] = verdict_of(merged).names
    assert name.longest_gap == timedelta(hours=7)
    assert name.verdict == "authorized"
    assert name.since == hours(-8)


def test_resolvers_that_disagree_are_both_right() -> None:
    """A CA may have asked as either of them did."""
    looks = [
        look(at, record, resolver=resolver)
        for at in (-9, -1, 1)
        for record, resolver in ((CA1, "one"), (CA2, "two"))
    ]
    assert judged(*looks) == CHANGED
    assert judged(*(each for each in looks if each.resolver == "one")) == STABLE


def test_a_resolver_that_took_over() -> None:
    """Another resolver in the configuration is no gap."""
    looks = [look(-20, CA1, resolver="one"), look(-1, CA1, resolver="one")]
    looks += [look(-0.5, CA1, resolver="two"), look(1, CA1, resolver="two")]
    assert judged(*looks) == STABLE


_LOOKS = st.lists(
    st.builds(
        lambda at, records, ttl, fails, resolver: (
            failure(at, resolver=resolver)
            if fails
            else look(at, *records, ttl=ttl, resolver=resolver)
        ),
        st.integers(-60, 60),
        st.lists(st.sampled_from([CA1, CA2, NOBODY, BOUND, "\\# 1 00"]), max_size=3, unique=True),
        st.one_of(st.none(), st.integers(0, 2**32 - 1)),
        st.booleans(),
        st.sampled_from(["", "other"]),
    ),
    max_size=12,
)


@given(_LOOKS)
def test_any_looks_give_a_verdict_that_holds(looks: list[Observation]) -> None:
    """Authorized only if nothing in force forbids it, unauthorized only if nothing permits it."""
    verdict = verdict_of(*looks)
    [name] = verdict.names
    decisions = {str(decision.verdict) for _, decision in name.policies}
    if verdict.verdict is Verdict.AUTHORIZED:
        assert decisions == {"allowed"}
    if verdict.verdict is Verdict.UNAUTHORIZED:
        assert decisions == {"denied"}
    assert verdict.why


@given(_LOOKS, st.randoms(use_true_random=False))
def test_the_order_of_looks_says_nothing(looks: list[Observation], random: Any) -> None:
    """Looks come from a store or a file in whatever order."""
    # Of two at one moment, nobody can say which was first.
    at_once = itertools.groupby(sorted(looks, key=_when), key=_when)
    looks = [next(group) for _, group in at_once]
    shuffled = list(looks)
    random.shuffle(shuffled)
    assert judged(*shuffled) == judged(*looks)


def _when(seen: Observation) -> tuple[str, datetime]:
    return seen.resolver, seen.first_seen
