"""Reports of the CCADB: CAA domains of each CA key, and the records of CA certificates.

What CAs write into a cell that is meant for domains is anything: lists with commas,
semicolons, blanks and new lines, `N/A`, sentences, URLs, upper case. Each token that is
a domain is taken, everything else becomes a problem in the report.

References: ccadb.org/resources (AllCAAIdentifiersReportCSVV2,
AllCertificateRecordsCSVFormatV5, and the obsolete report by CA owner).
"""

from __future__ import annotations

import csv
import io
import re
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pinwarden.caa.issuers.map import IssuerMap, KeyFact, Owner, Source, key_prefix
from pinwarden.caa.issuers.tables import IssuerTables, render_tables
from pinwarden.errors import MalformedError, quoted
from pinwarden.names import normalise_name

# The reports have about 10,000 rows and 10 MB.
SIZE_LIMIT = 64 << 20
ROW_LIMIT = 500_000
_CELL_LIMIT = 16_384
_LINE_LIMIT = 1 << 20
_DOMAIN_LIMIT = 500
_PROBLEM_LIMIT = 200

_SEPARATORS = re.compile(r"[\s,;|]+")
_QUOTES = "\"'`()[]<>“”‘’"
_TOP_LEVEL = re.compile(r"(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
_NOTHING = frozenset(("none", "n/a", "na", "null", "-", "not applicable", "not applicable."))
_KEY_SIZE = range(1, 65)


@dataclass(frozen=True, slots=True)
class KeyDomains:
    """A row of the report by key: the CAA domains of one CA certificate."""

    key_id: bytes
    subject: str
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnerDomains:
    """A row of the old report by owner: the CAA domains of one CA owner."""

    owner: str
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A row of the report of certificate records: one CA certificate and who runs it."""

    fingerprint: bytes
    key_id: bytes | None
    owner: str


@dataclass(frozen=True, slots=True)
class IdentifierReport:
    """CAA domains by key, and what could not be read."""

    rows: tuple[KeyDomains, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OwnerReport:
    """CAA domains by CA owner, and what could not be read."""

    rows: tuple[OwnerDomains, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordReport:
    """Certificate records, and what could not be read."""

    rows: tuple[CertificateRecord, ...]
    problems: tuple[str, ...]


def find_domains(cell: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The domains in a cell, normalised and each once, and the tokens that are none."""
    if cell.strip().lower() in _NOTHING:
        return (), ()
    domains: dict[str, None] = {}
    left: list[str] = []
    tokens = _SEPARATORS.split(cell[:_CELL_LIMIT])
    if len(cell) > _CELL_LIMIT:
        # The last one may be cut, and half a domain is another domain.
        left.append(tokens.pop())
    for token in tokens:
        text = token.strip(_QUOTES)
        if not text:
            continue
        domain = _domain(text)
        if domain is None or len(domains) >= _DOMAIN_LIMIT:
            left.append(text)
        else:
            domains[domain] = None
    return tuple(domains), tuple(left)


def _domain(text: str) -> str | None:
    try:
        name = normalise_name(text)
    except MalformedError:
        return None
    return name if "." in name and _TOP_LEVEL.fullmatch(name.rpartition(".")[2]) else None


def parse_identifiers(data: bytes) -> IdentifierReport:
    """The report of CAA domains by key (AllCAAIdentifiersReportCSVV2).

    Raises `MalformedError` if it is another file.
    """
    problems = _Problems()
    rows = []
    columns = {"key": "subject key identifier", "domains": "recognized caa domains"}
    for number, row in _rows(data, columns, optional={"subject": "subject"}):
        domains = problems.domains(number, row["domains"])
        key = _hex(row["key"])
        if key is None or len(key) not in _KEY_SIZE:
            problems.add(number, f"{quoted(row['key'], 80)} is not a key identifier in hex")
        elif domains:
            rows.append(KeyDomains(key, row["subject"], domains))
    return IdentifierReport(tuple(rows), problems.all())


def parse_owner_domains(data: bytes) -> OwnerReport:
    """The old report of CAA domains by CA owner.

    Raises `MalformedError` if it is another file.
    """
    problems = _Problems()
    rows = []
    columns = {"owner": "ca owner", "domains": "recognized caa domains"}
    for number, row in _rows(data, columns):
        domains = problems.domains(number, row["domains"])
        if row["owner"] and domains:
            rows.append(OwnerDomains(row["owner"], domains))
    return OwnerReport(tuple(rows), problems.all())


def parse_records(data: bytes) -> RecordReport:
    """The report of certificate records (AllCertificateRecordsCSVFormat, V4 and V5).

    The owner is the subordinate CA's where one is given. Raises `MalformedError` if it
    is another file.
    """
    problems = _Problems()
    rows = []
    columns = {"owner": "ca owner", "print": "sha-256 fingerprint"}
    optional = {"sub": "subordinate ca owner", "key": "subject key identifier"}
    for number, row in _rows(data, columns, optional):
        fingerprint = _hex(row["print"])
        owner = row["sub"] or row["owner"]
        if fingerprint is None or len(fingerprint) != 32:
            problems.add(number, f"{quoted(row['print'], 80)} is not a SHA-256 fingerprint in hex")
        elif not owner:
            problems.add(number, "has no CA owner")
        else:
            rows.append(CertificateRecord(fingerprint, _base64(row["key"]), owner))
    return RecordReport(tuple(rows), problems.all())


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text.replace(":", "").strip("'\" "))
    except ValueError:
        return None


def _base64(text: str) -> bytes | None:
    try:
        value = b64decode(text, validate=True)
    except ValueError:
        return None
    return value if len(value) in _KEY_SIZE else None


class _Problems:
    """What is wrong in the rows of a report, up to a limit."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._more = 0

    def add(self, number: int, problem: str) -> None:
        if len(self._texts) < _PROBLEM_LIMIT:
            self._texts.append(f"row {number}: {problem}")
        else:
            self._more += 1

    def domains(self, number: int, cell: str) -> tuple[str, ...]:
        found, left = find_domains(cell)
        if left:
            self.add(number, f"{quoted(' '.join(left), 80)} is no domain")
        return found

    def all(self) -> tuple[str, ...]:
        more = (f"and {self._more} more problems",) if self._more else ()
        return (*self._texts, *more)


def _rows(
    data: bytes, columns: Mapping[str, str], optional: Mapping[str, str] | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The cells asked for of each row, and the number of the row; row 1 has the headings.

    A column is found by the words that its heading begins with, in any case: the CCADB
    adds units and remarks to headings.
    """
    if len(data) > SIZE_LIMIT:
        raise MalformedError(f"CCADB report: is larger than {SIZE_LIMIT >> 20} MiB")
    reader = csv.reader(_lines(data))
    try:
        headings = [" ".join(each.lower().split()) for each in next(reader, [])]
        places = _places(headings, columns)
        missing = [columns[name] for name in columns if name not in places]
        if missing:
            raise MalformedError(f"CCADB report: has no column {quoted(missing[0])}")
        places |= _places(headings, optional or {})
        names = (*columns, *(optional or {}))
        for number, row in enumerate(reader, 2):
            if number > ROW_LIMIT:
                raise MalformedError(f"CCADB report: has more than {ROW_LIMIT} rows")
            yield number, {name: _cell(row, places.get(name)) for name in names}
    except csv.Error as error:
        raise MalformedError(f"CCADB report: is not CSV ({quoted(str(error))})") from error


def _lines(data: bytes) -> Iterator[str]:
    """The lines of a report, as CSV has them: other separators are parts of a cell."""
    for line in io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", "replace", newline=""):
        # A line of nothing but commas would be a hundred times its size in memory.
        if len(line) > _LINE_LIMIT:
            raise MalformedError(f"CCADB report: a line has more than {_LINE_LIMIT} characters")
        yield line


def _places(headings: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    places = {}
    for name, wanted in columns.items():
        exact = [number for number, each in enumerate(headings) if each == wanted]
        near = [number for number, each in enumerate(headings) if each.startswith(wanted)]
        if exact or near:
            places[name] = (exact or near)[0]
    return places


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def update_issuers(
    base: IssuerMap,
    identifiers: IdentifierReport,
    records: RecordReport | None,
    sources: Sequence[Source],
) -> IssuerTables:
    """The tables of an issuer map that knows the reports and, where they are silent, `base`."""
    update = _Update(base)
    by_key: dict[bytes, dict[str, None]] = defaultdict(dict)
    subjects: dict[bytes, str] = {}
    for row in identifiers.rows:
        by_key[row.key_id] |= dict.fromkeys(row.domains)
        subjects.setdefault(row.key_id, row.subject)
    recorded: dict[bytes, set[str]] = defaultdict(set)
    for record in records.rows if records is not None else ():
        owner = update.owner_named(record.owner)
        domains = tuple(sorted(by_key.get(record.key_id or b"", ())))
        update.add("certificate", record.fingerprint, (owner,), domains)
        if record.key_id is not None:
            recorded[record.key_id].add(owner)
            update.add("key", record.key_id, (owner,), domains)
    for key, found in by_key.items():
        owners = recorded.get(key) or update.owners_of(key, tuple(found), subjects[key])
        update.add("key", key, tuple(sorted(owners)), tuple(sorted(found)))
        # A key that two owners have certificates for says nothing about whose a domain is.
        if len(owners) == 1:
            update.count(next(iter(owners)), found)
    return render_tables(update.owners(), sources, update.facts())


class _Update:
    """A map in the making: the base, with what the reports say on top."""

    def __init__(self, base: IssuerMap) -> None:
        self._base = base
        self._owners = {owner.name: owner for owner in base.owners}
        self._facts: dict[tuple[str, bytes], list[KeyFact]] = defaultdict(list)
        self._listed: dict[str, Counter[str]] = defaultdict(Counter)

    def owner_named(self, name: str) -> str:
        known = self._base.owner_named(name)
        if known is not None:
            return known.name
        self._owners.setdefault(name, Owner(name))
        return name

    def owners_of(self, key: bytes, domains: tuple[str, ...], subject: str) -> set[str]:
        """Whose a key is that no record has."""
        match = self._base.issuer_of(authority_key=key)
        if match is not None:
            return {owner.name for owner in match.owners}
        known = {owner.name for domain in domains if (owner := self._base.owner_of(domain))}
        return known or {self.owner_named(subject or domains[0])}

    def add(
        self, kind: str, value: bytes, owners: tuple[str, ...], domains: tuple[str, ...]
    ) -> None:
        prefix = key_prefix(kind, value)
        self._facts[kind, prefix].append(KeyFact(kind, prefix, owners, domains))

    def count(self, owner: str, domains: Iterable[str]) -> None:
        self._listed[owner].update(tuple(domains))

    def owners(self) -> list[Owner]:
        """The owners with their domains as the reports have them."""
        homes = self._homes()
        return [
            _listing(owner, self._listed[owner.name], homes)
            if owner.name in self._listed
            else owner
            for owner in self._owners.values()
        ]

    def _homes(self) -> dict[str, str]:
        """Whose each domain is: whose the base says, else who lists it for most keys."""
        homes: dict[str, str] = {}
        for domain in sorted({each for listed in self._listed.values() for each in listed}):
            known = self._base.owner_of(domain)
            counts = ((listed[domain], owner) for owner, listed in self._listed.items())
            homes[domain] = known.name if known else max(counts)[1]
        return homes

    def facts(self) -> Iterator[KeyFact]:
        for fact in self._base.key_facts():
            if (fact.kind, fact.prefix) not in self._facts:
                yield fact
        for facts in self._facts.values():
            yield from facts


def _listing(owner: Owner, listed: Counter[str], homes: Mapping[str, str]) -> Owner:
    own = [domain for domain in owner.domains if domain in listed]
    own += sorted(
        each for each in listed if homes[each] == owner.name and each not in owner.domains
    )
    recognised = sorted(each for each in listed if homes[each] != owner.name)
    gone = [each for each in (*owner.domains, *owner.former) if each not in listed]
    return replace(
        owner, domains=tuple(own), recognised=tuple(recognised), former=tuple(dict.fromkeys(gone))
    )
