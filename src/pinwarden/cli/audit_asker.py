"""Who asks the servers for `pinwarden audit`, as the command line says."""

from __future__ import annotations

from pinwarden.cli.asking_hosts import Asking
from pinwarden.net.served import HostAsker

__all__ = ["open_asker"]

# Addresses of a host that are asked at the same time, on an average.
_ADDRESSES = 2
# Of the files that a process may have open: for both askers, with as much left for the rest.
_SHARE = 4


def open_asker(asking: Asking, *, http: bool, public_only: bool, parallel: int) -> HostAsker:
    """An asker as the command line says; raises `ConfigError` for files that cannot be read.

    With `public_only` an address that is none of the public Internet is not connected to.
    Any port may be named: whoever writes a command line may go where that machine may.
    """
    from pinwarden.net.address_classes import why_not_public
    from pinwarden.net.audit_asker import AuditAsker
    from pinwarden.net.tls import verifying_context

    return AuditAsker(
        verifying_context(asking.cafile, client_certificate=asking.client_certificate),
        admit=why_not_public if public_only else None,
        ports=None,
        http=http,
        timeout=asking.timeout,
        parallel=min(parallel * _ADDRESSES, _most_connections()),
        family=asking.family,
    )


def _most_connections() -> int:
    """Beyond them the system would refuse connections, and hosts seem unreachable."""
    try:
        import resource
    except ImportError:
        return 128
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1024 if soft == resource.RLIM_INFINITY else max(4, min(soft // _SHARE, 1024))
