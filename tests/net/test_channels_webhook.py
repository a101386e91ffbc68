"""The webhook channel against real servers: signed, never redirected, patient or final."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from pinwarden.config_channels import WebhookConfig
from pinwarden.errors import ConfigError, OutsideError
from pinwarden.net.channels import open_channel
from pinwarden.render import render_message
from support.alerts import issuance, log_fork

_MESSAGE = render_message([issuance(), log_fork()])


@dataclass
class _Received:
    path: str
    headers: dict[str, str]
    body: bytes


class _Receiver:
    """Keeps what is POSTed and answers as told."""

    def __init__(self, answer: Callable[[], Awaitable[web.StreamResponse]]) -> None:
        self.answer = answer
        self.received: list[_Received] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = dict(request.headers.items())
        self.received.append(_Received(request.path, headers, await request.read()))
        return await self.answer()


@asynccontextmanager
async def _receiver(
    status: int = 200,
    *,
    headers: dict[str, str] | None = None,
    text: str = "",
    hang: bool = False,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[_Receiver]:
    async def answer() -> web.StreamResponse:
        if hang:
            await asyncio.sleep(60)
        return web.Response(status=status, headers=headers, text=text)

    receiver = _Receiver(answer)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"https://localhost:{port}" if tls else f"http://{host}:{port}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def test_posts_the_documented_document() -> None:
    """The receiver gets subject, text and every alert, with keys to know repetitions by."""
    async with _receiver(204) as receiver:
        config = WebhookConfig(url=receiver.url + "/hook/7", headers={"X-Team": "blue"})
        await open_channel(config).deliver(_MESSAGE)
        await open_channel(config).deliver(_MESSAGE)
    first, second = receiver.received
    document = json.loads(first.body)
    assert document == {
        "type": "alerts",
        "version": 1,
        "key": _MESSAGE.key,
        "subject": _MESSAGE.subject,
        "text": _MESSAGE.text,
        "alerts": list(_MESSAGE.events),
    }
    assert first.path == "/hook/7"
    assert first.headers["Content-Type"] == "application/json"
    assert first.headers["X-Team"] == "blue"
    assert first.headers["User-Agent"].startswith("pinwarden/")
    assert first.headers["Idempotency-Key"] == hashlib.sha256(_MESSAGE.key.encode()).hexdigest()
    assert second.headers["Idempotency-Key"] == first.headers["Idempotency-Key"]
    assert "Pinwarden-Signature" not in first.headers


def _verify(secret: str, header: str, body: bytes, now: float) -> bool:
    """The recipe of docs/alerts.md, which test_docs_recipe holds to this text."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    signed = parts["t"].encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"]) and abs(now - int(parts["t"])) < 300


async def test_signature_covers_time_and_body(tmp_path: Path) -> None:
    """Who knows the secret can tell the body, and its freshness, from a forgery."""
    secret = tmp_path / "secret"
    secret.write_text("of the webhook\n")
    async with _receiver() as receiver:
        config = WebhookConfig(url=receiver.url, secret_file=str(secret))
        await open_channel(config).deliver(_MESSAGE)
    (received,) = receiver.received
    header = received.headers["Pinwarden-Signature"]
    now = datetime.now(UTC).timestamp()
    assert _verify("of the webhook", header, received.body, now)
    assert not _verify("of the webhook", header, received.body + b" ", now)
    assert not _verify("of somebody", header, received.body, now)
    assert not _verify("of the webhook", header, received.body, now + 3600)


def test_docs_recipe() -> None:
    """The recipe in the documentation is the one tried here."""
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    recipe = page.split("```python\n", 1)[1].split("```", 1)[0]
    scope: dict[str, Callable[[str, str, bytes, float], bool]] = {}
    exec(recipe, scope)
    body = b'{"type":"alerts"}'
    mac = hmac.new(b"key", b"1793491323." + body, hashlib.sha256).hexdigest()
    verify = scope["verify"]
    assert verify("key", f"t=1793491323,v1={mac}", body, 1793491400)
    assert not verify("key", f"t=1793491323,v1={mac}", body + b" ", 1793491400)
    assert not verify("key", f"t=1793491323,v1={mac}", body, 1793499999)


async def test_token_and_secret_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token and a URL come from the environment, and no error ever shows them."""
    async with _receiver(500) as receiver:
        monkeypatch.setenv("HOOK_TOKEN", "t0ken")
        monkeypatch.setenv("HOOK_URL", receiver.url + "/services/s3cret")
        channel = open_channel(WebhookConfig(url_env="HOOK_URL", token_env="HOOK_TOKEN"))
        with pytest.raises(OutsideError) as caught:
            await channel.deliver(_MESSAGE)
    assert receiver.received[0].path == "/services/s3cret"
    assert receiver.received[0].headers["Authorization"] == "Bearer t0ken"
    assert "s3cret" not in f"{caught.value} {caught.value.target} {caught.value.hint}"


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((status, True) for status in (400, 413, 422)),
        *((status, False) for status in (401, 403, 404, 410, 429, 500, 503)),
    ],
)
async def test_which_answers_are_final(status: int, permanent: bool) -> None:
    """Only an answer about this very message gives it up; all else is tried again."""
    async with _receiver(status, text="no\x1b[2J\nthanks") as receiver:
        with pytest.raises(
            OutsideError, match=rf"answered {status} 'no\\x1b\[2J\\nthanks'"
        ) as caught:
            await open_channel(WebhookConfig(url=receiver.url)).deliver(_MESSAGE)
    assert caught.value.permanent is permanent


async def test_retry_after_in_both_forms() -> None:
    """What the receiver says about coming back reaches the outbox."""
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    for value, low, high in [("120", 120, 120), (later, 90, 100), ("soon", None, None)]:
        async with _receiver(503, headers={"Retry-After": value}) as receiver:
            with pytest.raises(OutsideError) as caught:
                await open_channel(WebhookConfig(url=receiver.url)).deliver(_MESSAGE)
        if low is None:
            assert caught.value.retry_after is None
        else:
            assert caught.value.retry_after is not None
            assert low <= caught.value.retry_after <= high


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    """An alert goes where the configuration says and nowhere else."""
    async with _receiver() as other:
        headers = {"Location": other.url}
        async with _receiver(status, headers=headers) as receiver:
            with pytest.raises(OutsideError, match=f"answered {status}") as caught:
                await open_channel(WebhookConfig(url=receiver.url)).deliver(_MESSAGE)
    assert other.received == []
    assert not caught.value.permanent
    assert caught.value.hint is not None


async def test_silent_server_runs_into_the_limit() -> None:
    """A receiver that accepts and never answers costs only the channel's own time."""
    async with _receiver(hang=True) as receiver:
        with pytest.raises(OutsideError, match="no answer in time"):
            await open_channel(WebhookConfig(url=receiver.url, timeout=0.3)).deliver(_MESSAGE)


async def test_refused_connection() -> None:
    """Nobody listening is a failure with a readable reason."""
    async with _receiver() as receiver:
        url = receiver.url
    with pytest.raises(OutsideError, match="cannot connect"):
        await open_channel(WebhookConfig(url=url)).deliver(_MESSAGE)


async def test_own_authority_and_stranger(tmp_path: Path) -> None:
    """TLS is verified, against the authorities of `ca_file` if it is given."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    async with _receiver(tls=context) as receiver:
        config = WebhookConfig(url=receiver.url, ca_file=str(trusted))
        await open_channel(config).deliver(_MESSAGE)
        with pytest.raises(OutsideError, match="certificate was not accepted"):
            await open_channel(WebhookConfig(url=receiver.url)).deliver(_MESSAGE)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "http://127.0.0.1.example/",
        "ftp://hooks.example/",
        "https:///path",
        "https://user:secret@hooks.example/",
        "https://[::1/",
        "hooks.example",
    ],
)
def test_urls_refused(url: str) -> None:
    """Nothing but https, or http to this very machine, and no secret in the authority."""
    with pytest.raises(ConfigError) as caught:
        open_channel(WebhookConfig(url=url))
    assert "secret" not in str(caught.value)


def test_unreadable_authorities(tmp_path: Path) -> None:
    """A `ca_file` without certificates is heard of at the start."""
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")
    for path in (empty, tmp_path / "missing"):
        with pytest.raises(ConfigError, match="ca_file"):
            open_channel(WebhookConfig(url="https://hooks.example/", ca_file=str(path)))
