"""Failures are told, in the shape of RFC 7469, and nobody waits for that."""

from __future__ import annotations

import logging
import os
import ssl
import subprocess
import sys
import textwrap
import threading
import urllib.request
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509

from pinwarden.clients import PinMismatch, PinnedContext, find_mismatch, install
from pinwarden.clients.report_sender import ReportSender
from pinwarden.clients.reporting import Reporting
from pinwarden.lab.tls import LabTLS
from pinwarden.pinning import PinResult, PinSet, Reason
from support.pin_world import HOST, pin_set, world
from support.report_receiver import ReportReceiver


def reporting_to(url: str, behaviour: str) -> PinSet:
    (policy,) = pin_set(behaviour).policies
    return PinSet([replace(policy, report_uri=url)])


def ask(server: LabTLS, context: ssl.SSLContext) -> bytes:
    """One request on a connection of its own; an error of ours comes out as it is."""
    try:
        url = f"https://{HOST}:{server.port}/"
        with urllib.request.urlopen(url, context=context, timeout=10) as answer:
            body: bytes = answer.read()
            return body
    except OSError as error:
        raise find_mismatch(error) or error from None


def context_for(pins: PinSet, **options: Any) -> PinnedContext:
    return PinnedContext(pins, cafile=world().cafile, **options)


def test_a_report_has_what_the_rfc_wants() -> None:
    """RFC 7469 section 3: the chain as sent and as verified, the pins, the host and its port."""
    with ReportReceiver() as receiver, world().serve("stuffed") as server:
        context = context_for(reporting_to(receiver.url, "report-only"))
        assert ask(server, context)
        assert receiver.arrived()
    (report,) = receiver.reports
    assert report["hostname"] == report["noted-hostname"] == HOST
    assert report["port"] == server.port
    assert report["enforce-pinning"] is False
    expected = {world().pins[name].hpkp for name in ("stray", "spare")}
    assert set(report["known-pins"]) == expected
    served = [
        x509.load_pem_x509_certificate(each.encode()) for each in report["served-certificate-chain"]
    ]
    validated = report["validated-certificate-chain"]
    assert len(served) == len(world().chains["stuffed"].certificates)
    assert len(validated) == 3
    assert receiver.kinds == ["application/json"]


def test_what_is_refused_is_reported_too() -> None:
    with ReportReceiver() as receiver, world().serve() as server:
        with pytest.raises(PinMismatch):
            ask(server, context_for(reporting_to(receiver.url, "wrong")))
        assert receiver.arrived()
    assert receiver.reports[0]["enforce-pinning"] is True


def test_a_request_does_not_wait_for_its_report() -> None:
    """The receiver has the report, holds it without an answer, and the request is done."""
    with ReportReceiver(hold=True) as receiver, world().serve() as server:
        context = context_for(reporting_to(receiver.url, "report-only"))
        assert ask(server, context)
        assert receiver.arrived()
        assert ask(server, context)
        assert not receiver.answers


def test_the_same_is_reported_once_a_day_and_something_else_at_once() -> None:
    reporting = Reporting()
    with (
        ReportReceiver() as receiver,
        world().serve() as server,
        world().serve("rogue") as other,
    ):
        context = context_for(reporting_to(receiver.url, "report-only"), reporter=reporting)
        for _ in range(3):
            ask(server, context)
        ask(other, context)
        assert receiver.arrived(2)
        assert reporting.sender.flush(10)
    assert len(receiver.reports) == 2


def test_to_another_receiver_the_same_is_reported_again() -> None:
    """As when the set in force gets another address: the new one is to hear of it."""
    reporting = Reporting()
    with ReportReceiver() as first, ReportReceiver() as second, world().serve() as server:
        for receiver in (first, second, first):
            context = context_for(reporting_to(receiver.url, "report-only"), reporter=reporting)
            ask(server, context)
        assert second.arrived()
        assert reporting.sender.flush(10)
    assert (len(first.reports), len(second.reports)) == (1, 1)


def test_no_more_wait_than_may(caplog: pytest.LogCaptureFixture) -> None:
    sender = ReportSender(waiting=2)
    reporting = Reporting(report_every=0, sender=sender)
    with ReportReceiver(hold=True) as receiver, world().serve() as server:
        context = context_for(reporting_to(receiver.url, "report-only"), reporter=reporting)
        ask(server, context)
        assert receiver.arrived()
        for _ in range(5):
            assert ask(server, context)
        assert sender.lost == 3
        receiver.release()
        assert sender.flush(10)
    assert sender.sent == 3
    assert "too many reports are waiting" in caplog.text


def test_a_report_that_nobody_takes_is_lost_and_no_more() -> None:
    sender = ReportSender()
    with world().serve() as server:
        pins = reporting_to("http://127.0.0.1:9/", "report-only")
        assert ask(server, context_for(pins, reporter=Reporting(sender=sender)))
        assert sender.flush(20)
    assert (sender.sent, sender.lost) == (0, 1)


def test_redirects_are_not_followed() -> None:
    """Whoever takes reports cannot make a client call elsewhere in its network."""
    sender = ReportSender()
    with (
        ReportReceiver() as inner,
        ReportReceiver(location=inner.url) as outer,
        world().serve() as server,
    ):
        pins = reporting_to(outer.url, "report-only")
        ask(server, context_for(pins, reporter=Reporting(sender=sender)))
        assert sender.flush(10)
        assert outer.reports
        assert inner.reports == []


def test_a_report_address_under_its_own_pins_makes_no_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The report's own connection fails its pins, and that is not reported again."""
    monkeypatch.setenv("SSL_CERT_FILE", world().cafile)
    sender = ReportSender()
    heard: list[PinResult] = []
    with world().serve() as server, world().serve() as receiver:
        pins = reporting_to(f"https://{HOST}:{receiver.port}/", "wrong")
        reporting = Reporting(heard.append, report_every=0, sender=sender)
        with install(pins, reporter=reporting):
            with pytest.raises(PinMismatch):
                ask(server, ssl.create_default_context())
            assert sender.flush(20)
        assert [bytes(visit.said) for visit in receiver.visits if visit.said] == []
    assert (sender.sent, sender.lost) == (0, 1)
    assert len(heard) == 1


def test_a_callback_hears_of_each_and_cannot_break_anything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[PinResult] = []

    def note(result: PinResult) -> None:
        heard.append(result)
        raise RuntimeError("of the callback")

    with world().serve() as server:
        context = context_for(pin_set("report-only"), reporter=Reporting(note))
        assert ask(server, context)
        assert ask(server, context)
    assert [each.reason for each in heard] == [Reason.NO_PIN_MATCHED] * 2
    assert "the callback for failures raised" in caplog.text


def test_the_log_has_a_line_and_counts_what_repeats(caplog: pytest.LogCaptureFixture) -> None:
    clock = [0.0]
    with world().serve() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pinwarden.clients.reporting.time.monotonic", lambda: clock[0])
        context = context_for(pin_set("report-only"), reporter=Reporting())
        for _ in range(3):
            ask(server, context)
        clock[0] = 61.0
        ask(server, context)
    lines = [each.getMessage() for each in caplog.records if each.name == "pinwarden.pins"]
    assert len(lines) == 2
    assert lines[0].startswith(f"pins (report only): {HOST}: no pinned key")
    assert lines[1].endswith("(2 more like it since it was last told)")
    assert all("\n" not in line for line in lines)


def test_without_asking_for_it_failures_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A report-only set that nobody hears of would be no set at all."""
    # By a chain of its own, since the usual reporter repeats nothing within a minute.
    with world().serve("ed25519") as server:
        assert ask(server, context_for(pin_set("report-only")))
    assert "report only" in caplog.text


def test_what_matches_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[PinResult] = []
    caplog.set_level(logging.DEBUG, "pinwarden.pins")
    with world().serve() as server:
        ask(server, context_for(pin_set("good"), reporter=Reporting(heard.append)))
    assert heard == []
    assert [each for each in caplog.records if each.name == "pinwarden.pins"] == []


def test_a_program_that_ends_at_once_still_reports() -> None:
    program = textwrap.dedent("""
        import socket, sys
        from pinwarden.clients import PinnedContext, PinMismatch
        from pinwarden.pinning import PinSet
        host, port, cafile, pins = sys.argv[1:]
        context = PinnedContext(PinSet.parse(pins), cafile=cafile)
        with socket.create_connection((host, int(port))) as plain:
            try:
                context.wrap_socket(plain, server_hostname=host)
            except PinMismatch:
                sys.exit(7)
    """)
    with ReportReceiver() as receiver, world().serve() as server:
        pins = reporting_to(receiver.url, "wrong").to_toml()
        command = [sys.executable, "-c", program, HOST, str(server.port), world().cafile, pins]
        ran = subprocess.run(command, check=False, timeout=60)
        assert ran.returncode == 7
        assert receiver.arrived()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_reports_by_a_thread_of_its_own() -> None:
    sender = ReportSender()
    with ReportReceiver() as receiver:
        sender.send(receiver.url, b"{}")
        assert sender.flush(10)
        child = os.fork()
        if child == 0:
            done = sender.send(receiver.url, b"{}") and sender.flush(10)
            os._exit(0 if done else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert receiver.arrived(2)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "javascript:1"])
def test_reports_go_over_http_alone(url: str) -> None:
    sender = ReportSender()
    sender.send(url, b"{}")
    assert sender.flush(10)
    assert (sender.sent, sender.lost) == (0, 1)


def test_a_thread_that_nothing_comes_for_ends_and_another_takes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program with many contexts does not keep a thread for each."""
    monkeypatch.setattr("pinwarden.clients.report_sender._IDLE", 0.01)
    sender = ReportSender()
    before = set(threading.enumerate())
    with ReportReceiver() as receiver:
        for count in (1, 2, 3):
            assert sender.send(receiver.url, b"{}")
            assert receiver.arrived(count)
            assert sender.flush(10)
            for thread in set(threading.enumerate()) - before:
                if thread.name == "pinwarden-reports":
                    thread.join(10)
                    assert not thread.is_alive()
    assert sender.sent == 3
