"""What docs/pinning.md says of wrong and right ways, against servers that are up to it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from pinwarden.clients import PinMismatch, PinnedContext
from pinwarden.lab.ca import CA
from pinwarden.lab.tls import Credentials, LabTLS
from pinwarden.pinning import PinSet
from pinwarden.pinning.spki import spki_of_certificate
from support.pin_world import HOST, World, pin_set, said, world

PAGE = (Path(__file__).parents[2] / "docs" / "pinning.md").read_text("utf-8")
TOKEN = "secret-token"


def spki_sha256(certificate: bytes) -> str:
    return hashlib.sha256(spki_of_certificate(certificate)).hexdigest()


def snippet(first_line: str, **names: Any) -> Callable[..., Any]:
    """The `get` of the code block that begins so, as somebody would paste it."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (code,) = [block for block in blocks if block.startswith(first_line)]
    pasted = {
        "hashlib": hashlib,
        "requests": requests,
        "socket": socket,
        "ssl": ssl,
        "spki_sha256": spki_sha256,
        **names,
    }
    exec(compile(code, "docs/pinning.md", "exec"), pasted)
    get: Callable[..., Any] = pasted["get"]
    return get


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> World:
    """Both authorities are trusted on this machine, as all public ones are on a real one."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", world().cafile)
    default = partial(ssl.create_default_context, cafile=world().cafile)
    monkeypatch.setattr(ssl, "create_default_context", default)
    return world()


def fingerprint(world: World) -> str:
    return hashlib.sha256(world.chains["genuine"].certificates[0]).hexdigest()


async def refused(server: LabTLS, get: Callable[[], Any], error: type[Exception]) -> None:
    def run() -> None:
        with pytest.raises(error):
            get()

    await asyncio.to_thread(run)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_the_check_that_is_too_late_gives_the_token_away(trusting: World) -> None:
    """The error is raised, and the rogue server has the token all the same."""
    get = snippet("# wrong: too late", PINNED=fingerprint(trusting))
    async with trusting.serve("rogue") as server:
        await refused(server, lambda: get(f"https://{HOST}:{server.port}/", TOKEN), RuntimeError)
        assert TOKEN.encode() in said(server)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_the_pinned_certificate_locks_out_at_the_next_renewal(trusting: World) -> None:
    """The same key in a new certificate: nothing is wrong, and the client refuses."""
    get = snippet("# wrong: too late", PINNED=fingerprint(trusting))
    old = trusting.chains["genuine"]
    ca: CA = trusting.authorities.a
    renewed = ca.issue([HOST], key=old.private_key)
    assert spki_sha256(renewed.certificate) == spki_sha256(old.certificates[0])
    async with LabTLS(Credentials.of(renewed)) as server:
        await refused(server, lambda: get(f"https://{HOST}:{server.port}/", TOKEN), RuntimeError)


async def test_the_check_of_what_was_sent_matches_a_stuffed_chain(trusting: World) -> None:
    """The rogue server appends the genuine certificates, and is given the token."""
    pinned = spki_sha256(trusting.authorities.a.intermediate)
    get = snippet("# wrong: what was sent", PINNED=pinned)
    async with trusting.serve("rogue") as server:
        await refused(server, lambda: get(HOST, server.port, TOKEN), RuntimeError)
        assert said(server) == b""
    async with trusting.serve("stuffed") as server:
        await asyncio.to_thread(get, HOST, server.port, TOKEN)
        assert TOKEN.encode() in said(server)


@pytest.mark.parametrize("chain", ["rogue", "stuffed"])
async def test_the_pinned_context_says_nothing_to_either(chain: str) -> None:
    """The same servers get not one byte from a client that is held to its pins."""
    context = PinnedContext(pin_set("good"), cafile=world().cafile)

    def get(port: int) -> None:
        with (
            socket.create_connection((HOST, port)) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as tls,
        ):
            tls.sendall(f"GET / HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())

    async with world().serve(chain) as server:
        await refused(server, lambda: get(server.port), PinMismatch)
        assert said(server) == b""


def test_the_pin_set_on_the_page_is_one() -> None:
    """What is copied from the page can be loaded."""
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (policy,) = PinSet.parse(text).policies
    assert policy.host == "api.example.com"
