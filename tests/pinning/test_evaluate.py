"""Evaluation against a second, naive model of what a pin set says; and its edges by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.pinning.evaluate import compare
from pinwarden.pinning.pin import Pin, parse_pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, OnExpiry, PinnedKey, PinPolicy, PinRole, UnpinnedHosts
from pinwarden.pinning.result import PinVerdict, Reason
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_oracle import Rule, answer
from support.pin_samples import AT, certificate, pin, policy

NAMES = ["www", "int", "root", "other", "ed"]
CHAIN = (
    certificate("www", "int", ca=False),
    certificate("int", "root", ca=True),
    certificate("root", ca=True),
)
LEAF, INTERMEDIATE, ROOT = map(pin_of_certificate, CHAIN)

hosts = st.lists(st.sampled_from(["a", "b", "aa"]), min_size=1, max_size=4).map(".".join)
keys = st.lists(st.sampled_from(NAMES), max_size=2, unique=True)
days = st.dates(date(2026, 11, 20), date(2026, 11, 28))
chains = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(
    lambda names: [certificate(name) for name in names]
)


def base64_of(name: str) -> str:
    return pin_of_certificate(certificate(name)).base64


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Rules that contradict nothing: no pin is in two roles, and one of them is in use."""
    names = list(draw(st.permutations(NAMES)))
    leaf = [names.pop()] if draw(st.booleans()) else []
    ca = [names.pop()] if not leaf or draw(st.booleans()) else []
    host = draw(hosts)
    below = draw(st.booleans())
    return Rule(
        host=host,
        enforce=draw(st.booleans()),
        leaf=tuple(map(base64_of, leaf)),
        ca=tuple(map(base64_of, ca)),
        backup=(base64_of(names.pop()),),
        forbidden=tuple(map(base64_of, names[: draw(st.integers(0, 1))])),
        below=below,
        exclude=tuple(f"{each}.{host}" for each in draw(st.lists(hosts, max_size=2)) if below),
        expiry=draw(
            st.none() | st.tuples(days, st.sampled_from(["closed", "open", "report-only"]))
        ),
    )


def as_policy(rule: Rule) -> PinPolicy:
    roles = {
        PinRole.LEAF: rule.leaf,
        PinRole.CA: rule.ca,
        PinRole.BACKUP: rule.backup,
        PinRole.FORBIDDEN: rule.forbidden,
    }
    return PinPolicy(
        host=rule.host,
        mode=Mode.ENFORCE if rule.enforce else Mode.REPORT_ONLY,
        keys=tuple(PinnedKey(parse_pin(each), role) for role in roles for each in roles[role]),
        include_subdomains=rule.below,
        exclude=rule.exclude,
        expires=rule.expiry[0] if rule.expiry else None,
        on_expiry=OnExpiry(rule.expiry[1]) if rule.expiry else None,
    )


@given(
    st.lists(rules(), min_size=1, max_size=4, unique_by=lambda rule: rule.host),
    st.sampled_from(UnpinnedHosts),
    hosts,
    chains,
    st.integers(-9_000, 9_000).map(lambda minutes: AT + timedelta(minutes=minutes)),
)
def test_a_second_model_says_the_same(
    said: list[Rule], others: UnpinnedHosts, host: str, chain: list[bytes], at: datetime
) -> None:
    pins = PinSet(map(as_policy, said), unpinned_hosts=others)
    expected = answer(said, others is UnpinnedHosts.REFUSE, host, chain, at)
    for _ in range(2):
        result = pins.check(chain, host, at=at)
        assert result.verdict == expected.verdict
        assert result.allowed is expected.allowed
        assert (result.policy.host if result.policy else None) == expected.rule
        assert {key.pin.base64 for key in result.matched} == expected.matched
        assert result.failed is (expected.verdict == "mismatch")


@given(st.lists(st.sampled_from(CHAIN), max_size=3), st.binary(max_size=40), st.sampled_from(Mode))
def test_a_chain_that_cannot_be_read_never_matches(
    chain: list[bytes], junk: bytes, mode: Mode
) -> None:
    keys = (PinnedKey(LEAF, PinRole.LEAF), PinnedKey(ROOT, PinRole.CA))
    pinned = policy(keys=keys, mode=mode, allow_no_backup=True)
    for broken in ([junk, *chain], [*chain, junk], [*chain, CHAIN[0] + b"\0"]):
        result = compare(pinned, broken, "api.example.com", at=AT)
        assert result.verdict is PinVerdict.MISMATCH
        assert result.reason is Reason.CHAIN_UNREADABLE
        assert result.allowed is (mode is Mode.REPORT_ONLY)
        assert result.problem


def keyed(**roles: Pin) -> PinPolicy:
    found = {PinRole.BACKUP: pin("spare"), **{PinRole(role): roles[role] for role in roles}}
    if not {"leaf", "ca"} & roles.keys():
        found[PinRole.CA] = pin("unseen")
    return policy(keys=tuple(PinnedKey(each, role) for role, each in found.items()))


@pytest.mark.parametrize(
    ("pinned", "reason"),
    [
        (keyed(leaf=LEAF), Reason.PIN_MATCHED),
        (keyed(ca=INTERMEDIATE), Reason.PIN_MATCHED),
        (keyed(ca=ROOT), Reason.PIN_MATCHED),
        (keyed(backup=LEAF), Reason.PIN_MATCHED),
        (keyed(backup=ROOT), Reason.PIN_MATCHED),
        # A leaf pin is not met by a CA, nor the other way round.
        (keyed(leaf=INTERMEDIATE), Reason.NO_PIN_MATCHED),
        (keyed(ca=LEAF), Reason.NO_PIN_MATCHED),
        (keyed(ca=ROOT, forbidden=INTERMEDIATE), Reason.FORBIDDEN_KEY),
        (keyed(ca=ROOT, forbidden=LEAF), Reason.FORBIDDEN_KEY),
    ],
)
def test_a_pin_is_met_where_its_role_says(pinned: PinPolicy, reason: Reason) -> None:
    result = compare(pinned, CHAIN, "api.example.com", at=AT)
    assert result.reason is reason
    assert result.seen == (LEAF, INTERMEDIATE, ROOT)
    assert bool(result.matched) is result.allowed is (reason is Reason.PIN_MATCHED)


def test_what_matched_is_only_what_stands_in_its_place() -> None:
    """A pin in the wrong place is not told as matched beside one in the right place."""
    spare = PinnedKey(ROOT, PinRole.BACKUP)
    misplaced = (PinnedKey(INTERMEDIATE, PinRole.LEAF), PinnedKey(LEAF, PinRole.CA))
    result = compare(policy(keys=(*misplaced, spare)), CHAIN, "api.example.com", at=AT)
    assert (result.verdict, result.matched) == (PinVerdict.MATCH, (spare,))


def test_nothing_is_matched_by_nothing() -> None:
    result = compare(keyed(leaf=LEAF), (), "api.example.com", at=AT)
    assert (result.verdict, result.reason, result.allowed) == ("mismatch", "empty-chain", False)
    told = str(result)
    assert "there is no verified chain" in told
    assert "seen: nothing" in told


LAST = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("at", "over"),
    [
        (datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 25, tzinfo=UTC), True),
        (datetime(2026, 11, 25, tzinfo=UTC).replace(tzinfo=None), True),
        (datetime(2026, 11, 24, 23, 59, tzinfo=UTC).replace(tzinfo=None), False),
        # Half past one in Kyiv on the 25th is still the 24th in UTC.
        (datetime(2026, 11, 25, 1, 30, tzinfo=timezone(timedelta(hours=2))), False),
        (datetime(2026, 11, 24, 22, 30, tzinfo=timezone(timedelta(hours=-2))), True),
    ],
)
def test_the_last_day_ends_in_utc(at: datetime, over: bool) -> None:
    assert policy(expires=LAST, on_expiry="closed").expired(at) is over


@pytest.mark.parametrize(
    ("word", "chain", "verdict", "allowed", "mode"),
    [
        ("closed", CHAIN, "mismatch", False, Mode.ENFORCE),
        ("closed", (), "mismatch", False, Mode.ENFORCE),
        ("open", CHAIN, "unknown", True, None),
        ("open", (), "unknown", True, None),
        ("report-only", CHAIN, "match", True, Mode.REPORT_ONLY),
        ("report-only", CHAIN[:1], "mismatch", True, Mode.REPORT_ONLY),
    ],
)
def test_the_day_after_is_as_the_policy_says(
    word: str, chain: tuple[bytes, ...], verdict: str, allowed: bool, mode: Mode | None
) -> None:
    keys = (PinnedKey(ROOT, PinRole.CA), PinnedKey(pin("spare"), PinRole.BACKUP))
    pinned = policy(keys=keys, expires=LAST, on_expiry=word)
    result = compare(pinned, chain, "api.example.com", at=AT + timedelta(1))
    assert (result.verdict, result.allowed, result.mode) == (verdict, allowed, mode)


def test_the_words_name_who_what_and_why() -> None:
    pinned = policy()
    result = compare(pinned, CHAIN, "api.example.com\x1b[2J", at=AT)
    told = str(result)
    assert told.isprintable()
    assert told.startswith(
        "api.example.com\\x1b[2J: no pinned key is in the verified chain (seen: "
    )
    for each in (LEAF, INTERMEDIATE, ROOT, *pinned.pins()):
        assert str(each) in told
