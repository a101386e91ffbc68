"""What the commands that ask servers share: the options, and the asking itself."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from math import isnan
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pinwarden.errors import ConfigError, quoted
from pinwarden.net.starttls import STARTTLS_PORTS

if TYPE_CHECKING:
    from pinwarden.net.endpoint import Endpoint
    from pinwarden.net.served import ServedHost, Wanted

__all__ = [
    "Asking",
    "ask_hosts",
    "asking_from",
    "asking_options",
    "endpoint_of",
    "endpoint_of_policy",
    "https_asking_options",
]

_F = TypeVar("_F", bound=Callable[..., Any])

_TIMEOUT = 10.0
# Names that are looked up at the same time; handshakes have a bound of their own.
_PARALLEL = 16


@dataclass(frozen=True, slots=True)
class Asking:
    """How servers are asked, as the command line says it.

    `addresses` are asked instead of those that the host's name has; a port of None is
    that of the host.
    """

    starttls: str | None = None
    addresses: tuple[tuple[str, int | None], ...] = ()
    cafile: str | None = None
    client_certificate: str | None = None
    timeout: float = _TIMEOUT
    family: int = socket.AF_UNSPEC


def asking_options(command: _F) -> _F:
    """Adds --starttls and what `https_asking_options` adds."""
    starttls = click.option(
        "--starttls",
        type=click.Choice(sorted(STARTTLS_PORTS)),
        help="Begin in plain text by this protocol; a URL such as smtp://HOST says it too.",
    )
    return starttls(https_asking_options(command))


def https_asking_options(command: _F) -> _F:
    """Adds --address, --cafile, --client-cert, --timeout, --ipv4 and --ipv6."""
    for option in reversed(
        (
            click.option(
                "--address",
                "addresses",
                multiple=True,
                metavar="IP[:PORT]",
                help="Ask this address instead of those of the host's name; may be repeated.",
            ),
            click.option(
                "--cafile",
                metavar="FILE",
                help="Trust anchors in PEM [default: the system's].",
            ),
            click.option(
                "--client-cert",
                "client_certificate",
                metavar="FILE",
                help="A PEM file with certificate and key, for a server that wants one.",
            ),
            click.option(
                "--timeout",
                type=click.FloatRange(0, 300, min_open=True),
                default=_TIMEOUT,
                show_default=True,
                metavar="SECONDS",
                help="How long to wait for each address.",
            ),
            click.option("-4", "--ipv4", is_flag=True, help="IPv4 addresses only."),
            click.option("-6", "--ipv6", is_flag=True, help="IPv6 addresses only."),
        )
    ):
        command = option(command)
    return command


def asking_from(options: dict[str, Any]) -> Asking:
    """Takes what either of them added out of a command's options; raises `ConfigError`."""
    only_4, only_6 = options.pop("ipv4"), options.pop("ipv6")
    if isnan(options["timeout"]):
        raise ConfigError("--timeout: is not a number")
    if only_4 and only_6:
        raise ConfigError("--ipv4 and --ipv6: choose one of them")
    family = socket.AF_INET if only_4 else socket.AF_INET6 if only_6 else socket.AF_UNSPEC
    return Asking(
        starttls=options.pop("starttls", None),
        addresses=tuple(map(_address, options.pop("addresses"))),
        cafile=options.pop("cafile"),
        client_certificate=options.pop("client_certificate"),
        timeout=options.pop("timeout"),
        family=family,
    )


def _address(text: str) -> tuple[str, int | None]:
    """An IP address, `ADDRESS:PORT`, or `[ADDRESS]:PORT`."""
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = str(ip_address(host))
        number = int(port) if port else None
        if number is not None and not 0 < number < 1 << 16:
            raise ValueError
    except ValueError:
        raise ConfigError(
            f"--address {quoted(text, 100)}: is not an IP address, perhaps with a port",
            hint="such as 192.0.2.1, 192.0.2.1:8443 or [2001:db8::1]:8443",
        ) from None
    return address, number


def endpoint_of(text: str, asking: Asking) -> Endpoint:
    """The endpoint that the user names; raises `ConfigError`."""
    from pinwarden.net.endpoint import parse_endpoint

    return parse_endpoint(text, starttls=asking.starttls)


def endpoint_of_policy(host: str, asking: Asking) -> Endpoint:
    """The endpoint of a policy's host, at the usual port."""
    return endpoint_of(f"[{host}]" if ":" in host else host, asking)


def ask_hosts(
    endpoints: Sequence[Endpoint], asking: Asking, wanted: Wanted | None = None
) -> list[ServedHost]:
    """What hosts serve at each of their addresses, in the order of the hosts.

    `wanted` is what is to be found out beside the chains. Raises `ConfigError` for trust
    anchors or a client certificate that cannot be read; what a host does or fails to do is
    in its answer.
    """
    import asyncio

    from pinwarden.net.tls import TLSAsker, verifying_context

    context = verifying_context(asking.cafile, client_certificate=asking.client_certificate)

    async def ask() -> list[ServedHost]:
        asker = TLSAsker(context, timeout=asking.timeout, family=asking.family, wanted=wanted)
        slots = asyncio.Semaphore(_PARALLEL)

        async def one(endpoint: Endpoint) -> ServedHost:
            places = [(address, port or endpoint.port) for address, port in asking.addresses]
            async with slots:
                return await asker.ask(endpoint, places)

        return list(await asyncio.gather(*map(one, endpoints)))

    return asyncio.run(ask())
