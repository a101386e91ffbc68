"""Whether a certificate is for a host, where nobody had OpenSSL ask that.

Some libraries leave `check_hostname` off and look at the name themselves after the
handshake (botocore has urllib3 do it). Pins must not rest on that, and
neither may `check_hostname` be switched on for them: the context is shared by threads,
and whoever then finds it on does not look any more.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

__all__ = ["is_named_by"]


def is_named_by(certificate: Any, host: str) -> bool:
    """Whether one of ssl's certificate objects names a host (RFC 6125), given in ASCII.

    Strict: by a subjectAltName alone, addresses only as addresses, and a wildcard only as
    the whole of the first label, with two more labels after it at least. False for what
    cannot be read.
    """
    try:
        names = certificate.get_info().get("subjectAltName", ())
        return _names(names, host)
    except Exception:
        # OpenSSL's words about a certificate that it accepts and cannot show.
        return False


def _names(names: Any, host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        wanted = host.lower()
        return any(
            kind == "DNS" and _covers(value.lower(), wanted) for kind, value in names if value
        )
    return any(
        kind == "IP Address" and ip_address(value.strip()) == address for kind, value in names
    )


def _covers(pattern: str, host: str) -> bool:
    if pattern == host:
        return True
    first, _, rest = pattern.partition(".")
    label, _, parent = host.partition(".")
    return first == "*" and rest.count(".") >= 1 and bool(label) and rest == parent
