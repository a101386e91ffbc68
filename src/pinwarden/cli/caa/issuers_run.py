"""What `pinwarden caa issuers` does: finds owners, reads certificates and reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from pinwarden.caa.issuers.ccadb import SIZE_LIMIT, parse_identifiers, parse_records, update_issuers
from pinwarden.caa.issuers.map import (
    IssuerMap,
    Owner,
    Source,
    Suggestion,
    folded_name,
    load_issuers,
    parse_issuers,
)
from pinwarden.cli.caa.certificate_files import read_certificates
from pinwarden.cli.caa.issuer_map import current_issuers, forget_issuers, save_issuers
from pinwarden.cli.caa.issuers_view import Answer, Identified, document, render_answer
from pinwarden.cli.files import read_file
from pinwarden.cli.output import ExitCode, answer, answer_json, say
from pinwarden.cli.reading import parse_moment
from pinwarden.errors import ConfigError, MalformedError, quoted

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports of the CCADB that the user named, and whether to keep what they say."""

    identifiers: Path
    records: Path | None
    dated: str | None
    save: bool


def run_issuers(
    word: str | None,
    certificates: tuple[Path, ...],
    reports: Reports | None,
    *,
    forget: bool,
    as_json: bool,
) -> ExitCode:
    """Answer, and say on stderr what is old or could not be read."""
    if forget:
        kept = forget_issuers()
        say("the issuer map is the one that ships now" if kept else "no other map was kept")
    problems: tuple[str, ...] = ()
    if reports is None:
        issuers = current_issuers()
    else:
        issuers, problems = _from_reports(reports)
    at = datetime.now(UTC)
    owners, suggestions = _found(issuers, word) if word or not certificates else ((), ())
    identified = tuple(each for path in certificates for each in _identified(issuers, path))
    result = Answer(word, owners, suggestions, identified, problems)
    if as_json:
        answer_json(document(result, issuers, at))
    else:
        for problem in problems:
            say(problem)
        answer(render_answer(result, issuers, at))
    if issuers.is_stale(at):
        say(f"the issuer map is {issuers.age_days(at)} days old; newer reports of the CCADB help")
    missing = (word and not owners) or any(each.match is None for each in identified)
    return ExitCode.FINDINGS if missing else ExitCode.OK


def _found(
    issuers: IssuerMap, word: str | None
) -> tuple[tuple[Owner, ...], tuple[Suggestion, ...]]:
    """The owners to show, or what may have been meant."""
    if not word:
        return tuple(owner for owner in issuers.owners if owner.all_domains), ()
    owner = issuers.owner_of(word) or issuers.owner_named(word)
    if owner is not None:
        return (owner,), ()
    folded, lowered = folded_name(word), word.lower()
    owners = tuple(
        owner
        for owner in issuers.owners
        if (folded and any(folded in folded_name(name) for name in (owner.name, *owner.also)))
        or any(lowered in domain for domain in owner.all_domains)
    )
    return owners, () if owners else issuers.nearest(word)


def _identified(issuers: IssuerMap, path: Path) -> list[Identified]:
    """The first certificate of a file, told with the help of its issuer's where that follows."""
    views = read_certificates(path)
    leaf = views[0]
    above = next((view for view in views[1:] if view.subject == leaf.issuer), None)
    match = issuers.issuer_of(leaf, issuer_spki_sha256=above.spki_hash if above else None)
    return [Identified(str(path), leaf, match)]


def _from_reports(reports: Reports) -> tuple[IssuerMap, tuple[str, ...]]:
    """The map that the reports make on top of the one that ships."""
    identifiers = _parsed(reports.identifiers, parse_identifiers)
    sources = [Source("domains", reports.identifiers.name, _day(reports.identifiers, reports))]
    records = None
    if reports.records is not None:
        records = _parsed(reports.records, parse_records)
        sources.append(Source("keys", reports.records.name, _day(reports.records, reports)))
    base = load_issuers()
    tables = update_issuers(base, identifiers, records, [*sources, *base.sources])
    if reports.save:
        say(f"kept in {save_issuers(tables.owners, tables.keys)}")
    problems = identifiers.problems + (records.problems if records is not None else ())
    return parse_issuers(tables.owners, lambda: tables.keys), problems


def _parsed(path: Path, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(read_file(path, SIZE_LIMIT))
    except MalformedError as error:
        raise ConfigError(f"file {quoted(str(path))}: {error}", hint=error.hint) from error


def _day(path: Path, reports: Reports) -> date:
    given = parse_moment(reports.dated, "--dated")
    if given is not None:
        return given.astimezone(UTC).date()
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
