"""CNAME and DNAME records of one answer, followed from the question to where they end."""

from __future__ import annotations

from pinwarden.caa.wire_name import Known, encode_name, prefix_below, read_name, skip_name
from pinwarden.errors import MalformedError, quoted

# More links than any resolver follows: BIND stops at 16, Unbound at 11.
MOST_ALIASES = 16

_CNAME, _DNAME = 5, 39

# Where the owner begins, type, TTL in seconds, and where the RDATA begins and ends.
Entry = tuple[int, int, int, int, int]
# Aliases from the question on, whether they loop, then records and all TTLs used.
Followed = tuple[tuple[str, ...], bool, list[bytes], list[int]]


def follow_aliases(wire: bytes, name: str, rdtype: int, answer: list[Entry]) -> Followed:
    """From `name`, the question, to the records of type `rdtype`, in whatever order they stand.

    Raises MalformedError for names that cannot be read, for two aliases at one name, and
    for an alias beside records: RFC 1034 section 3.6.2 forbids both, and which of them
    counts for a CA would be anybody's guess. IndexError past the end of the message.
    """
    known: Known = {}
    found: dict[str, list[Entry]] = {}
    cnames: dict[str, Entry] = {}
    dnames: dict[str, Entry] = {}
    for entry in answer:
        if entry[1] not in (rdtype, _CNAME, _DNAME):
            continue
        owner = read_name(wire, entry[0], known)
        if entry[1] == rdtype:
            found.setdefault(owner, []).append(entry)
            continue
        same = (cnames if entry[1] == _CNAME else dnames).setdefault(owner, entry)
        if same is not entry and name_in(wire, same, known) != name_in(wire, entry, known):
            raise MalformedError(f"answer has several aliases for {quoted(owner)}")
    aliases: list[str] = []
    ttls: list[int] = []
    met = {name}
    while name not in found:
        step = _next_alias(wire, name, cnames, dnames, known)
        if step is None:
            break
        name, ttl = step
        aliases.append(name)
        ttls.append(ttl)
        if name in met or len(aliases) > MOST_ALIASES:
            return tuple(aliases), True, [], ttls
        met.add(name)
    entries = found.get(name, [])
    if entries and name in cnames:
        raise MalformedError(f"answer has an alias and records at {quoted(name)}")
    ttls += [each[2] for each in entries]
    return tuple(aliases), False, [wire[each[3] : each[4]] for each in entries], ttls


def _next_alias(
    wire: bytes, name: str, cnames: dict[str, Entry], dnames: dict[str, Entry], known: Known
) -> tuple[str, int] | None:
    entry = cnames.get(name)
    if entry is not None:
        return name_in(wire, entry, known), entry[2]
    for owner, each in dnames.items():
        # RFC 6672 section 2.3: a DNAME is an alias for what is below it, not for its owner.
        prefix = prefix_below(name, owner)
        if prefix is not None:
            target = name_in(wire, each, known)
            joined = prefix + target if target != "." else prefix[:-1]
            encode_name(joined)
            return joined, each[2]
    return None


def name_in(wire: bytes, entry: Entry, known: Known) -> str:
    """The name that is the RDATA of a record, which must be nothing else."""
    if skip_name(wire, entry[3]) != entry[4]:
        raise MalformedError("name in a record is not as long as the record")
    return read_name(wire, entry[3], known)
