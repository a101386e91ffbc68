"""Who asks hosts for audits: everything at once, and HTTP only where it is spoken.

What is not said otherwise is made for hosts that others choose, through a form or an API:
whoever builds one without a thought must not have built a scanner of internal networks.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Collection, Sequence

from pinwarden.net.address_classes import why_not_public
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, ServedAddress, ServedHost, Wanted
from pinwarden.net.tls import TLSAsker

__all__ = ["USUAL_PORTS", "AuditAsker", "speaks_http"]

USUAL_PORTS = frozenset((25, 110, 143, 443, 465, 587, 853, 993, 995, 8443))
"""Where the world is spoken to over TLS: web, mail, and DNS."""

# Usual ports of other protocols that begin with TLS; any other may be HTTP.
_NO_HTTP = frozenset((465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 5671, 6379, 8883))


def speaks_http(endpoint: Endpoint) -> bool:
    """Whether it is polite to send an HTTP request there."""
    return endpoint.starttls is None and endpoint.port not in _NO_HTTP


class AuditAsker:
    """A `HostAsker` that finds out all that an audit wants to know."""

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        *,
        admit: Callable[[str], str | None] | None = why_not_public,
        ports: Collection[int] | None = USUAL_PORTS,
        http: bool = True,
        timeout: float = 10.0,
        parallel: int = 64,
        family: int = socket.AF_UNSPEC,
        contact: str | None = None,
    ) -> None:
        """`admit` says why an IP address must not be asked; None lets all be asked.

        `ports` are those that are asked, None for any. Without `http` nothing is said after
        a handshake. The rest is as `TLSAsker` has it.
        """
        self._ports = None if ports is None else frozenset(ports)

        def asker(response: bool) -> TLSAsker:
            return TLSAsker(
                context,
                timeout=timeout,
                parallel=parallel,
                family=family,
                wanted=Wanted(anchored=True, handed=True, response=response),
                admit=admit,
                contact=contact,
            )

        self._silent = asker(False)
        self._speaking = asker(True) if http else self._silent

    async def ask(
        self, endpoint: Endpoint, addresses: Sequence[tuple[str, int]] = ()
    ) -> ServedHost:
        """See `net.served.HostAsker`."""
        places = tuple(addresses) or ((endpoint.host, endpoint.port),)
        refused = tuple(_refused(*each) for each in places if not self._is_asked(each[1]))
        if refused:
            return ServedHost(endpoint=endpoint, addresses=refused)
        asker = self._speaking if speaks_http(endpoint) else self._silent
        return await asker.ask(endpoint, addresses)

    def _is_asked(self, port: int) -> bool:
        return self._ports is None or port in self._ports


def _refused(address: str, port: int) -> ServedAddress:
    """Nothing is looked up either: a port that is not asked is the same for every host."""
    return ServedAddress(
        address=address,
        port=port,
        failure=Failure.FORBIDDEN,
        problem=f"is not asked: {port} is none of the ports that may be",
    )
