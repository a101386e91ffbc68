"""Rows: redis-py, psycopg through the relay, and gRPC as far as it goes."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import grpc
import psycopg
import redis
import redis.asyncio

from clients.matrix.harness import Target, Wiring
from clients.matrix.kept_row import PATIENCE, Again, AsyncAgain, AsyncRow, KeptRow, skipping
from pinwarden.clients.grpc import pinned_credentials
from pinwarden.clients.redis import pinned_async_connection, pinned_connection
from pinwarden.clients.relay import PinnedRelay
from support import talk


def _redis_options(wiring: Wiring, target: Target, pinned: object, usual: object) -> dict:
    options: dict[str, object] = {
        "host": target.host,
        "port": target.port,
        "socket_timeout": PATIENCE,
        "connection_class": pinned,
    }
    if wiring.context is None:
        options |= {"connection_class": usual, "ssl_ca_certs": wiring.cafile}
    if not wiring.verify:
        options |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    return options


@contextmanager
def _redis(wiring: Wiring, target: Target) -> Iterator[Again]:
    pinned = pinned_connection(wiring.context) if wiring.context else None
    options = _redis_options(wiring, target, pinned, redis.SSLConnection)
    pool = redis.ConnectionPool(**options)
    client = redis.Redis(connection_pool=pool)
    try:
        yield lambda: client.get("key")
    finally:
        client.close()
        pool.disconnect()


@asynccontextmanager
async def _redis_async(wiring: Wiring, target: Target) -> AsyncIterator[AsyncAgain]:
    pinned = pinned_async_connection(wiring.context) if wiring.context else None
    options = _redis_options(wiring, target, pinned, redis.asyncio.SSLConnection)
    pool = redis.asyncio.ConnectionPool(**options)
    client = redis.asyncio.Redis(connection_pool=pool)

    async def again() -> bytes:
        found = await client.get("key")
        assert found is not None
        return bytes(found)

    try:
        yield again
    finally:
        await client.aclose()
        await pool.disconnect()


@contextmanager
def _psycopg(wiring: Wiring, target: Target) -> Iterator[Again]:
    context = wiring.held
    if not wiring.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with PinnedRelay(context, target.host, target.port, starttls="postgres") as relay:
        try:
            connection = psycopg.connect(host=relay.folder, user="u", dbname="d", autocommit=True)
        except psycopg.Error as error:
            raise error from relay.failure

        def again() -> bytes:
            try:
                row = connection.execute("select value").fetchone()
            except psycopg.Error as error:
                raise error from relay.failure
            assert row is not None
            return str(row[0]).encode()

        try:
            yield again
        finally:
            connection.close()


@contextmanager
def _grpc(wiring: Wiring, target: Target) -> Iterator[Again]:
    context = wiring.held
    if not wiring.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    place = f"{target.host}:{target.port}"
    with grpc.secure_channel(place, pinned_credentials(context, place)) as channel:
        call = channel.unary_unary("/test.Test/Ask")
        yield lambda: bytes(call(b"hello", timeout=PATIENCE))


_ITS_OWN = "its TLS is its own, so that install() does not reach it"
_NOT_ENFORCED = "is given its usual trust anchors where no pins are enforced"

STORE_ROWS = (
    KeptRow("redis", _redis, lambda _: talk.redis),
    AsyncRow("redis.asyncio", _redis_async, lambda _: talk.redis),
    KeptRow(
        "psycopg through the relay",
        _psycopg,
        lambda _: talk.postgres,
        before_tls=talk.postgres_ssl_request,
        skips=skipping(
            installed=_ITS_OWN, installed_later=_ITS_OWN, installed_verify_false=_ITS_OWN
        ),
    ),
    KeptRow(
        "grpc",
        _grpc,
        lambda _: talk.grpc,
        alpn=("h2",),
        skips=skipping(
            installed=_ITS_OWN,
            installed_later=_ITS_OWN,
            installed_verify_false=_ITS_OWN,
            report_only=_NOT_ENFORCED,
            expired=f"{_NOT_ENFORCED}; see test_grpc.py",
            unpinned=_NOT_ENFORCED,
            changed_set="does not ask for pins again: see test_grpc.py",
            resumed_session="its TLS is its own, and verifies the server before it keeps a session",
        ),
    ),
)
