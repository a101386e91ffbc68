"""Policies that contradict themselves, or would lock people out, are refused in words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pinwarden.errors import PinwardenError
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import (
    Mode,
    OnExpiry,
    PinnedKey,
    PinPolicy,
    PinRole,
    PinSetError,
)
from pinwarden.x509.certificate import SPKIHash
from support.pin_samples import pin, policy


def keys(**roles: str) -> tuple[PinnedKey, ...]:
    return tuple(PinnedKey(pin(name), PinRole(role)) for role, name in roles.items())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"keys": ()}, "pins nothing: there is no leaf or CA pin"),
        ({"keys": keys(backup="b")}, "pins nothing"),
        ({"keys": keys(forbidden="f", backup="b")}, "pins nothing"),
        ({"keys": keys(ca="a")}, "has no backup pin: whoever loses the pinned key locks every"),
        ({"keys": keys(ca="a", backup="a")}, "is in use, so it is no backup"),
        ({"keys": keys(leaf="a", backup="a")}, "is in use, so it is no backup"),
        ({"keys": keys(ca="a", backup="b", forbidden="a")}, "is pinned and forbidden"),
        ({"keys": keys(ca="a", backup="b", forbidden="b")}, "is pinned and forbidden"),
        ({"expires": date(2027, 6, 30)}, "does not say what happens then"),
        ({"expires": datetime(2027, 6, 30, tzinfo=UTC), "on_expiry": "open"}, "on a day, not at"),
        ({"host": "192.0.2.1", "include_subdomains": True}, "an IP address has no subdomains"),
        ({"exclude": ("a.api.example.com",)}, "excludes 'a.api.example.com', which it does not"),
        ({"include_subdomains": True, "exclude": ("api.example.com",)}, "which it does not cover"),
        ({"include_subdomains": True, "exclude": ("xapi.example.com",)}, "which it does not"),
        ({"include_subdomains": True, "exclude": "a.api.example.com"}, "is not a list of names"),
        ({"include_subdomains": True, "exclude": ("*.api.example.com",)}, "is not a host label"),
        ({"mode": "Enforce"}, "'Enforce': is not one of 'enforce', 'report-only'"),
        ({"on_expiry": "shut"}, "'shut': is not one of 'closed', 'report-only', 'open'"),
        ({"report_uri": "reports.example"}, "is no http or https address"),
        ({"report_uri": "https://reports.example/a b"}, "is no http or https address"),
        ({"report_uri": "javascript:alert(1)"}, "is no http or https address"),
        ({"comment": "\ud800"}, r"'\ud800' holds half a character"),
        ({"owner": "a\udc00"}, "holds half a character"),
        ({"host": "*.example.com"}, "label '*' is not a host label"),
    ],
)
def test_what_would_hurt_is_refused(said: dict[str, object], told: str) -> None:
    with pytest.raises(PinwardenError) as caught:
        policy(**said)  # type: ignore[arg-type]
    assert told in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(PinSetError) as caught:
        policy(keys=keys(ca="a"))
    assert "pinwarden pin backup" in str(caught.value.hint)


def test_a_set_without_a_backup_is_refused_unless_forced_by_name() -> None:
    assert policy(keys=keys(ca="a"), allow_no_backup=True).pins(PinRole.BACKUP) == frozenset()
    assert policy(keys=keys(ca="a"), mode=Mode.REPORT_ONLY).mode is Mode.REPORT_ONLY


def test_a_word_becomes_the_member_that_it_means() -> None:
    """Else a policy whose mode only equals `enforce` would not be enforced."""
    made = PinPolicy(
        host="API.example.com.",
        mode="enforce",  # type: ignore[arg-type]
        keys=[  # type: ignore[arg-type]
            PinnedKey(pin("b"), "backup"),  # type: ignore[arg-type]
            PinnedKey(pin("a"), "leaf"),  # type: ignore[arg-type]
        ],
        expires=date(2027, 6, 30),
        on_expiry="closed",  # type: ignore[arg-type]
    )
    assert made.mode is Mode.ENFORCE
    assert made.on_expiry is OnExpiry.CLOSED
    assert made.host == "api.example.com"
    assert [key.role for key in made.keys] == [PinRole.LEAF, PinRole.BACKUP]
    assert hash(made) == hash(policy(keys=made.keys, expires=made.expires, on_expiry="closed"))


def test_pins_are_asked_for_by_role() -> None:
    made = policy(keys=keys(leaf="l", ca="c", backup="b", forbidden="f"))
    assert made.pins() == {pin("l"), pin("c"), pin("b")}
    assert made.pins(PinRole.LEAF, PinRole.FORBIDDEN) == {pin("l"), pin("f")}
    assert made.at_leaf == {pin("l").spki_sha256, pin("b").spki_sha256}
    assert made.above_leaf == {pin("c").spki_sha256, pin("b").spki_sha256}
    assert made.forbidden == {pin("f").spki_sha256}


def test_a_placeholder_is_no_backup() -> None:
    with pytest.raises(PinSetError, match="is a placeholder that no key matches"):
        PinnedKey(Pin(SPKIHash(b"\0" * 32)), PinRole.BACKUP)
    assert not pin("spare").is_placeholder


@pytest.mark.parametrize("said", [{"role": "spare"}, {"comment": "\udfff"}, {"kind": "\ud912"}])
def test_a_key_is_looked_at_too(said: dict[str, str]) -> None:
    with pytest.raises(PinSetError):
        PinnedKey(pin("a"), **{"role": PinRole.CA, **said})  # type: ignore[arg-type]
    with pytest.raises(PinSetError, match="on a day"):
        PinnedKey(pin("a"), PinRole.CA, expires=datetime(2027, 1, 1, tzinfo=UTC))


def test_a_policy_in_the_words_of_the_file() -> None:
    """Pins are given as text in any form, or as pins, one or several."""
    a, b, c = (Pin.of_spki(each) for each in (b"one", b"two", b"three"))
    policy = PinPolicy.of(
        "API.example.com", "enforce", ca_pins=[a, b.okhttp], backup_pins=c.hpkp, owner="us"
    )
    text = f"""
        [[policy]]
        host = "api.example.com"
        mode = "enforce"
        ca_pins = ["{a}", "{b}"]
        backup_pins = ["{c}"]
        owner = "us"
    """
    assert PinSet([policy]) == PinSet.parse(text)
    with pytest.raises(PinSetError, match="mode 'off'"):
        PinPolicy.of("api.example.com", "off", ca_pins=[a], backup_pins=[b])
