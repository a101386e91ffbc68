"""Every way to have a context that is held to pins."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import truststore
import urllib3.util

from pinwarden.clients import LivePins, PinnedContext, install, pin_context
from support.pin_world import world


@contextmanager
def _own(pins: LivePins) -> Iterator[ssl.SSLContext]:
    yield PinnedContext(pins, cafile=world().cafile)


@contextmanager
def _default(pins: LivePins) -> Iterator[ssl.SSLContext]:
    yield pin_context(ssl.create_default_context(cafile=world().cafile), pins)


@contextmanager
def _of_urllib3(pins: LivePins) -> Iterator[ssl.SSLContext]:
    context = urllib3.util.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(world().cafile)
    yield pin_context(context, pins)


@contextmanager
def _of_truststore(pins: LivePins) -> Iterator[ssl.SSLContext]:
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(world().cafile)
    yield pin_context(context, pins)


@contextmanager
def _installed(pins: LivePins) -> Iterator[ssl.SSLContext]:
    # Made before, as a library's would be.
    context = ssl.create_default_context(cafile=world().cafile)
    with install(pins):
        yield context


@contextmanager
def _installed_truststore(pins: LivePins) -> Iterator[ssl.SSLContext]:
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(world().cafile)
    with install(pins):
        yield context


MAKERS = {
    "PinnedContext": _own,
    "pin_context": _default,
    "pin_context-urllib3": _of_urllib3,
    "pin_context-truststore": _of_truststore,
    "install": _installed,
    "install-truststore": _installed_truststore,
}
