"""Zone files (RFC 1035 section 5), read by us so that one bad record hides no other.

A name server refuses a whole zone for one entry that it cannot read. Here such an
entry is kept as a problem, with its line, and everything else is read: that is what
a linter and a rehearsal need. What would change the meaning of all that follows
(an open parenthesis, `$INCLUDE`, `$GENERATE`) refuses the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pinwarden.caa.labels import (
    WIRE_LIMIT,
    is_at_or_below,
    parent,
    parse_domain,
    shown_name,
    wire_length,
)
from pinwarden.caa.lookup import Failure, Lookup, Outcome
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.caa.zone.entry import ZoneProblem, ZoneRecord
from pinwarden.caa.zone.reader import read_entries
from pinwarden.errors import MalformedError, quoted

# Far beyond what is checked by file, and little enough to hold.
MAX_ZONE_SIZE = 64 * 1024 * 1024
MAX_ZONE_NAMES = 2_000_000

# A loop is found by its repetition; this ends chains that only grow.
_MOST_ALIASES = 1000
_NAME_SHOWN = 1000
_TRANSPORT = "file"


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone file: its records in their order, and what in it could not be read.

    `apex` is the name of the zone, empty for the root. `negative_ttl` is for how many
    seconds its absences hold (RFC 2308 section 5), None without a SOA record. Names
    are as `labels` spells them. Make one with `parse_zone`.
    """

    apex: str
    records: tuple[ZoneRecord, ...]
    problems: tuple[ZoneProblem, ...] = ()
    negative_ttl: int | None = None
    _records_at: Mapping[str, tuple[ZoneRecord, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _problems_at: Mapping[str, tuple[ZoneProblem, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _names: frozenset[str] = field(init=False, repr=False, compare=False, default_factory=frozenset)

    def __post_init__(self) -> None:
        """Index the entries; raises `MalformedError` for more names than can be held."""
        records: dict[str, list[ZoneRecord]] = {}
        problems: dict[str, list[ZoneProblem]] = {}
        for record in self.records:
            records.setdefault(record.owner, []).append(record)
        for problem in self.problems:
            if problem.owner is not None:
                problems.setdefault(problem.owner, []).append(problem)
        names = _existing(self.apex, (*records, *problems))
        object.__setattr__(self, "_records_at", {k: tuple(v) for k, v in records.items()})
        object.__setattr__(self, "_problems_at", {k: tuple(v) for k, v in problems.items()})
        object.__setattr__(self, "_names", names)

    @property
    def owners(self) -> tuple[str, ...]:
        """Every name that owns a record, in the order of the file."""
        return tuple(self._records_at)

    @property
    def caa_owners(self) -> tuple[str, ...]:
        """Every name that owns a CAA record, also one that could not be read."""
        entries: tuple[ZoneRecord | ZoneProblem, ...] = (*self.records, *self.problems)
        of_caa = sorted((each for each in entries if each.type == "CAA"), key=lambda e: e.line)
        return tuple(dict.fromkeys(each.owner for each in of_caa if each.owner is not None))

    def at(self, owner: str) -> tuple[ZoneRecord, ...]:
        """The records of a name, none for a name that has none."""
        return self._records_at.get(owner, ())

    def problems_at(self, owner: str) -> tuple[ZoneProblem, ...]:
        """The entries of a name that could not be read."""
        return self._problems_at.get(owner, ())

    def caa(self, owner: str) -> tuple[ZoneRecord, ...]:
        """The CAA records of a name, duplicates included."""
        return self.of_type(owner, "CAA")

    def of_type(self, owner: str, type_: str) -> tuple[ZoneRecord, ...]:
        """The records of a name that have this type."""
        return tuple(record for record in self.at(owner) if record.type == type_)

    def has(self, owner: str, type_: str) -> bool:
        """Whether a name has records of a type, also ones that could not be read."""
        entries: tuple[ZoneRecord | ZoneProblem, ...] = (*self.at(owner), *self.problems_at(owner))
        return any(each.type == type_ for each in entries)

    def exists(self, name: str) -> bool:
        """Whether a name has records, or one below it has (RFC 4592 section 2.2)."""
        return name in self._names

    def encloses(self, name: str) -> bool:
        """Whether a name is the apex or below it."""
        return is_at_or_below(name, self.apex)

    def path(self, name: str) -> tuple[str, ...]:
        """The names from the apex down to an enclosed name, both included."""
        names = [name]
        while names[-1] != self.apex:
            names.append(parent(names[-1]))
        return tuple(reversed(names))


def _existing(apex: str, owners: Iterable[str]) -> frozenset[str]:
    """The owners inside the zone and the names between them and the apex."""
    names = {apex}
    for owner in owners:
        if not is_at_or_below(owner, apex):
            continue
        name = owner
        while name not in names:
            names.add(name)
            name = parent(name)
        if len(names) > MAX_ZONE_NAMES:
            raise MalformedError(f"zone file has more than {MAX_ZONE_NAMES} names")
    return frozenset(names)


def parse_zone(text: str, origin: str | None) -> Zone:
    """The zone in the text of a zone file.

    `origin` is the name of the zone, None to take it from the file: from its SOA
    record, from `$ORIGIN`, or as what all its names have in common. Entries that
    cannot be read are in `Zone.problems`. Raises `MalformedError` for a file that is
    too large, for `$INCLUDE` and `$GENERATE`, for an open parenthesis, and where the
    name of the zone cannot be known.
    """
    if len(text) > MAX_ZONE_SIZE:
        raise MalformedError(f"zone file has more than {MAX_ZONE_SIZE:,} characters")
    named = None if origin is None else parse_domain(origin)
    found = read_entries(text, named)
    return Zone(found.apex(named), tuple(found.records), tuple(found.problems), found.negative_ttl)


@dataclass(frozen=True, slots=True)
class _Alias:
    """The name that an alias leads to."""

    target: str
    ttl: int | None


@dataclass(frozen=True, slots=True)
class _Stop:
    """Why a zone file cannot answer."""

    failure: Failure
    problem: str
    rcode: str | None = None


@dataclass(frozen=True, slots=True)
class _Data:
    """The CAA records of a name, none for one that has none or does not exist."""

    ttl: int | None
    rcode: str = "NOERROR"
    records: tuple[CAARecord | BrokenRecord, ...] = ()


def zone_look_up(zone: Zone | tuple[Zone, ...], name: str) -> Lookup:
    """What name servers of these zones would answer to a question for CAA records of a name.

    As RFC 1034 section 4.3.2 with RFC 4592 (wildcards) and RFC 6672 (DNAME) says,
    following aliases through all the zones given. What is not in them, outside or
    below a delegation, is a failure: a zone file cannot know, and silence is no
    permission. Entries that could not be read fail the names that they belong to.
    Raises `MalformedError` for a name that is none.
    """
    zones = (zone,) if isinstance(zone, Zone) else zone
    at = question = parse_domain(name)
    passed = [question]
    ttls: list[int | None] = []
    while True:
        here = max(
            (each for each in zones if each.encloses(at)),
            key=lambda each: len(each.apex),
            default=None,
        )
        if here is None:
            found: _Alias | _Stop | _Data = _Stop(
                Failure.UNREACHABLE,
                f"name {quoted(shown_name(at), _NAME_SHOWN)} is outside the zone file",
            )
        else:
            found = _find(here, at)
        if isinstance(found, _Stop):
            return _lookup(question, passed, here, ttls, found)
        ttls.append(found.ttl)
        if isinstance(found, _Data):
            return _lookup(question, passed, here, ttls, found)
        at = found.target
        if at in passed or len(passed) > _MOST_ALIASES:
            what = "in a circle" if at in passed else f"over more than {_MOST_ALIASES} names"
            shown = quoted(shown_name(question), _NAME_SHOWN)
            stop = _Stop(Failure.ALIAS_LOOP, f"aliases of {shown} lead {what}")
            return _lookup(question, [*passed, at], here, ttls, stop)
        passed.append(at)


def _lookup(
    question: str,
    passed: Sequence[str],
    here: Zone | None,
    ttls: Sequence[int | None],
    found: _Stop | _Data,
) -> Lookup:
    server = "" if here is None else f"zone {shown_name(here.apex)}"
    aliases = tuple(shown_name(each) for each in passed[1:])
    name = shown_name(question)
    if isinstance(found, _Stop):
        return Lookup(
            name=name,
            outcome=Outcome.FAILED,
            aliases=aliases,
            rcode=found.rcode,
            failure=found.failure,
            problem=found.problem,
            server=server,
            transport=_TRANSPORT,
        )
    missing = Outcome.NO_DATA if found.rcode == "NOERROR" else Outcome.NO_SUCH_NAME
    # A set holds no record twice (RFC 2181 section 5).
    distinct = dict.fromkeys(found.records)
    return Lookup(
        name=name,
        outcome=Outcome.RECORDS if distinct else missing,
        records=tuple(each for each in distinct if isinstance(each, CAARecord)),
        broken=tuple(each for each in distinct if isinstance(each, BrokenRecord)),
        ttl=min((ttl for ttl in ttls if ttl is not None), default=None),
        aliases=aliases,
        rcode=found.rcode,
        server=server,
        transport=_TRANSPORT,
    )


def _find(zone: Zone, name: str) -> _Alias | _Stop | _Data:
    """What one zone says of a name that it encloses, walking down from its apex."""
    nearest = zone.apex
    for node in zone.path(name):
        if not zone.exists(node):
            wildcard = f"*.{nearest}" if nearest else "*"
            if not zone.exists(wildcard):
                return _Data(zone.negative_ttl, "NXDOMAIN")
            return _at(zone, wildcard)
        if node != zone.apex and zone.has(node, "NS"):
            return _delegated(node)
        if node != name and zone.has(node, "DNAME"):
            return _below_dname(zone, node, name)
        nearest = node
    return _at(zone, name)


def _at(zone: Zone, node: str) -> _Alias | _Stop | _Data:
    """What the records of a node say, which a question for that name or a wildcard led to."""
    unknown = next((each for each in zone.problems_at(node) if each.type is None), None)
    if unknown is not None:
        return _Stop(Failure.MALFORMED, unknown.message)
    if zone.has(node, "CNAME"):
        return _only_alias(zone, node, "CNAME")
    if node != zone.apex and zone.has(node, "NS"):
        return _delegated(node)
    found = zone.caa(node)
    unread = [each for each in zone.problems_at(node) if each.type == "CAA"]
    if not found and not unread:
        return _Data(zone.negative_ttl)
    ttl = min((each.ttl for each in found if each.ttl is not None), default=None)
    records = [each.caa for each in found if each.caa is not None]
    broken = [BrokenRecord(b"", each.message) for each in unread]
    return _Data(ttl, records=(*records, *broken))


def _delegated(node: str) -> _Stop:
    problem = f"name {quoted(shown_name(node), _NAME_SHOWN)} is delegated to another zone"
    return _Stop(Failure.UNREACHABLE, problem)


def _only_alias(zone: Zone, node: str, type_: str) -> _Alias | _Stop:
    """The alias of a node, which has one that can be read or fails whoever asks."""
    unread = next((each for each in zone.problems_at(node) if each.type == type_), None)
    if unread is not None:
        return _Stop(Failure.MALFORMED, unread.message)
    records = zone.of_type(node, type_)
    targets = {each.target for each in records}
    target = targets.pop()
    if target is None or targets:
        problem = f"name {quoted(shown_name(node), _NAME_SHOWN)} has several {type_} records"
        return _Stop(Failure.MALFORMED, problem)
    ttl = min((each.ttl for each in records if each.ttl is not None), default=None)
    return _Alias(target, ttl)


def _below_dname(zone: Zone, node: str, name: str) -> _Alias | _Stop:
    """Where the DNAME of a node leads a name below it (RFC 6672 section 2.2)."""
    alias = _only_alias(zone, node, "DNAME")
    if isinstance(alias, _Stop):
        return alias
    prefix = name.removesuffix(f".{node}") if node else name
    target = f"{prefix}.{alias.target}" if alias.target else prefix
    if wire_length(target) > WIRE_LIMIT:
        shown = quoted(shown_name(name), _NAME_SHOWN)
        problem = f"name {shown} becomes too long through the DNAME record above it"
        return _Stop(Failure.OTHER_RCODE, problem, "YXDOMAIN")
    return _Alias(target, alias.ttl)
