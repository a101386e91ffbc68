"""A pin that a trust store hides is told when the context is made."""

from __future__ import annotations

import ssl
import warnings

import pytest

from pinwarden.clients import HiddenPinWarning, PinMismatch, PinnedContext, pin_context
from support.pin_world import HOST, pin_set, world
from support.tls_ways import WAYS


def partial(*anchors: str) -> ssl.SSLContext:
    """A context that takes partial chains, as all do since Python 3.13."""
    context = ssl.create_default_context(cadata=world().bundle_of(*anchors))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def test_a_root_above_a_trusted_intermediate() -> None:
    """The warning is true: the pin of the root matches no more."""
    with pytest.warns(HiddenPinWarning, match="policy 'localhost': chains through") as warned:
        context = pin_context(partial("a", "intermediate"), pin_set("root"))
    assert [each.filename for each in warned] == [__file__]
    with world().serve() as server, pytest.raises(PinMismatch) as caught:
        WAYS["send"](context, server.address, HOST)
    pins = world().pins
    assert caught.value.result.seen == (pins["leaf"], pins["intermediate"])


@pytest.mark.parametrize(
    ("anchors", "behaviour"),
    [
        (("a", "intermediate"), "good"),
        (("a", "b", "old"), "root"),
        (("intermediate",), "root"),
        (("a", "intermediate"), "leaf"),
    ],
)
def test_nothing_to_warn_of(anchors: tuple[str, ...], behaviour: str) -> None:
    """The intermediate is pinned itself, or not trusted, or the root is not in the store."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pin_context(partial(*anchors), pin_set(behaviour))


def test_whole_chains_hide_nothing() -> None:
    """Without partial chains the root is reached, and the pin matches."""
    context = partial("a", "intermediate")
    context.verify_flags &= ~ssl.VERIFY_X509_PARTIAL_CHAIN
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pin_context(context, pin_set("root"))
    with world().serve() as server:
        assert WAYS["send"](context, server.address, HOST) == b"HTTP/1.1 200"


def test_a_context_of_ours() -> None:
    """It takes partial chains where Python's default does, and warns then."""
    store = world().bundle_of("a", "intermediate")
    default = ssl.create_default_context(cadata=store)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        PinnedContext(pin_set("root"), cadata=store)
    takes_partial = bool(default.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN)
    assert [each.category for each in warned] == [HiddenPinWarning] * takes_partial
    assert {each.filename for each in warned} <= {__file__}
