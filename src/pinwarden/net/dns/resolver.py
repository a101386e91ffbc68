"""CAA questions to one server, and what may honestly be said of its answers.

DNSSEC is judged by the server: AD in an answer that nobody on the way could change
says "secure". Without AD an answer is "insecure" only if that server is known to
validate, else nothing is known (`validation.py`). A SERVFAIL that goes away when, and
only when, checking is disabled (CD), or that comes with such an extended error, is
"bogus" (RFC 4035, RFC 8914).
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from types import TracebackType
from typing import Self

from pinwarden.caa.aliases import MOST_ALIASES
from pinwarden.caa.lookup import DNSSECState, ExtendedError, Failure, Lookup, Outcome
from pinwarden.caa.message import (
    RCode,
    Response,
    build_query,
    rcode_name,
)
from pinwarden.caa.record import BrokenRecord, CAARecord, read_rdata
from pinwarden.errors import MalformedError, quoted
from pinwarden.net.dns.carrier import Carrier
from pinwarden.net.dns.exchange import AskError
from pinwarden.net.dns.memory import Memory
from pinwarden.net.dns.server import ServerAddress
from pinwarden.net.dns.validation import Validation, blames_dnssec

TIMEOUT = 5.0
ATTEMPTS = 2
PARALLEL = 100

_ANSWERS = (RCode.NOERROR, RCode.NXDOMAIN)
# RFC 8914: forged, blocked, censored, filtered, prohibited. Not what the zone says, and not
# what a CA will see.
_MADE_UP = {4, *range(15, 19)}
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
        self._validation = Validation(self._plain, keeps_secrets=carrier.server.keeps_secrets)
        self._memory = Memory()
        self._asked: dict[str, asyncio.Future[Lookup | None]] = {}

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
        await self._validation.close()
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
            course.combine(await self._validation.state(response))
            if course.is_bogus:
                return course.failed(
                    Failure.BOGUS,
                    f"{self._server} finds the DNSSEC signatures wrong, and answers anyway",
                )
            if response.rdata or not response.aliases or response.has_soa:
                return course.ended(response)
            # The last alias leads to where this server has not said what there is.
            asked = response.aliases[-1]

    async def _answer(self, course: _Course, name: str) -> Response | Lookup:
        """A response that is no failure, or how it failed, after as many attempts as allowed."""
        query = build_query(0, name)
        for left in reversed(range(self._attempts)):
            try:
                response = await self._ask(course, query)
            except AskError:
                if not left:
                    raise
                continue
            if response.rcode in _ANSWERS:
                return response
            if response.rcode != RCode.SERVFAIL or course.blames_dnssec:
                break
        if response.rcode == RCode.SERVFAIL:
            return await self._servfail(course, name, query)
        failure = _FAILURES.get(response.rcode, Failure.OTHER_RCODE)
        return course.failed(failure, f"{self._server} answered {course.rcode}")

    async def _ask(self, course: _Course, query: bytes) -> Response:
        course.attempts += 1
        course.rcode = None
        response, course.transport = await self._carrier.ask(query)
        course.rcode = rcode_name(response.rcode)
        if response.extended_errors:
            course.explain(response.extended_errors)
        return response

    async def _plain(self, query: bytes) -> Response:
        response, _ = await self._carrier.ask(query)
        return response

    async def _servfail(self, course: _Course, name: str, query: bytes) -> Response | Lookup:
        """Whether DNSSEC is what it is about: then there is an answer unchecked, with CD.

        That may also come from a server that fails at random. So without a word about
        DNSSEC it must go both ways twice.
        """
        is_bogus = await self._passes_unchecked(course, name)
        if is_bogus and not course.blames_dnssec:
            response = await self._ask(course, query)
            if response.rcode in _ANSWERS:
                return response
            fails_again = response.rcode == RCode.SERVFAIL
            is_bogus = fails_again and await self._passes_unchecked(course, name)
        course.rcode = rcode_name(RCode.SERVFAIL)
        if is_bogus:
            return course.failed(
                Failure.BOGUS, f"{self._server} finds the DNSSEC signatures wrong (SERVFAIL)"
            )
        return course.failed(Failure.SERVFAIL, f"{self._server} answered {course.rcode}")

    async def _passes_unchecked(self, course: _Course, name: str) -> bool:
        course.attempts += 1
        try:
            response = await self._plain(build_query(0, name, cd=True))
        except AskError:
            return course.blames_dnssec
        course.explain(response.extended_errors)
        return response.rcode in _ANSWERS or course.blames_dnssec


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
        return blames_dnssec(self._errors)

    @property
    def is_bogus(self) -> bool:
        """Whether an answer was given of which the server said that it fails validation."""
        return self._state == DNSSECState.BOGUS

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
        made_up = [each for each in response.extended_errors if each.code in _MADE_UP]
        if made_up:
            problem = f"{self._server} does not say what the zone says: {made_up[0].meaning}"
            return self.failed(Failure.REFUSED, problem)
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
        if self._state is None or state in (self._state, DNSSECState.BOGUS):
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
