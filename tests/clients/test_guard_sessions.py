"""A resumed session brings no certificates, and what cannot be compared is no match."""

from __future__ import annotations

import socket
import ssl
from functools import partial

import pytest

from pinwarden.clients import PinMismatch, PinnedContext, install
from pinwarden.lab.tls import LabTLS
from pinwarden.pinning import PinResult, PinVerdict, Reason
from support.pin_world import HOST, UNPINNED, pin_set, said, world
from support.tls_ways import REQUEST, Memory, answer, whole_answer, wrapped

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
pytestmark = pytest.mark.parametrize("newest", VERSIONS)


def session_of(context: ssl.SSLContext, server: LabTLS, host: str) -> ssl.SSLSession:
    """A session as it is after a whole request, when TLS 1.3 has sent its tickets."""
    with wrapped(context, server.address, host) as tls:
        tls.sendall(REQUEST)
        whole_answer(tls)
        assert tls.session is not None
        return tls.session


def test_a_resumed_session_with_a_pinned_host_is_refused(newest: ssl.TLSVersion) -> None:
    """The words say what happened and what to do."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with world().serve(resuming=True, newest=newest) as server:
        session = session_of(context, server, HOST)
        with wrapped(context, server.address, HOST, session=session) as tls:
            with pytest.raises(PinMismatch) as caught:
                tls.sendall(REQUEST)
            assert tls.session_reused
    error = caught.value
    assert (error.result.verdict, error.result.reason) == (
        PinVerdict.MISMATCH,
        Reason.EMPTY_CHAIN,
    )
    assert "session was resumed" in str(error)
    assert error.hint is not None
    assert "session=" in error.hint
    assert said(server) == REQUEST


def test_a_session_given_later(newest: ssl.TLSVersion) -> None:
    """The same through the attribute of the socket, and over memory buffers."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with world().serve(resuming=True, newest=newest) as server:
        session = session_of(context, server, HOST)
        with wrapped(context, server.address, HOST) as tls:
            tls.session = session
            with pytest.raises(PinMismatch):
                tls.do_handshake()
        with socket.create_connection(server.address) as raw:
            memory = Memory(context, raw, HOST)
            memory.tls.session = session
            with pytest.raises(PinMismatch):
                memory.until_done(partial(memory.tls.write, REQUEST), over=lambda: False)
    assert said(server) == REQUEST


def test_unpinned_hosts_resume(newest: ssl.TLSVersion) -> None:
    """There is nothing to compare, so that nothing is missing."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with world().serve(resuming=True, newest=newest) as server:
        session = session_of(context, server, UNPINNED)
        with wrapped(context, server.address, UNPINNED, session=session) as tls:
            tls.sendall(REQUEST)
            assert answer(tls) == b"HTTP/1.1 200"
            assert tls.session_reused


def test_report_only_reports_it(newest: ssl.TLSVersion) -> None:
    """A set that ends no connection does not end this one, and does not keep silent."""
    told: list[PinResult] = []
    context = PinnedContext(pin_set("report-only"), cafile=world().cafile, on_result=told.append)
    with world().serve(resuming=True, newest=newest) as server:
        session = session_of(context, server, HOST)
        with wrapped(context, server.address, HOST, session=session) as tls:
            tls.sendall(REQUEST)
            assert answer(tls) == b"HTTP/1.1 200"
    assert [each.reason for each in told] == [Reason.NO_PIN_MATCHED, Reason.EMPTY_CHAIN]


def test_a_session_from_before_the_installation(newest: ssl.TLSVersion) -> None:
    """A rogue server that was met once cannot come back under the name of its session."""
    context = ssl.create_default_context(cafile=world().cafile)
    with world().serve("rogue", resuming=True, newest=newest) as server:
        session = session_of(context, server, HOST)
        with (
            install(pin_set("good")),
            wrapped(context, server.address, HOST, session=session) as tls,
            pytest.raises(PinMismatch, match="session was resumed"),
        ):
            tls.sendall(REQUEST)
    assert said(server) == REQUEST
