"""The resolvers of this machine, one after the other as the C library asks them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from pinwarden.caa.lookup import Failure, Lookup
from pinwarden.caa.message import Response
from pinwarden.net.dns.exchange import AskError
from pinwarden.net.dns.resolver import ATTEMPTS, TIMEOUT, DNSResolver, open_resolver
from pinwarden.net.dns.server import ServerAddress

# Silence, whatever its reason. Another server must not be asked after an answer that somebody
# does not like, such as SERVFAIL for signatures that are wrong: it might not look at them.
_SILENCE = (Failure.TIMEOUT, Failure.UNREACHABLE)


def open_system_resolver(
    servers: Iterable[ServerAddress], *, timeout: float = TIMEOUT, attempts: int = ATTEMPTS
) -> SystemResolver:
    """Ask `system_servers()`, as an async context manager (see `open_resolver`)."""
    return SystemResolver(
        [open_resolver(each, timeout=timeout, attempts=attempts) for each in servers]
    )


class SystemResolver:
    """Asks the first server; the next where it is silent, and from then on first."""

    def __init__(self, resolvers: list[DNSResolver]) -> None:
        self._resolvers = resolvers
        self._stack = AsyncExitStack()

    @property
    def description(self) -> str:
        """That of the server which is asked first now; see `contract.CAAResolver`."""
        return self._resolvers[0].description

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for each in self._resolvers:
                await stack.enter_async_context(each)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def look_up(self, name: str) -> Lookup:
        """See `contract.CAAResolver`. If all are silent, how the first was."""
        order = list(self._resolvers)
        first = await order[0].look_up(name)
        if first.failure not in _SILENCE:
            return first
        for each in order[1:]:
            lookup = await each.look_up(name)
            if lookup.failure not in _SILENCE:
                self._prefer(each)
                return lookup
        return first

    async def ask(self, name: str, rdtype: int, *, rd: bool = True) -> Response:
        """See `DNSResolver.ask`."""
        silence: AskError | None = None
        for each in list(self._resolvers):
            try:
                response = await each.ask(name, rdtype, rd=rd)
            except AskError as error:
                if error.failure not in _SILENCE:
                    raise
                silence = silence or error
            else:
                self._prefer(each)
                return response
        assert silence is not None
        raise silence

    def _prefer(self, resolver: DNSResolver) -> None:
        others = [each for each in self._resolvers if each is not resolver]
        self._resolvers = [resolver, *others]
