"""One entry of a zone file (RFC 1035 section 5.1): whose it is, of which type, and what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pinwarden.caa.labels import parse_domain, parse_wire_domain
from pinwarden.caa.presentation import GENERIC_MARK, generic_octets, read_words
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.caa.zone.master import Entry, Word
from pinwarden.errors import MalformedError, quoted

_ALIASES = frozenset(("CNAME", "DNAME"))

_TTL = re.compile(r"[0-9]{1,10}|(?:[0-9]{1,10}[smhdw]){1,5}", re.IGNORECASE)
_TTL_LIMIT = 0x7FFFFFFF
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

_CLASS = re.compile(r"IN|CH|HS|CS|ANY|NONE|CLASS[0-9]{1,5}", re.IGNORECASE)
_OURS = frozenset(("IN", "CLASS1"))

_GENERIC_TYPE = re.compile(r"TYPE([0-9]{1,5})")
_NUMBERED = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 28: "AAAA", 39: "DNAME", 43: "DS", 257: "CAA"}

# The IANA registry, and after it what providers write into their exports.
_TYPES_LISTED = (
    "A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP "
    "NSAP-PTR SIG KEY PX GPOS AAAA LOC NXT EID NIMLOC SRV ATMA NAPTR KX CERT A6 DNAME SINK OPT "
    "APL DS SSHFP IPSECKEY RRSIG NSEC DNSKEY DHCID NSEC3 NSEC3PARAM TLSA SMIMEA HIP NINFO RKEY "
    "TALINK CDS CDNSKEY OPENPGPKEY CSYNC ZONEMD SVCB HTTPS DSYNC HHIT BRID SPF UINFO UID GID "
    "UNSPEC NID L32 L64 LP EUI48 EUI64 NXNAME TKEY TSIG URI CAA AVC DOA AMTRELAY RESINFO WALLET "
    "CLA IPN TA DLV "
    "ALIAS ANAME LUA ENT URL URL301 URL302 REDIRECT FRAME"
)
_TYPES = frozenset(_TYPES_LISTED.split())


@dataclass(frozen=True, slots=True)
class ZoneRecord:
    """A record of a zone file that could be read.

    `owner` and `target` are names as `labels` spells them; `type` is in capitals, by
    its mnemonic where it has one. `ttl` is in seconds, None where the file states
    none. Of CAA records `caa` is the record, a broken one only when it was written as
    generic RDATA; of CNAME and DNAME records `target` is where they lead; of other
    types the data is not kept. `comment` is the comment after its first word, None where
    there is none; `unquoted` says that the value of a CAA record stands without quotes,
    so that a comment may be what was meant to belong to it.
    """

    owner: str
    type: str
    line: int
    ttl: int | None = None
    caa: CAARecord | BrokenRecord | None = None
    target: str | None = None
    comment: str | None = None
    unquoted: bool = False


@dataclass(frozen=True, slots=True)
class ZoneProblem:
    """An entry of a zone file that could not be read, for which a name server refuses the zone.

    `owner` and `type` are None where not even they could be read. `message` is one
    line that begins with the number of the line; `hint` says what to do.
    """

    line: int
    message: str
    owner: str | None = None
    type: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the data of an entry: its type, the TTL if stated, and the rest."""

    type: str
    ttl: int | None
    data: tuple[Word, ...]


def parse_ttl(text: str) -> int:
    """A TTL in seconds, also as `1h30m`; raises `MalformedError`."""
    if not _TTL.fullmatch(text):
        raise MalformedError(f"TTL {quoted(text)}: is no number of seconds")
    if text.isdigit():
        seconds = int(text)
    else:
        parts = re.findall(r"([0-9]+)([a-z])", text.lower())
        seconds = sum(int(count) * _SECONDS[unit] for count, unit in parts)
    if seconds > _TTL_LIMIT:
        raise MalformedError(f"TTL {quoted(text)}: is more than {_TTL_LIMIT} seconds")
    return seconds


def parse_head(entry: Entry, words: Sequence[Word]) -> Head:
    """TTL, class and type of an entry, whose words are those after its owner.

    TTL and class may come in either order, each once or not at all. Raises
    `MalformedError` for another class than IN and for a type that does not exist.
    """
    subject = f"line {entry.line}"
    ttl: int | None = None
    class_seen = False
    for at, word in enumerate(words):
        text = word.text.upper()
        if ttl is None and _TTL.fullmatch(text):
            ttl = parse_ttl(text)
        elif not class_seen and _CLASS.fullmatch(text):
            class_seen = True
            if text not in _OURS:
                raise MalformedError(f"{subject}: class {quoted(word.text)} is not IN")
        else:
            return Head(_parse_type(text, subject), ttl, tuple(words[at + 1 :]))
    raise MalformedError(f"{subject}: {entry.problem or 'has no type'}")


def _parse_type(text: str, subject: str) -> str:
    if match := _GENERIC_TYPE.fullmatch(text):
        number = int(match[1])
        return _NUMBERED.get(number, f"TYPE{number}")
    if text not in _TYPES:
        hint = "write owner, TTL, class and type: www 3600 IN CAA ..."
        raise MalformedError(f"{subject}: {quoted(text)} is no record type", hint=hint)
    return text


def parse_record(entry: Entry, owner: str, origin: str | None, head: Head) -> ZoneRecord:
    """The record of an entry whose head is known; raises `MalformedError`."""
    subject = f"line {entry.line}: {head.type} record"
    if entry.problem:
        raise MalformedError(f"{subject}: {entry.problem}")
    caa, target, unquoted = None, None, False
    if head.type == "CAA":
        caa = read_words(head.data, subject)
        unquoted = head.data[0] != Word(GENERIC_MARK) and not head.data[-1].quoted
    elif head.type in _ALIASES:
        target = _parse_target(head.data, origin, subject)
    return ZoneRecord(owner, head.type, entry.line, head.ttl, caa, target, entry.comment, unquoted)


def _parse_target(data: Sequence[Word], origin: str | None, subject: str) -> str:
    try:
        if data and data[0] == Word(GENERIC_MARK):
            return parse_wire_domain(generic_octets(data, subject))
        if len(data) == 1:
            return zone_name(data[0].text, origin)
    except MalformedError as error:
        raise MalformedError(f"{subject}: {error}", hint=error.hint) from error
    raise MalformedError(f"{subject}: has {len(data)} words instead of one name")


def parse_soa_minimum(data: Sequence[Word]) -> int:
    """The MINIMUM of the words of a SOA record, in seconds; raises `MalformedError`."""
    if data and data[0] == Word(GENERIC_MARK):
        return int.from_bytes(generic_octets(data, "SOA record")[-4:], "big")
    if len(data) != 7:
        raise MalformedError(f"SOA record: has {len(data)} words instead of seven")
    return parse_ttl(data[6].text)


def zone_name(text: str, origin: str | None) -> str:
    """A name of the file, relative to `origin`; raises `MalformedError` where there is none."""
    if origin is None and (text == "@" or not _is_absolute(text)):
        hint = "give the name of the zone, or a line with $ORIGIN"
        raise MalformedError(f"name {quoted(text)}: is relative to an unknown origin", hint=hint)
    return parse_domain(text, origin)


def _is_absolute(text: str) -> bool:
    bare = text.removesuffix(".")
    escapes = len(bare) - len(bare.rstrip("\\"))
    return bare != text and escapes % 2 == 0
