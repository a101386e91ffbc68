"""Zone files from the first entry to the last: directives, owners, TTLs, what cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinwarden.caa.labels import is_at_or_below, parent
from pinwarden.caa.zone.entry import (
    Head,
    ZoneProblem,
    ZoneRecord,
    parse_head,
    parse_record,
    parse_soa_minimum,
    parse_ttl,
    zone_name,
)
from pinwarden.caa.zone.master import Entry, entries
from pinwarden.errors import MalformedError, quoted

_NAME_SHOWN = 255


class _RefusedError(MalformedError):
    """What changes the meaning of all that follows, so that the file is refused."""


@dataclass(slots=True)
class Reader:
    """What was read of a zone file, and what stays from one entry to the next.

    `origin` is for relative names, None while it is not known; `named` is the name of
    the zone that the caller gave, if it did.
    """

    origin: str | None
    owner: str | None = None
    default_ttl: int | None = None
    last_ttl: int | None = None
    first_origin: str | None = None
    soa: tuple[str, int] | None = None
    negative_ttl: int | None = None
    records: list[ZoneRecord] = field(default_factory=list)
    problems: list[ZoneProblem] = field(default_factory=list)

    def take(self, entry: Entry) -> None:
        """Read one entry; raises `MalformedError` only for what refuses the file."""
        first = entry.words[0].text if entry.words else ""
        if first.startswith("$") and not entry.indented and not entry.words[0].quoted:
            self._directive(entry, first.upper())
            return
        head: Head | None = None
        try:
            self._take_owner(entry)
            head = parse_head(entry, entry.words[0 if entry.indented else 1 :])
            self._take_record(entry, head)
        except _RefusedError:
            raise
        except MalformedError as error:
            text = str(error)
            line = text if text.startswith("line ") else f"line {entry.line}: {text}"
            type_ = None if head is None else head.type
            self.problems.append(ZoneProblem(entry.line, line, self.owner, type_, error.hint))

    def _take_owner(self, entry: Entry) -> None:
        if not entry.indented:
            # Lines without an owner after one that cannot be read are not of the owner before.
            self.owner = None
            if not entry.words:
                raise MalformedError(f"line {entry.line}: {entry.problem}")
            self.owner = zone_name(entry.words[0].text, self.origin)
        elif self.owner is None:
            raise MalformedError(f"line {entry.line}: has no owner, and no line before states one")

    def _take_record(self, entry: Entry, head: Head) -> None:
        assert self.owner is not None
        if head.type == "SOA":
            self._take_soa(entry, self.owner, head)
        ttl = head.ttl if head.ttl is not None else self.default_ttl
        if ttl is None:
            # RFC 1035 section 5.1; before it the SOA minimum, as name servers do.
            ttl = self.last_ttl
        self.last_ttl = ttl
        head = Head(head.type, ttl, head.data)
        self.records.append(parse_record(entry, self.owner, self.origin, head))

    def _take_soa(self, entry: Entry, owner: str, head: Head) -> None:
        if self.soa is not None and self.soa[0] != owner:
            raise _RefusedError(
                f"line {entry.line}: a second zone begins, {quoted(owner, _NAME_SHOWN)}",
                hint="give each zone in a file of its own",
            )
        self.soa = (owner, entry.line)
        minimum = parse_soa_minimum(head.data)
        ttl = head.ttl if head.ttl is not None else self.default_ttl
        self.negative_ttl = minimum if ttl is None else min(minimum, ttl)
        self.last_ttl = minimum if self.last_ttl is None else self.last_ttl

    def _directive(self, entry: Entry, name: str) -> None:
        subject = f"line {entry.line}: {quoted(entry.words[0].text)}"
        if name in ("$INCLUDE", "$GENERATE"):
            hint = "expand the file first, such as with named-compilezone"
            raise _RefusedError(f"{subject}: is not followed here", hint=hint)
        if name not in ("$ORIGIN", "$TTL"):
            raise _RefusedError(f"{subject}: is no directive of zone files")
        if len(entry.words) != 2 or entry.problem:
            raise _RefusedError(f"{subject}: {entry.problem or 'does not have one value'}")
        value = entry.words[1].text
        try:
            if name == "$TTL":
                self.default_ttl = parse_ttl(value)
                return
            self.origin = zone_name(value, self.origin)
        except MalformedError as error:
            raise _RefusedError(f"{subject}: {error}", hint=error.hint) from error
        if self.first_origin is None:
            self.first_origin = self.origin

    def apex(self, named: str | None) -> str:
        """The name of the zone; raises `MalformedError` where it cannot be known.

        It is where the SOA record stands, else what the caller named, else the first
        `$ORIGIN` or the nearest name that all owners have in common.
        """
        # A SOA record whose owner lacks its final dot, as in Cloudflare's exports.
        doubled = self.soa is not None and self.soa[0] == f"{named}.{named}"
        if self.soa is not None and not doubled:
            return self.soa[0]
        if named is not None:
            return named
        entries_: tuple[ZoneRecord | ZoneProblem, ...] = (*self.records, *self.problems)
        owners = [each.owner for each in entries_ if each.owner is not None]
        common = self.first_origin or (owners[0] if owners else "")
        for owner in owners:
            while not is_at_or_below(owner, common):
                common = parent(common)
        if not common:
            hint = "give the name of the zone, or a line with $ORIGIN"
            raise MalformedError("zone file does not say which zone it is", hint=hint)
        return common


def read_entries(text: str, origin: str | None) -> Reader:
    """Everything in the text of a zone file; raises `MalformedError` for what refuses it.

    `origin` is the name of the zone, if the caller knows it, as `labels` spells names.
    """
    reader = Reader(origin)
    for entry in entries(text.removeprefix("\ufeff")):
        reader.take(entry)
    return reader
