"""The connection classes for redis-py: they take one context, and no other words about TLS."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import redis
import redis.asyncio

from peers.programs import eventually, free_port, program, running, words_of
from pinwarden.clients import LivePins, PinMismatch, PinnedContext, find_mismatch
from pinwarden.clients.redis import (
    pinned_async_connection,
    pinned_async_pool,
    pinned_connection,
    pinned_pool,
)
from pinwarden.errors import ConfigError
from pinwarden.lab.ca import key_pem, pem
from support import talk
from support.origin import Origin
from support.pin_world import HOST, pin_set, world


def context(pins: str = "good") -> PinnedContext:
    return PinnedContext(pin_set(pins), cadata=world().bundle)


def test_a_url_works_and_its_password_is_not_told_to_a_rogue() -> None:
    for shown, allowed in (("genuine", True), ("rogue", False)):
        with Origin(world().chains[shown], talk.redis) as origin:
            url = f"rediss://user:secret@{HOST}:{origin.port}/1"
            pool = pinned_pool(context(), url)
            client = redis.Redis(connection_pool=pool)
            if allowed:
                assert client.ping()
            else:
                with pytest.raises(redis.ConnectionError) as caught:
                    client.ping()
                assert isinstance(find_mismatch(caught.value), PinMismatch)
            pool.disconnect()
            assert (origin.drained() > 0) is allowed


async def test_a_url_works_on_asyncio_too() -> None:
    """Where redis-py passes over a `connection_class` that stands beside a `rediss:` URL."""
    for shown, allowed in (("genuine", True), ("rogue", False)):
        with Origin(world().chains[shown], talk.redis) as origin:
            url = f"rediss://user:secret@{HOST}:{origin.port}/1"
            pool = pinned_async_pool(context(), url, socket_timeout=20)
            client = redis.asyncio.Redis.from_pool(pool)
            if allowed:
                assert await client.ping()
            else:
                with pytest.raises(redis.ConnectionError) as caught:
                    await client.ping()
                assert isinstance(find_mismatch(caught.value), PinMismatch)
            await client.aclose()
            assert (await asyncio.to_thread(origin.drained) > 0) is allowed


@pytest.mark.parametrize("url", ["redis://localhost", "unix:///run/redis", "localhost", ""])
def test_without_tls_there_are_no_pins(url: str) -> None:
    for make in (pinned_pool, pinned_async_pool):
        with pytest.raises(ConfigError, match="rediss://"):
            make(context(), url)


@pytest.mark.parametrize(
    "option",
    [
        {"ssl_cert_reqs": "none"},
        {"ssl_ca_certs": "/tmp/ca.pem"},
        {"ssl_check_hostname": False},
        {"ssl_validate_ocsp": True},
    ],
)
def test_other_words_about_tls_are_refused(option: dict[str, object]) -> None:
    for kind in (pinned_connection(context()), pinned_async_connection(context())):
        with pytest.raises(ConfigError, match="has no effect on a pinned connection"):
            kind(host=HOST, **option)


def test_they_are_refused_in_a_url_too() -> None:
    pool = pinned_pool(context(), f"rediss://{HOST}/?ssl_cert_reqs=none")
    with pytest.raises(ConfigError, match="ssl_cert_reqs"):
        redis.Redis(connection_pool=pool).ping()


def test_a_redis_that_goes_other_ways_is_refused() -> None:
    """As if a later version connected with a context of its own."""
    usual = world()
    with Origin(usual.chains["genuine"], talk.redis) as origin:
        own = PinnedContext(pin_set("good"), cadata=usual.bundle)

        class Other(pinned_connection(context())):  # type: ignore[misc]
            def _wrap_socket_with_ssl(self, sock: object) -> object:
                return own.wrap_socket(sock, server_hostname=self.host)  # type: ignore[arg-type]

        with pytest.raises(ConfigError, match="does not make its connections"):
            Other(host=HOST, port=origin.port).connect()
        assert origin.drained() == 0

        class OtherAsync(pinned_async_connection(context())):  # type: ignore[misc]
            def _connection_arguments(self) -> object:
                return {**super()._connection_arguments(), "ssl": own}

        with pytest.raises(redis.ConnectionError, match="does not make its connections"):
            asyncio.run(OtherAsync(host=HOST, port=origin.port).connect())
        assert origin.drained() == 0


@pytest.mark.peer
def test_with_the_real_server(tmp_path: Path) -> None:
    """Accepted, refused, and cut when the set changes; commands and pub/sub."""
    shown, port = world().chains["genuine"], free_port()
    (tmp_path / "key.pem").write_bytes(key_pem(shown.private_key))
    (tmp_path / "chain.pem").write_bytes(pem(shown.certificates))
    command = [
        *(program("redis-server"), "--port", "0", "--tls-port", str(port), "--save", ""),
        *("--tls-cert-file", "chain.pem", "--tls-key-file", "key.pem", "--tls-auth-clients", "no"),
        *("--bind", "127.0.0.1"),
    ]
    live = LivePins(pin_set("good"))
    held = PinnedContext(live, cadata=world().bundle)
    pool = redis.ConnectionPool(connection_class=pinned_connection(held), host=HOST, port=port)
    client = redis.Redis(connection_pool=pool)
    with running(command, tmp_path) as child:

        def answers() -> bool:
            assert child.poll() is None, words_of(tmp_path)
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        assert eventually(answers), words_of(tmp_path)
        assert client.set("key", b"x" * 300_000)
        assert client.get("key") == b"x" * 300_000
        with client.pubsub() as subscription:
            subscription.subscribe("news")
            assert subscription.get_message(timeout=10)["type"] == "subscribe"
            client.publish("news", "hello")
            assert subscription.get_message(timeout=10)["data"] == b"hello"
        asyncio.run(_async_round(held, port))
        live.replace(pin_set("wrong"))
        with pytest.raises(redis.ConnectionError) as caught:
            client.get("key")
        assert find_mismatch(caught.value)
        del caught
        live.replace(pin_set("root"))
        assert client.get("key")
        pool.disconnect()


async def _async_round(held: PinnedContext, port: int) -> None:
    pool = redis.asyncio.ConnectionPool(
        connection_class=pinned_async_connection(held), host=HOST, port=port
    )
    client = redis.asyncio.Redis(connection_pool=pool)
    assert len(await client.get("key")) == 300_000
    await client.aclose()
    await pool.disconnect()
