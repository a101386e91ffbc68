"""The hosts that policies are about: how a name or address is written, and what is above it.

Pins are looked up by what a client was asked to connect to, so that a host must have one
spelling: a pin that is kept for `api.example.com` and not for `API.example.com.` is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

from pinwarden.errors import MalformedError, quoted
from pinwarden.names import normalise_name

__all__ = ["is_ip", "normalise_host", "suffixes"]


# `127.1`, `0x7f000001` and `2130706433` are addresses to many resolvers (inet_aton); no
# top-level domain looks like that.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def normalise_host(text: str) -> str:
    """A host as a policy names it: a DNS name as `normalise_name` has it, or an IP address.

    IPv6 may stand in brackets, as in URLs; an IPv4 address inside one is the IPv4
    address. Raises `MalformedError` for anything else: wildcards, ports, zones, names
    that clients understand differently.
    """
    address = text[1:-1] if text[:1] == "[" and text[-1:] == "]" and ":" in text else text
    try:
        found = ip_address(address)
    except ValueError:
        return _name(text)
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            # The zone is this machine's business (RFC 6874), and in no certificate.
            raise MalformedError(f"host {quoted(text)}: has a zone")
        return str(found.ipv4_mapped or found)
    return str(found)


def _name(text: str) -> str:
    name = normalise_name(text)
    if not text.isascii():
        _refuse_two_readings(text, name)
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        try:
            return str(ip_address(name))
        except ValueError:
            raise MalformedError(
                f"host {quoted(text)}: is read as an address by some clients"
            ) from None
    return name


def _refuse_two_readings(text: str, name: str) -> None:
    """IDNA 2003, which Python's own ssl and socket use, maps some letters to other names.

    `straße.example` is one host for them and another for browsers and httpx: a pin for
    the one would not be kept for the other.
    """
    try:
        older = text.strip().encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        return
    if older != name:
        raise MalformedError(
            f"host {quoted(text)}: is {quoted(name)} for some clients and {quoted(older)} for "
            "others",
            hint="write the one that is meant, in ASCII",
        )


def is_ip(host: str) -> bool:
    """Whether a normalised host is an IP address."""
    return ":" in host or host.replace(".", "").isdigit()


def suffixes(host: str) -> Iterator[str]:
    """The host and each name above it, the most specific first."""
    yield host
    while "." in host and not is_ip(host):
        host = host.partition(".")[2]
        yield host
