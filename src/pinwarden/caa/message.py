"""DNS messages (RFC 1035 section 4, RFC 6891) as far as questions about CAA need them.

The reader is tolerant where a stricter one would lose the records that matter: RDATA
stays the octets it is, so that one record that cannot be read hides no other. It is
bounded: a message has at most 65,535 octets and is walked once.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from pinwarden.caa.aliases import Entry, Followed, follow_aliases, name_in
from pinwarden.caa.lookup import ExtendedError
from pinwarden.caa.wire_name import Known, encode_name, prefix_below, read_name, skip_name
from pinwarden.errors import MalformedError, quoted

LONGEST_MESSAGE = 65535
# The limit of the DNS flag day 2020: fits into one packet nearly everywhere.
PAYLOAD = 1232

_HEADER = struct.Struct(">HHHHHH")
_RECORD = struct.Struct(">HHIH")
_QUESTION_END = struct.Struct(">HH")
_UINT32 = struct.Struct(">I")
_HEADER_SIZE = 12
_OPT_SIZE = 11
_CLASS_IN = 1
_LEAST_SOA = 22
_EDE_OPTION = 15
_MOST_EXTENDED_ERRORS = 8
_MOST_EXTENDED_TEXT = 255
# An owner that is a pointer to the question, as nearly every one is.
_SAME_AS_QUESTION = b"\xc0\x0c"

_QR, _AA, _TC, _RD, _RA, _AD, _CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
_OPCODE = 0x7800
_DO = 0x8000


class Type(IntEnum):
    """Record types that are asked for or read."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    AAAA = 28
    DNAME = 39
    OPT = 41
    CAA = 257


class RCode(IntEnum):
    """Response codes with a meaning of their own here (IANA DNS RCODEs)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    YXDOMAIN = 6
    YXRRSET = 7
    NXRRSET = 8
    NOTAUTH = 9
    NOTZONE = 10
    BADVERS = 16
    BADCOOKIE = 23


# As plain numbers, for the loops over records.
_CNAME, _SOA, _DNAME, _OPT = map(int, (Type.CNAME, Type.SOA, Type.DNAME, Type.OPT))
_RCODE_NAMES = {int(code): code.name for code in RCode}
# FORMERR, SERVFAIL, NOTIMP, REFUSED: who cannot read a question need not repeat it.
_MAY_OMIT_QUESTION = {1, 2, 4, 5}


def rcode_name(code: int) -> str:
    """The registered name of a response code, or `RCODE` and its number."""
    return _RCODE_NAMES.get(code) or f"RCODE{code}"


def build_query(
    ident: int,
    name: str,
    *,
    rdtype: int = Type.CAA,
    do: bool = True,
    cd: bool = False,
    rd: bool = True,
    payload: int = PAYLOAD,
) -> bytes:
    """One question as a message; `payload` 0 leaves EDNS out, for servers that know none.

    DO makes a validating resolver say what it found (RFC 4035 section 3.2.3). AD is not
    set beside it: a server that repeats the flags of a question would vouch for all it
    says. Raises MalformedError for a name that is none.
    """
    bits = (_RD if rd else 0) | (_CD if cd else 0)
    question = encode_name(name) + _QUESTION_END.pack(rdtype, _CLASS_IN)
    if not payload:
        return _HEADER.pack(ident, bits, 1, 0, 0, 0) + question
    # The OPT record of RFC 6891 section 6.1.2, at the root.
    opt = b"\0" + _RECORD.pack(_OPT, payload, _DO if do else 0, 0)
    return _HEADER.pack(ident, bits, 1, 0, 0, 1) + question + opt


class Response(NamedTuple):
    """What a server answered. A tuple, since it is made anew for every answer.

    `aliases` are the targets that CNAME and DNAME records of the answer lead to from
    the question on, in order; `loops` says that they come back to a name already met,
    or are more than `MOST_ALIASES`. `rdata` are the records of the type that was asked
    for, at the last alias. `ttl` (seconds) is the least of these and the aliases, or
    the negative TTL of RFC 2308 section 5, or None where nothing tells. `has_soa`: it is
    negative, and says so with the SOA record of the zone that the last alias is in (or the
    question, without one). `edns` tells whether the server speaks it.
    `referral` is the zone whose servers to ask instead, when that is all the answer says:
    no form of an empty answer in RFC 2308 section 2.2 has NS records and no SOA.
    """

    wire: bytes
    bits: int
    rcode: int
    aliases: tuple[str, ...]
    loops: bool
    rdata: tuple[bytes, ...]
    ttl: int | None
    has_soa: bool
    edns: bool
    extended_errors: tuple[ExtendedError, ...]
    referral: str | None
    answer: list[Entry]

    @property
    def authoritative(self) -> bool:
        """The AA bit."""
        return bool(self.bits & _AA)

    @property
    def truncated(self) -> bool:
        """The TC bit."""
        return bool(self.bits & _TC)

    @property
    def recursion_available(self) -> bool:
        """The RA bit."""
        return bool(self.bits & _RA)

    @property
    def authenticated(self) -> bool:
        """The AD bit: whether the server says that DNSSEC vouches for the answer."""
        return bool(self.bits & _AD)

    @property
    def checking_disabled(self) -> bool:
        """The CD bit."""
        return bool(self.bits & _CD)

    def names(self, rdtype: int) -> list[tuple[str, str]]:
        """Owner and name of each NS, CNAME or DNAME record of the answer.

        Raises MalformedError for a name that cannot be read.
        """
        known: Known = {}
        try:
            return [
                (read_name(self.wire, each[0], known), name_in(self.wire, each, known))
                for each in self.answer
                if each[1] == rdtype
            ]
        except IndexError:
            raise MalformedError("name ends past the end of the answer") from None


def read_response(wire: bytes, query: bytes) -> Response:
    """The answer to `query`, a message made by `build_query`.

    The id, the name without regard to case, type and class must be those of the
    question. Raises MalformedError for anything else, and for what is no message.
    """
    try:
        return _read(wire, query)
    except (IndexError, struct.error):
        raise MalformedError("answer ends before it says all that it announces") from None


def _read(wire: bytes, query: bytes) -> Response:
    bits, at = _read_head(wire, query)
    _, _, _, answers, authorities, additions = _HEADER.unpack_from(wire)
    answer, at = _walk(wire, at, answers)
    authority, at = _walk(wire, at, authorities)
    additional, at = _walk(wire, at, additions)
    if at != len(wire):
        raise MalformedError(f"answer has {len(wire) - at} octets too many")
    rcode, edns, extended = _read_opt(wire, bits & 15, additional)
    aliases, loops, rdata, ttls = _follow(wire, query, answer) if answer else ((), False, [], [])
    has_soa, referral = False, None
    if not rdata:
        name = aliases[-1] if aliases else None
        has_soa, elsewhere = _take_soa(wire, query, name, authority, ttls)
        if elsewhere and not has_soa and name is None and rcode in (RCode.NOERROR, RCode.NXDOMAIN):
            raise MalformedError(f"answer is about the zone {quoted(elsewhere)}, not the name")
        # An alias leads on; what is said besides is about another name.
        if not (rcode or aliases or has_soa):
            referral = _referral(wire, authority)
    return Response(
        wire,
        bits,
        rcode,
        aliases,
        loops,
        tuple(rdata),
        min(ttls) if ttls else None,
        has_soa,
        edns,
        extended,
        referral,
        answer,
    )


def _read_opt(
    wire: bytes, rcode: int, additional: list[Entry]
) -> tuple[int, bool, tuple[ExtendedError, ...]]:
    """The whole response code, whether there is an OPT record, and the errors in it."""
    edns = False
    extended: tuple[ExtendedError, ...] = ()
    for _, rdtype, ttl, begin, end in additional:
        if rdtype == _OPT:
            if edns:
                raise MalformedError("answer has more than one OPT record")
            # RFC 6891 section 6.1.3: the upper octet of what would be the TTL.
            rcode |= ttl >> 24 << 4
            edns = True
            if begin != end:
                extended = _extended_errors(wire, begin, end)
    return rcode, edns, extended


def _take_soa(
    wire: bytes, query: bytes, name: str | None, authority: list[Entry], ttls: list[int]
) -> tuple[bool, str]:
    """Whether the zone that `name` is in says with its SOA record that there is nothing.

    `name` is the last alias, None for the question itself. The negative TTL is added to
    `ttls`. The SOA of another zone, whose name is the second thing returned, denies nothing:
    servers add their own to an alias that leads out of it.
    """
    found, elsewhere = False, ""
    end_of_question = _question_end(query)
    for start, rdtype, ttl, begin, end in authority:
        if rdtype != _SOA or end - begin < _LEAST_SOA:
            continue
        # A pointer into the question is the name asked for or a parent, as nearly always.
        is_pointer = wire[start] == 0xC0 and _HEADER_SIZE <= wire[start + 1] < end_of_question
        if not is_pointer or name is not None:
            zone = read_name(wire, start, {})
            owner = read_name(query, _HEADER_SIZE, {}) if name is None else name
            if zone != owner and prefix_below(owner, zone) is None:
                elsewhere = zone
                continue
        found = True
        ttls.append(min(ttl, _ttl(_UINT32.unpack_from(wire, end - 4)[0])))
    return found, elsewhere


def _referral(wire: bytes, authority: list[Entry]) -> str | None:
    for entry in authority:
        if entry[1] == Type.NS:
            return read_name(wire, entry[0], {})
    return None


def _read_head(wire: bytes, query: bytes) -> tuple[int, int]:
    """The flags, and where the question ends, which must be ours."""
    ident, bits, questions, answers, _, _ = _HEADER.unpack_from(wire)
    if wire[:2] != query[:2]:
        raise MalformedError(f"answer has the id {ident}, which was not asked")
    if not bits & _QR or bits & _OPCODE:
        raise MalformedError("answer is no answer by its header")
    if questions == 1:
        end = _question_end(query)
        if wire[_HEADER_SIZE:end] != query[_HEADER_SIZE:end]:
            _verify_question(wire, query, end)
        return bits, end
    if questions == 0 and not answers and bits & 15 in _MAY_OMIT_QUESTION:
        return bits, _HEADER_SIZE
    raise MalformedError(f"answer repeats {questions} questions instead of one")


def _question_end(query: bytes) -> int:
    """Where the question of our own query ends: before the OPT record, if there is one."""
    return len(query) - _OPT_SIZE if query[11] else len(query)


def _verify_question(wire: bytes, query: bytes, end: int) -> None:
    """Compares names without regard to case, since servers may change it."""
    theirs, ours = wire[_HEADER_SIZE:end], query[_HEADER_SIZE:end]
    # Lower case changes no length octet: those are less than 64.
    if theirs[-4:] != ours[-4:] or theirs[:-4].lower() != ours[:-4].lower():
        raise MalformedError("answer is one to another question")


def _walk(wire: bytes, at: int, count: int) -> tuple[list[Entry], int]:
    """So many records from `at` on, those of other classes left out, and where they end."""
    entries: list[Entry] = []
    size = len(wire)
    for _ in range(count):
        start = at
        at = at + 2 if wire[at] >= 0xC0 else skip_name(wire, at)
        rdtype, rdclass, ttl, length = _RECORD.unpack_from(wire, at)
        at += 10
        end = at + length
        if end > size:
            raise MalformedError("record is longer than the answer")
        if rdtype == _OPT:
            entries.append((start, rdtype, ttl, at, end))
        elif rdclass == _CLASS_IN:
            entries.append((start, rdtype, _ttl(ttl), at, end))
        at = end
    return entries, at


def _ttl(value: int) -> int:
    """RFC 2181 section 8: what would be negative counts as 0."""
    return value if value < 0x80000000 else 0


def _follow(wire: bytes, query: bytes, answer: list[Entry]) -> Followed:
    end = _question_end(query)
    rdtype = query[end - 4] << 8 | query[end - 3]
    rdata, ttls = [], []
    for start, of_type, ttl, begin, end in answer:
        if of_type == rdtype and wire[start : start + 2] == _SAME_AS_QUESTION:
            rdata.append(wire[begin:end])
            ttls.append(ttl)
        elif of_type in (rdtype, _CNAME, _DNAME):
            return follow_aliases(wire, read_name(query, _HEADER_SIZE, {}), rdtype, answer)
    return (), False, rdata, ttls


def _extended_errors(wire: bytes, at: int, end: int) -> tuple[ExtendedError, ...]:
    """Options 15 (RFC 8914 section 2) of an OPT record; what cannot be read is left out."""
    found: list[ExtendedError] = []
    while at + 4 <= end and len(found) < _MOST_EXTENDED_ERRORS:
        option, length = struct.unpack_from(">HH", wire, at)
        at += 4
        if at + length > end:
            break
        if option == _EDE_OPTION and length >= 2:
            text = wire[at + 2 : min(at + length, at + 2 + _MOST_EXTENDED_TEXT)]
            shown = text.decode("utf-8", "replace").rstrip("\0")
            found.append(ExtendedError(int.from_bytes(wire[at : at + 2], "big"), shown))
        at += length
    return tuple(found)
