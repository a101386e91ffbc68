"""A CA, a certificate promised by two lab logs of both protocols, and what proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from pinwarden.audit.proof_findings import evidence_of_proofs
from pinwarden.audit.prove import Patience, SCTProof, prove_scts
from pinwarden.ct.evidence import Evidence
from pinwarden.ct.log import Log, LogKind, LogList
from pinwarden.ct.presented import JudgedSCT, collect_scts, judge_scts
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA, Issued
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer
from pinwarden.net.http import HTTPClient, Limits
from pinwarden.net.logs import open_log
from pinwarden.x509.certificate import CertificateView, view_certificate

HOST = "www.example.com"
QUICK = Limits(timeout=2, attempts=1, patience=3, backoff_first=0)
AT_ONCE = Patience(attempts=2, pause=0, limit=20)
MMD = timedelta(minutes=1)
LATER = timedelta(hours=1)


class Clock:
    """The time by which a lab log signs; it stands still until it is put forward."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC) - timedelta(hours=3)

    def __call__(self) -> datetime:
        """The time."""
        return self.at


@dataclass(frozen=True)
class Promised:
    """A certificate with an embedded SCT of each of its logs."""

    logs: tuple[LabLog, ...]
    clock: Clock
    issued: Issued

    @property
    def certificate(self) -> CertificateView:
        """The certificate."""
        return view_certificate(self.issued.certificate)

    @property
    def chain(self) -> tuple[CertificateView, ...]:
        """What stands above it."""
        return tuple(map(view_certificate, self.issued.chain))

    @property
    def log_list(self) -> LogList:
        """The logs as a list has them; only while they are served."""
        return LogList(logs=tuple(log.description() for log in self.logs))

    def judged(self, logs: LogList | None = None) -> tuple[JudgedSCT, ...]:
        """Its SCTs, verified against the logs of a list."""
        presented, _ = collect_scts(self.certificate)
        return judge_scts(
            self.certificate, self.chain[0], presented, logs or self.log_list, self.clock()
        )

    async def proofs(
        self, logs: LogList | None = None, now: datetime | None = None
    ) -> tuple[SCTProof, ...]:
        """What the logs have to say; they must be served."""
        async with HTTPClient(limits=QUICK) as http:

            def open_client(log: Log) -> object:
                return open_log(log, http)

            return await prove_scts(
                self.certificate,
                self.chain[0],
                self.judged(logs),
                open_client,
                now=lambda: now or self.clock(),
                patience=AT_ONCE,
            )

    def bundle(self, proofs: Sequence[SCTProof]) -> Evidence:
        """The evidence of what they said."""
        return evidence_of_proofs(
            HOST,
            self.certificate,
            self.chain[0],
            self.chain,
            proofs,
            at=self.clock(),
            by="Pinwarden test",
        )


@cache
def authority() -> CA:
    """The CA of all tests."""
    return CA("Proof CA")


def promised(*kinds: LogKind, withhold: bool = False, crowd: int = 300) -> Promised:
    """A certificate that one log of each kind has promised to enter, among a crowd."""
    clock = Clock()
    logs = tuple(
        LabLog(f"log-{number}", kinds=(kind,), clock=clock, mmd=MMD, operator=f"Operator {number}")
        for number, kind in enumerate(kinds)
    )
    for log in logs:
        fill(log, crowd)
        log.faults.withhold = withhold
    issued = authority().issue([HOST], logs=logs)
    for log in logs:
        log.faults.withhold = False
    return Promised(logs, clock, issued)


def pass_time(world: Promised, time: timedelta = LATER) -> None:
    """Put the clock forward; the logs sign new heads."""
    world.clock.at += time
    for log in world.logs:
        log.publish()


@cache
def proven() -> tuple[Evidence, LogList]:
    """A bundle in which both logs have proven their promises, and the logs."""
    import asyncio

    world = promised(LogKind.RFC6962, LogKind.STATIC)

    async def ask() -> tuple[Evidence, LogList]:
        async with LabServer(list(world.logs)):
            pass_time(world)
            return world.bundle(await world.proofs()), world.log_list

    return asyncio.run(ask())
