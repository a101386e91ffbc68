"""What the AD bit of one server is worth.

It means something only if nobody on the way can set it, and if the server sets it after
validating: not because it stood in the question (we never set it there), and not always.
So before the first answer is judged the server is asked about the root, the one zone that
is always signed: with DO, where one that validates vouches, and without, where none may
(RFC 6840 section 5.8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pinwarden.caa.lookup import DNSSECState, ExtendedError
from pinwarden.caa.message import RCode, Response, Type, build_query
from pinwarden.caa.wire_name import ROOT
from pinwarden.net.dns.exchange import AskError

# RFC 8914: DNSSEC indeterminate, bogus, the reasons a validator has for it, and two of
# later registration: signature expired before valid, and NSEC3 iterations.
DNSSEC_ERRORS = frozenset({1, 2, *range(5, 13), 25, 27})
# Of these an answer without AD must be called bogus, if the server gives it all the same.
_BOGUS_ERRORS = frozenset({6, 7, 8})


class Validation:
    """Judges the answers of one server; `ask` sends it a message."""

    def __init__(self, ask: Callable[[bytes], Awaitable[Response]], *, keeps_secrets: bool) -> None:
        self._ask = ask
        self._keeps_secrets = keeps_secrets
        self._probe: asyncio.Task[None] | None = None
        self._validates = False
        self._says_it_always = False

    async def close(self) -> None:
        """End the questions about the root, if they are under way."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)

    async def state(self, response: Response) -> DNSSECState:
        """What an answer without an error says of its DNSSEC state."""
        codes = _codes(response.extended_errors)
        if not response.authenticated and codes & _BOGUS_ERRORS:
            return DNSSECState.BOGUS
        # RFC 4035 section 3.1.6: an authority does not validate what it says itself. And
        # who did not understand DO said nothing by leaving AD out.
        says_nothing = response.authoritative or not response.recursion_available
        if not self._keeps_secrets or says_nothing or not response.edns:
            return DNSSECState.INDETERMINATE
        if self._probe is None:
            self._probe = asyncio.create_task(self._find_out())
        if not self._probe.done():
            await asyncio.shield(self._probe)
        if self._says_it_always:
            return DNSSECState.INDETERMINATE
        if response.authenticated:
            return DNSSECState.SECURE
        if self._validates and not codes & DNSSEC_ERRORS - {1, 2, 27}:
            return DNSSECState.INSECURE
        return DNSSECState.INDETERMINATE

    async def _find_out(self) -> None:
        with_do, without = await asyncio.gather(
            self._vouches_for_root(do=True), self._vouches_for_root(do=False)
        )
        self._says_it_always = without
        self._validates = with_do

    async def _vouches_for_root(self, *, do: bool) -> bool:
        query = build_query(0, ROOT, rdtype=Type.SOA, do=do)
        for _ in range(2):
            try:
                response = await self._ask(query)
            except AskError:
                continue
            if response.rcode != RCode.SERVFAIL:
                return response.authenticated
        return False


def blames_dnssec(errors: tuple[ExtendedError, ...]) -> bool:
    """Whether these are reasons that have to do with DNSSEC."""
    return bool(_codes(errors) & DNSSEC_ERRORS)


def _codes(errors: tuple[ExtendedError, ...]) -> frozenset[int]:
    return frozenset([each.code for each in errors])
