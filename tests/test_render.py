"""What people and programs are told, with everything foreign made harmless."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden import findings
from pinwarden.findings import Finding, Severity
from pinwarden.render import (
    alert_json,
    alert_severity,
    delivery_key,
    render_alert_text,
    render_alerts_markdown,
    render_alerts_subject,
    render_alerts_text,
    render_finding_text,
    render_json_line,
    render_message,
    without_markup,
)
from pinwarden.watch.sighting import Alert, SightingKind, Verdict
from support.alerts import SEEN, digest, issuance, log_fork, reference, unreadable

_HOSTILE = [
    "evil.example\r\nBcc: everybody@example.net",
    "\x1b[2J\x1b]0;owned\x07.example",
    "moc.elpmaxe\u202e.evil",
    "a\u2028b\u0085c",
    "\ud800",
    "<script>alert(1)</script>",
    "[log in](https://evil.example) ||hidden|| @everyone <!channel> `x`",
    "x" * 100_000,
]


def _hostile_alert(text: str) -> Alert:
    alert = issuance(
        names=(text,) * 3,
        matched=(text,),
        issuer=text,
        subject=text,
        serial=text,
        key_description=text,
        reasons=(text,),
        problems=(text,),
    )
    return replace(alert, references=(replace(reference(), log=text, entry_type=text),) * 2)


def _is_harmless(text: str) -> bool:
    return all(c == "\n" or unicodedata.category(c)[0] not in "CZ" or c == " " for c in text)


def test_five_lines_tell_the_whole_story() -> None:
    """What, who, where, verdict and next stand in the five lines under the title."""
    lines = render_alert_text(issuance()).splitlines()
    assert lines[0] == "medium: certificate for example.com logged, verdict unknown"
    labels = [line.split(":")[0].strip() for line in lines[1:6]]
    assert labels == ["What", "Issuer", "Logged", "Verdict", "Next"]
    assert lines[6] == ""
    told = "\n".join(lines[:6])
    for part in (
        "names in it: example.com, www.example.com",
        "CN=R11,O=Example CA,C=US",
        "valid 2026-11-01 to 2027-01-30 (90 days)",
        "key ECDSA P-256",
        "Example 'Oak' log, entry 123456789, 2026-11-01 00:02:03 UTC",
        "Merkle proof to a signed tree head checked",
        "unknown: Pinwarden was not told",
        "pinwarden alerts ack 7",
        "have the CA revoke it",
    ):
        assert part in told


def test_unproven_entry_is_said_to_be_unproven() -> None:
    """An entry that no verified head covers is not passed off as proven."""
    alert = issuance()
    text = render_alert_text(replace(alert, references=(replace(reference(), verified=False),)))
    assert "not proven yet by a signed tree head" in text
    assert "checked" not in text


def test_unreadable_entry_cannot_be_ruled_out() -> None:
    """The reader learns which field was unreadable and that it may be theirs."""
    text = render_alert_text(unreadable())
    assert text.startswith("high: unreadable entry 123456789 in Example 'Oak' log\n")
    assert "subject alternative name: length runs past the end" in text
    assert "cannot be ruled out that it is for a name you watch (example.org)" in text


def test_finding_is_told_with_its_next_step() -> None:
    """A log's misbehaviour says what, about whom, and what to do."""
    text = render_alert_text(log_fork())
    assert "critical: a log signed two tree heads that cannot both be true" in text
    assert "Report the log to the browser programs" in text
    assert "evidence kept: first head (2 bytes), second head (3 bytes)" in text


def test_link_only_with_the_certificate() -> None:
    """Only a certificate's own hash finds it at crt.sh, so a precertificate has no link."""
    assert "crt.sh" not in render_alerts_text([issuance()])
    fingerprint = digest("certificate")
    text = render_alert_text(issuance(fingerprint=fingerprint))
    assert f"https://crt.sh/?sha256={fingerprint.hex()}" in text


@pytest.mark.parametrize(
    ("verdict", "severity"),
    [
        (Verdict.AUTHORIZED, Severity.INFO),
        (Verdict.POSSIBLY_AUTHORIZED, Severity.LOW),
        (Verdict.UNKNOWN, Severity.MEDIUM),
        (Verdict.UNAUTHORIZED, Severity.CRITICAL),
    ],
)
def test_verdict_decides_severity(verdict: Verdict, severity: Severity) -> None:
    """A certificate matters as much as its verdict says, which the text names."""
    alert = issuance(verdict=verdict, reasons=("issuer not in the CAA records",))
    assert alert_severity(alert) is severity
    text = render_alert_text(alert)
    assert text.startswith(f"{severity}: ")
    assert f"Verdict: {verdict}: " in text
    assert "issuer not in the CAA records" in text


def test_many_names_are_counted() -> None:
    """A certificate for a thousand names stays readable and says how many there are."""
    names = tuple(f"n{number}.example.com" for number in range(1000))
    text = render_alert_text(issuance(names=names))
    assert "names in it: n0.example.com, n1.example.com, n2.example.com, n3.example.com" in text
    assert "and 996 more" in text
    assert "and 980 more" in text
    assert len(text) < 5000


def test_long_name_is_cut_with_a_count() -> None:
    """A name nobody can read to its end is cut, and the rest is counted."""
    text = render_alert_text(issuance(matched=("a" * 500,)))
    assert "a" * 100 + "… (+400 characters)" in text


def test_group_subject_counts_and_names() -> None:
    """The subject of a group says how many alerts and the first names."""
    alerts = [issuance(f"{letter}.example", n) for n, letter in enumerate("abcde")]
    assert render_alerts_subject(alerts) == (
        "[Pinwarden] 5 alerts: a.example, b.example, c.example and 2 more"
    )
    assert render_alerts_text(alerts).startswith("5 alerts\n\n1. medium: certificate for a.example")
    mixed = render_alerts_subject([log_fork(), unreadable()])
    assert mixed == "[Pinwarden] 2 alerts: Example 'Oak' log, example.org"


def test_repeated_delivery_says_so() -> None:
    """An alert whose first sending was cut off warns that it may be a repetition."""
    for alert in (issuance(), log_fork()):
        assert "sent again" not in render_alert_text(alert)
        assert "sent again" in render_alert_text(replace(alert, again=True))
        assert alert_json(replace(alert, again=True))["again"] is True


@pytest.mark.parametrize("text", _HOSTILE)
def test_foreign_text_is_harmless_everywhere(text: str) -> None:
    """No control character, bidi override, newline or endless name leaves in any form."""
    alerts = [_hostile_alert(text), replace(_hostile_alert(text), sighting=unreadable().sighting)]
    finding = Finding(
        kind=findings.LOG_GARBAGE,
        subject=text,
        message=text,
        details=((text, text),),
        evidence=((text, b"x"),),
    )
    alerts.append(replace(log_fork(), finding=finding))
    message = render_message(alerts)
    for shown in (message.text, message.markdown, render_finding_text(finding)):
        assert _is_harmless(shown)
        assert len(shown) < 40_000
    assert _is_harmless(message.subject)
    assert "\n" not in message.subject
    assert len(message.subject) < 200
    for event in message.events:
        line = render_json_line(event)
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line) == event


def test_hostile_lines_cannot_forge_a_line() -> None:
    """A name with a newline in it cannot put a verdict of its own under the title."""
    text = render_alert_text(issuance(matched=("a.example\n  Verdict: authorized",)))
    assert [line for line in text.splitlines() if line.startswith("  Verdict:")] == [
        line for line in text.splitlines() if "Pinwarden was not told" in line
    ]


_ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
_ANY_TIME = st.none() | st.datetimes(timezones=st.just(UTC))


@given(_ANY_TEXT, _ANY_TIME, _ANY_TIME, st.binary(max_size=40), st.booleans())
def test_anything_can_be_told(
    text: str, start: datetime | None, end: datetime | None, data: bytes, again: bool
) -> None:
    """Whatever a certificate holds, the alert about it is rendered, in every form."""
    alert = replace(_hostile_alert(text), again=again)
    assert alert.sighting is not None
    changed = replace(alert.sighting, not_before=start, not_after=end, der=data, fingerprint=data)
    for kind in SightingKind:
        message = render_message([replace(alert, sighting=replace(changed, kind=kind))])
        assert _is_harmless(message.text + message.subject + message.markdown)
        assert json.loads(render_json_line(message.events[0])) == message.events[0]


@given(st.text(max_size=60))
def test_markdown_never_activates_foreign_text(text: str) -> None:
    """In Markdown every ASCII punctuation mark of foreign origin stands escaped."""
    markdown = render_alerts_markdown([issuance(issuer=text)])
    line = next(line for line in markdown.splitlines() if line.startswith("- **Issuer:** "))
    rest = line.removeprefix("- **Issuer:** ")
    unescaped = ""
    position = 0
    while position < len(rest):
        if rest[position] == "\\":
            position += 2
            continue
        unescaped += rest[position]
        position += 1
    assert not set("`*_[]()<>!|~&@#$\\") & set(unescaped)


@given(st.text())
def test_chat_text_has_no_markup(text: str) -> None:
    """Nothing a chat service reads as mention, link, code or hidden text is left."""
    assert not set("@<>[]|`~&") & set(without_markup(text))


def test_json_shape() -> None:
    """The documented keys are there with the documented encodings."""
    document = alert_json(issuance(fingerprint=digest("certificate")))
    assert (document["type"], document["version"]) == ("alert", 1)
    assert document["key"] == issuance().key
    assert document["finding"] == {
        "id": "PW-CERT-SEEN",
        "severity": "medium",
        "title": "a certificate for a watched name was logged",
    }
    sighting = document["sighting"]
    assert isinstance(sighting, dict)
    assert sighting["tbs_sha256"] == digest("example.com").hex()
    assert sighting["spki_sha256"] == "QbMCxMVGio+M0/10sUAClB1uZxR2Txv0yJ3gi7duswU="
    assert sighting["not_before"] == "2026-11-01T00:02:03Z"
    assert sighting["verdict"] == "unknown"
    assert sighting["logs"][0]["index"] == 123456789
    assert sighting["logs"][0]["verified"] is True
    assert sighting["der"]["base64"] == "MAMCAQU="
    assert sighting["truncated"] is False


def test_json_is_bounded_and_says_what_it_left_out() -> None:
    """Large lists and bytes are cut, with their true size beside."""
    names = tuple(f"n{number}.example.com" for number in range(1001))
    sighting = alert_json(issuance(names=names, der=b"x" * 20_000))["sighting"]
    assert isinstance(sighting, dict)
    assert len(sighting["names"]) == 1000
    assert sighting["names_total"] == 1001
    assert sighting["truncated"] is True
    assert sighting["der"]["base64"] is None
    assert sighting["der"]["size"] == 20_000


def test_keys_tell_alerts_apart_and_repeat_for_repetitions() -> None:
    """The same alerts have the same key in any order, and a finding that came back a new one."""
    one, two = issuance("a.example", 1), issuance("b.example", 2)
    assert render_message([one]).key == one.key
    assert render_message([one, two]).key == render_message([two, replace(one, again=True)]).key
    assert render_message([one, two]).key != render_message([one]).key
    fork = log_fork()
    later = replace(fork, created=fork.created.replace(year=2027))
    assert delivery_key(fork) != delivery_key(later)


def test_unreadable_validity_and_key_are_said() -> None:
    """Fields that could not be read are named as such, not left blank."""
    text = render_alert_text(
        issuance(issuer="", key_description="", not_before=None, not_after=None)
    )
    assert "issuer not readable; valid for a time not readable; key not readable" in text
    begins = issuance(not_before=SEEN, not_after=None)
    assert "valid from 2026-11-01; key" in render_alert_text(begins)
    backwards = issuance(not_before=SEEN, not_after=SEEN.replace(year=2025))
    assert "(ends before it begins)" in render_alert_text(backwards)
