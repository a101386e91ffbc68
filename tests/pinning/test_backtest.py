"""Pins tried on the past: which days clients are locked out, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pinwarden.errors import MalformedError
from pinwarden.issuances import PastIssuance
from pinwarden.pinning.backtest import Ground, KeysAbove, Outcome, backtest_pins, covers
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, OnExpiry, PinnedKey, PinPolicy, PinRole, PinSetError
from pinwarden.pinning.result import PinVerdict
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_history import ABOVE, AT, DAY, HOST, INTERMEDIATE, ROOT, SECOND, START, issued
from support.pin_samples import certificate


def pinned(**roles: str | Sequence[str]) -> tuple[PinnedKey, ...]:
    """Keys by role; `int` and `root` are those of the CA."""
    known = {"int": pin_of_certificate(INTERMEDIATE), "root": pin_of_certificate(ROOT)}
    return tuple(
        PinnedKey(known.get(name) or Pin.of_spki(name.encode()), PinRole(role))
        for role, names in roles.items()
        for name in ([names] if isinstance(names, str) else names)
    )


def pins(mode: Mode = Mode.ENFORCE, host: str = HOST, **said: object) -> PinSet:
    """A set whose policy pins the key `own`, with `spare` as its backup, unless said otherwise."""
    roles = {role.value: said.pop(role.value, ()) for role in PinRole}
    if not roles["leaf"] and not roles["ca"]:
        roles["leaf"] = "own"
    roles["backup"] = roles["backup"] or "spare"
    return PinSet([PinPolicy(host=host, mode=mode, keys=pinned(**roles), **said)])  # type: ignore[arg-type]


def test_a_change_of_the_key_locks_out_from_that_day_on() -> None:
    """The first day, the last one, and that the day before was one on which clients got in."""
    tried = backtest_pins(
        pins(), HOST, [issued(0, 40), issued(30, 90, "new")], at=AT, since=START, above=ABOVE
    )
    assert tried.outcome is Outcome.LOCKED_OUT
    assert not tried.passes
    (locked,) = tried.of(Outcome.LOCKED_OUT)
    assert (locked.first_day, locked.last_day) == (date(2026, 1, 31), date(2026, 2, 28))
    assert tried.days == {Outcome.LOCKED_OUT: 29, Outcome.MATCH: 30}
    assert locked.ground is Ground.NO_PIN_MATCHED
    assert locked.way_back is not None
    assert locked.way_back.issuance.not_before == START
    assert tried.changes == (START + 30 * DAY,)
    assert tried.issuer_changes == ()


def test_renewals_with_the_key_lock_nobody_out() -> None:
    """The tightest pin there is passes where every renewal kept the key."""
    past = [issued(begins, 40) for begins in (0, 25, 50)]
    tried = backtest_pins(pins(), HOST, past, at=AT, since=START, above=ABOVE)
    assert (tried.outcome, tried.passes) == (Outcome.MATCH, True)
    assert tried.days == {Outcome.MATCH: 59}
    assert (tried.certificates, tried.changes) == (3, ())


def test_the_backup_is_told_apart() -> None:
    """Days on which nothing but the backup pin let clients in are such days, and pass."""
    past = [issued(0, 40), issued(20, 90, "spare")]
    tried = backtest_pins(pins(), HOST, past, at=AT, since=START, above=ABOVE)
    assert tried.days == {Outcome.BACKUP_ALONE: 39, Outcome.MATCH: 20}
    assert tried.passes
    assert tried.of(Outcome.BACKUP_ALONE)[0].ground is Ground.BACKUP_MATCHED


def test_the_older_certificate_takes_over_again() -> None:
    """A short certificate with another key ends, and the older one is presumed to be back."""
    past = [issued(0, 90), issued(10, 5, "new")]
    tried = backtest_pins(pins(), HOST, past, at=AT, since=START, above=ABOVE)
    assert tried.days[Outcome.LOCKED_OUT] == 5
    assert [each.outcome for each in tried.stretches] == [
        Outcome.MATCH,
        Outcome.LOCKED_OUT,
        Outcome.MATCH,
    ]


def test_an_older_certificate_that_is_valid_still_is_told() -> None:
    """Servers that were not renewed yet may serve it, and no pin matches it."""
    past = [issued(0, 40, "new"), issued(20, 90)]
    tried = backtest_pins(pins(), HOST, past, at=AT, since=START, above=ABOVE)
    assert tried.days == {Outcome.LOCKED_OUT: 20, Outcome.MATCH: 39}
    (first, *_) = tried.of(Outcome.MATCH)
    assert first.also is not None
    assert first.also.issuance is past[0]


def test_a_sibling_of_the_newest_counts() -> None:
    """With an RSA and an ECDSA certificate of one hour, half of the clients get either."""
    ecdsa, rsa = issued(0, 90), replace(issued(0, 90, "rsa"), serial="2")
    later = replace(rsa, not_before=START + timedelta(hours=1))
    earlier = replace(ecdsa, not_before=START + timedelta(hours=1))
    for past in ([ecdsa, later], [rsa, earlier]):
        tried = backtest_pins(pins(), HOST, past, at=AT, since=START, above=ABOVE)
        assert tried.outcome is Outcome.LOCKED_OUT, past
        assert tried.stretches[-1].outcome is Outcome.LOCKED_OUT


def test_a_gap_is_not_known() -> None:
    """Days between two certificates are not days on which clients got in."""
    tried = backtest_pins(
        pins(), HOST, [issued(0, 10), issued(20, 90)], at=AT, since=START, above=ABOVE
    )
    assert tried.days == {Outcome.NO_CERTIFICATE: 10, Outcome.MATCH: 49}
    assert not tried.passes


def test_the_last_second_of_a_certificate_is_valid() -> None:
    """No gap between a certificate and one that begins with the next second."""
    tried = backtest_pins(
        pins(), HOST, [issued(0, 10), issued(10, 90)], at=AT, since=START, above=ABOVE
    )
    assert tried.passes


def test_days_before_the_first_certificate_are_not_counted() -> None:
    """A young host has a shorter history, and it says where that begins."""
    tried = backtest_pins(pins(), HOST, [issued(30, 90)], at=AT, since=START, above=ABOVE)
    assert (tried.begins, tried.total_days) == (START + 30 * DAY, 29)
    assert tried.passes


@pytest.mark.parametrize(
    "past",
    [
        [],
        [issued(0, 90, names=["other.example.com"])],
        [issued(90, 90)],
        [issued(-90, 30)],
        [replace(issued(0, 90), not_after=START - DAY)],
    ],
    ids=["none", "other-host", "future", "ended", "backwards"],
)
def test_no_history_is_no_pass(past: list[PastIssuance]) -> None:
    """Where no certificate of the host is known, nothing is."""
    tried = backtest_pins(pins(), HOST, past, at=AT, since=START, above=ABOVE)
    assert (tried.outcome, tried.passes) == (Outcome.NO_CERTIFICATE, False)
    assert (tried.begins, tried.stretches, tried.total_days) == (None, (), 0)


FULL, BARE = ABOVE, KeysAbove()


@pytest.mark.parametrize(
    ("roles", "leaf", "above", "verdict", "ground"),
    [
        ({"leaf": "own"}, "own", BARE, "match", "pin-matched"),
        ({"ca": "int"}, "own", BARE, "match", "pin-matched"),
        ({"ca": "int"}, None, BARE, "match", "pin-matched"),
        ({"ca": "root"}, "own", BARE, "unknown", "chain-not-known"),
        ({"ca": "root"}, "own", FULL, "match", "pin-matched"),
        ({"ca": "root"}, None, FULL, "match", "pin-matched"),
        ({"leaf": "own"}, "new", BARE, "unknown", "chain-not-known"),
        ({"leaf": "own"}, "new", FULL, "mismatch", "no-pin-matched"),
        ({"leaf": "own"}, None, FULL, "unknown", "key-not-known"),
        ({"ca": "stray"}, "own", FULL, "mismatch", "no-pin-matched"),
        ({"ca": "stray", "backup": "root"}, "own", FULL, "match", "backup-matched"),
        ({"ca": "stray", "backup": "root"}, "own", BARE, "unknown", "chain-not-known"),
        ({"ca": "root", "forbidden": "own"}, "own", BARE, "mismatch", "forbidden-key"),
        ({"leaf": "own", "forbidden": "int"}, "own", BARE, "mismatch", "forbidden-key"),
        ({"leaf": "own", "forbidden": "root"}, "own", BARE, "unknown", "chain-not-known"),
        ({"leaf": "own", "forbidden": "root"}, "own", FULL, "mismatch", "forbidden-key"),
        ({"ca": "int", "forbidden": "stolen"}, None, FULL, "unknown", "key-not-known"),
        ({"ca": "int", "forbidden": "stolen"}, "own", FULL, "match", "pin-matched"),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_what_is_not_known_is_no_pass(
    roles: dict[str, str], leaf: str | None, above: KeysAbove, verdict: str, ground: str
) -> None:
    """A verdict needs that nothing which is not known could turn it."""
    past = [issued(0, 90, leaf)]
    tried = backtest_pins(pins(**roles), HOST, past, at=AT, since=START, above=above)  # type: ignore[arg-type]
    trial = tried.stretches[0].trial
    assert trial is not None
    assert (str(trial.verdict), str(trial.ground)) == (verdict, ground)
    assert tried.passes is (verdict == "match")


def test_a_key_that_is_a_leaf_of_the_past_is_not_looked_for_above() -> None:
    """The old key of the host, pinned as a backup, could not be a CA's."""
    past = [issued(0, 10, "spare"), issued(10, 90, "new")]
    bare = backtest_pins(pins(), HOST, past, at=AT, since=START)
    assert bare.of(Outcome.LOCKED_OUT)[0].first_day == date(2026, 1, 11)


def test_a_cross_signed_ca_gives_two_chains() -> None:
    """A pin of only one of the roots lets some clients in: that is not known to be enough."""
    old = certificate("old", ca=True)
    crossed = certificate("root", "old", ca=True)
    above = KeysAbove([INTERMEDIATE, ROOT, crossed, old])
    tried = backtest_pins(
        PinSet([_ca_policy(pin_of_certificate(old))]), HOST, [issued(0, 90)], at=AT, above=above
    )
    assert tried.stretches[0].ground is Ground.CHAINS_DIFFER
    assert not tried.passes
    both = backtest_pins(pins(ca="root"), HOST, [issued(0, 90)], at=AT, above=above)
    assert both.passes


def _ca_policy(pin: Pin) -> PinPolicy:
    return PinPolicy(
        host=HOST,
        mode=Mode.ENFORCE,
        keys=(PinnedKey(pin, PinRole.CA),),
        allow_no_backup=True,
    )


def test_the_octets_tell_the_keys() -> None:
    """Of a certificate that is at hand the leaf's key and its issuer are found."""
    leaf = certificate("www", "int", ca=False)
    past = replace(issued(0, 90), spki_sha256=None, issuer_spki_sha256=None, der=leaf)
    tried = backtest_pins(pins(ca="root"), HOST, [past], at=AT, above=ABOVE)
    trial = tried.stretches[0].trial
    assert trial is not None
    assert (trial.leaf, trial.issuer) == (
        pin_of_certificate(leaf).spki_sha256,
        pin_of_certificate(INTERMEDIATE).spki_sha256,
    )
    assert tried.passes
    broken = replace(past, der=leaf[:-1])
    assert not backtest_pins(pins(ca="root"), HOST, [broken], at=AT, above=ABOVE).passes


def test_an_issuer_of_the_same_name_is_not_the_issuer() -> None:
    """The signature decides, not the name: anybody can call a CA alike."""
    impostor = certificate("int", ca=True)
    leaf = certificate("www", "int", ca=False)
    above = KeysAbove([certificate("int", "rogue", ca=True), ROOT])
    past = replace(issued(0, 90), spki_sha256=None, issuer_spki_sha256=None, der=leaf)
    # The samples give one key to one name, so that only another issuer's leaf tells.
    other = replace(past, der=certificate("www", "rogue", ca=False))
    tried = backtest_pins(pins(ca="int"), HOST, [other], at=AT, above=KeysAbove([impostor]))
    assert tried.stretches[0].trial is not None
    assert tried.stretches[0].trial.issuer is None
    assert above.known(past).issuer is not None


@pytest.mark.parametrize(
    ("on_expiry", "outcome", "passes"),
    [
        (OnExpiry.CLOSED, Outcome.LOCKED_OUT, False),
        (OnExpiry.OPEN, Outcome.NOT_PINNED, False),
        (OnExpiry.REPORT_ONLY, Outcome.MATCH, True),
    ],
    ids=str,
)
def test_a_policy_that_ends_in_the_past(
    on_expiry: OnExpiry, outcome: Outcome, passes: bool
) -> None:
    """After its last day the set does what it says, from midnight in UTC on."""
    said = pins(expires=date(2026, 1, 31), on_expiry=on_expiry)
    tried = backtest_pins(said, HOST, [issued(0, 90)], at=AT, since=START, above=ABOVE)
    assert (tried.outcome, tried.passes) == (outcome, passes)
    if not passes:
        assert tried.of(outcome)[0].start == datetime(2026, 2, 1, tzinfo=UTC)
        assert tried.days[outcome] == 28


def test_a_policy_that_only_reports_is_told_apart() -> None:
    """Its mismatches are the same days; whether they are refused is another question."""
    tried = backtest_pins(pins(Mode.REPORT_ONLY), HOST, [issued(0, 90, "new")], at=AT, above=ABOVE)
    assert (tried.outcome, tried.enforced) == (Outcome.LOCKED_OUT, False)


@pytest.mark.parametrize(
    ("names", "host", "good"),
    [
        (["api.example.com"], HOST, True),
        (["*.example.com"], HOST, True),
        (["*.com"], HOST, False),
        (["*.api.example.com"], HOST, False),
        (["*.example.com"], "example.com", False),
        (["*"], "localhost", False),
        (["a*.example.com"], HOST, False),
        (["\ufffd"], HOST, False),
        (["192.0.2.1"], "192.0.2.1", True),
        (["*.0.2.1"], "192.0.2.1", False),
        (["2001:DB8::1"], "2001:db8::1", True),
    ],
)
def test_the_names_that_are_good_for_a_host(names: list[str], host: str, good: bool) -> None:
    """As clients read them: a wildcard is one whole label, and no part of an address."""
    assert covers(names, host) is good


def test_a_host_without_a_policy() -> None:
    """There is nothing to try, and that is no answer."""
    with pytest.raises(PinSetError, match="no policy"):
        backtest_pins(pins(), "other.example", [], at=AT)
    with pytest.raises(MalformedError):
        backtest_pins(pins(), "*.example", [], at=AT)


def test_the_end_of_time() -> None:
    """A certificate that never ends (RFC 5280 section 4.1.2.5) does not leave the calendar."""
    past = replace(issued(0, 90), not_after=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert backtest_pins(pins(), HOST, [past], at=AT, above=ABOVE).passes


def test_many_certificates_take_no_longer_than_they_must() -> None:
    """Thousands of certificates that are valid together are not compared with each other."""
    past = [
        replace(issued(0, 90, name), not_before=START + number * SECOND, serial=str(number))
        for number in range(20_000)
        for name in ("own" if number % 2 else "new",)
    ]
    tried = backtest_pins(pins(), HOST, past, at=AT, above=ABOVE)
    assert tried.certificates == 20_000
    assert tried.stretches[-1].trial is not None
    assert tried.stretches[-1].trial.verdict is PinVerdict.MISMATCH
