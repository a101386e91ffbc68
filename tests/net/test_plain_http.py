"""Heads over plain HTTP: bounded, guarded, and in our own words."""

from __future__ import annotations

import asyncio

import pytest

from pinwarden.net.address_classes import why_not_public
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.plain_http import PlainAnswer, fetch_plain_heads
from support.answering_tls import AnsweringTLS, head
from support.pin_world import world


def ask(server: AnsweringTLS, host: str = "localhost", **options: object) -> PlainAnswer:
    """What the one address of a server answers."""
    options = {"seconds": 5, "addresses": [server.address], **options}
    (found,) = asyncio.run(fetch_plain_heads(Endpoint(host, server.port), "/", **options))  # type: ignore[arg-type]
    return found


@pytest.fixture
def server() -> AnsweringTLS:
    """A plain server, not yet started."""
    found = AnsweringTLS(world().chains["genuine"], {"/": head("A: b") + b"page"})
    found.manner = "plain"
    return found


def test_a_head(server: AnsweringTLS) -> None:
    """Nothing after it, and the name in the request."""
    with server:
        assert ask(server, "a.example") == PlainAnswer("127.0.0.1", head("A: b"))
    assert server.asked == [("HEAD / HTTP/1.1", f"a.example:{server.port}")]


def test_an_address_that_is_not_admitted(server: AnsweringTLS) -> None:
    """It is not even connected to; the words say what it is."""
    with server:
        found = ask(server, admit=why_not_public)
    assert found.response == b""
    assert found.problem == "is not asked: it is this machine itself"
    assert server.visits == []


def test_interim_answers_are_left_out(server: AnsweringTLS) -> None:
    """RFC 9110 section 15.2."""
    server.answers["/"] = head(status="103 Early Hints") + head("A: b")
    with server:
        assert ask(server).response == head("A: b")


def test_the_names_addresses(server: AnsweringTLS) -> None:
    """Without addresses of ours those of the name are asked."""
    with server:
        found = asyncio.run(fetch_plain_heads(Endpoint("127.0.0.1", server.port), "/", seconds=5))
    assert [each.response for each in found] == [head("A: b")]


def test_addresses_beyond_the_bound_are_told() -> None:
    """Nobody is asked at them, and none is left out without a word."""
    many = [(f"192.0.2.{number}", 80) for number in range(1, 41)]
    *asked, rest = asyncio.run(
        fetch_plain_heads(
            Endpoint("a.example", 80), "/", addresses=many, seconds=5, admit=why_not_public
        )
    )
    assert len(asked) == 32
    assert rest == PlainAnswer("", problem="8 more addresses were not asked")
