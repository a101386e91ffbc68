"""Every name server of a zone, and what each of them says itself.

A resolver tells what one of them said some time ago. After publishing, what counts is
that all of them say the same: a CA may meet any.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pinwarden.caa.message import RCode, Response, Type, rcode_name
from pinwarden.caa.wire_name import ROOT
from pinwarden.errors import MalformedError, OutsideError, quoted
from pinwarden.net.dns.exchange import AskError
from pinwarden.net.dns.resolver import ATTEMPTS, TIMEOUT, open_resolver
from pinwarden.net.dns.server import DEFAULT_PORTS, ServerAddress, Transport, parse_server

# The root has 13 with 26 addresses; who has more is not served better.
MOST_SERVERS = 32
_MOST_ADDRESSES = 8


class Asker(Protocol):
    """Whoever answers questions of any type: a resolver."""

    @property
    def description(self) -> str:
        """Whom it asks."""
        ...

    async def ask(self, name: str, rdtype: int, *, rd: bool = True) -> Response:
        """See `DNSResolver.ask`."""
        ...


@dataclass(frozen=True, slots=True)
class NameServer:
    """One address of a name server; `name` is empty for one that the user gave."""

    name: str
    address: ServerAddress

    def __str__(self) -> str:
        """Such as `ns1.example.net (192.0.2.1:53)`."""
        return f"{self.name} ({self.address})" if self.name else str(self.address)


@dataclass(frozen=True, slots=True)
class Authority:
    """The zone that holds a name, the addresses of its servers, and what of that was not found."""

    zone: str
    servers: tuple[NameServer, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAnswer:
    """What one server says: its records as RDATA, in the order sent, or `problem`, why none.

    No records and no problem: it says that there are none. `aliases` are those that the
    records were found through; `ttl` is in seconds.
    """

    server: NameServer
    records: tuple[bytes, ...] = ()
    aliases: tuple[str, ...] = ()
    ttl: int | None = None
    rcode: str | None = None
    problem: str = ""


def given_server(text: str) -> NameServer:
    """A server that the user named instead; raises MalformedError (see `parse_server`)."""
    return NameServer("", parse_server(text))


async def find_authority(
    name: str, resolver: Asker, *, port: int = DEFAULT_PORTS[Transport.UDP]
) -> Authority:
    """The zone of `name`, from the nearest parent that has NS records, and its servers.

    Raises OutsideError when the resolver cannot say, MalformedError for a `name` that
    is none.
    """
    zone = name
    while True:
        hosts = await _hosts(zone, resolver)
        if hosts:
            break
        if zone == ROOT:
            raise OutsideError(f"zone of {quoted(name)}: no name servers found", target=name)
        zone = zone.partition(".")[2] or ROOT
    problems = []
    if len(hosts) > MOST_SERVERS:
        problems.append(f"zone {quoted(zone)}: only {MOST_SERVERS} of {len(hosts)} servers asked")
        hosts = hosts[:MOST_SERVERS]
    found = await asyncio.gather(*[_addresses(host, resolver, port) for host in hosts])
    servers = tuple(server for one, _ in found for server in one)
    problems += [problem for _, problem in found if problem]
    return Authority(zone, servers, tuple(problems))


async def _hosts(zone: str, resolver: Asker) -> list[str]:
    """The servers of exactly this zone: not those of where an alias leads."""
    try:
        response = await _asked(resolver, zone, Type.NS)
    except OutsideError:
        # What is wrong with the target of an alias is wrong in another zone.
        if (await _asked(resolver, zone, Type.CNAME)).rdata:
            return []
        raise
    try:
        named = response.names(Type.NS)
    except MalformedError as error:
        raise OutsideError(f"{resolver.description}: {error}", target=zone) from error
    return list(dict.fromkeys(host for owner, host in named if owner == zone))


async def _addresses(host: str, resolver: Asker, port: int) -> tuple[tuple[NameServer, ...], str]:
    """The addresses of one name server, and why there are none, or may be more."""
    found: list[str] = []
    problem = ""
    for rdtype, size in ((Type.A, 4), (Type.AAAA, 16)):
        try:
            response = await _asked(resolver, host, rdtype)
        except (OutsideError, MalformedError) as error:
            problem = f"{rdtype.name} address not found: {error}"
            continue
        raw = [each for each in response.rdata if len(each) == size]
        found += [str(ipaddress.ip_address(each)) for each in raw[:_MOST_ADDRESSES]]
    servers = [NameServer(host, ServerAddress(Transport.UDP, each, port)) for each in found]
    if not servers and not problem:
        problem = "has no address"
    return tuple(servers), f"name server {quoted(host)}: {problem}" if problem else ""


async def _asked(resolver: Asker, name: str, rdtype: int) -> Response:
    """An answer that means something; raises OutsideError for any other."""
    try:
        response = await resolver.ask(name, rdtype)
    except AskError as error:
        raise OutsideError(f"{resolver.description} {error}", target=error.target) from error
    if response.rcode not in (RCode.NOERROR, RCode.NXDOMAIN) or response.truncated:
        said = "an answer cut short" if response.truncated else rcode_name(response.rcode)
        raise OutsideError(
            f"{resolver.description} answered {said} to a question about {quoted(name)}",
            target=resolver.description,
        )
    return response


def without_way(servers: Sequence[NameServer]) -> tuple[NameServer, ...]:
    """Those whose address this machine has no way to, such as IPv6 where there is none.

    Only those that have another address which can be asked instead.
    """
    lost = [each for each in servers if not _has_way(each.address)]
    reached = {each.name for each in servers if each not in lost}
    return tuple(each for each in lost if each.name and each.name in reached)


def _has_way(address: ServerAddress) -> bool:
    """What the system's routes say; connecting a socket for datagrams sends nothing."""
    try:
        version = ipaddress.ip_address(address.host).version
    except ValueError:
        return True
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address.host, address.port))
    except OSError:
        return False
    return True


async def ask_servers(
    name: str,
    servers: Iterable[NameServer],
    *,
    patience: float = TIMEOUT,
    attempts: int = ATTEMPTS,
) -> tuple[ServerAnswer, ...]:
    """What each server says of the CAA records at `name`, all of them asked at once.

    In the order of `servers`; nothing is raised for what a server does. `patience` is in
    seconds, for each attempt.
    """
    return tuple(
        await asyncio.gather(
            *[_ask_server(name, server, patience=patience, attempts=attempts) for server in servers]
        )
    )


async def _ask_server(
    name: str, server: NameServer, *, patience: float, attempts: int
) -> ServerAnswer:
    try:
        async with open_resolver(server.address, timeout=patience, attempts=attempts) as asking:
            response = await asking.ask(name, Type.CAA, rd=False)
    except (AskError, MalformedError) as error:
        return ServerAnswer(server=server, problem=str(error))
    return ServerAnswer(
        server=server,
        records=response.rdata,
        aliases=response.aliases,
        ttl=response.ttl,
        rcode=rcode_name(response.rcode),
        problem=_problem(response),
    )


def _problem(response: Response) -> str:
    """Why an answer says nothing about the zone; empty for one that does."""
    if response.rcode not in (RCode.NOERROR, RCode.NXDOMAIN):
        return f"answered {rcode_name(response.rcode)}"
    if response.truncated:
        return "cuts its answer short even over TCP"
    referral = response.referral
    if referral is not None:
        return f"refers to the servers of {quoted(referral)}"
    if not response.authoritative:
        return "does not answer with authority for this name"
    return ""


def same_everywhere(answers: Sequence[ServerAnswer]) -> bool:
    """Whether all servers that answered have the same records, in whatever order."""
    answered = [sorted(each.records) for each in answers if not each.problem]
    return all(each == answered[0] for each in answered)
