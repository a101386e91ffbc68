"""The answer of `pinwarden caa issuers` in text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinwarden.caa.issuers.map import IssuerMap, IssuerMatch, Owner, Suggestion
from pinwarden.errors import MalformedError
from pinwarden.names import display
from pinwarden.x509.certificate import CertificateView

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Identified:
    """One certificate and who issued it."""

    file: str
    certificate: CertificateView
    match: IssuerMatch | None

    @property
    def subject(self) -> str:
        """The subject, safe to show."""
        return _text(lambda: self.certificate.subject_text)

    @property
    def issuer(self) -> str:
        """The issuer, safe to show."""
        return _text(lambda: self.certificate.issuer_text)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked for and found."""

    word: str | None
    owners: tuple[Owner, ...]
    suggestions: tuple[Suggestion, ...]
    identified: tuple[Identified, ...]
    problems: tuple[str, ...]


def _text(read: Any) -> str:
    try:
        return str(read())
    except MalformedError:
        return "unreadable"


def document(result: Answer, issuers: IssuerMap, at: datetime) -> dict[str, Any]:
    """The answer as one JSON object."""
    return {
        "type": "caa-issuers",
        "version": _VERSION,
        "sources": [
            {"part": source.part, "name": source.name, "date": source.date.isoformat()}
            for source in issuers.sources
        ],
        "age_days": issuers.age_days(at),
        "stale": issuers.is_stale(at),
        "owners": [_owner(owner) for owner in result.owners],
        "suggestions": [
            {"domain": each.domain, "owner": each.owner.name, "why": each.why}
            for each in result.suggestions
        ],
        "certificates": [_certificate(each) for each in result.identified],
        "problems": list(result.problems),
    }


def _owner(owner: Owner) -> dict[str, Any]:
    return {
        "name": owner.name,
        "also": list(owner.also),
        "domains": list(owner.domains),
        "recognised": list(owner.recognised),
        "former": list(owner.former),
    }


def _certificate(each: Identified) -> dict[str, Any]:
    match = each.match
    return {
        "file": each.file,
        "subject": each.subject,
        "issuer": each.issuer,
        "mapped": match is not None,
        "owners": [owner.name for owner in match.owners] if match else [],
        "domains": sorted(match.domains) if match else [],
        "how": str(match.how) if match else None,
        "complete": match.complete if match else False,
        "note": match.note if match else "",
    }


def render_answer(result: Answer, issuers: IssuerMap, at: datetime) -> str:
    """The answer in lines: owners, suggestions, certificates, and the age of the map."""
    lines: list[str] = []
    for owner in result.owners:
        lines += _owner_lines(owner, full=len(result.owners) == 1)
    if result.word and not result.owners:
        lines.append(f"no CA is known to go by {display(result.word)}")
        lines += [
            f"  perhaps {each.domain} of {display(each.owner.name)}: {display(each.why)}"
            for each in result.suggestions
        ]
    for each in result.identified:
        lines += _certificate_lines(each)
    dated = issuers.dated
    if dated is not None:
        days = issuers.age_days(at)
        lines.append(f"facts of the CCADB and CA documents of {dated} ({days} days old)")
    return "\n".join(lines)


def _owner_lines(owner: Owner, *, full: bool) -> Iterator[str]:
    if not full:
        domains = ", ".join(owner.domains or owner.former) or "no CAA domain known"
        yield f"{display(owner.name)}: {display(domains)}"
        return
    yield display(owner.name)
    for label, values in (
        ("CAA domains", owner.domains),
        ("honours too", owner.recognised),
        ("formerly", owner.former),
        ("also known as", owner.also),
    ):
        if values:
            yield f"  {label}: {display(', '.join(values))}"
    if not owner.all_domains:
        yield "  no CAA domain known"


def _certificate_lines(each: Identified) -> Iterator[str]:
    yield f"{display(each.file)}: {each.subject}"
    yield f"  issued by {each.issuer}"
    match = each.match
    if match is None:
        yield "  issuer not mapped: no CAA record can be said to allow or forbid it"
        return
    yield f"  owner: {display(' or '.join(owner.name for owner in match.owners))} ({match.how})"
    domains = ", ".join(sorted(match.domains)) or "none known"
    yield f"  CAA domains: {display(domains)}"
    if match.note:
        yield f"  note: {display(match.note)}"
