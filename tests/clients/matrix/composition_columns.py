"""Columns about contexts that were made by others and taken over with `pin_context`."""

from __future__ import annotations

import ssl

import certifi
import truststore
from urllib3.util.ssl_ import create_urllib3_context

from clients.matrix.columns import answers, refuses
from clients.matrix.harness import Client, Wiring, behaviour
from pinwarden.clients import pin_context
from support.pin_world import World, pin_set


def _keeps_pins(client: Client, world: World, context: ssl.SSLContext, column: str) -> None:
    context.load_verify_locations(cadata=world.bundle)
    wiring = Wiring(context=pin_context(context, pin_set("good")), cafile=world.cafile)
    answers(client, world, "genuine", wiring)
    for shown in ("rogue", "stuffed"):
        refuses(client, world, shown, wiring, column=column)


@behaviour("with-truststore")
def with_truststore(client: Client, world: World) -> None:
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _keeps_pins(client, world, context, "with-truststore")


@behaviour("with-certifi")
def with_certifi(client: Client, world: World) -> None:
    context = ssl.create_default_context(cafile=certifi.where())
    _keeps_pins(client, world, context, "with-certifi")


@behaviour("with-urllib3-context")
def with_urllib3_context(client: Client, world: World) -> None:
    _keeps_pins(client, world, create_urllib3_context(), "with-urllib3-context")
