"""A world to audit: a CA that logs, log operators, a resolver that validates, and servers.

`audit_world()` makes it once in a process. Everything is right in it, until a test asks for
one thing that is not: `chain(FAULT)` is what a server shows,

  good                 logged with two operators, for `HOST`
  expired, future      ended yesterday, begins the day after tomorrow
  ends-soon            ends in three days
  wrong-name           for other.example alone
  self-signed          signed by itself
  no-intermediate      good, sent without the intermediate
  unknown-ca           of a CA that nobody trusts
  untidy               good, with a stranger's certificate behind it
  with-root            good, with the root behind it
  unknown-log          one of its three SCTs is of a log that no list names
  one-operator         both SCTs are of logs of one operator
  no-scts              never logged
  false-sct            one of its three SCTs was signed for another certificate
  wildcard             for *.audit.example

and `dns` answers for `audit.example`, where CAA permits `CA_DOMAIN`. The host is reached at
127.0.0.1, since no name of the world is in the DNS of this machine.
"""

from __future__ import annotations

import asyncio
import atexit
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from pinwarden.audit.report import AuditReport
from pinwarden.audit.run import AuditTarget, Limits, Sources, audit_host
from pinwarden.caa.issuers.map import load_issuers
from pinwarden.ct.known_logs import known_logs
from pinwarden.ct.log import LogList, Program
from pinwarden.ct.loglist import parse_log_list
from pinwarden.lab.ca import CA, Issued, new_key, pem
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.tls import Credentials
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import parse_server
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import ServedAddress, ServedHost, Wanted
from pinwarden.net.tls import TLSAsker, verifying_context

HOST = "www.audit.example"
ZONE = "audit.example"
CA_DOMAIN = "ca.lab.example"
PERMITTED = f'@ 300 IN CAA 0 issue "{CA_DOMAIN}"'
FORBIDDEN = '@ 300 IN CAA 0 issue "another-ca.example"'
_PATIENCE = 5.0


@dataclass(frozen=True)
class AuditWorld:
    """See the head of this file."""

    ca: CA
    stranger: CA
    first: LabLog
    twin: LabLog
    second: LabLog
    stray: LabLog
    folder: Path

    @property
    def listed(self) -> tuple[LabLog, ...]:
        """The logs of the list: two of the first operator, one of the second."""
        return self.first, self.twin, self.second

    @property
    def cafile(self) -> str:
        """Trust in the CA."""
        return str(self.folder / "root.pem")

    @property
    def log_list(self) -> str:
        """The list in a file."""
        return str(self.folder / "log-list.json")

    def logs(self) -> LogList:
        """The list as it is read."""
        return parse_log_list(Path(self.log_list).read_bytes(), "the lab's list", Program.USER)

    def issue(self, names: Sequence[str] = (HOST,), **wish: Any) -> Issued:
        """A certificate with an SCT of either operator, unless `logs` says otherwise."""
        wish.setdefault("logs", (self.first, self.second))
        return self.ca.issue(names, **wish)

    def chain(self, fault: str = "good") -> Credentials:
        """What a server shows that has this one fault."""
        made = _CHAINS[fault](self)
        return made if isinstance(made, Credentials) else Credentials.of(made)

    def dns(self, caa: str = PERMITTED, **more: str) -> LabDNS:
        """A resolver that validates, not yet started; everything is signed."""
        zones = {ZONE: caa, "other.example": "", **more}
        return LabDNS(zones, "validating", secure=["."])

    @asynccontextmanager
    async def sources(
        self, dns: LabDNS | int | None, *, patience: float = _PATIENCE, **more: Any
    ) -> AsyncIterator[Sources]:
        """What an audit consults here; `dns` is a server, or the port of one."""
        wanted = Wanted(anchored=True, handed=True, response=True)
        asker = TLSAsker(verifying_context(self.cafile), timeout=patience, wanted=wanted)
        given: dict[str, Any] = {
            "asker": asker,
            "issuers": load_issuers(),
            "logs": self.logs(),
            "always_ct": True,
            "ca_domains": (CA_DOMAIN,),
            "limits": Limits(asking=30, names=30, store=10),
        }
        if dns is None:
            yield Sources(**given | more)
            return
        port = dns if isinstance(dns, int) else dns.port
        server = parse_server(f"127.0.0.1:{port}")
        async with open_resolver(server, timeout=min(patience, 2.0)) as resolver:
            yield Sources(**given | {"resolvers": (resolver,)} | more)

    async def audit(
        self, port: int, dns: LabDNS | int | None, *, host: str = HOST, **more: Any
    ) -> AuditReport:
        """The audit of what is served at a port of 127.0.0.1, as the host."""
        async with self.sources(dns, **more) as sources:
            return await audit_host(target(port, host=host), sources)

    def arguments(self, port: int, dns: LabDNS | int, *more: str) -> list[str]:
        """The same for the command line."""
        resolver = dns if isinstance(dns, int) else dns.port
        return [
            *("audit", HOST, "--address", f"127.0.0.1:{port}", "--cafile", self.cafile),
            *("--log-list", self.log_list, "--ca", CA_DOMAIN),
            *("--resolver", f"127.0.0.1:{resolver}", *more),
        ]


def target(port: int, *others: int, host: str = HOST) -> AuditTarget:
    """The host, at ports of 127.0.0.1."""
    places = tuple(("127.0.0.1", each) for each in (port, *others))
    return AuditTarget(host, Endpoint(host), places)


class Told:
    """Says of every host what it was told: for what no server of the lab can be brought to do."""

    def __init__(self, *addresses: ServedAddress, problem: str = "", left_out: int = 0) -> None:
        self._addresses, self._problem, self._left_out = addresses, problem, left_out

    async def ask(
        self, endpoint: Endpoint, addresses: Sequence[tuple[str, int]] = ()
    ) -> ServedHost:
        """See `net.served.HostAsker`."""
        return ServedHost(
            endpoint=endpoint,
            addresses=self._addresses,
            problem=self._problem,
            left_out=self._left_out,
        )


def report_on(
    *addresses: ServedAddress, host: str = HOST, at: datetime | None = None, **more: Any
) -> AuditReport:
    """The report of a host of which this was served."""
    sources = Sources(
        asker=Told(*addresses, **more), issuers=load_issuers(), logs=known_logs(), always_ct=True
    )
    place = AuditTarget(host, Endpoint(host))
    return asyncio.run(audit_host(place, sources, clock=lambda: at or datetime.now(UTC)))


def ids(report: AuditReport) -> list[str]:
    """What was found."""
    return [each.id for each in report.found]


def self_signed(names: Sequence[str] = (HOST,)) -> Credentials:
    """A certificate signed by its own key, as beginners make it."""
    key = new_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Credentials((made.public_bytes(serialization.Encoding.DER),), key)


def _false_sct(world: AuditWorld) -> Issued:
    """The SCT of the third log was made for another certificate."""
    promised = world.ca.precertify([HOST])
    other = world.ca.precertify([HOST])
    good = [
        log.add_pre_chain((promised.der, *promised.chain)) for log in (world.first, world.second)
    ]
    false = world.twin.add_pre_chain((other.der, *other.chain))
    return world.ca.complete(promised, [*good, false])


def _behind(world: AuditWorld, *certificates: bytes) -> Credentials:
    good = Credentials.of(world.issue())
    return Credentials((*good.certificates, *certificates), good.private_key)


_NOW = datetime.now(UTC)
_CHAINS: dict[str, Any] = {
    "good": lambda world: world.issue(),
    "expired": lambda world: world.issue(not_before=_NOW - timedelta(days=31), days=30),
    "future": lambda world: world.issue(not_before=_NOW + timedelta(days=2)),
    "ends-soon": lambda world: world.issue(not_before=_NOW - timedelta(days=87), days=90),
    "wrong-name": lambda world: world.issue(["other.example"]),
    "self-signed": lambda world: self_signed(),
    "no-intermediate": lambda world: Credentials.of(world.issue(), intermediates=False),
    "unknown-ca": lambda world: world.stranger.issue([HOST], logs=(world.first, world.second)),
    "untidy": lambda world: _behind(world, world.stranger.intermediate),
    "with-root": lambda world: _behind(world, world.ca.root),
    "unknown-log": lambda world: world.issue(logs=(world.first, world.second, world.stray)),
    "one-operator": lambda world: world.issue(logs=(world.first, world.twin)),
    "no-scts": lambda world: world.issue(logs=()),
    "false-sct": _false_sct,
    "wildcard": lambda world: world.issue([f"*.{ZONE}"]),
}


@cache
def audit_world() -> AuditWorld:
    """The world of this process."""
    folder = tempfile.TemporaryDirectory(prefix="pinwarden-audit-")
    atexit.register(folder.cleanup)
    world = AuditWorld(
        ca=CA("Audited"),
        stranger=CA("Stranger"),
        first=LabLog("first", operator="First Operator"),
        twin=LabLog("twin", operator="First Operator"),
        second=LabLog("second", operator="Second Operator"),
        stray=LabLog("stray", operator="Third Operator"),
        folder=Path(folder.name),
    )
    Path(world.cafile).write_bytes(pem([world.ca.root]))
    listed = log_list_json(world.listed, at=_NOW - timedelta(days=1))
    Path(world.log_list).write_bytes(listed)
    return world
