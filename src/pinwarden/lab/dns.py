"""An authoritative DNS server on loopback, over UDP and TCP, from master file text.

Enough of RFC 1034 section 4.3.2 for honest answers about small zones: aliases
(CNAME, DNAME), wildcards, empty non-terminals, negative answers with their SOA,
truncation. Nothing is signed. What goes wrong on request is in `LabDNS.faults`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

from pinwarden.lab.background import Served

HOST = "127.0.0.1"
_SOA = "@ 60 IN SOA ns.lab.invalid. hostmaster.lab.invalid. 1 3600 600 86400 60\n"
_NS = "@ 60 IN NS ns.lab.invalid.\n"
_LONGEST_ALIAS = 16

Fault = Literal["servfail", "refused", "nxdomain", "silent", "truncate", "garbage", "wrong-id"]
_RCODES = {
    "servfail": dns.rcode.SERVFAIL,
    "refused": dns.rcode.REFUSED,
    "nxdomain": dns.rcode.NXDOMAIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question that was asked."""

    name: str
    type: str
    transport: Literal["udp", "tcp"]
    wants_dnssec: bool


class LabDNS(Served):
    """Answers for zones given as `{origin: master file text}`; SOA and NS may be left out.

    `faults` maps a name, or `*` for every name, to what goes wrong with it.
    """

    def __init__(self, zones: Mapping[str, str]) -> None:
        self.faults: dict[str, Fault] = {}
        self.queries: list[Query] = []
        self.port = 0
        self._zones: dict[dns.name.Name, dns.zone.Zone] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._visitors: set[asyncio.StreamWriter] = set()
        for origin, text in zones.items():
            self.set_zone(origin, text)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return HOST, self.port

    def set_zone(self, origin: str, text: str) -> None:
        """Replace a zone, or add one."""
        head = ("" if " SOA " in text else _SOA) + ("" if " NS " in text else _NS)
        zone = dns.zone.from_text(head + text, origin=origin, relativize=False)
        self._zones[dns.name.from_text(origin)] = zone

    async def start(self) -> None:
        """Begin to listen, on one port number for both transports."""
        loop = asyncio.get_running_loop()
        for _ in range(20):
            self._tcp = await asyncio.start_server(self._serve_tcp, HOST, 0)
            self.port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _UDP(self), local_addr=(HOST, self.port)
                )
            except OSError:
                self._tcp.close()
            else:
                return
        raise OSError("no port is free for both UDP and TCP")

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for writer in list(self._visitors):
            writer.transport.abort()
        await asyncio.sleep(0)

    def answer(self, wire: bytes, transport: Literal["udp", "tcp"]) -> bytes | None:
        """The answer to one message, or None for silence."""
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return None
        name, rdtype = question.name, question.rdtype
        self.queries.append(
            Query(
                name=name.to_text(),
                type=dns.rdatatype.to_text(rdtype),
                transport=transport,
                wants_dnssec=bool(query.ednsflags & dns.flags.DO),
            )
        )
        fault = self.faults.get(name.to_text(omit_final_dot=True)) or self.faults.get("*")
        response = dns.message.make_response(query)
        if fault in _RCODES:
            response.set_rcode(_RCODES[fault])
        else:
            try:
                self._look_up(name, rdtype, response)
            except dns.name.NameTooLong:
                response.set_rcode(dns.rcode.YXDOMAIN)  # RFC 6672 section 2.2
        if fault == "silent":
            return None
        if fault == "garbage":
            return wire[:2] + os.urandom(40)
        if fault == "wrong-id":
            response.id ^= 1
        limit = max(512, query.payload) if transport == "udp" else 65535
        if fault == "truncate" and transport == "udp":
            limit = 0
        return _packed(response, limit)

    def _look_up(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, response: dns.message.Message
    ) -> None:
        response.flags |= dns.flags.AA
        for _ in range(_LONGEST_ALIAS):
            zone = self._zone_of(name)
            if zone is None:
                if not response.answer:
                    response.flags &= ~dns.flags.AA
                    response.set_rcode(dns.rcode.REFUSED)
                return
            if target := _dname(zone, name, response):
                name = target
                continue
            node = _node(zone, name)
            if node is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                _negative(zone, response)
                return
            if rdataset := node.get_rdataset(dns.rdataclass.IN, rdtype):
                response.answer.append(
                    dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))
                )
                return
            alias = node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.CNAME)
            if alias is None:
                _negative(zone, response)
                return
            response.answer.append(dns.rrset.from_rdata_list(name, alias.ttl, list(alias)))
            name = alias[0].target

    def _zone_of(self, name: dns.name.Name) -> dns.zone.Zone | None:
        origins = [origin for origin in self._zones if name.is_subdomain(origin)]
        return self._zones[max(origins, key=len)] if origins else None

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._visitors.add(writer)
        try:
            # RFC 7766 section 6.2.1: several questions may come over one connection.
            while size := await reader.readexactly(2):
                wire = self.answer(await reader.readexactly(int.from_bytes(size, "big")), "tcp")
                if wire is not None:
                    writer.write(len(wire).to_bytes(2, "big") + wire)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._visitors.discard(writer)
            with contextlib.suppress(ConnectionError):
                writer.close()


class _UDP(asyncio.DatagramProtocol):
    def __init__(self, server: LabDNS) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        wire = self._server.answer(data, "udp")
        if wire is not None:
            self._transport.sendto(wire, addr)


def _packed(response: dns.message.Message, limit: int) -> bytes:
    if limit:
        with contextlib.suppress(dns.exception.TooBig):
            return response.to_wire(max_size=limit)
    # RFC 2181 section 9: an answer that does not fit is useless as a whole.
    response.flags |= dns.flags.TC
    response.answer.clear()
    response.authority.clear()
    return response.to_wire()


def _negative(zone: dns.zone.Zone, response: dns.message.Message) -> None:
    """RFC 2308 section 3: a negative answer carries the zone's SOA."""
    assert zone.origin is not None
    soa = zone.get_rdataset(zone.origin, dns.rdatatype.SOA)
    assert soa is not None
    response.authority.append(dns.rrset.from_rdata_list(zone.origin, soa.ttl, list(soa)))


def _node(zone: dns.zone.Zone, name: dns.name.Name) -> dns.node.Node | None:
    """The node that answers for a name: its own, an empty one, a wildcard, or none."""
    node = zone.get_node(name)
    if node is not None:
        return node
    if _has_names_below(zone, name):
        return dns.node.Node()  # type: ignore[no-untyped-call]  # dnspython has no type for it
    assert zone.origin is not None
    # RFC 4592 section 3.3.1: only the wildcard below the closest name that exists.
    parent = name
    while parent != zone.origin:
        parent = parent.parent()
        if zone.get_node(parent) is not None or _has_names_below(zone, parent):
            return zone.get_node(dns.name.Name((b"*", *parent.labels)))
    return None


def _has_names_below(zone: dns.zone.Zone, name: dns.name.Name) -> bool:
    return any(each != name and each.is_subdomain(name) for each in zone.nodes)


def _dname(
    zone: dns.zone.Zone, name: dns.name.Name, response: dns.message.Message
) -> dns.name.Name | None:
    """Follows a DNAME above `name`, with the CNAME that it stands for (RFC 6672 section 3)."""
    assert zone.origin is not None
    parent = name
    while parent != zone.origin:
        parent = parent.parent()
        rdataset = zone.get_rdataset(parent, dns.rdatatype.DNAME)
        if rdataset is None:
            continue
        target: dns.name.Name = name.relativize(parent).concatenate(rdataset[0].target)
        response.answer.append(dns.rrset.from_rdata_list(parent, rdataset.ttl, list(rdataset)))
        response.answer.append(
            dns.rrset.from_text(name, rdataset.ttl, "IN", "CNAME", target.to_text())
        )
        return target
    return None
