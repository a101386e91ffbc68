"""Whom to ask: DNS servers as the user writes them, and those of this machine."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pinwarden.errors import ConfigError, MalformedError, quoted

RESOLV_CONF = Path("/etc/resolv.conf")
_MOST_CONFIGURATION = 64 * 1024
# The C library reads no more than these either (resolv.h, MAXNS).
_MOST_SYSTEM_SERVERS = 3

# In a container Docker hears here. It validates nothing, and what it passes on came over the
# network, AD bit included.
_OF_CONTAINERS = "127.0.0.11"

_LONGEST = 512
_SCHEME = re.compile(r"([a-z]+)://(.*)", re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+")
_HTTPS = re.compile(r"(\[[^\]/]*\]|[^:/\[\]]+)(?::([0-9]{1,5}))?(/[!-~]*)?")
_FORMS = (
    "write 192.0.2.1, 192.0.2.1:5300, [2001:db8::1]:53, tcp://ADDRESS, "
    "tls://HOST[:853][#NAME] or https://HOST/dns-query"
)


class Transport(StrEnum):
    """How messages travel."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    HTTPS = "https"


DEFAULT_PORTS = {Transport.UDP: 53, Transport.TCP: 53, Transport.TLS: 853, Transport.HTTPS: 443}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """One server and how to ask it.

    `host` is an IP address without brackets, or a host name that the system resolves.
    `auth_name` is the name that the certificate of a `tls` server must show, if not
    `host`; `path` is that of an `https` server.
    """

    transport: Transport
    host: str
    port: int
    auth_name: str | None = None
    path: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether this is literally an address within this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def keeps_secrets(self) -> bool:
        """Whether nobody on the way can change an answer: then its AD bit means something."""
        if self.transport in (Transport.TLS, Transport.HTTPS):
            return True
        return self.is_loopback and self.host != _OF_CONTAINERS

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        """The form that `parse_server` takes."""
        match self.transport:
            case Transport.UDP:
                return self.authority
            case Transport.HTTPS:
                default = self.port == DEFAULT_PORTS[Transport.HTTPS]
                host = self.authority.rpartition(":")[0] if default else self.authority
                return f"https://{host}{self.path}"
            case _:
                name = f"#{self.auth_name}" if self.auth_name else ""
                return f"{self.transport}://{self.authority}{name}"


def parse_server(text: str) -> ServerAddress:
    """A server as the user writes it.

    `ADDRESS`, `ADDRESS:PORT`, `[IPV6]:PORT`, with `udp://`, `tcp://` or `tls://` before
    it, `tls://HOST[:853][#NAME]` (RFC 7858) or `https://HOST/dns-query` (RFC 8484).
    Raises MalformedError for anything else.
    """
    if len(text) > _LONGEST:
        raise MalformedError(f"server {quoted(text)}: is too long", hint=_FORMS)
    scheme = _SCHEME.fullmatch(text.strip())
    name, rest = (scheme[1].lower(), scheme[2]) if scheme else ("udp", text.strip())
    if name not in tuple(Transport):
        raise MalformedError(f"server {quoted(text)}: cannot be asked over {name}", hint=_FORMS)
    transport = Transport(name)
    if transport == Transport.HTTPS:
        return _https(rest, text)
    auth_name = None
    if transport == Transport.TLS:
        rest, mark, auth_name = rest.partition("#")
        if mark and not _HOST.fullmatch(auth_name):
            raise MalformedError(f"server {quoted(text)}: no name of a certificate follows #")
    host, port = _host_and_port(rest, text)
    return ServerAddress(transport, host, port or DEFAULT_PORTS[transport], auth_name or None)


def _https(rest: str, text: str) -> ServerAddress:
    match = _HTTPS.fullmatch(rest)
    if match is None or "#" in rest or "@" in rest or "?" in rest:
        raise MalformedError(f"server {quoted(text)}: is no plain https URL", hint=_FORMS)
    port = _port(match[2], text) if match[2] else DEFAULT_PORTS[Transport.HTTPS]
    path = match[3] if match[3] and match[3] != "/" else "/dns-query"
    return ServerAddress(Transport.HTTPS, _host(match[1], text), port, path=path)


def _host_and_port(rest: str, text: str) -> tuple[str, int | None]:
    if rest.startswith("["):
        inside, closed, after = rest.partition("]")
        if not closed or (after and not after.startswith(":")):
            raise MalformedError(f"server {quoted(text)}: has no readable host", hint=_FORMS)
        return _host(f"{inside}]", text), _port(after[1:], text) if after else None
    if rest.count(":") == 1:
        host, _, port = rest.partition(":")
        return _host(host, text), _port(port, text)
    return _host(rest, text), None


def _host(host: str, text: str) -> str:
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        if bare == host and len(host) <= 253 and _HOST.fullmatch(host) and not _digits(host):
            return host.lower().removesuffix(".")
        raise MalformedError(f"server {quoted(text)}: has no readable host", hint=_FORMS) from None
    return str(address)


def _digits(host: str) -> bool:
    """Whether a client might take it for some old spelling of an IPv4 address."""
    return host.removesuffix(".").rpartition(".")[2].isdigit()


def _port(port: str, text: str) -> int:
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise MalformedError(f"server {quoted(text)}: port is not between 1 and 65535")
    return int(port)


def system_servers(path: Path = RESOLV_CONF) -> tuple[ServerAddress, ...]:
    """The resolvers this machine uses, in the order of its resolver configuration.

    Raises ConfigError when there is none.
    """
    hint = "name one with --resolver, such as --resolver 192.0.2.1 or --resolver tls://HOST"
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_CONFIGURATION).decode("utf-8", "replace")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"{quoted(str(path))}: {reason}", hint=hint) from error
    found: list[ServerAddress] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            host = str(ipaddress.ip_address(words[1]))
        except ValueError:
            continue
        found.append(ServerAddress(Transport.UDP, host, DEFAULT_PORTS[Transport.UDP]))
    if not found:
        raise ConfigError(f"{quoted(str(path))}: names no DNS server", hint=hint)
    return tuple(found[:_MOST_SYSTEM_SERVERS])
