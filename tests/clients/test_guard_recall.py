"""A comparison that is remembered is worth what a new one would have been, and no more."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from pinwarden.clients import LivePins, PinMismatch, PinnedContext, install
from pinwarden.pinning import OnExpiry, PinResult, PinSet, PinVerdict, Reason
from pinwarden.pinning.bundle_pins import ClosingPins
from support.pin_bundles import fresh
from support.pin_world import HOST, UNPINNED, pin_set, policy, said, world
from support.tls_ways import REQUEST, WAYS, answer, whole_answer, wrapped

WAYS_OF_BOTH_KINDS = ("send", "memory-write")
ANSWER = b"HTTP/1.1 200"


def pinned(pins: PinSet | LivePins) -> PinnedContext:
    return PinnedContext(pins, cafile=world().cafile)


@pytest.mark.parametrize("way", WAYS_OF_BOTH_KINDS)
@pytest.mark.parametrize("chain", ["rogue", "stuffed", "wrong-host", "forged"])
def test_a_rogue_server_after_the_genuine_one(chain: str, way: str) -> None:
    """That the host was met before helps nobody who shows another chain."""
    context = pinned(pin_set("good"))
    with world().serve() as good, world().serve(chain) as other:
        for _ in range(2):
            assert WAYS[way](context, good.address, HOST) == ANSWER
            assert context.live.current.known.keys() == {HOST}
            with pytest.raises(ssl.SSLCertVerificationError):
                WAYS[way](context, other.address, HOST)
    assert said(other) == b""


@pytest.mark.parametrize("way", WAYS_OF_BOTH_KINDS)
def test_a_leaf_pin_after_a_chain_of_the_same_authority(way: str) -> None:
    """Each certificate of the chain counts, not its root alone."""
    context = pinned(PinSet([policy(leaf="ed25519")]))
    with world().serve("ed25519") as good, world().serve("rsa-pss") as other:
        assert WAYS[way](context, good.address, HOST) == ANSWER
        with pytest.raises(PinMismatch):
            WAYS[way](context, other.address, HOST)
        assert WAYS[way](context, good.address, HOST) == ANSWER


def test_several_chains_of_one_host() -> None:
    """Servers behind one name have certificates of their own, and some are remembered."""
    context = pinned(pin_set("good"))
    for chain in ("genuine", "rsa-pss", "ed25519", "compressed", "cross-signed") * 2:
        with world().serve(chain) as server:
            assert WAYS["memory-write"](context, server.address, HOST) == ANSWER
    (remembered,) = context.live.current.known.values()
    assert len(remembered) == 4


def test_another_set() -> None:
    """Nothing of an old set holds under the next, though the chain be the same."""
    context = pinned(pin_set("good"))
    with world().serve() as server:
        assert WAYS["send"](context, server.address, HOST) == ANSWER
        context.pins = pin_set("wrong")
        assert not context.live.current.known
        with pytest.raises(PinMismatch):
            WAYS["send"](context, server.address, HOST)
    assert said(server) == REQUEST


def test_what_is_not_remembered() -> None:
    """Only plain matches are, and hosts that no policy is about."""
    for behaviour in ("wrong", "forbidden", "report-only", "expired-open", "expired-closed"):
        context = pinned(pin_set(behaviour))
        with world().serve() as server:
            for _ in range(2):
                try:
                    WAYS["memory-write"](context, server.address, HOST)
                except PinMismatch:
                    assert behaviour in ("wrong", "forbidden", "expired-closed")
        assert not context.live.current.known


def test_failures_are_told_each_time() -> None:
    """A set that only reports reports every connection."""
    told: list[PinResult] = []

    class Reporter:
        def tell(
            self, result: PinResult, port: int | None = None, served: Sequence[bytes] = ()
        ) -> None:
            told.append(result)

    context = PinnedContext(pin_set("report-only"), cafile=world().cafile, reporter=Reporter())
    with world().serve() as server:
        for _ in range(3):
            WAYS["send"](context, server.address, HOST)
    assert [each.reason for each in told] == [Reason.NO_PIN_MATCHED] * 3


def test_whoever_listens_hears_of_each() -> None:
    """Also if another context, with the same live pins, has remembered it."""
    live, told = LivePins(pin_set("good")), list[PinResult]()
    silent = pinned(live)
    listening = PinnedContext(live, cafile=world().cafile, on_result=told.append)
    with world().serve() as server:
        for context in (silent, listening, silent, listening):
            assert WAYS["send"](context, server.address, HOST) == ANSWER
    assert [each.verdict for each in told] == [PinVerdict.MATCH] * 2


def test_unverified_connections_after_a_verified_one() -> None:
    """Chains that look alike are not, if nobody verified them."""
    live = LivePins(pin_set("good"))
    unverifying = ssl.create_default_context(cafile=world().cafile)
    unverifying.check_hostname = False
    unverifying.verify_mode = ssl.CERT_NONE
    with world().serve() as server, install(live):
        verifying = ssl.create_default_context(cafile=world().cafile)
        for way in WAYS_OF_BOTH_KINDS:
            assert WAYS[way](verifying, server.address, HOST) == ANSWER
            with pytest.raises(PinMismatch, match="not verified"):
                WAYS[way](unverifying, server.address, HOST)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_resumed_sessions_after_a_match(newest: ssl.TLSVersion) -> None:
    """What was remembered of the chain is no chain of this connection."""
    context = pinned(pin_set("good"))
    with world().serve(resuming=True, newest=newest) as server:
        with wrapped(context, server.address, HOST) as tls:
            tls.sendall(REQUEST)
            whole_answer(tls)
            session = tls.session
        with (
            wrapped(context, server.address, HOST, session=session) as tls,
            pytest.raises(PinMismatch, match="session was resumed"),
        ):
            tls.sendall(REQUEST)
    assert said(server) == REQUEST


def test_a_host_without_policy_has_any_chain() -> None:
    """It may change its authority as it likes."""
    context = pinned(pin_set("good"))
    for chain in ("genuine", "rogue", "genuine"):
        with world().serve(chain) as server:
            assert WAYS["send"](context, server.address, UNPINNED) == ANSWER
    (known,) = context.live.current.known[UNPINNED]
    assert known.chain is None


def test_the_end_of_the_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was remembered today is over tomorrow, for new connections too."""
    today = datetime.now(UTC).date()
    context = pinned(PinSet([policy(ca="intermediate", expires=today, on_expiry=OnExpiry.CLOSED)]))
    clock = datetime(today.year, today.month, today.day, 23, 59, 59, tzinfo=UTC).timestamp()
    monkeypatch.setattr(time, "time", lambda: clock)
    with world().serve() as server:
        for way in WAYS_OF_BOTH_KINDS * 2:
            assert WAYS[way](context, server.address, HOST) == ANSWER
        clock += 1
        for way in WAYS_OF_BOTH_KINDS:
            with pytest.raises(PinMismatch) as caught:
                WAYS[way](context, server.address, HOST)
            assert caught.value.result.reason is Reason.EXPIRED
    assert said(server) == 4 * REQUEST


def closing(expires: datetime, behaviour: str = "good") -> ClosingPins:
    return ClosingPins(fresh(1, pins=pin_set(behaviour), expires=expires))


def test_the_end_of_a_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cuts what is open before the next octet, and what was remembered goes with it."""
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    context = pinned(closing(ends))
    with world().serve() as server, wrapped(context, server.address, HOST) as tls:
        tls.sendall(REQUEST)
        answer(tls)
        clock = ends.timestamp() - 1
        monkeypatch.setattr(time, "time", lambda: clock)
        tls.sendall(REQUEST)
        whole_answer(tls)
        clock += 1
        with pytest.raises(PinMismatch, match="no newer bundle came"):
            tls.sendall(REQUEST)
        with pytest.raises(PinMismatch, match="no newer bundle came"):
            WAYS["memory-write"](context, server.address, HOST)
    assert said(server) == 2 * REQUEST


def test_when_results_of_a_bundle_end() -> None:
    """The bundle's end or the policy's, whichever comes first; neither if it only reports."""
    now = datetime.now(UTC).replace(microsecond=0)
    soon, late = now + timedelta(hours=1), now + timedelta(days=900)
    for expires, behaviour, wanted in (
        (soon, "good", soon),
        (soon, "report-only", None),
        (late, "good", late),
    ):
        pins = closing(expires, behaviour)
        result = pins.check(world().chains["genuine"].certificates, HOST, at=now)
        assert pins.ends(result) == wanted
    day = now.date() + timedelta(days=1)
    ending = PinSet([policy(ca="intermediate", expires=day, on_expiry=OnExpiry.CLOSED)])
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    for expires, wanted in ((soon, soon), (late, midnight)):
        pins = ClosingPins(fresh(1, pins=ending, expires=expires))
        result = pins.check(world().chains["genuine"].certificates, HOST, at=now)
        assert pins.ends(result) == wanted


class Moody(PinSet):
    """Somebody's own set, which says nothing of how long its judgements hold."""

    asked = 0

    def check(self, chain: Sequence[bytes], host: str, *, at: datetime) -> PinResult:
        type(self).asked += 1
        return super().check(chain, host, at=at)


class Grown(Moody):
    """One more class in between changes nothing."""


def test_sets_with_a_judgement_of_their_own() -> None:
    """They are asked about each connection."""
    context = pinned(Grown(pin_set("good").policies))
    with world().serve() as server:
        for _ in range(3):
            assert WAYS["send"](context, server.address, HOST) == ANSWER
            assert WAYS["send"](context, server.address, UNPINNED) == ANSWER
    assert Grown.asked == 6
    assert not context.live.current.known


def test_what_is_remembered_is_bounded() -> None:
    """A client that takes hosts from outside does not grow."""
    live = LivePins(pin_set("good"))
    with world().serve() as server:
        context = pinned(live)
        WAYS["memory-write"](context, server.address, HOST)
        (met,) = live.current.known[HOST]
    for number in range(1000):
        live.current.remember(f"{number}.example", met)
        assert len(live.current.known) <= 256
    live.current.remember("x" * 256, met)
    assert "x" * 256 not in live.current.known
