"""What the lab's DNS server says: zones and wishes for faults in, one message out.

No sockets here. See `LabDNS` for what a test can ask for.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataset
import dns.rdatatype
import dns.rrset

from pinwarden.lab.dns_zone import Zone

_LONGEST_ALIAS = 16
_LONGEST_MESSAGE = 65535

Transport = Literal["udp", "tcp", "tls", "https"]
Role = Literal["authoritative", "resolver", "validating"]
Fault = Literal[
    "servfail",
    "refused",
    "notimp",
    "formerr",
    "nxdomain",
    "bogus",
    "silent",
    "truncate",
    "truncate-always",
    "garbage",
    "cut",
    "wrong-id",
    "wrong-question",
]
_Wish = TypeVar("_Wish")
_RCODES = {
    "servfail": dns.rcode.SERVFAIL,
    "refused": dns.rcode.REFUSED,
    "notimp": dns.rcode.NOTIMP,
    "formerr": dns.rcode.FORMERR,
    "nxdomain": dns.rcode.NXDOMAIN,
    "bogus": dns.rcode.SERVFAIL,
}
_ALIASES = {dns.rdatatype.CNAME, dns.rdatatype.DNAME}
_BOGUS = (6, "")
_ELSEWHERE = dns.name.from_text("elsewhere.invalid")
_WORLD = dns.rrset.from_text(
    dns.name.root, 60, "IN", "SOA", "ns.lab.invalid. hostmaster.lab.invalid. 1 3600 600 86400 60"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question that was asked; `port` is where it came from, `name` as it was spelt."""

    name: str
    type: str
    transport: Transport
    wants_dnssec: bool
    wants_ad: bool = False
    checking_disabled: bool = False
    payload: int = 0
    id: int = 0
    port: int = 0


@dataclass(slots=True)
class Reply:
    """What goes out: nothing if `wire` is None, and not before `delay` seconds."""

    wire: bytes | None
    delay: float = 0.0


class Answers:
    """Zones, what goes wrong with them on request, and the questions that were asked."""

    def __init__(self, zones: Mapping[str, str], role: Role, secure: Iterable[str]) -> None:
        self.role = role
        self.secure = {each.lower().rstrip(".") for each in secure}
        self.faults: dict[str, Fault | list[Fault | None]] = {}
        self.delays: dict[str, float] = {}
        self.extended_errors: dict[str, list[tuple[int, str]]] = {}
        self.shuffled = False
        self.rewrite: Callable[[str, bytes], bytes | None] | None = None
        self.queries: list[Query] = []
        self._zones: dict[dns.name.Name, Zone] = {}
        for origin, text in zones.items():
            self.set_zone(origin, text)

    def set_zone(self, origin: str, text: str) -> None:
        """Replace a zone, or add one."""
        zone = Zone(origin, text)
        self._zones[zone.origin] = zone

    def asked(self, name: str, kind: str = "CAA") -> int:
        """How many times a question was asked, over whatever transport."""
        wanted = (name.lower().rstrip("."), kind)
        return sum((q.name.lower().rstrip("."), q.type) == wanted for q in self.queries)

    def answer(self, wire: bytes, transport: Transport) -> bytes | None:
        """The answer to one message, or None for silence."""
        return self.reply(wire, transport).wire

    def reply(self, wire: bytes, transport: Transport, port: int = 0) -> Reply:
        """The answer to one message that came from `port`, and how long it is to take."""
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return Reply(None)
        self._remember(query, transport, port)
        response = dns.message.make_response(query, our_payload=1232)
        met = self._look_up(question.name, question.rdtype, response)
        names = [each.to_text(omit_final_dot=True).lower() for each in met]
        fault = _wish(self.faults, names, question.rdtype)
        if isinstance(fault, list):
            fault = fault.pop(0) if fault else None
        errors = list(_wish(self.extended_errors, names, question.rdtype) or [])
        if fault == "bogus":
            # RFC 4035 section 3.2.2: whoever checks for himself gets what there is.
            fault, errors = (
                (None, []) if query.flags & dns.flags.CD else (fault, errors or [_BOGUS])
            )
        elif fault is None:
            self._authenticate(query, response, names)
        _spoil(response, fault)
        if errors and query.edns >= 0:
            _explain(response, errors)
        if self.shuffled:
            random.shuffle(response.answer)
        delay = _wish(self.delays, names, question.rdtype) or 0.0
        out = _sent(fault, response, wire, query.payload, transport)
        if self.rewrite is not None and out is not None:
            out = self.rewrite(names[0], out)
        return Reply(out, delay)

    def _remember(self, query: dns.message.Message, transport: Transport, port: int) -> None:
        question = query.question[0]
        self.queries.append(
            Query(
                name=question.name.to_text(),
                type=dns.rdatatype.to_text(question.rdtype),
                transport=transport,
                wants_dnssec=bool(query.ednsflags & dns.flags.DO),
                wants_ad=bool(query.flags & dns.flags.AD),
                checking_disabled=bool(query.flags & dns.flags.CD),
                payload=query.payload,
                id=query.id,
                port=port,
            )
        )

    def _authenticate(
        self, query: dns.message.Message, response: dns.message.Message, names: list[str]
    ) -> None:
        """RFC 4035 section 3.2.3 and RFC 6840 section 5.8: AD for whoever can understand it."""
        asked = query.ednsflags & dns.flags.DO or query.flags & dns.flags.AD
        if self.role != "validating" or not asked or query.flags & dns.flags.CD:
            return
        if all(self._is_secure(each) for each in names):
            response.flags |= dns.flags.AD

    def _is_secure(self, name: str) -> bool:
        return name in {"", "."} or any(
            zone in {"", name} or name.endswith("." + zone) for zone in self.secure
        )

    def _look_up(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, response: dns.message.Message
    ) -> list[dns.name.Name]:
        """Fill in the answer; the names that it leads through, beginning with the question."""
        met = [name]
        if self.role == "authoritative":
            response.flags |= dns.flags.AA
        else:
            response.flags |= dns.flags.RA
        try:
            while (target := self._step(met[-1], rdtype, response)) is not None:
                if target in met or len(met) > _LONGEST_ALIAS:
                    if self.role != "authoritative":
                        _fail(response, dns.rcode.SERVFAIL)
                    break
                met.append(target)
        except dns.name.NameTooLong:
            response.set_rcode(dns.rcode.YXDOMAIN)  # RFC 6672 section 2.2
        return met

    def _step(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, response: dns.message.Message
    ) -> dns.name.Name | None:
        """Answer for one name; the name that an alias goes on with."""
        zone = self._zone_of(name)
        if zone is None:
            self._answer_outside(name, rdtype, response)
            return None
        if (cut := zone.cut(name)) and (name, rdtype) != (cut[0], dns.rdatatype.DS):
            self._refer(*cut, response)
            return None
        if redirection := zone.dname(name):
            return _redirect(name, *redirection, response)
        node = zone.node(name)
        if node is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif rdataset := node.get(rdtype):
            response.answer.append(_rrset(name, rdataset))
            return None
        elif alias := node.get(dns.rdatatype.CNAME):
            response.answer.append(_rrset(name, alias))
            target: dns.name.Name = alias[0].target
            return target
        response.authority.append(_rrset(zone.origin, zone.soa))
        return None

    def _zone_of(self, name: dns.name.Name) -> Zone | None:
        for depth in range(len(name.labels)):
            if zone := self._zones.get(dns.name.Name(name.labels[depth:])):
                return zone
        return None

    def _answer_outside(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, response: dns.message.Message
    ) -> None:
        """An authority refuses what it has no zone of; a resolver has the zones for its world."""
        if self.role == "authoritative":
            if not response.answer:
                _fail(response, dns.rcode.REFUSED)
            return
        if name == dns.name.root and rdtype == dns.rdatatype.SOA:
            response.answer.append(_WORLD)
            return
        if not any(origin.is_subdomain(name) for origin in self._zones):
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(_WORLD)

    def _refer(
        self, cut: dns.name.Name, servers: dns.rdataset.Rdataset, response: dns.message.Message
    ) -> None:
        """RFC 1034 section 4.3.2, step 3b. There is nobody whom a resolver could ask further."""
        if self.role != "authoritative":
            _fail(response, dns.rcode.SERVFAIL)
            return
        if not response.answer:
            response.flags &= ~dns.flags.AA
        response.authority.append(_rrset(cut, servers))
        for server in servers:
            zone = self._zone_of(server.target)
            for rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
                node = zone.node(server.target) if zone else None
                if node and (addresses := node.get(rdtype)):
                    response.additional.append(_rrset(server.target, addresses))


def _wish(
    wishes: Mapping[str, _Wish], names: list[str], rdtype: dns.rdatatype.RdataType
) -> _Wish | None:
    """What is wished for the first of `names` that there is a wish for, or for all."""
    if not wishes:
        return None
    kind = dns.rdatatype.to_text(rdtype)
    for key in (key for name in names for key in (f"{name} {kind}", name)):
        if key in wishes:
            return wishes[key]
    return wishes.get("*")


def _fail(response: dns.message.Message, rcode: dns.rcode.Rcode) -> None:
    response.set_rcode(rcode)
    response.flags &= ~dns.flags.AA
    for section in (response.answer, response.authority, response.additional):
        section.clear()


def _spoil(response: dns.message.Message, fault: Fault | None) -> None:
    """Make a message of what is to go wrong; what is wrong with its octets comes later."""
    if fault == "wrong-id":
        response.id ^= 1
    elif fault == "wrong-question":
        (question,) = response.question
        response.question = [dns.rrset.RRset(_ELSEWHERE, question.rdclass, question.rdtype)]
    elif fault in _RCODES:
        aliases = [each for each in response.answer if each.rdtype in _ALIASES]
        _fail(response, _RCODES[fault])
        if fault == "nxdomain":
            response.answer = aliases


def _explain(response: dns.message.Message, errors: list[tuple[int, str]]) -> None:
    options: list[dns.edns.Option] = [
        dns.edns.EDEOption(dns.edns.EDECode.make(code), text or None) for code, text in errors
    ]
    response.use_edns(response.edns, response.ednsflags, 1232, options=options)


def _sent(
    fault: Fault | None,
    response: dns.message.Message,
    asked: bytes,
    payload: int,
    transport: Transport,
) -> bytes | None:
    """The octets of a message, spoilt if that is the fault."""
    if fault == "silent":
        return None
    if fault == "garbage":
        return asked[:2] + os.urandom(40)
    limit = max(512, payload) if transport == "udp" else _LONGEST_MESSAGE
    if fault == "truncate-always" or (fault == "truncate" and transport == "udp"):
        limit = 0
    wire = _packed(response, limit)
    return wire[: len(wire) * 2 // 3] if fault == "cut" else wire


def _packed(response: dns.message.Message, limit: int) -> bytes:
    if limit:
        with contextlib.suppress(dns.exception.TooBig):
            return response.to_wire(max_size=limit)
    # RFC 2181 section 9: an answer that does not fit is useless as a whole.
    response.flags |= dns.flags.TC
    response.answer.clear()
    response.authority.clear()
    return response.to_wire()


def _rrset(name: dns.name.Name, rdataset: dns.rdataset.Rdataset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))


def _redirect(
    name: dns.name.Name,
    owner: dns.name.Name,
    rdataset: dns.rdataset.Rdataset,
    response: dns.message.Message,
) -> dns.name.Name:
    """Follow a DNAME, with the CNAME that it stands for (RFC 6672 section 3)."""
    target: dns.name.Name = name.relativize(owner).concatenate(rdataset[0].target)
    response.answer.append(_rrset(owner, rdataset))
    response.answer.append(dns.rrset.from_text(name, rdataset.ttl, "IN", "CNAME", target.to_text()))
    return target
