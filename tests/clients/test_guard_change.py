"""When the pins change, open connections are judged anew before they carry more."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from pinwarden.clients import LivePins, PinMismatch, PinnedContext
from pinwarden.pinning import OnExpiry, PinResult, PinSet, Reason
from support.pin_world import HOST, pin_set, policy, said, world
from support.pinned_makers import MAKERS
from support.tls_ways import REQUEST, Memory, answer, whole_answer, wrapped

ANSWER = b"HTTP/1.1 200"


@pytest.mark.parametrize("maker", MAKERS)
def test_a_connection_that_does_not_meet_the_new_pins_is_cut(maker: str) -> None:
    """It says nothing more, and the socket stays open for its owner to close."""
    live = LivePins(pin_set("good"))
    with (
        world().serve() as server,
        MAKERS[maker](live) as context,
        wrapped(context, server.address, HOST) as tls,
    ):
        tls.sendall(REQUEST)
        assert answer(tls) == ANSWER
        live.replace(pin_set("wrong"))
        for _ in range(2):
            with pytest.raises(PinMismatch) as caught:
                tls.sendall(REQUEST)
        assert caught.value.result.seen[0] == world().pins["leaf"]
        assert tls.fileno() != -1
    assert said(server) == REQUEST


@pytest.mark.parametrize("maker", MAKERS)
def test_a_connection_that_meets_the_new_pins_goes_on(maker: str) -> None:
    """Its chain is still known, so that it needs no new handshake."""
    live = LivePins(pin_set("good"))
    with (
        world().serve() as server,
        MAKERS[maker](live) as context,
        wrapped(context, server.address, HOST) as tls,
    ):
        for behaviour in ("good", "root", "leaf", "report-only", "expired-open"):
            live.replace(pin_set(behaviour))
            tls.sendall(REQUEST)
            assert whole_answer(tls).startswith(ANSWER)
    assert said(server) == 5 * REQUEST
    assert len(server.visits) == 1


def test_what_came_from_a_peer_that_is_cut_is_not_read() -> None:
    """An answer is as untrustworthy as its sender."""
    live = LivePins(pin_set("good"))
    context = PinnedContext(live, cafile=world().cafile)
    with world().serve() as server, wrapped(context, server.address, HOST) as tls:
        tls.sendall(REQUEST)
        live.replace(pin_set("wrong"))
        with pytest.raises(PinMismatch):
            tls.recv(12)


def test_objects_are_cut_too() -> None:
    """Over memory buffers, as asynchronous clients have it."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)
    with world().serve() as server, socket.create_connection(server.address) as raw:
        memory = Memory(context, raw, HOST)
        write = partial(memory.tls.write, REQUEST)
        for behaviour in ("good", "root"):
            context.pins = pin_set(behaviour)
            memory.until_done(write, over=lambda: False)
            memory.until_done(partial(memory.tls.read, 65536), over=lambda: False)
        context.pins = pin_set("wrong")
        with pytest.raises(PinMismatch):
            write()
        with pytest.raises(PinMismatch):
            memory.tls.read(12)
    assert said(server) == 2 * REQUEST


def test_contexts_that_share_their_pins() -> None:
    """What is set on one holds for all, and only for them."""
    live = LivePins(pin_set("good"))
    one, two = (PinnedContext(live, cafile=world().cafile) for _ in range(2))
    other = PinnedContext(pin_set("good"), cafile=world().cafile)
    one.pins = pin_set("wrong")
    assert (two.pins, live.pins, live.epoch) == (pin_set("wrong"), pin_set("wrong"), 2)
    assert other.pins == pin_set("good")


def test_the_end_of_the_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that outlives a policy which is closed at its end is cut at midnight."""
    today = datetime.now(UTC).date()
    # No later than the certificates.
    pins = PinSet([policy(ca="intermediate", expires=today, on_expiry=OnExpiry.CLOSED)])
    context = PinnedContext(pins, cafile=world().cafile)
    clock = datetime(today.year, today.month, today.day, 23, 59, 59, tzinfo=UTC).timestamp()
    monkeypatch.setattr(time, "time", lambda: clock)
    with world().serve() as server, wrapped(context, server.address, HOST) as tls:
        tls.sendall(REQUEST)
        answer(tls)
        clock += 1
        with pytest.raises(PinMismatch) as caught:
            tls.sendall(REQUEST)
    assert caught.value.result.reason is Reason.EXPIRED
    assert said(server) == REQUEST


@pytest.mark.parametrize("ending", [OnExpiry.OPEN, OnExpiry.REPORT_ONLY])
def test_the_end_of_other_policies_cuts_nothing(
    ending: OnExpiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a policy that says closed ends connections."""
    pins = PinSet([policy(ca="intermediate", expires=datetime.now(UTC).date(), on_expiry=ending)])
    context = PinnedContext(pins, cafile=world().cafile)
    tomorrow = time.time() + timedelta(days=1).total_seconds()
    with world().serve() as server, wrapped(context, server.address, HOST) as tls:
        tls.sendall(REQUEST)
        whole_answer(tls)
        monkeypatch.setattr(time, "time", lambda: tomorrow)
        tls.sendall(REQUEST)
        whole_answer(tls)
    assert said(server) == 2 * REQUEST


def test_each_comparison_is_told_once() -> None:
    """One for a connection, one more when the set was replaced, none for mere writing."""
    told: list[PinResult] = []
    context = PinnedContext(pin_set("good"), cafile=world().cafile, on_result=told.append)
    with world().serve() as server, wrapped(context, server.address, HOST) as tls:
        for behaviour in (None, "report-only", "wrong"):
            if behaviour:
                context.pins = pin_set(behaviour)
            for _ in range(3):
                try:
                    tls.sendall(REQUEST)
                except PinMismatch:
                    assert behaviour == "wrong"
    assert [(each.reason, each.allowed) for each in told] == [
        (Reason.PIN_MATCHED, True),
        (Reason.NO_PIN_MATCHED, True),
        (Reason.NO_PIN_MATCHED, False),
    ]


def test_pins_replaced_in_the_middle_of_a_check() -> None:
    """A connection counts as checked against the set that it was compared with, and no other."""
    live = LivePins(pin_set("good"))
    once = iter([pin_set("wrong")])

    def replace(_: PinResult) -> None:
        for pins in once:
            live.replace(pins)

    context = PinnedContext(live, cafile=world().cafile, on_result=replace)
    with world().serve() as server, wrapped(context, server.address, HOST) as tls:
        tls.do_handshake()
        with pytest.raises(PinMismatch):
            tls.sendall(REQUEST)
    assert said(server) == b""


def test_pins_replaced_while_threads_write() -> None:
    """Whatever the moment, a set that refuses is the last that a connection hears of."""
    live = LivePins(pin_set("good"))
    context = PinnedContext(live, cafile=world().cafile)
    good = [pin_set(each) for each in ("good", "root", "leaf", "backup")]
    ended = threading.Event()

    def write(tls: socket.socket) -> None:
        try:
            while True:
                tls.sendall(REQUEST)
                tls.recv(65536)
        except PinMismatch:
            pass

    with world().serve() as server:
        sockets = [
            context.wrap_socket(socket.create_connection(server.address), server_hostname=HOST)
            for _ in range(3)
        ]
        writers = [threading.Thread(target=write, args=(each,)) for each in sockets]

        def change() -> None:
            while not ended.is_set():
                for each in good:
                    live.replace(each)

        changers = [threading.Thread(target=change) for _ in range(2)]
        for thread in (*writers, *changers):
            thread.start()
        while sum(len(visit.said) for visit in server.visits) < 30 * len(REQUEST):
            assert any(thread.is_alive() for thread in writers)
        ended.set()
        for thread in changers:
            thread.join()
        assert all(thread.is_alive() for thread in writers)
        live.replace(pin_set("wrong"))
        for thread in writers:
            thread.join()
        for each in sockets:
            with pytest.raises(PinMismatch):
                each.sendall(REQUEST)
            each.close()


def test_every_replacement_counts() -> None:
    """Epochs of several threads do not get lost, and go with their set."""
    live = LivePins(pin_set("good"))
    sets = [pin_set("good"), pin_set("wrong")]

    def replace() -> None:
        for each in 250 * sets:
            live.replace(each)

    threads = [threading.Thread(target=replace) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert live.epoch == 2001
    before = live.current
    live.replace(sets[0])
    assert (before.epoch, live.current.epoch) == (2001, 2002)
    assert live.current.pins is live.pins is sets[0]
