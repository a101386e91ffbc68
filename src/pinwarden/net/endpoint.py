"""Where a TLS server is: `host`, `host:port`, `[address]:port`, or a URL, as people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.net.starttls import STARTTLS_PORTS
from pinwarden.pinning.host import normalise_host

__all__ = ["Endpoint", "parse_endpoint"]

_HTTPS = 443
_LONGEST = 512
_MOST_PORTS = 65535
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30})://(?P<authority>[^/?#]*)")
_USER = re.compile(r"[^/]*@")
_BRACKETED = re.compile(r"\[(?P<host>[^\[\]]*)\](?::(?P<port>[^:]*))?")
# Protocols that begin with TLS, by the name of their scheme.
_TLS_SCHEMES = {
    "https": _HTTPS,
    "wss": _HTTPS,
    "smtps": 465,
    "submissions": 465,
    "imaps": 993,
    "pop3s": 995,
    "ftps": 990,
    "ldaps": 636,
    "nntps": 563,
    "amqps": 5671,
    "mqtts": 8883,
    "rediss": 6379,
}
_STARTTLS_SCHEMES = {"postgresql": "postgres", **{each: each for each in STARTTLS_PORTS}}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host (normalised, as `normalise_host` has it), a port, and how TLS begins there.

    `starttls` is a key of `STARTTLS_PORTS`, or None where TLS begins at once.
    """

    host: str
    port: int = _HTTPS
    starttls: str | None = None

    def __str__(self) -> str:
        """The host, with its port unless that is the usual one."""
        usual = _HTTPS if self.starttls is None else STARTTLS_PORTS[self.starttls]
        if self.port == usual:
            return self.host
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_endpoint(text: str, *, starttls: str | None = None) -> Endpoint:
    """An endpoint as the user writes it; raises `ConfigError`.

    A URL gives the host and the port, and by its scheme how TLS begins; the rest of it
    is left out. `starttls` holds for what does not say it itself.
    """
    # A URL may hold a password, which must not get into a log.
    shown = f"host {quoted(_USER.sub('…@', text[:_LONGEST]), 100)}"
    if len(text) > _LONGEST:
        raise ConfigError(f"{shown}: is too long")
    authority, usual, starttls = _scheme(text.strip(), starttls, shown)
    if "@" in authority:
        raise ConfigError(f"{shown}: leave out the user, a certificate is asked for without one")
    host, port = _split(authority, shown)
    try:
        return Endpoint(_a_host(host), usual if port is None else port, starttls)
    except MalformedError as error:
        raise ConfigError(str(error), hint=error.hint) from None


def _scheme(text: str, starttls: str | None, shown: str) -> tuple[str, int, str | None]:
    """What names host and port, the port if it names none, and how TLS begins."""
    url = _URL.match(text)
    if url is None:
        return text, _HTTPS if starttls is None else STARTTLS_PORTS[starttls], starttls
    scheme, authority = url["scheme"].lower(), url["authority"]
    if scheme in _TLS_SCHEMES:
        return authority, _TLS_SCHEMES[scheme], None
    if scheme in _STARTTLS_SCHEMES:
        protocol = _STARTTLS_SCHEMES[scheme]
        return authority, STARTTLS_PORTS[protocol], protocol
    hint = "http:// is without TLS; write https://" if scheme == "http" else None
    raise ConfigError(f"{shown}: {quoted(scheme)} is no protocol over TLS known here", hint=hint)


def _split(authority: str, shown: str) -> tuple[str, int | None]:
    bracketed = _BRACKETED.fullmatch(authority)
    if bracketed is not None:
        if ":" not in bracketed["host"]:
            raise ConfigError(f"{shown}: only an IPv6 address stands in brackets")
        return bracketed["host"], _port(bracketed["port"], shown)
    # More than one colon: an IPv6 address, of which the last part is no port.
    if authority.count(":") != 1:
        return authority, None
    host, _, port = authority.partition(":")
    return host, _port(port, shown)


def _port(text: str | None, shown: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:6]) <= _MOST_PORTS:
        raise ConfigError(f"{shown}: port {quoted(text, 20)} is not a number from 1 to 65535")
    return int(text)


def _a_host(text: str) -> str:
    if "*" in text:
        raise MalformedError(
            f"host {quoted(text)}: is a wildcard, which nobody can connect to",
            hint="name one host that it covers",
        )
    return normalise_host(text)
