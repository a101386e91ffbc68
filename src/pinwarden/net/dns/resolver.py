"""CAA questions to one server, and what may honestly be said of its answers.

DNSSEC is judged by the server: AD in an answer that nobody on the way could change
says "secure". Without AD an answer is "insecure" only if that server is known to
validate, else nothing is known. A SERVFAIL that goes away when checking is disabled
(CD), or that comes with such an extended error, is "bogus" (RFC 4035, RFC 8914).
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from types import TracebackType
from typing import Self

from pinwarden.caa.lookup import DNSSECState, ExtendedError, Failure, Lookup, Outcome
from pinwarden.caa.message import (
    MOST_ALIASES,
    RCode,
    Response,
    Type,
    build_query,
    rcode_name,
)
from pinwarden.caa.record import BrokenRecord, CAARecord, read_rdata
from pinwarden.caa.wire_name import ROOT
from pinwarden.errors import MalformedError, quoted
from pinwarden.net.dns.carrier import Carrier
from pinwarden.net.dns.exchange import AskError
from pinwarden.net.dns.memory import Memory
from pinwarden.net.dns.server import ServerAddress

TIMEOUT = 5.0
ATTEMPTS = 2
PARALLEL = 100

# RFC 8914: DNSSEC indeterminate, bogus, and the reasons a validator has for it.
_DNSSEC_ERRORS = {1, 2, *range(5, 13)}
_FAILURES = {
    int(RCode.SERVFAIL): Failure.SERVFAIL,
    int(RCode.REFUSED): Failure.REFUSED,
    int(RCode.NOTIMP): Failure.NOT_IMPLEMENTED,
}
_SMALL_RDATA = 512

_read_small = lru_cache(maxsize=1024)(read_rdata)


def open_resolver(
    server: ServerAddress,
    *,
    timeout: float = TIMEOUT,
    attempts: int = ATTEMPTS,
    parallel: int = PARALLEL,
    cafile: str | None = None,
) -> DNSResolver:
    """Ask `server`, as an async context manager (see `contract.CAAResolver`).

    `timeout` (seconds) is for each attempt; a question that failed in a way that may
    pass is asked `attempts` times. `parallel` questions are under way at most. The
    certificate of a TLS or HTTPS server must lead to the system's authorities, or to
    those in `cafile`. Opening raises ConfigError for a `cafile` that cannot be read.
    """
    carrier = Carrier(server, timeout=timeout, parallel=parallel, cafile=cafile)
    return DNSResolver(carrier, attempts=max(1, attempts))


class DNSResolver:
    """Asks one server, each name once."""

    def __init__(self, carrier: Carrier, *, attempts: int) -> None:
        self._carrier = carrier
        self._attempts = attempts
        self._server = str(carrier.server)
        self._is_trusted = carrier.server.keeps_secrets
        self._memory = Memory()
        self._asked: dict[str, asyncio.Future[Lookup | None]] = {}
        self._validates: bool | None = None
        self._probe: asyncio.Task[None] | None = None

    @property
    def description(self) -> str:
        """See `contract.CAAResolver`."""
        return f"{self._server} ({self._carrier.server.transport})"

    async def __aenter__(self) -> Self:
        await self._carrier.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await self._carrier.close()

    async def look_up(self, name: str) -> Lookup:
        """See `contract.CAAResolver`; whoever asks for the same name shares one question."""
        known = self._memory.recall(name)
        while known is None and (asked := self._asked.get(name)) is not None:
            # None from one who was cancelled: then it is for us to ask.
            known = await asyncio.shield(asked)
        if known is not None:
            return known
        shared: asyncio.Future[Lookup | None] = asyncio.get_running_loop().create_future()
        self._asked[name] = shared
        try:
            known = await self._look_up(name)
            self._memory.keep(name, known)
        finally:
            del self._asked[name]
            shared.set_result(known)
        return known

    async def ask(self, name: str, rdtype: int, *, rd: bool = True) -> Response:
        """One question of any type, without memory.

        Raises AskError for silence and for what cannot be read, MalformedError for a
        `name` that is none.
        """
        query = build_query(0, name, rdtype=rdtype, rd=rd)
        for _ in range(self._attempts - 1):
            try:
                response, _ = await self._carrier.ask(query)
            except AskError:
                continue
            if response.rcode != RCode.SERVFAIL:
                return response
        response, _ = await self._carrier.ask(query)
        return response

    async def _look_up(self, name: str) -> Lookup:
        course = _Course(name, self._server, self._carrier.server.transport)
        asked = name
        while True:
            try:
                response = await self._answer(course, asked)
            except MalformedError as error:
                return course.failed(Failure.MALFORMED, str(error))
            except AskError as error:
                return course.failed(error.failure, f"{self._server} {error}")
            if isinstance(response, Lookup):
                return response
            problem = course.take(response)
            if problem is not None:
                return problem
            state = self._told(response)
            if state is None:
                state = await self._insecure_if_validated()
            course.combine(state)
            if response.rdata or not response.aliases or response.has_soa:
                return course.ended(response)
            if response.rcode == RCode.NXDOMAIN:
                return course.ended(response)
            # The last alias leads to where this server has not said what there is.
            asked = response.aliases[-1]

    async def _answer(self, course: _Course, name: str) -> Response | Lookup:
        """A response that is no failure, or how it failed, after as many attempts as allowed."""
        query = build_query(0, name)
        attempts = self._attempts
        while True:
            attempts -= 1
            course.attempts += 1
            try:
                response, course.transport = await self._carrier.ask(query)
            except AskError:
                course.rcode = None
                if attempts <= 0:
                    raise
                continue
            if response.extended_errors:
                course.explain(response.extended_errors)
            rcode = response.rcode
            if rcode in (RCode.NOERROR, RCode.NXDOMAIN):
                return response
            if rcode == RCode.SERVFAIL and attempts > 0 and not course.blames_dnssec:
                continue
            break
        course.rcode = rcode_name(rcode)
        if rcode == RCode.SERVFAIL and await self._passes_unchecked(course, name):
            return course.failed(
                Failure.BOGUS, f"{self._server} finds the DNSSEC signatures wrong (SERVFAIL)"
            )
        failure = _FAILURES.get(rcode, Failure.OTHER_RCODE)
        return course.failed(failure, f"{self._server} answered {course.rcode}")

    async def _passes_unchecked(self, course: _Course, name: str) -> bool:
        """Whether DNSSEC is what a SERVFAIL is about: asked again with CD, there is an answer."""
        course.attempts += 1
        try:
            response, _ = await self._carrier.ask(build_query(0, name, cd=True))
        except AskError:
            return course.blames_dnssec
        course.explain(response.extended_errors)
        answered = response.rcode in (RCode.NOERROR, RCode.NXDOMAIN)
        return answered or course.blames_dnssec

    def _told(self, response: Response) -> DNSSECState | None:
        """What one answer says of its DNSSEC state; None where it depends on who the server is."""
        if not self._is_trusted:
            return DNSSECState.INDETERMINATE
        if response.authenticated:
            self._validates = True
            return DNSSECState.SECURE
        # RFC 4035 section 3.1.6: an authority does not validate what it says itself.
        if response.authoritative or not response.recursion_available:
            return DNSSECState.INDETERMINATE
        if self._validates is None:
            return None
        return DNSSECState.INSECURE if self._validates else DNSSECState.INDETERMINATE

    async def _insecure_if_validated(self) -> DNSSECState:
        if self._validates is None:
            if self._probe is None:
                self._probe = asyncio.create_task(self._find_out())
            await asyncio.shield(self._probe)
        return DNSSECState.INSECURE if self._validates else DNSSECState.INDETERMINATE

    async def _find_out(self) -> None:
        """A server that validates vouches for the root, the one zone that is always signed."""
        try:
            response = await self.ask(ROOT, Type.SOA)
        except AskError:
            self._validates = False
            return
        self._validates = self._validates or response.authenticated


class _Course:
    """One look-up as far as it has come."""

    __slots__ = (
        "_aliases",
        "_errors",
        "_name",
        "_server",
        "_state",
        "_ttl",
        "attempts",
        "rcode",
        "transport",
    )

    def __init__(self, name: str, server: str, transport: str) -> None:
        self._name = name
        self._server = server
        self._aliases: tuple[str, ...] = ()
        self._errors: tuple[ExtendedError, ...] = ()
        self._state: DNSSECState | None = None
        self._ttl: int | None = None
        self.attempts = 0
        self.rcode: str | None = None
        self.transport = transport

    @property
    def blames_dnssec(self) -> bool:
        """Whether the server has said that DNSSEC is what is wrong."""
        return any(each.code in _DNSSEC_ERRORS for each in self._errors)

    def explain(self, errors: tuple[ExtendedError, ...]) -> None:
        """Remember what the server gave as reasons."""
        self._errors = tuple(dict.fromkeys(self._errors + errors))

    def take(self, response: Response) -> Lookup | None:
        """Go on with an answer; a failed look-up for one that leads nowhere."""
        self.rcode = rcode_name(response.rcode)
        if response.truncated:
            return self.failed(
                Failure.MALFORMED, f"{self._server} cuts its answer short even over TCP"
            )
        if response.aliases:
            met = {self._name, *self._aliases}
            self._aliases += response.aliases
            if len(self._aliases) > MOST_ALIASES:
                problem = f"more than {MOST_ALIASES} aliases follow each other from {self._shown}"
                return self.failed(Failure.ALIAS_LOOP, problem)
            if response.loops or not met.isdisjoint(response.aliases):
                return self.failed(Failure.ALIAS_LOOP, f"aliases of {self._shown} go in a circle")
        if response.ttl is not None:
            self._ttl = response.ttl if self._ttl is None else min(self._ttl, response.ttl)
        referral = response.referral
        if referral is not None:
            problem = f"{self._server} refers to the servers of {quoted(referral)}, not asked here"
            return self.failed(Failure.UNREACHABLE, problem)
        return None

    @property
    def _shown(self) -> str:
        return quoted(self._name)

    def combine(self, state: DNSSECState) -> None:
        """An answer put together from several is as good as the weakest."""
        if self._state is None or self._state == state:
            self._state = state
        elif DNSSECState.INDETERMINATE in (self._state, state):
            self._state = DNSSECState.INDETERMINATE
        else:
            self._state = DNSSECState.INSECURE

    def ended(self, response: Response) -> Lookup:
        """The look-up that ends with this answer."""
        records, broken = _records(response.rdata) if response.rdata else ((), ())
        if response.rdata:
            outcome = Outcome.RECORDS
        elif response.rcode == RCode.NXDOMAIN:
            outcome = Outcome.NO_SUCH_NAME
        else:
            outcome = Outcome.NO_DATA
        return Lookup(
            name=self._name,
            outcome=outcome,
            records=records,
            broken=broken,
            ttl=self._ttl,
            aliases=self._aliases,
            rcode=self.rcode,
            extended_errors=self._errors,
            dnssec=self._state or DNSSECState.INDETERMINATE,
            server=self._server,
            transport=self.transport,
            attempts=self.attempts,
        )

    def failed(self, failure: Failure, problem: str) -> Lookup:
        """The look-up that ends without an answer."""
        bogus = failure == Failure.BOGUS
        return Lookup(
            name=self._name,
            outcome=Outcome.FAILED,
            aliases=self._aliases[: MOST_ALIASES + 1],
            rcode=self.rcode,
            extended_errors=self._errors,
            dnssec=DNSSECState.BOGUS if bogus else DNSSECState.INDETERMINATE,
            failure=failure,
            problem=problem,
            server=self._server,
            transport=self.transport,
            attempts=self.attempts,
        )


def _records(
    rdata: tuple[bytes, ...],
) -> tuple[tuple[CAARecord, ...], tuple[BrokenRecord, ...]]:
    # Whole estates publish the same few records: they are read once.
    read = [_read_small(each) if len(each) <= _SMALL_RDATA else read_rdata(each) for each in rdata]
    records = tuple([each for each in read if isinstance(each, CAARecord)])
    if len(records) == len(read):
        return records, ()
    return records, tuple([each for each in read if isinstance(each, BrokenRecord)])
