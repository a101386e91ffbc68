"""The self-test finds clients that fail: what it says of good ones would prove little."""

from __future__ import annotations

import socket
import ssl

import pytest

from pinwarden.clients import PinnedContext
from pinwarden.clients.selftest.attempts import ATTEMPTS, Attempt
from pinwarden.clients.selftest.authority import HOST, new_authority
from pinwarden.clients.selftest.trial import Outcome, Trial, attempt_trial


@pytest.fixture(scope="module")
def authorities() -> tuple[object, object]:
    return new_authority("genuine"), new_authority("rogue")


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.client)
def test_each_client_is_enforced(attempt: Attempt, authorities: tuple) -> None:
    assert attempt_trial(attempt, *authorities) == Trial(attempt.client, Outcome.ENFORCED)


def say_hello(context: ssl.SSLContext, port: int) -> None:
    with (
        socket.create_connection((HOST, port), 10) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as tls,
    ):
        tls.sendall(b"hello")
        tls.recv(1)


def unpinned(context: ssl.SSLContext, port: int) -> None:
    """Takes the trust anchors of the context that it is given, and leaves the pins."""
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for each in context.get_ca_certs(binary_form=True):
        own.load_verify_locations(cadata=each)
    say_hello(own, port)


def unverified(_: ssl.SSLContext, port: int) -> None:
    say_hello(ssl._create_unverified_context(), port)


def only_shakes_hands(context: ssl.SSLContext, port: int) -> None:
    """Speaks with the genuine server, and connects to any other without noticing."""
    try:
        say_hello(context, port)
    except ssl.SSLError:
        return


def hides_the_error(context: ssl.SSLContext, port: int) -> None:
    try:
        say_hello(context, port)
    except ssl.SSLError:
        problem = "something"
    else:
        return
    raise RuntimeError(problem)


def refuses_all(_: ssl.SSLContext, __: int) -> None:
    raise RuntimeError("never \x1b[31m works")


@pytest.mark.parametrize(
    ("speak", "outcome"),
    [
        (say_hello, Outcome.ENFORCED),
        (unpinned, Outcome.LEAKED),
        (unverified, Outcome.LEAKED),
        (only_shakes_hands, Outcome.NOT_ENFORCED),
        (hides_the_error, Outcome.UNREADABLE),
        (refuses_all, Outcome.NOT_WORKING),
    ],
)
def test_a_client_that_fails_is_found(speak: object, outcome: Outcome, authorities: tuple) -> None:
    trial = attempt_trial(Attempt("client", speak), *authorities)
    assert trial.outcome is outcome
    assert trial.leaked == (5 if outcome is Outcome.LEAKED else 0)
    assert "\x1b" not in trial.detail


def test_what_is_not_installed_is_not_tried(authorities: tuple) -> None:
    attempt = Attempt("client", refuses_all, needs=("nothing_of_this_name",))
    assert attempt_trial(attempt, *authorities).outcome is Outcome.NOT_HERE


def test_the_certificates_are_good_for_strict_clients() -> None:
    """VERIFY_X509_STRICT (the default from Python 3.13 on) wants all extensions."""
    authority = new_authority("strict")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=authority.root)
    inside, outside, server = ssl.MemoryBIO(), ssl.MemoryBIO(), None
    client = context.wrap_bio(inside, outside, server_hostname=HOST)
    server = authority.serving.wrap_bio(outside, inside, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.getpeercert()
    assert issubclass(PinnedContext, ssl.SSLContext)
