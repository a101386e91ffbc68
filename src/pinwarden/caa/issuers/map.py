"""The issuer map: which CA goes by which names in CAA, and which CA a certificate is from.

RFC 8659 section 4.2 leaves it to each CA to say which issuer domain names are
its own. What the CAs told the CCADB is kept in two tables that ship with Pinwarden:
a small one of owners and their domains, and one of issuing keys, which is read only
when somebody asks about a certificate. `scripts/make_caa_issuers.py` makes both;
newer reports that the user names give the same tables (`caa/ccadb.py`).
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pinwarden.caa.issuers.nearest import Known, find_nearest
from pinwarden.errors import MalformedError, quoted

if TYPE_CHECKING:
    from pinwarden.x509.certificate import CertificateView

OWNERS_FILE = "caa_issuers.json"
KEYS_FILE = "caa_issuer_keys.json"
FORMAT = 1
# Eight octets of SHA-256 tell ten thousand CA certificates apart; the tables stay small.
KEY_PREFIX = 8
STALE_AFTER_DAYS = 365


@dataclass(frozen=True, slots=True)
class Owner:
    """One operator of CAs and the issuer domain names that authorise it.

    `domains` are its own; `recognised` are those of others, which it honours too;
    `former` are of its own that newer sources do not list any more. All are in lower
    case. `also` are other names that people know it by: brands, former names.
    """

    name: str
    domains: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    recognised: tuple[str, ...] = ()
    former: tuple[str, ...] = ()

    @property
    def honoured(self) -> frozenset[str]:
        """The issuer domain names that authorise this CA now."""
        return frozenset((*self.domains, *self.recognised))

    @property
    def all_domains(self) -> frozenset[str]:
        """Every issuer domain name that this CA is known to honour or to have honoured."""
        return frozenset((*self.domains, *self.recognised, *self.former))


@dataclass(frozen=True, slots=True)
class Source:
    """What a part of the map was made from, and the day it describes."""

    part: str
    name: str
    date: date


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A CA domain that may have been meant, and why it is offered."""

    domain: str
    owner: Owner
    why: str


class How(StrEnum):
    """What told the issuer of a certificate, the surest first."""

    BY_KEY = "by-key"
    """The CA listed its CAA domains for this very key."""
    BY_OWNER = "by-owner"
    """The key is known to be this owner's, and the domains are all that the owner goes by."""
    BY_NAME = "by-name"
    """Only the issuer's name is known, which anybody could write."""


@dataclass(frozen=True, slots=True)
class IssuerMatch:
    """The CA of a certificate, as far as the map can tell.

    With several owners any of them may run the issuing CA, so `domains` holds the
    domains of all, the former ones too, since a certificate may be old. If `complete`
    is false, an owner's domains are not known: no CAA record can then be said to
    forbid it, except one that names nobody.
    """

    owners: tuple[Owner, ...]
    domains: frozenset[str]
    how: How
    note: str

    @property
    def complete(self) -> bool:
        """Whether domains of every owner are known."""
        return bool(self.domains) and all(owner.all_domains for owner in self.owners)


@dataclass(frozen=True, slots=True)
class KeyFact:
    """What one value tells: see `key_prefix` for `kind` and `prefix`.

    `owners` are the names of those that may run the CA; `domains`, if any, are the
    CAA domains that the CA listed for this very key.
    """

    kind: str
    prefix: bytes
    owners: tuple[str, ...]
    domains: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Group:
    """Issuing keys that have the same answer."""

    owners: tuple[int, ...]
    domains: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class IssuerMap:
    """Owners of CAs, their domains and their keys; see `load_issuers`.

    Of `sources` those come first that outrank the others. `load_keys` gives the JSON
    of the table of keys; it is called once, and only when a certificate is asked about.
    """

    owners: tuple[Owner, ...]
    sources: tuple[Source, ...]
    load_keys: Callable[[], bytes | str] = field(repr=False)

    def owner_of(self, domain: str) -> Owner | None:
        """The CA that this issuer domain name belongs to, or None if it is nobody's known."""
        return self._by_domain.get(normal_domain(domain))

    def owner_named(self, name: str) -> Owner | None:
        """The CA that goes by this name, now or formerly, in whatever spelling."""
        return self._by_name.get(folded_name(name))

    def same_ca(self, domain: str) -> frozenset[str]:
        """The names that now authorise the CA which `domain` belongs to; empty if unknown."""
        owner = self.owner_of(domain)
        return owner.honoured if owner is not None else frozenset()

    def nearest(self, domain: str, limit: int = 3) -> tuple[Suggestion, ...]:
        """Known CA domains that may be meant by an unknown one, the likeliest first.

        Empty for a known domain, and if nothing is near.
        """
        if self.owner_of(domain) is not None:
            return ()
        return tuple(
            Suggestion(near.domain, self.owners[near.owner], near.why)
            for near in find_nearest(domain, self._known, limit)
        )

    @cached_property
    def domains(self) -> Mapping[str, Owner]:
        """Every issuer domain name and whose it is, in the order of the alphabet."""
        return dict(sorted(self._by_domain.items()))

    @property
    def dated(self) -> date | None:
        """The day that the CAA domains are of: that of their first source, which counts most."""
        return next((source.date for source in self.sources if source.part == "domains"), None)

    def age_days(self, at: datetime) -> int | None:
        """How many days ago the map's domains were as they are here."""
        return (at.astimezone(UTC).date() - self.dated).days if self.dated else None

    def is_stale(self, at: datetime) -> bool:
        """Whether the map is so old that CAs may have other domains by now."""
        age = self.age_days(at)
        return age is None or age > STALE_AFTER_DAYS

    def issuer_of(
        self,
        certificate: CertificateView | None = None,
        *,
        authority_key: bytes | None = None,
        issuer_spki_sha256: bytes | None = None,
        issuer_sha256: bytes | None = None,
    ) -> IssuerMatch | None:
        """The CA that issued a certificate, or None: the issuer is not mapped.

        Asked in this order: the SHA-256 of the issuer's SubjectPublicKeyInfo (as in
        log entries for precertificates), the SHA-256 of the issuer's certificate, the
        authority key identifier given or read from `certificate`, and the issuer's
        name in it. Never raises: what cannot be read is not asked for.
        """
        asked = (
            ("spki", issuer_spki_sha256),
            ("certificate", issuer_sha256),
            ("key", authority_key or _authority_key(certificate)),
        )
        found = [self._keys.get(_prefix(kind, value)) for kind, value in asked if value]
        groups = [group for group in found if group is not None]
        if groups:
            # The surest first; a later one may know more about the same owner.
            same = [group for group in groups if set(group.owners) <= set(groups[0].owners)]
            group = next((each for each in same if each.domains), groups[0])
            return self._match(group, How.BY_KEY if group.domains else How.BY_OWNER, group.note)
        named = self._keys.get(_prefix("name", certificate.issuer)) if certificate else None
        if named is None:
            return None
        note = "the issuer's key is not known, only its name"
        return self._match(named, How.BY_NAME, f"{note}; {named.note}" if named.note else note)

    def _match(self, group: _Group, how: How, note: str) -> IssuerMatch:
        owners = tuple(self.owners[number] for number in group.owners)
        domains = frozenset(group.domains) or frozenset().union(
            *(owner.all_domains for owner in owners)
        )
        return IssuerMatch(owners, domains, how, note)

    def key_facts(self) -> Iterator[KeyFact]:
        """Everything in the table of keys, to make another table of."""
        names = {letter: kind for kind, letter in _KINDS.items()}
        for place, group in self._keys.items():
            owners = tuple(self.owners[number].name for number in group.owners)
            yield KeyFact(names[place[:1]], place[1:], owners, group.domains, group.note)

    @cached_property
    def _by_domain(self) -> dict[str, Owner]:
        found: dict[str, Owner] = {}
        for pick in ("domains", "former", "recognised"):
            for owner in self.owners:
                for domain in getattr(owner, pick):
                    found.setdefault(domain, owner)
        return found

    @cached_property
    def _by_name(self) -> dict[str, Owner]:
        found = {folded_name(owner.name): owner for owner in self.owners}
        for owner in self.owners:
            for name in owner.also:
                found.setdefault(folded_name(name), owner)
        return found

    @cached_property
    def _known(self) -> tuple[Known, ...]:
        return tuple(
            Known(number, owner.domains or owner.former, (owner.name, *owner.also))
            for number, owner in enumerate(self.owners)
            if owner.domains or owner.former
        )

    @cached_property
    def _keys(self) -> dict[bytes, _Group]:
        table = _read(self.load_keys(), KEYS_FILE)
        found: dict[bytes, _Group] = {}
        with _reading(KEYS_FILE):
            for raw in table["groups"]:
                group = _group(raw, len(self.owners))
                for kind, letter in _KINDS.items():
                    blob = b64decode(raw.get(kind, ""), validate=True)
                    for start in range(0, len(blob), KEY_PREFIX):
                        found[letter + blob[start : start + KEY_PREFIX]] = group
        return found


# How each kind of key is told apart in memory.
_KINDS = {"key": b"k", "spki": b"s", "certificate": b"c", "name": b"n"}


def normal_domain(domain: str) -> str:
    """An issuer domain name as the map holds it: lower case, without blanks and final dot."""
    return domain.strip(" \t").removesuffix(".").lower()


def folded_name(name: str) -> str:
    """The name of an organisation without case, blanks and punctuation, to compare."""
    return "".join(character for character in name.casefold() if character.isalnum())


def key_prefix(kind: str, value: bytes) -> bytes:
    """What the table of keys holds for a value: SPKI and certificates come hashed already.

    `kind` is "key" (a key identifier), "spki", "certificate" (SHA-256 each) or "name"
    (an encoded Name).
    """
    hashed = value if kind in {"spki", "certificate"} else hashlib.sha256(value).digest()
    return hashed[:KEY_PREFIX]


def _prefix(kind: str, value: bytes) -> bytes:
    return _KINDS[kind] + key_prefix(kind, value)


def _authority_key(certificate: CertificateView | None) -> bytes | None:
    # Here, since most questions are about domains.
    from pinwarden.x509.key_ids import authority_key_id

    if certificate is None:
        return None
    try:
        return authority_key_id(certificate)
    except MalformedError:
        return None


@cache
def load_issuers() -> IssuerMap:
    """The map that ships with Pinwarden."""
    return parse_issuers(_resource(OWNERS_FILE), lambda: _resource(KEYS_FILE))


def parse_issuers(owners: bytes | str, load_keys: Callable[[], bytes | str]) -> IssuerMap:
    """The map in the JSON of a table of owners; the table of keys is read when it is needed.

    Raises `MalformedError`, as does `issuer_of` of the map for the table of keys.
    """
    table = _read(owners, OWNERS_FILE)
    with _reading(OWNERS_FILE):
        return IssuerMap(
            owners=tuple(_owner(raw) for raw in table["owners"]),
            sources=tuple(
                Source(str(raw["part"]), str(raw["name"]), date.fromisoformat(raw["date"]))
                for raw in table["sources"]
            ),
            load_keys=load_keys,
        )


def _owner(raw: Mapping[str, Any]) -> Owner:
    return Owner(
        name=str(raw["name"]),
        domains=_texts(raw.get("domains", ())),
        also=_texts(raw.get("also", ())),
        recognised=_texts(raw.get("recognised", ())),
        former=_texts(raw.get("former", ())),
    )


def _group(raw: Mapping[str, Any], owners: int) -> _Group:
    numbers = tuple(raw["owners"])
    if not all(isinstance(number, int) and 0 <= number < owners for number in numbers):
        raise ValueError("an owner's number is out of range")
    return _Group(numbers, _texts(raw.get("domains", ())), str(raw.get("note", "")))


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


def _read(data: bytes | str, name: str) -> Mapping[str, Any]:
    with _reading(name):
        table = json.loads(data)
        if not isinstance(table, dict) or table.get("format") != FORMAT:
            raise ValueError(f"is not of format {FORMAT}")
        return table


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Turns whatever a wrong table makes happen into one of our errors."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise MalformedError(f"{name}: is not a table of issuers ({quoted(str(error))})") from error


def _resource(name: str) -> bytes:
    return files("pinwarden").joinpath("data", name).read_bytes()
