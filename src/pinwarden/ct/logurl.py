"""Where a log may be read: over TLS, or on this very machine.

A URL is compared with what it must look like before anything parses it, because
parsers disagree: about tabs, backslashes, user names and hosts that begin
like an address.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from pinwarden.errors import MalformedError, quoted

_LONGEST = 2000
# RFC 3986 without user information, query and fragment: a log's URL is a prefix.
_PREFIX = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:%/-]*)?",
    re.IGNORECASE,
)


def parse_log_url(text: str, *, allow_loopback: bool) -> str:
    """A log's URL prefix, ending with one slash.

    Raises MalformedError unless it is https, or http on a literal loopback
    host where that is allowed.
    """
    match = _PREFIX.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None or int(match["port"] or 1) not in range(1, 65536):
        raise MalformedError(f"{quoted(text)} is not an https URL")
    if match["scheme"].lower() == "http" and not is_loopback_host(match["host"]):
        raise MalformedError(f"{quoted(text)} is not https and not on this machine")
    if match["scheme"].lower() == "http" and not allow_loopback:
        raise MalformedError(f"{quoted(text)} is not https")
    scheme, rest = text.split("://", 1)
    return f"{scheme.lower()}://{rest.rstrip('/')}/"


def is_loopback_host(host: str) -> bool:
    """Whether `host` can only mean this machine: 127.0.0.0/8, ::1 or `localhost`.

    Names below `localhost` are not taken: who answers for them is up to a resolver.
    """
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return address.is_loopback
    return address == IPv6Address("::1")


def is_loopback_url(url: str) -> bool:
    """Whether a URL that `parse_log_url` returned is on this machine."""
    return is_loopback_host(urlsplit(url).hostname or "")


def origin_of(submission_url: str) -> str:
    """The checkpoint origin: the prefix without scheme and trailing slashes (static-ct-api)."""
    return submission_url.partition("://")[2].rstrip("/")
