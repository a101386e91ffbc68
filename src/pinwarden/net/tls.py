"""What a host serves over TLS, at each of its addresses: the chain as verified, and as sent.

Nothing but the handshake passes: no request, and no data of ours. Where a certificate
does not verify, a second handshake without verification gets the chain that was sent, to
show to a person; it never counts as verified.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

from pinwarden.errors import ConfigError, quoted
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure, ServedAddress, ServedHost
from pinwarden.net.starttls import LONGEST_LINE, STARTTLS_PORTS, Declined, start_tls
from pinwarden.pinning.peer_chain import sent_chain, verified_chain

__all__ = ["TLSAsker", "verifying_context"]

_TIMEOUT = 10.0
_PARALLEL = 16
MOST_ADDRESSES = 32
# A chain has at most 100 KiB by OpenSSL's own rule; a handshake is little more than that.
_MOST_OCTETS = 1 << 20
_RECORD = 65536
_HANDSHAKE, _ALERT = 22, 21
# Where in its source Python's ssl module met an error.
_OPENSSL_PLACE = re.compile(r" \(_ssl\.c:\d+\)$")
_USUAL_STARTTLS = {port: protocol for protocol, port in STARTTLS_PORTS.items()} | {587: "smtp"}


def verifying_context(
    cafile: str | None = None,
    *,
    client_certificate: str | None = None,
) -> ssl.SSLContext:
    """A context that verifies as `ssl.create_default_context()` does; raises `ConfigError`.

    `cafile` replaces the system's trust anchors. `client_certificate` is a PEM file with a
    certificate and its key, for servers that want one. As in that function a chain may end
    at any trusted certificate from Python 3.13 on, and before only at a root.
    """
    try:
        context = ssl.create_default_context(cafile=cafile)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"trust anchors {quoted(str(cafile))}: {_words(error)}", hint="a file in PEM"
        ) from None
    if client_certificate is not None:
        try:
            context.load_cert_chain(client_certificate, password=_no_passphrase)
        except (OSError, ValueError, ConfigError) as error:
            raise ConfigError(
                f"client certificate {quoted(client_certificate)}: {_words(error)}",
                hint="a PEM file with the certificate and its key, not encrypted",
            ) from None
    return context


def _no_passphrase() -> str:
    raise ConfigError("the key is encrypted")


class TLSAsker:
    """Asks hosts, several at a time.

    `timeout` is in seconds, for each address from the connection to the end of the
    handshake; `family` is `socket.AF_INET` or `AF_INET6` to leave the other one out.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        *,
        timeout: float = _TIMEOUT,
        parallel: int = _PARALLEL,
        family: int = socket.AF_UNSPEC,
    ) -> None:
        """`context` is from `verifying_context`; without one, that with its defaults."""
        self._context = verifying_context() if context is None else context
        if self._context.verify_mode != ssl.CERT_REQUIRED or not self._context.check_hostname:
            raise ValueError("a context without verification tells no verified chain")
        self._timeout = timeout
        self._family = family
        self._slots = asyncio.Semaphore(parallel)

    async def ask(
        self, endpoint: Endpoint, addresses: Sequence[tuple[str, int]] = ()
    ) -> ServedHost:
        """What a host serves at all its addresses, or at these IP addresses and ports instead.

        Never raises for what a host does: that is in the result.
        """
        given = found = tuple(dict.fromkeys(addresses))
        if not given:
            try:
                found = await self._resolve(endpoint)
            except TimeoutError:
                return ServedHost(endpoint=endpoint, problem="its addresses were not found in time")
            except (OSError, UnicodeError) as error:
                problem = f"has no address: {_words(error)}"
                return ServedHost(endpoint=endpoint, problem=problem)
        served = await asyncio.gather(
            *(self._ask_address(endpoint, *address) for address in found[:MOST_ADDRESSES])
        )
        return ServedHost(
            endpoint=endpoint,
            addresses=tuple(served) if given else _without_idle_loopback(served),
            left_out=max(0, len(found) - MOST_ADDRESSES),
        )

    async def _resolve(self, endpoint: Endpoint) -> tuple[tuple[str, int], ...]:
        loop = asyncio.get_running_loop()
        looking = loop.getaddrinfo(
            endpoint.host, endpoint.port, family=self._family, type=socket.SOCK_STREAM
        )
        found = await asyncio.wait_for(looking, self._timeout)
        return tuple(dict.fromkeys((str(each[4][0]), endpoint.port) for each in found))

    async def _ask_address(self, endpoint: Endpoint, address: str, port: int) -> ServedAddress:
        place = ServedAddress(address=address, port=port)
        async with self._slots:
            served = await self._within(endpoint, place, self._context)
            if served.failure is not Failure.UNTRUSTED:
                return served
            # OpenSSL forgets what it refused.
            shown = await self._within(endpoint, place, _unverified_context(self._context))
            return replace(served, sent=shown.sent)

    async def _within(
        self, endpoint: Endpoint, place: ServedAddress, context: ssl.SSLContext
    ) -> ServedAddress:
        try:
            return await asyncio.wait_for(_visit(endpoint, place, context), self._timeout)
        except TimeoutError:
            problem = f"did not finish a handshake within {self._timeout:g} s"
            return replace(place, failure=Failure.TIMEOUT, problem=problem)


def _without_idle_loopback(served: Sequence[ServedAddress]) -> tuple[ServedAddress, ...]:
    """Those addresses of a name, without the ones of this machine at which nothing listens.

    `localhost` is 127.0.0.1 and ::1, and servers for tests are at one of them. Here, and
    here alone, it is known that nobody else is served anything at the other.
    """
    idle = {
        each.address
        for each in served
        if each.nobody_listens and ip_address(each.address.partition("%")[0]).is_loopback
    }
    return tuple(each for each in served if len(idle) == len(served) or each.address not in idle)


def _unverified_context(like: ssl.SSLContext) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = like.minimum_version
    return context


async def _visit(
    endpoint: Endpoint, place: ServedAddress, context: ssl.SSLContext
) -> ServedAddress:
    try:
        reader, writer = await asyncio.open_connection(
            place.address, place.port, limit=LONGEST_LINE
        )
    except OSError as error:
        # The event loop's own words repeat the address.
        words = os.strerror(error.errno) if error.errno else _words(error)
        problem = f"cannot be connected to: {words.lower()}"
        idle = error.errno == errno.ECONNREFUSED
        return replace(place, failure=Failure.UNREACHABLE, problem=problem, nobody_listens=idle)
    try:
        handshake = _Handshake(reader, writer, context, endpoint.host)
        if endpoint.starttls is not None:
            await start_tls(endpoint.starttls, reader, writer, endpoint.host)
        tls = await handshake.run()
        return replace(
            place,
            verified=verified_chain(tls) if context.verify_mode == ssl.CERT_REQUIRED else (),
            sent=sent_chain(tls),
            protocol=tls.version() or "",
        )
    except Declined as error:
        problem = f"did not begin TLS: {error}"
        return replace(place, failure=Failure.NOT_TLS, problem=problem)
    except ssl.SSLCertVerificationError as error:
        problem = f"its certificate does not verify: {_verify_words(error)}"
        return replace(place, failure=Failure.UNTRUSTED, problem=problem)
    except OSError as error:
        failure, problem = handshake.judge(error, endpoint)
        return replace(place, failure=failure, problem=problem)
    except ValueError as error:
        problem = f"cannot be asked for: {_words(error)}"
        return replace(place, failure=Failure.REFUSED, problem=problem)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class _Handshake:
    """One handshake through memory, so that every octet of it is counted."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        context: ssl.SSLContext,
        host: str,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._first = b""
        self._received = 0

    async def run(self) -> ssl.SSLObject:
        """The TLS object after the whole handshake; raises ssl.SSLError or OSError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._read()
            except ssl.SSLError:
                # The alert tells the server's owner what we did not like.
                with contextlib.suppress(OSError):
                    await self._flush()
                raise
            else:
                with contextlib.suppress(ssl.SSLError):
                    self._tls.unwrap()
                with contextlib.suppress(OSError):
                    await self._flush()
                return self._tls

    async def _read(self) -> None:
        data = await self._reader.read(_RECORD)
        self._first = self._first or data[:8]
        self._received += len(data)
        if self._received > _MOST_OCTETS:
            raise OSError("sent a handshake of more than 1 MiB")
        if data:
            self._incoming.write(data)
        elif self._incoming.eof:
            raise ConnectionError("closed the connection during the handshake")
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self._writer.write(data)
            await self._writer.drain()

    def judge(self, error: OSError, endpoint: Endpoint) -> tuple[Failure, str]:
        """What a failed handshake means, in words."""
        if self._first and self._first[0] not in (_HANDSHAKE, _ALERT):
            problem = f"did not answer with TLS, but with {quoted(self._first)}"
            return Failure.NOT_TLS, problem + _starttls_hint(endpoint)
        reason = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
        if isinstance(error, ssl.SSLEOFError) or not isinstance(error, ssl.SSLError):
            closed = isinstance(error, ssl.SSLEOFError)
            words = "closed the connection" if closed else _words(error)
            hint = "" if self._first else _starttls_hint(endpoint)
            return Failure.REFUSED, f"ended the handshake: {words}{hint}"
        if "ALERT" in reason or reason == "TLSV1_UNRECOGNIZED_NAME":
            words = reason.partition("ALERT_")[2] or reason.partition("_")[2]
            words = words.lower().replace("_", " ")
            return Failure.REFUSED, f"ended the handshake with the alert {quoted(words)}"
        words = reason.lower().replace("_", " ") or _words(error)
        return Failure.REFUSED, f"the handshake failed: {words}"


def _starttls_hint(endpoint: Endpoint) -> str:
    protocol = _USUAL_STARTTLS.get(endpoint.port)
    if endpoint.starttls is not None or protocol is None:
        return ""
    return f" (on this port perhaps --starttls {protocol})"


def _verify_words(error: ssl.SSLCertVerificationError) -> str:
    words = error.verify_message.rstrip(".")
    # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY and X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE.
    if error.verify_code in (20, 21):
        words += " (its root is not trusted here, or the server does not send the intermediate)"
    return words


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    words = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    words = _OPENSSL_PLACE.sub("", words)
    if words == "[SSL] PEM lib":
        words = "is not in PEM"
    return quoted(" ".join(str(words).split()))[1:-1]
