"""What a URL answers, hop by hop: redirects are followed, within bounds, and each hop is linted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from pinwarden.cli.asking_hosts import Asking
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.headers.response import ResponseHead, parse_response_head
from pinwarden.net.address_classes import why_not_public
from pinwarden.net.endpoint import Endpoint, parse_endpoint
from pinwarden.net.response import verify_path

__all__ = ["MOST_REDIRECTS", "Answer", "Hop", "follow"]

MOST_REDIRECTS = 5
"""How many redirects are followed."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HTTP = re.compile(r"http://([^/?#]*)", re.IGNORECASE)
_HTTP_PORT = 80
_LONGEST_URL = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one address answered: a head, or in `problem` why there is none.

    `chain` is the verified chain over which it came, in DER; it is empty for plain HTTP.
    """

    address: str
    head: ResponseHead | None = None
    chain: tuple[bytes, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One URL and its answers; `problem` says why nothing was asked, or the next not followed."""

    url: str
    scheme: str
    host: str
    answers: tuple[Answer, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    url: str
    scheme: str
    endpoint: Endpoint
    path: str


def follow(url: str, asking: Asking) -> list[Hop]:
    """The hops of a URL, or of a host, which is asked for `/` over https.

    Raises `ConfigError` for a URL that cannot be asked, and for trust anchors that cannot be
    read; what hosts do is in the hops.
    """
    return asyncio.run(_follow(_place(url), asking))


async def _follow(first: _Place, asking: Asking) -> list[Hop]:
    hops: list[Hop] = []
    place, admit = first, None
    while True:
        same = place.endpoint.host == first.endpoint.host
        answers = await _answers(place, asking, named=same, admit=admit)
        hop = Hop(url=place.url, scheme=place.scheme, host=place.endpoint.host, answers=answers)
        target = _target(answers)
        if target is None:
            return [*hops, hop]
        problem = ""
        if len(hops) == MOST_REDIRECTS:
            problem = f"more than {MOST_REDIRECTS} redirects are not followed"
        else:
            try:
                following = _redirected(place, target)
            except ConfigError as error:
                problem = f"its redirect is not followed: {error}"
        if problem:
            hop = Hop(
                url=hop.url, scheme=hop.scheme, host=hop.host, answers=answers, problem=problem
            )
            return [*hops, hop]
        hops.append(hop)
        place, admit = following, admitting(each.address for each in answers) or admit


def admitting(addresses: Iterable[str]) -> Callable[[str], str | None] | None:
    """Which addresses a redirect from these may lead to.

    Whoever answers from a public address must not send us into a private network, where
    only the user may.
    """
    if any(why_not_public(each) is None for each in addresses if each):
        return why_not_public
    return None


async def _answers(
    place: _Place, asking: Asking, *, named: bool, admit: Callable[[str], str | None] | None
) -> tuple[Answer, ...]:
    addresses = [
        (address, port or place.endpoint.port) for address, port in asking.addresses if named
    ]
    if place.scheme == "http":
        return await _plain_answers(place, asking, addresses, admit)
    from pinwarden.net.served import Wanted
    from pinwarden.net.tls import TLSAsker, verifying_context

    # Whoever we are sent to is not the one to whom the user wants to be known.
    context = verifying_context(
        asking.cafile, client_certificate=asking.client_certificate if named else None
    )
    asker = TLSAsker(
        context,
        timeout=asking.timeout,
        family=asking.family,
        wanted=Wanted(response=True, path=place.path),
        admit=admit,
    )
    served = await asker.ask(place.endpoint, addresses)
    answers = [
        _read(
            str(each.address),
            each.response,
            each.problem or each.response_problem,
            each.verified,
        )
        for each in served.addresses
    ]
    if served.problem:
        answers.append(Answer(address="", problem=served.problem))
    if served.left_out:
        problem = f"{served.left_out} more addresses were not asked"
        answers.append(Answer(address="", problem=problem))
    return tuple(answers)


async def _plain_answers(
    place: _Place,
    asking: Asking,
    addresses: Sequence[tuple[str, int]],
    admit: Callable[[str], str | None] | None,
) -> tuple[Answer, ...]:
    from pinwarden.net.plain_http import fetch_plain_heads

    found = await fetch_plain_heads(
        place.endpoint,
        place.path,
        addresses=addresses,
        seconds=asking.timeout,
        family=asking.family,
        admit=admit,
    )
    return tuple(_read(each.address, each.response, each.problem, ()) for each in found)


def _read(address: str, response: bytes, problem: str, chain: tuple[bytes, ...]) -> Answer:
    if response:
        try:
            head = parse_response_head(response).heads[-1]
        except MalformedError as error:
            problem = str(error)
        else:
            return Answer(address=address, head=head, chain=chain)
    return Answer(address=address, problem=problem or "gave no answer")


def _target(answers: Sequence[Answer]) -> str | None:
    """Where the first address that answers sends us."""
    head = next((each.head for each in answers if each.head is not None), None)
    if head is None or head.status not in _REDIRECTS:
        return None
    return next(iter(head.values("Location")), None)


def _redirected(place: _Place, target: str) -> _Place:
    try:
        url = urljoin(place.url, target.strip())
    except ValueError:
        raise ConfigError(f"{quoted(target, 200)} is no URL") from None
    scheme = url.partition(":")[0].lower()
    if scheme not in ("http", "https") or "://" not in url:
        raise ConfigError(f"{quoted(url, 200)} is no web address")
    # What was safe must not become readable on the way.
    if place.scheme == "https" and scheme != "https":
        raise ConfigError(f"{quoted(url, 200)} goes from https to plain HTTP")
    return _place(url)


def _place(text: str) -> _Place:
    """A URL as it is asked for: percent-encoded where it has to be, without its fragment."""
    if len(text) > _LONGEST_URL:
        raise ConfigError(f"URL {quoted(text, 100)}: is too long")
    plain = _HTTP.match(text)
    if plain is not None:
        endpoint = parse_endpoint(_with_port(plain[1]))
        scheme = "http"
    else:
        endpoint = parse_endpoint(text)
        scheme = "https"
    if endpoint.starttls is not None or ("://" in text and not text[:8].lower().startswith("http")):
        raise ConfigError(f"URL {quoted(text, 100)}: headers are looked for over HTTP only")
    path = _path(text) if "://" in text else "/"
    verify_path(path)
    return _Place(f"{scheme}://{_authority(endpoint, scheme)}{path}", scheme, endpoint, path)


def _with_port(authority: str) -> str:
    """Port 80 where none is named, since an endpoint has that of https."""
    has_port = re.search(r":[0-9]*$", authority) is not None and not authority.endswith("]")
    return authority if has_port else f"{authority}:{_HTTP_PORT}"


def _authority(endpoint: Endpoint, scheme: str) -> str:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    usual = _HTTP_PORT if scheme == "http" else 443
    return host if endpoint.port == usual else f"{host}:{endpoint.port}"


def _path(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError(f"URL {quoted(url, 100)}: cannot be read") from None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return "".join(c if "!" <= c <= "~" else _encoded(c) for c in path)


def _encoded(character: str) -> str:
    return "".join(f"%{octet:02X}" for octet in character.encode("utf-8", "replace"))
