"""An alert or finding put into words, before any medium: what, who, where, what next.

Everything foreign (names, issuers, log descriptions, error texts) goes through
`display` here and is cut to a length a person can read, with the number of
what was left out. The words of ours and theirs together are escaped once more,
whole, by whoever writes a medium with markup.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pinwarden import findings
from pinwarden.findings import Finding, FindingKind, Severity
from pinwarden.names import display
from pinwarden.render.advice import next_step
from pinwarden.watch.sighting import Alert, LogReference, Sighting, SightingKind, Verdict

_MOST_NAMES = 20
_MOST_REFERENCES = 8
_MOST_PROBLEMS = 5
_LONGEST_NAME = 100
_LONGEST_TEXT = 300

_VERDICT = {
    Verdict.UNKNOWN: "Pinwarden was not told who may issue for this name, so this may be yours "
    "or an attacker's",
    Verdict.AUTHORIZED: "it is what you told Pinwarden to expect",
    Verdict.POSSIBLY_AUTHORIZED: "nothing contradicts what you told Pinwarden to expect, and not "
    "everything could be confirmed",
    Verdict.UNAUTHORIZED: "it contradicts what you told Pinwarden to expect",
}

_SEVERITY = {
    Verdict.AUTHORIZED: Severity.INFO,
    Verdict.POSSIBLY_AUTHORIZED: Severity.LOW,
    Verdict.UNKNOWN: Severity.MEDIUM,
    Verdict.UNAUTHORIZED: Severity.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class Account:
    """One alert in words: a title, the few lines that matter, and the rest.

    Each row is a label and a text; texts are printable and of bounded length.
    `link` is a web page about the certificate, to be shown and never fetched.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    details: tuple[tuple[str, str], ...]
    link: str | None = None


def alert_finding_kind(alert: Alert) -> FindingKind:
    """The registered kind that an alert falls under."""
    if alert.finding is not None:
        return alert.finding.kind
    if alert.sighting is not None and alert.sighting.kind is SightingKind.UNREADABLE:
        return findings.ENTRY_UNREADABLE
    return findings.CERTIFICATE_SEEN


def alert_severity(alert: Alert) -> Severity:
    """How much an alert matters; for a certificate seen, its verdict decides."""
    kind = alert_finding_kind(alert)
    if alert.sighting is not None and kind == findings.CERTIFICATE_SEEN:
        return _SEVERITY[alert.sighting.verdict]
    return kind.severity


def alert_references(alert: Alert) -> tuple[LogReference, ...]:
    """Every place an alert's issuance was seen; at least where it was first seen."""
    if alert.references or alert.sighting is None:
        return alert.references
    return (alert.sighting.seen,)


def shown(text: str, limit: int = _LONGEST_TEXT) -> str:
    """Foreign text in printable form, cut at `limit` with the number left out."""
    left_out = len(text) - limit
    return display(text[:limit], limit) + (f"… (+{left_out} characters)" if left_out > 0 else "")


def some(texts: Sequence[str], most: int = 3, longest: int = _LONGEST_NAME) -> str:
    """The first few of several foreign texts and the number of the others."""
    first = ", ".join(shown(text, longest) for text in texts[:most])
    rest = len(texts) - most
    return f"{first} and {rest} more" if rest > 0 else first


def describe_alert(alert: Alert) -> Account:
    """Put one alert into words."""
    if alert.finding is not None:
        account = describe_finding(alert.finding)
        own = (("alert", str(alert.id)), *_again(alert.again))
        return replace(account, details=(*account.details, *own))
    if alert.sighting is None:
        return Account(f"alert {alert.id} without content", (), ())
    if alert.sighting.kind is SightingKind.UNREADABLE:
        return _describe_unreadable(alert, alert.sighting)
    return _describe_certificate(alert, alert.sighting)


def describe_finding(finding: Finding) -> Account:
    """Put one finding that is not about a certificate into words."""
    rows = [
        ("What", shown(finding.message)),
        ("About", shown(finding.subject)),
        ("Next", next_step(finding.kind)),
    ]
    details = [("finding", f"{finding.id} ({finding.severity})")]
    details += [(shown(name, 40), shown(value)) for name, value in finding.details[:_MOST_NAMES]]
    if finding.evidence:
        kept = (f"{shown(name, 40)} ({len(data)} bytes)" for name, data in finding.evidence)
        details.append(("evidence kept", ", ".join(kept)))
    title = f"{finding.kind.title}: {shown(finding.subject, _LONGEST_NAME)}"
    return Account(title, tuple(rows), tuple(details))


def _describe_certificate(alert: Alert, sighting: Sighting) -> Account:
    watched = some(sighting.matched) or "a watched name"
    names = some(sighting.names, 4) or "none readable"
    what = f"a certificate for {watched}, which you watch, was logged; names in it: {names}"
    rows = (
        ("What", what),
        ("Issuer", _issued(sighting)),
        ("Logged", _place(alert_references(alert)[0])),
        ("Verdict", _verdict(sighting)),
        ("Next", next_step(findings.CERTIFICATE_SEEN, sighting.verdict, alert.id)),
    )
    title = f"certificate for {watched} logged, verdict {sighting.verdict}"
    return Account(title, rows, _details(alert, sighting), certificate_link(sighting))


def _describe_unreadable(alert: Alert, sighting: Sighting) -> Account:
    where = alert_references(alert)[0]
    problems = (
        some(sighting.problems, _MOST_PROBLEMS, _LONGEST_TEXT) or "nothing in it could be read"
    )
    about = f" ({some(sighting.matched)})" if sighting.matched else ""
    names = f"names read: {some(sighting.names)}" if sighting.names else "no name was read"
    unknown = f"unknown: it cannot be ruled out that it is for a name you watch{about}; {names}"
    rows = (
        ("What", f"a log entry could not be read: {problems}"),
        ("Verdict", unknown),
        ("Issuer", _issued(sighting)),
        ("Logged", _place(where)),
        ("Next", next_step(findings.ENTRY_UNREADABLE, alert_id=alert.id)),
    )
    title = f"unreadable entry {where.index} in {shown(where.log, _LONGEST_NAME)}"
    return Account(title, rows, _details(alert, sighting), certificate_link(sighting))


def _issued(sighting: Sighting) -> str:
    issuer = shown(sighting.issuer) or "issuer not readable"
    key = shown(sighting.key_description, 60) or "not readable"
    return f"{issuer}; {_validity(sighting.not_before, sighting.not_after)}; key {key}"


def _validity(start: datetime | None, end: datetime | None) -> str:
    if start is None or end is None:
        known = [f"from {day(start)}" if start else "", f"until {day(end)}" if end else ""]
        return f"valid {' '.join(filter(None, known)) or 'for a time not readable'}"
    length = f"{(end - start).days} days" if end >= start else "ends before it begins"
    return f"valid {day(start)} to {day(end)} ({length})"


def counted(number: int, noun: str) -> str:
    """A number and what it counts."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def day(moment: datetime) -> str:
    """A date as a person reads it."""
    return moment.date().isoformat()


def second(moment: datetime) -> str:
    """A moment as a person reads it."""
    return moment.replace(tzinfo=None, microsecond=0).isoformat(" ") + " UTC"


def _place(reference: LogReference) -> str:
    proof = (
        "Merkle proof to a signed tree head checked"
        if reference.verified
        else "not proven yet by a signed tree head"
    )
    # RFC 6962 section 3.1: a precertificate is a binding intent to issue.
    binding = (
        "; precertificate (binds the CA like the certificate)"
        if reference.entry_type.lower().startswith("pre")
        else ""
    )
    log = shown(reference.log, _LONGEST_NAME)
    return f"{log}, entry {reference.index}, {second(reference.timestamp)}; {proof}{binding}"


def _verdict(sighting: Sighting) -> str:
    reasons = some(sighting.reasons, _MOST_PROBLEMS, _LONGEST_TEXT)
    meaning = _VERDICT[sighting.verdict]
    return f"{sighting.verdict}: {meaning}" + (f" ({reasons})" if reasons else "")


def certificate_link(sighting: Sighting) -> str | None:
    """The page of crt.sh about a certificate, if its fingerprint is known."""
    if sighting.fingerprint is None:
        return None
    return f"https://crt.sh/?sha256={sighting.fingerprint.hex()}"


def _details(alert: Alert, sighting: Sighting) -> tuple[tuple[str, str], ...]:
    kind = alert_finding_kind(alert)
    rows = [("finding", f"{kind.id} ({alert_severity(alert)})"), ("alert", str(alert.id))]
    if len(sighting.names) > 1:
        rows.append(("names", some(sighting.names, _MOST_NAMES)))
    if len(sighting.matched) > 1:
        rows.append(("watched", some(sighting.matched, _MOST_NAMES)))
    rows += [(f"also logged {n}", _place(r)) for n, r in enumerate(_others(alert), 1)]
    hidden = len(alert.references) - 1 - _MOST_REFERENCES
    if hidden > 0:
        rows.append(("also logged", f"in {hidden} more places"))
    if sighting.problems and kind == findings.CERTIFICATE_SEEN:
        rows.append(("not readable", some(sighting.problems, _MOST_PROBLEMS, _LONGEST_TEXT)))
    if sighting.subject:
        rows.append(("subject", shown(sighting.subject)))
    if sighting.serial:
        rows.append(("serial", shown(sighting.serial, _LONGEST_NAME)))
    if sighting.spki_sha256 is not None:
        rows.append(("key pin", "sha256//" + base64.b64encode(sighting.spki_sha256).decode()))
    if sighting.tbs_sha256 is not None:
        rows.append(("TBS SHA-256", sighting.tbs_sha256.hex()))
    else:
        rows.append(("leaf hash", alert_references(alert)[0].leaf_hash.hex()))
    if sighting.fingerprint is not None:
        rows.append(("certificate SHA-256", sighting.fingerprint.hex()))
    return (*rows, *_again(alert.again))


def _others(alert: Alert) -> tuple[LogReference, ...]:
    return alert.references[1 : 1 + _MOST_REFERENCES]


def _again(again: bool) -> tuple[tuple[str, str], ...]:
    if not again:
        return ()
    return (("sent again", "an earlier attempt was cut off; you may have had this already"),)
