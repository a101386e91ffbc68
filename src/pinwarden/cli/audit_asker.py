"""Who asks the servers for an audit: everything at once, and HTTP only where it is spoken."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.cli.asking_hosts import Asking
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import HostAsker, ServedHost, Wanted

__all__ = ["open_asker", "speaks_http"]

# Usual ports of other protocols that begin with TLS; any other may be HTTP.
_NO_HTTP = frozenset((465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 5671, 6379, 8883))
# Addresses of a host that are asked at the same time, on an average.
_ADDRESSES = 2
# Of the files that a process may have open: for both askers, with as much left for the rest.
_SHARE = 4


def speaks_http(endpoint: Endpoint) -> bool:
    """Whether it is polite to send an HTTP request there."""
    return endpoint.starttls is None and endpoint.port not in _NO_HTTP


class _Asker:
    """Two askers, one of which says nothing after the handshake."""

    def __init__(self, speaking: HostAsker, silent: HostAsker) -> None:
        self._speaking, self._silent = speaking, silent

    async def ask(
        self, endpoint: Endpoint, addresses: Sequence[tuple[str, int]] = ()
    ) -> ServedHost:
        """See `net.served.HostAsker`."""
        asker = self._speaking if speaks_http(endpoint) else self._silent
        return await asker.ask(endpoint, addresses)


def open_asker(asking: Asking, *, http: bool, public_only: bool, parallel: int) -> HostAsker:
    """An asker as the command line says; raises `ConfigError` for files that cannot be read.

    With `public_only` an address that is none of the public Internet is not connected to.
    """
    from pinwarden.net.tls import TLSAsker, verifying_context

    context = verifying_context(asking.cafile, client_certificate=asking.client_certificate)
    admit = None
    if public_only:
        from pinwarden.net.address_classes import why_not_public

        admit = why_not_public

    def asker(response: bool) -> TLSAsker:
        return TLSAsker(
            context,
            timeout=asking.timeout,
            parallel=min(parallel * _ADDRESSES, _most_connections()),
            family=asking.family,
            wanted=Wanted(anchored=True, handed=True, response=response),
            admit=admit,
        )

    return _Asker(asker(http), asker(False))


def _most_connections() -> int:
    """Beyond them the system would refuse connections, and hosts seem unreachable."""
    try:
        import resource
    except ImportError:
        return 128
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1024 if soft == resource.RLIM_INFINITY else max(4, min(soft // _SHARE, 1024))
