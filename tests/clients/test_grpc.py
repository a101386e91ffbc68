"""gRPC as far as it goes: what its credentials keep, and what they do not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

from pinwarden.clients import PinMismatch, PinnedContext
from pinwarden.clients.grpc import pinned_credentials
from pinwarden.errors import ConfigError, OutsideError
from pinwarden.lab.ca import key_pem, pem
from pinwarden.lab.tls import Credentials
from pinwarden.pinning import PinSet
from support import talk
from support.origin import Origin
from support.pin_world import HOST, World, pin_set, policy, world

_PATIENCE = 20


@contextmanager
def serving(shown: Credentials) -> Iterator[Origin]:
    with Origin(shown, talk.grpc, alpn=("h2",)) as origin:
        yield origin


def context(pins: PinSet | str) -> PinnedContext:
    return PinnedContext(pin_set(pins) if isinstance(pins, str) else pins, cadata=world().bundle)


def ask(target: str, credentials: grpc.ChannelCredentials) -> bytes:
    with grpc.secure_channel(target, credentials) as channel:
        call = channel.unary_unary("/test.Test/Ask")
        return bytes(call(b"secret", metadata=[("authorization", "secret")], timeout=_PATIENCE))


@pytest.mark.parametrize("pins", ["good", "root", "leaf", "backup"])
def test_the_channel_trusts_what_met_the_pins_and_nothing_else(pins: str) -> None:
    """Also where the genuine server is replaced by a rogue one in between."""
    known: World = world()
    with serving(known.chains["genuine"]) as genuine, serving(known.chains["rogue"]) as rogue:
        credentials = pinned_credentials(context(pins), f"{HOST}:{genuine.port}")
        assert ask(f"{HOST}:{genuine.port}", credentials) == b"value"
        with pytest.raises(grpc.RpcError) as caught:
            ask(f"{HOST}:{rogue.port}", credentials)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert rogue.drained() == 0


def test_a_stuffed_chain_does_not_help() -> None:
    known = world()
    with serving(known.chains["genuine"]) as genuine, serving(known.chains["stuffed"]) as stuffed:
        credentials = pinned_credentials(context("good"), f"{HOST}:{genuine.port}")
        with pytest.raises(grpc.RpcError):
            ask(f"{HOST}:{stuffed.port}", credentials)
        assert stuffed.drained() == 0


def test_a_rogue_at_first_ends_it_at_once() -> None:
    with serving(world().chains["rogue"]) as rogue:
        with pytest.raises(PinMismatch):
            pinned_credentials(context("good"), f"{HOST}:{rogue.port}")
        assert rogue.drained() == 0


def test_the_host_name_is_still_looked_at() -> None:
    """A certificate of the pinned authority for another host."""
    known = world()
    with serving(known.chains["genuine"]) as genuine, serving(known.chains["wrong-host"]) as other:
        credentials = pinned_credentials(context("good"), f"{HOST}:{genuine.port}")
        with pytest.raises(grpc.RpcError):
            ask(f"{HOST}:{other.port}", credentials)
        assert other.drained() == 0


@pytest.mark.parametrize("pins", ["report-only", "expired-open", "expired-report-only"])
def test_where_no_pins_are_enforced_there_are_no_credentials(pins: str) -> None:
    with (
        serving(world().chains["genuine"]) as server,
        pytest.raises(ConfigError, match="no pins are enforced"),
    ):
        pinned_credentials(context(pins), f"{HOST}:{server.port}")


def test_an_unpinned_host_has_no_credentials() -> None:
    with (
        serving(world().chains["genuine"]) as server,
        pytest.raises(ConfigError, match="no pins are enforced"),
    ):
        pinned_credentials(context("good"), f"127.0.0.1:{server.port}")


def test_forbidden_keys_are_looked_for_at_first() -> None:
    with serving(world().chains["genuine"]) as server, pytest.raises(PinMismatch):
        pinned_credentials(context("forbidden"), f"{HOST}:{server.port}")


def test_nobody_there() -> None:
    with serving(world().chains["genuine"]) as server:
        port = server.port
    with pytest.raises(OutsideError, match="no connection"):
        pinned_credentials(context("good"), f"{HOST}:{port}", timeout=5)


@pytest.mark.parametrize(
    "target",
    [
        "",
        ":443",
        "unix:/run/x",
        "a:b",
        "a:99999",
        "ipv4:1.2.3.4:1,2.3.4.5:1",
        "xds:///a",
        "a/b",
        "[a]",
    ],
)
def test_targets_that_are_not_one_host_are_refused(target: str) -> None:
    with pytest.raises(ConfigError, match="is not one host and port"):
        pinned_credentials(context("good"), target)


@pytest.mark.parametrize("form", ["{}:{}", "dns:{}:{}", "dns:///{}:{}"])
def test_forms_of_a_target(form: str) -> None:
    with serving(world().chains["genuine"]) as server:
        assert pinned_credentials(context("good"), form.format(HOST, server.port))


def test_with_the_real_server() -> None:
    """Grpcio's own, with a client certificate."""
    known = world()
    shown, ours = known.chains["genuine"], known.client_certificate

    class Answer(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(
                lambda request, call: request + b" " + call.auth_context()["x509_common_name"][0]
            )

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Answer()])
    demanding = grpc.ssl_server_credentials(
        [(key_pem(shown.private_key), pem(shown.certificates))],
        root_certificates=pem([known.authorities.a.root]),
        require_client_auth=True,
    )
    port = server.add_secure_port("127.0.0.1:0", demanding)
    server.start()
    try:
        target = f"{HOST}:{port}"
        credentials = pinned_credentials(
            context(PinSet([policy(ca="intermediate")])),
            target,
            private_key=key_pem(ours.private_key),
            certificate_chain=pem(ours.certificates),
        )
        assert ask(target, credentials).startswith(b"secret ")
    finally:
        server.stop(0).wait()
