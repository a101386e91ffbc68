"""Makes `src/pinwarden/data/caa_issuer*.json` from files that the maintainer names.

    scripts/make_caa_issuers.py \
        --domains caa_identifiers.json@2026-01-01 \
        --domains ca_information_report_2017.csv@2017-12-31 \
        --certificates all_ca_certs.jsonl.xz@2026-08-21 --owners ca_owner_derived.jsonl.gz

    scripts/make_caa_issuers.py ... \
        --identifiers AllCAAIdentifiersReportCSVV2@DATE \
        --records AllCertificateRecordsCSVFormatV5@DATE

The first form joins three things: who goes by which CAA domain (a JSON object of domain to
organisation, or the CCADB's old report by CA owner), all CA certificates known to the CCADB,
and the owner of each as its root gives it. `caa_owners.toml` says what those have wrong. The
second form puts the original reports of the CCADB on top, which know the domains of each key.
`FILE@DATE:TITLE` gives the source another name than that of the file.

Whose a key is: the owner that the subject's organisation names, and the nearest owner above
it. Where the two differ either may run the CA, so the key gets both, unless the one named is
known to run its own.

The facts are the CCADB's (CDLA-Permissive-2.0).
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import re
import sys
import tomllib
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from pinwarden.caa.issuers.ccadb import (
    find_domains,
    parse_identifiers,
    parse_owner_domains,
    parse_records,
    update_issuers,
)
from pinwarden.caa.issuers.map import (
    KEYS_FILE,
    OWNERS_FILE,
    KeyFact,
    Owner,
    Source,
    folded_name,
    key_prefix,
    parse_issuers,
)
from pinwarden.caa.issuers.tables import render_tables
from pinwarden.errors import MalformedError, PinwardenError
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.key_ids import authority_key_id, subject_key_id

DATA = Path(__file__).parents[1] / "src" / "pinwarden" / "data"
CURATED = Path(__file__).with_name("caa_owners.toml")
_ORGANISATION = re.compile(r"(?:^|,)O=((?:\\.|[^,\\])*)")


def main() -> int:
    """Make both tables."""
    options = _options()
    try:
        tables = make_tables(options)
    except (OSError, ValueError, KeyError, PinwardenError) as error:
        print(f"make_caa_issuers: error: {error}", file=sys.stderr)
        return 2
    for name, text in ((OWNERS_FILE, tables.owners), (KEYS_FILE, tables.keys)):
        (options.output / name).write_text(text, encoding="ascii")
        print(f"{options.output / name}: {len(text):,} octets")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes the tables of the issuer map.")
    parser.add_argument("--domains", metavar="FILE@DATE", action="append", default=[])
    parser.add_argument("--certificates", metavar="FILE@DATE", required=True)
    parser.add_argument("--owners", metavar="FILE", type=Path, required=True)
    parser.add_argument("--identifiers", metavar="FILE@DATE")
    parser.add_argument("--records", metavar="FILE@DATE")
    parser.add_argument("--output", type=Path, default=DATA)
    return parser.parse_args()


def make_tables(options: argparse.Namespace) -> Any:
    """The two tables as text."""
    curated = tomllib.loads(CURATED.read_text("utf-8"))
    book = OwnerBook(curated["owner"])
    sources = []
    for number, text in enumerate(sorted(options.domains, key=_dated, reverse=True)):
        path, day, title = _dated_path(text)
        sources.append(Source("domains", title, day))
        book.add_domains(_read(path), newest=number == 0)
    path, day, title = _dated_path(options.certificates)
    sources.append(Source("keys", title, day))
    facts = [*key_facts(path, _root_owners(options.owners), book), *curated_facts(curated["key"])]
    tables = render_tables(book.owners(), sources, facts)
    if options.identifiers:
        base = parse_issuers(tables.owners, lambda: tables.keys)
        path, day, title = _dated_path(options.identifiers)
        identifiers = parse_identifiers(_read(path))
        sources.insert(0, Source("domains", title, day))
        records = None
        if options.records:
            path, day, title = _dated_path(options.records)
            records = parse_records(_read(path))
            sources.append(Source("keys", title, day))
        tables = update_issuers(base, identifiers, records, sources)
    return tables


def _dated(text: str) -> date:
    return _dated_path(text)[1]


def _dated_path(text: str) -> tuple[Path, date, str]:
    name, at, day = text.rpartition("@")
    if not at:
        raise ValueError(f"{text} has no date: name it as {text}@YYYY-MM-DD")
    day, _, title = day.partition(":")
    return Path(name), date.fromisoformat(day), title or Path(name).name


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    return gzip.decompress(data) if path.suffix == ".gz" else data


class OwnerBook:
    """All owners with their domains, found by any of their names."""

    def __init__(self, curated: Sequence[Mapping[str, Any]]) -> None:
        self._owners: dict[str, Owner] = {}
        self._by_name: dict[str, str] = {}
        self._by_organisation: dict[str, str] = {}
        self._fixed: dict[str, str] = {}
        self.independent = {raw["name"] for raw in curated if raw.get("independent")}
        for raw in curated:
            name = raw["name"]
            names = [*raw.get("also", ()), *raw.get("ccadb", ())]
            also = tuple(dict.fromkeys(each for each in names if each != name))
            self._owners[name] = Owner(
                name, tuple(raw.get("domains", ())), also, tuple(raw.get("recognised", ()))
            )
            for each in (name, *raw.get("ccadb", ())):
                self._by_name[folded_name(each)] = name
            for each in raw.get("organisations", ()):
                self._by_organisation[folded_name(each)] = name
            for domain in raw.get("domains", ()):
                self._fixed[domain] = name

    def named(self, name: str) -> str:
        """The owner of a report's name for it; a new one if there is none."""
        found = self._by_name.get(folded_name(name)) or self.organisation(name)
        if found is None:
            found = name
            self._owners[name] = Owner(name)
            self._by_name[folded_name(name)] = name
        return found

    def organisation(self, organisation: str) -> str | None:
        """The owner with this subject organisation, or None."""
        return self._by_organisation.get(folded_name(organisation))

    def add_domains(self, data: bytes, *, newest: bool) -> None:
        """The domains in one source; those of older sources alone are former ones."""
        if data.lstrip().startswith(b"{"):
            pairs = [
                (domain, self._of_organisation(text))
                for domain, text in json.loads(data)["identifiers"].items()
            ]
        else:
            report = parse_owner_domains(data)
            for problem in report.problems:
                print(problem, file=sys.stderr)
            pairs = [
                (domain, self.named(row.owner)) for row in report.rows for domain in row.domains
            ]
        for domain, guessed in pairs:
            if find_domains(domain) != ((domain,), ()):
                raise ValueError(f"{domain!r} is not a domain")
            owner = self._owners[self._fixed.get(domain, guessed)]
            if domain in owner.all_domains:
                continue
            if newest:
                owner = replace(owner, domains=(*owner.domains, domain))
            else:
                owner = replace(owner, former=(*owner.former, domain))
            self._owners[owner.name] = owner

    def _of_organisation(self, text: str) -> str:
        name = self.named(text)
        self._by_organisation.setdefault(folded_name(text), name)
        return name

    def owners(self) -> list[Owner]:
        """Every owner; what only an older source has of one is better than nothing."""
        return [
            owner if owner.domains else replace(owner, domains=owner.former, former=())
            for owner in self._owners.values()
        ]


@dataclass(frozen=True, slots=True)
class CACertificate:
    """What counts of one CA certificate."""

    fingerprint: bytes
    spki: bytes
    subject: bytes
    issuer: bytes
    key_id: bytes | None
    authority: bytes | None
    organisation: str


def _root_owners(path: Path) -> dict[bytes, tuple[str, ...]]:
    rows = map(json.loads, _read(path).splitlines())
    return {bytes.fromhex(row["sha256"]): tuple(row["owners"]) for row in rows}


def _certificates(path: Path) -> Iterator[CACertificate]:
    for line in _read(path).splitlines():
        view = view_certificate(b64decode(json.loads(line)["der"]))
        fingerprint = view.fingerprint
        assert fingerprint is not None
        match = _ORGANISATION.search(view.subject_text)
        yield CACertificate(
            fingerprint,
            view.spki_hash,
            view.subject,
            view.issuer,
            _tolerant(subject_key_id, view),
            _tolerant(authority_key_id, view),
            match[1].replace("\\", "") if match else "",
        )


def _tolerant(read: Any, view: Any) -> bytes | None:
    try:
        value: bytes | None = read(view)
    except MalformedError:
        return None
    return value


def key_facts(
    path: Path, root_owners: Mapping[bytes, tuple[str, ...]], book: OwnerBook
) -> Iterator[KeyFact]:
    """What each value in the CA certificates tells of who runs the CA."""
    graph = KeyGraph(tuple(_certificates(path)), root_owners, book)
    for certificate in graph.certificates:
        owners, note = graph.owners_of(certificate.spki)
        if not owners:
            continue
        values = {
            "key": certificate.key_id,
            "spki": certificate.spki,
            "certificate": certificate.fingerprint,
            "name": certificate.subject,
        }
        for kind, value in values.items():
            if value is not None:
                yield KeyFact(kind, key_prefix(kind, value), owners, note=note)


def curated_facts(rows: Sequence[Mapping[str, str]]) -> Iterator[KeyFact]:
    """What the maintainer knows of single keys."""
    for row in rows:
        for kind in ("key", "spki"):
            prefix = key_prefix(kind, bytes.fromhex(row[kind]))
            yield KeyFact(kind, prefix, (row["owner"],), note=row["note"])


class KeyGraph:
    """The keys of all CAs, and which signed which."""

    def __init__(
        self,
        certificates: tuple[CACertificate, ...],
        root_owners: Mapping[bytes, tuple[str, ...]],
        book: OwnerBook,
    ) -> None:
        self.certificates = certificates
        self._book = book
        self._root_owners = root_owners
        self._by_spki: dict[bytes, list[CACertificate]] = defaultdict(list)
        self._by_subject: dict[bytes, list[CACertificate]] = defaultdict(list)
        for each in certificates:
            self._by_spki[each.spki].append(each)
            self._by_subject[each.subject].append(each)
        self._found: dict[bytes, tuple[tuple[str, ...], str]] = {}

    def owners_of(self, spki: bytes) -> tuple[tuple[str, ...], str]:
        """The owners that may run the CA with this key, and what to know about that."""
        if spki not in self._found:
            self._found[spki] = ((), "")  # ends a circle of cross-signed CAs
            self._found[spki] = self._owners(spki)
        return self._found[spki]

    def _owners(self, spki: bytes) -> tuple[tuple[str, ...], str]:
        certificates = self._by_spki[spki]
        names = {each.organisation for each in certificates} - {""}
        own = {name for each in names if (name := self._book.organisation(each))}
        above = {name for key in self._parents(spki) for name in self.owners_of(key)[0]}
        is_root = any(each.subject == each.issuer for each in certificates)
        if own and (is_root or not above or own & (above | self._book.independent)):
            return tuple(sorted(own)), ""
        if own:
            who, where = " and ".join(sorted(own)), " and ".join(sorted(above))
            note = f"the CA is named after {who} under a CA of {where}, so either may run it"
            return tuple(sorted(own | above)), note
        if is_root or not above:
            given = {name for each in certificates for name in self._given(each)}
            above = given or above
        if len(above) > 1:
            return tuple(
                sorted(above)
            ), "CAs of several owners signed it, so any of them may run it"
        return tuple(sorted(above)), ""

    def _given(self, certificate: CACertificate) -> Iterator[str]:
        for name in self._root_owners.get(certificate.fingerprint, ()):
            yield self._book.named(name)

    def _parents(self, spki: bytes) -> set[bytes]:
        parents = set()
        for each in self._by_spki[spki]:
            for parent in self._by_subject[each.issuer]:
                told = each.authority is not None and parent.key_id is not None
                if parent.spki != spki and (not told or each.authority == parent.key_id):
                    parents.add(parent.spki)
        return parents


if __name__ == "__main__":
    raise SystemExit(main())
