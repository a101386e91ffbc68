"""The error is one that clients know, says what to do, and is found inside their own."""

from __future__ import annotations

import copy
import pickle
import ssl

import pytest

from pinwarden.clients import PinMismatch, PinnedContext, find_mismatch
from pinwarden.errors import VerificationError
from support.pin_world import HOST, UNPINNED, pin_set, world
from support.tls_ways import WAYS


def caught(behaviour: str = "good", host: str = HOST) -> PinMismatch:
    """A real one."""
    context = PinnedContext(pin_set(behaviour), cafile=world().cafile)
    with world().serve("rogue") as server, pytest.raises(PinMismatch) as error:
        WAYS["send"](context, server.address, host)
    return error.value


@pytest.fixture(scope="module")
def mismatch() -> PinMismatch:
    return caught()


def test_what_it_is(mismatch: PinMismatch) -> None:
    """Ssl's error of a peer that could not be verified, and one of ours."""
    assert isinstance(mismatch, ssl.SSLCertVerificationError)
    assert isinstance(mismatch, VerificationError)
    assert isinstance(mismatch, OSError)
    assert (mismatch.library, mismatch.reason, mismatch.verify_code) == (
        "PINWARDEN",
        "PIN_MISMATCH",
        0,
    )


def test_what_it_says(mismatch: PinMismatch) -> None:
    """One line: who, what was seen, what was expected."""
    text = str(mismatch)
    assert text.startswith("pins: localhost: ")
    assert "\n" not in text
    for name in ("rogue-leaf", "rogue-intermediate", "rogue-root", "intermediate", "spare"):
        assert str(world().pins[name]) in text
    assert mismatch.verify_message in text


@pytest.mark.parametrize(
    ("behaviour", "host", "hint"),
    [
        ("expired-closed", HOST, "newer pin set"),
        ("refuse-unpinned", UNPINNED, "unpinned_hosts"),
        ("good", HOST, None),
    ],
)
def test_what_to_do(behaviour: str, host: str, hint: str | None) -> None:
    """A hint where there is one thing to do; a wrong key has none that is safe."""
    error = caught(behaviour, host)
    assert error.hint == hint if hint is None else hint in str(error.hint)


def test_it_travels(mismatch: PinMismatch) -> None:
    """To other processes, whose pools pickle what was raised, and into copies."""
    for other in (pickle.loads(pickle.dumps(mismatch)), copy.copy(mismatch)):
        assert type(other) is PinMismatch
        assert (str(other), other.hint) == (str(mismatch), mismatch.hint)
        assert other.result == mismatch.result


class WrappingError(Exception):
    """As urllib, urllib3 and requests wrap."""

    def __init__(self, *args: object, reason: object = None) -> None:
        super().__init__(*args)
        self.reason = reason


def chained(error: BaseException, cause: BaseException, *, context: bool = False) -> BaseException:
    if context:
        error.__context__ = cause
    else:
        error.__cause__ = cause
    return error


def test_where_it_is_found(mismatch: PinMismatch) -> None:
    """In causes, contexts, reasons, arguments and groups, and in any mixture of them."""
    wrapped = [
        mismatch,
        WrappingError("text", mismatch),
        WrappingError(reason=mismatch),
        chained(ValueError(), mismatch),
        chained(ValueError(), mismatch, context=True),
        ExceptionGroup("several", [ValueError(), mismatch]),
        ExceptionGroup("one", [chained(OSError(), WrappingError(WrappingError(reason=mismatch)))]),
    ]
    for error in wrapped:
        assert find_mismatch(error) is mismatch


def test_where_it_is_not(mismatch: PinMismatch) -> None:
    """Nothing is found in nothing, in circles, and in the depths of somebody's bomb."""
    one, two = WrappingError(), WrappingError()
    one.__cause__, two.__context__ = two, one
    assert find_mismatch(one) is None
    assert find_mismatch(None) is None
    assert find_mismatch(ssl.SSLCertVerificationError("no")) is None
    deep: BaseException = mismatch
    for _ in range(100_000):
        deep = WrappingError(deep)
    assert find_mismatch(deep) is None
    # Long chains would otherwise be unwound by recursion.
    while isinstance(deep, WrappingError):
        outer, deep = deep, deep.args[0]
        outer.args = ()
