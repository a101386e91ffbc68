"""What a host serves over TLS, at each of its addresses: the chain as verified, and as sent.

Nothing but the handshake passes: no data of ours, and no request unless one is wanted.
Where a certificate does not verify, further handshakes get the chain that was sent, to
show to a person; it never counts as verified.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from ipaddress import ip_address

from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.net.address import verify_contact
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.hello.offer import Offer
from pinwarden.net.response import (
    HEAD_NOT_KNOWN,
    HeadFinder,
    encode_request,
    status_of,
    verify_path,
)
from pinwarden.net.served import Failure, HandedOver, ServedAddress, ServedHost, Wanted
from pinwarden.net.starttls import Declined
from pinwarden.net.tls_line import Line, Wrap
from pinwarden.net.tls_words import (
    answer_words,
    connect_words,
    error_words,
    judge_handshake,
    verify_words,
)
from pinwarden.pinning.peer_chain import sent_chain, verified_chain

__all__ = ["TLSAsker", "verifying_context"]

_TIMEOUT = 10.0
_PARALLEL = 16
# The system's resolver may be silent for half a minute, and nothing can interrupt it. With the few
# threads of the event loop, a handful of names without servers would stop all others.
_LOOKUPS = 32
# Addresses of one host at the same time, however many hosts are in work.
_LEAST_PARALLEL = 2
MOST_ADDRESSES = 32
# X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH.
_DATES_AND_NAMES = (9, 10, 62, 64)
# X509_V_FLAG_NO_CHECK_TIME, which Python's ssl module does not name.
_NO_CHECK_TIME = 0x200000
# All that OpenSSL has for servers with a certificate. Python leaves out static RSA and SHA-1 as a
# MAC, with which browsers still reach old servers: whoever looks at servers must see them too.
# Keys and signatures have to be as strong as by Python's default.
_CIPHERS = "DEFAULT:!PSK:!SRP:@SECLEVEL=2"
# Behind one address may be several servers, in the middle of a change of certificates.
_HELLOS = 3


def verifying_context(
    cafile: str | None = None,
    *,
    client_certificate: str | None = None,
) -> ssl.SSLContext:
    """A context that verifies as `ssl.create_default_context()` does; raises `ConfigError`.

    `cafile` replaces the system's trust anchors. `client_certificate` is a PEM file with a
    certificate and its key, for servers that want one. As in that function a chain may end
    at any trusted certificate from Python 3.13 on, and before only at a root. More cipher
    suites are offered than by that function: all that OpenSSL has for servers with a
    certificate.
    """
    try:
        context = ssl.create_default_context(cafile=cafile)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"trust anchors {quoted(str(cafile))}: {error_words(error)}", hint="a file in PEM"
        ) from None
    context.set_ciphers(_CIPHERS)
    if client_certificate is not None:
        try:
            context.load_cert_chain(client_certificate, password=_no_passphrase)
        except (OSError, ValueError, ConfigError) as error:
            raise ConfigError(
                f"client certificate {quoted(client_certificate)}: {error_words(error)}",
                hint="a PEM file with the certificate and its key, not encrypted",
            ) from None
    return context


def _no_passphrase() -> str:
    raise ConfigError("the key is encrypted")


class TLSAsker:
    """Asks hosts, several at a time.

    `timeout` is in seconds, for each connection to an address from its beginning to the
    end of the handshake, and as long again for an answer over HTTP; `family` is
    `socket.AF_INET` or `AF_INET6` to leave the other one out.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        *,
        timeout: float = _TIMEOUT,
        parallel: int = _PARALLEL,
        family: int = socket.AF_UNSPEC,
        wanted: Wanted | None = None,
        admit: Callable[[str], str | None] | None = None,
        contact: str | None = None,
    ) -> None:
        """`context` is from `verifying_context`; without one, that with its defaults.

        `admit` says why an IP address must not be asked, or None if it may, as
        `why_not_public` does; without one all may. `contact` is told to servers that are
        asked for a response. Raises `ConfigError` for a contact or a path that cannot be sent.
        """
        self._context = verifying_context() if context is None else context
        if self._context.verify_mode != ssl.CERT_REQUIRED or not self._context.check_hostname:
            raise ValueError("a context without verification tells no verified chain")
        self._wanted = Wanted() if wanted is None else wanted
        verify_path(self._wanted.path)
        if contact is not None:
            verify_contact(contact)
        self._timeout = timeout
        self._family = family
        self._admit = admit
        self._contact = contact
        self._offer = Offer.of(self._context)
        self._parallel = parallel
        self._slots = asyncio.Semaphore(parallel)
        self._hosts = 0
        # Its threads end by themselves when this asker is gone.
        self._lookups = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="pinwarden-lookup")

    async def ask(
        self, endpoint: Endpoint, addresses: Sequence[tuple[str, int]] = ()
    ) -> ServedHost:
        """What a host serves at all its addresses, or at these IP addresses and ports instead.

        Never raises for what a host does: that is in the result.
        """
        self._hosts += 1
        try:
            return await self._ask(endpoint, addresses)
        finally:
            self._hosts -= 1

    async def _ask(self, endpoint: Endpoint, addresses: Sequence[tuple[str, int]]) -> ServedHost:
        given = found = tuple(dict.fromkeys(addresses))
        if not given:
            try:
                found = await self._resolve(endpoint)
            except TimeoutError:
                return ServedHost(endpoint=endpoint, problem="its addresses were not found in time")
            except (OSError, UnicodeError) as error:
                problem = f"has no address: {error_words(error)}"
                return ServedHost(endpoint=endpoint, problem=problem)
        served = await self._ask_addresses(endpoint, found[:MOST_ADDRESSES])
        return ServedHost(
            endpoint=endpoint,
            addresses=tuple(served) if given else _without_idle_loopback(served),
            left_out=max(0, len(found) - MOST_ADDRESSES),
        )

    async def _ask_addresses(
        self, endpoint: Endpoint, places: Sequence[tuple[str, int]]
    ) -> list[ServedAddress]:
        """Several at a time, in a share that leaves the other hosts in work theirs.

        Somebody with many addresses that are slow at each step would else take all slots for
        minutes, and hosts that are well would seem too slow.
        """
        share = asyncio.Semaphore(max(_LEAST_PARALLEL, self._parallel // self._hosts))

        async def one(address: str, port: int) -> ServedAddress:
            async with share:
                return await self._ask_address(endpoint, address, port)

        return await asyncio.gather(*(one(*place) for place in places))

    async def _resolve(self, endpoint: Endpoint) -> tuple[tuple[str, int], ...]:
        loop = asyncio.get_running_loop()
        look_up = partial(
            socket.getaddrinfo,
            endpoint.host,
            endpoint.port,
            family=self._family,
            type=socket.SOCK_STREAM,
        )
        looking = loop.run_in_executor(self._lookups, look_up)
        found = await asyncio.wait_for(looking, self._timeout)
        return tuple(dict.fromkeys((str(each[4][0]), endpoint.port) for each in found))

    async def _ask_address(self, endpoint: Endpoint, address: str, port: int) -> ServedAddress:
        place = ServedAddress(address=address, port=port)
        why_not = None if self._admit is None else self._admit(address)
        if why_not is not None:
            problem = f"is not asked: {why_not}"
            return replace(place, failure=Failure.FORBIDDEN, problem=problem)
        async with self._slots:
            served = await self._verified(endpoint, place)
            if served.failure is Failure.UNTRUSTED:
                served = await self._unverified(endpoint, served)
            if self._wanted.handed and served.sent:
                served = replace(served, handed=await self._handed(endpoint, served))
            return served

    async def _verified(self, endpoint: Endpoint, place: ServedAddress) -> ServedAddress:
        """A handshake that verifies, and over the same connection a request if one is wanted."""
        line = Line(endpoint)
        try:
            served = await self._shaken(line, endpoint, place, self._context.wrap_bio)
            if not self._wanted.response:
                return served
            if endpoint.starttls is not None:
                problem = f"{endpoint.starttls} is not HTTP"
            elif served.failure is not None:
                problem = "nothing is asked for over a connection that does not verify"
            else:
                return await self._with_response(line, endpoint, served)
            return replace(served, response_problem=problem)
        finally:
            await line.close()

    async def _unverified(self, endpoint: Endpoint, refused: ServedAddress) -> ServedAddress:
        """With the chain that was refused, since OpenSSL forgets it; anchored if it can be."""
        place = ServedAddress(address=refused.address, port=refused.port)
        if self._wanted.anchored and refused.verify_code in _DATES_AND_NAMES:
            shown = await self._shown(endpoint, place, self._anchoring)
            if shown.verified:
                return replace(refused, sent=shown.sent, anchored=shown.verified)
        lenient = _unverified_context(self._context)
        shown = await self._shown(endpoint, place, lenient.wrap_bio)
        return replace(refused, sent=shown.sent)

    async def _shown(self, endpoint: Endpoint, place: ServedAddress, wrap: Wrap) -> ServedAddress:
        line = Line(endpoint)
        try:
            return await self._shaken(line, endpoint, place, wrap)
        finally:
            await line.close()

    async def _shaken(
        self, line: Line, endpoint: Endpoint, place: ServedAddress, wrap: Wrap
    ) -> ServedAddress:
        try:
            return await asyncio.wait_for(_shake(line, endpoint, place, wrap), self._timeout)
        except TimeoutError:
            problem = f"did not finish a handshake within {self._timeout:g} s"
            return replace(place, failure=Failure.TIMEOUT, problem=problem)

    def _anchoring(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *, server_hostname: str
    ) -> ssl.SSLObject:
        """A TLS object that verifies trust, and neither dates nor the name.

        No context can be copied with its trust anchors. OpenSSL copies what a context says
        about verification when an object is made, so this changes none that is under way.
        """
        context = self._context
        flags = context.verify_flags
        try:
            context.check_hostname = False
            context.verify_flags = ssl.VerifyFlags(flags | _NO_CHECK_TIME)
            return context.wrap_bio(incoming, outgoing, server_hostname=server_hostname)
        finally:
            context.verify_flags = flags
            context.check_hostname = True

    async def _with_response(
        self, line: Line, endpoint: Endpoint, served: ServedAddress
    ) -> ServedAddress:
        # Some servers say nothing to what they do not know: GET has its time after that.
        response, problem = await self._response(line, endpoint, "HEAD", self._timeout / 2)
        if response is None or (response and status_of(response) in HEAD_NOT_KNOWN):
            await line.close()
            place = ServedAddress(address=served.address, port=served.port)
            again = Line(endpoint)
            try:
                shown = await self._shaken(again, endpoint, place, self._context.wrap_bio)
                if shown.verified == served.verified:
                    got, failed = await self._response(again, endpoint, "GET", self._timeout)
                    if not (failed and response):
                        response, problem = got, failed
            finally:
                await again.close()
        return replace(served, response=response or b"", response_problem=problem)

    async def _response(
        self, line: Line, endpoint: Endpoint, method: str, patience: float
    ) -> tuple[bytes | None, str]:
        """The head of the answer, or why there is none; None where nothing was said."""
        request = encode_request(endpoint, method, self._wanted.path, self._contact)
        try:
            return await asyncio.wait_for(line.ask(request, HeadFinder()), patience), ""
        except TimeoutError:
            return None, f"did not answer over HTTP within {patience:g} s"
        except MalformedError as error:
            return b"", str(error)
        except OSError as error:
            return None, f"ended the connection without an answer: {answer_words(error)}"

    async def _handed(self, endpoint: Endpoint, served: ServedAddress) -> HandedOver:
        """What comes with the very certificate that the other handshake was about."""
        for _ in range(_HELLOS):
            handed = await self._first_flight(endpoint, served)
            if handed.leaf in (b"", served.sent[0]):
                return handed
        problem = "each connection shows another certificate"
        return HandedOver(leaf=handed.leaf, problem=problem)

    async def _first_flight(self, endpoint: Endpoint, served: ServedAddress) -> HandedOver:
        line = Line(endpoint)

        async def read() -> HandedOver:
            await line.connect(served.address, served.port)
            return await line.read_first_flight(self._offer)

        try:
            return await asyncio.wait_for(read(), self._timeout)
        except TimeoutError:
            problem = f"did not finish a handshake within {self._timeout:g} s"
        except (MalformedError, Declined) as error:
            problem = str(error)
        except OSError as error:
            problem = error_words(error)
        finally:
            await line.close()
        return HandedOver(problem=f"a connection to read it came to nothing: {problem}")


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
    # The same offer, so that a server with several certificates shows the same one.
    context.set_ciphers(":".join(each["name"] for each in like.get_ciphers()))
    return context


async def _shake(line: Line, endpoint: Endpoint, place: ServedAddress, wrap: Wrap) -> ServedAddress:
    """What a handshake shows, with `wrap` to make the TLS object of it."""
    try:
        await line.connect(place.address, place.port)
    except OSError as error:
        problem = f"cannot be connected to: {connect_words(error)}"
        idle = error.errno == errno.ECONNREFUSED
        return replace(place, failure=Failure.UNREACHABLE, problem=problem, nobody_listens=idle)
    code: int | None = None
    try:
        tls = await line.shake_hands(wrap)
        return replace(
            place,
            verified=verified_chain(tls) if tls.context.verify_mode == ssl.CERT_REQUIRED else (),
            sent=sent_chain(tls),
            protocol=tls.version() or "",
        )
    except Declined as error:
        failure, problem = Failure.NOT_TLS, f"did not begin TLS: {error}"
    except ssl.SSLCertVerificationError as error:
        failure, code = Failure.UNTRUSTED, error.verify_code
        problem = f"its certificate does not verify: {verify_words(error)}"
    except OSError as error:
        failure, problem = judge_handshake(error, endpoint, line.first, shown=line.shown)
    except ValueError as error:
        failure, problem = Failure.REFUSED, f"cannot be asked for: {error_words(error)}"
    return replace(place, failure=failure, problem=problem, verify_code=code)
