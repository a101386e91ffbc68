"""Alerts as a signed JSON document, POSTed to a URL.

The signature covers the moment of sending and the exact body, so that a
receiver can refuse forgeries and replays; `docs/alerts.md` has the recipe. A
redirect is not followed: it would hand the alert, and the token, to whoever
the answer names.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import aiohttp
from yarl import URL

from pinwarden import __version__
from pinwarden.config_channels import WebhookConfig
from pinwarden.ct.logurl import is_loopback_host
from pinwarden.errors import ConfigError, OutsideError, quoted
from pinwarden.net.channels.secrets import read_secret
from pinwarden.net.channels.trust import tls_context
from pinwarden.net.politeness import parse_retry_after
from pinwarden.render import Message, render_json_line

_MOST_ANSWER = 2048

# What these say is about the message, which will be the same next time. Everything else may be
# a wrong deployment, an expired token or a login page: an alert must outlive those.
_FINAL = frozenset({400, 411, 413, 414, 415, 422, 431})


class WebhookChannel:
    """POSTs each message to one URL."""

    def __init__(self, config: WebhookConfig) -> None:
        self.name = config.name
        self.group = config.group
        self.timeout = config.timeout
        self._headers = dict(config.headers)
        url = config.url or read_secret(config.name, "url", config.url_file, config.url_env) or ""
        self._url = _parse_url(config.name, url)
        # Without the path, which is the secret of many services.
        self._target = f"webhook {quoted(str(self._url.origin()))}"
        self._secret = read_secret(config.name, "secret", config.secret_file, config.secret_env)
        token = read_secret(config.name, "token", config.token_file, config.token_env)
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._tls = tls_context(config.name, config.ca_file)

    async def deliver(self, message: Message) -> None:
        """POST one message; any 2xx answer means it was taken."""
        body = render_json_line(webhook_document(message)).encode("ascii")
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=self.timeout),
                    cookie_jar=aiohttp.DummyCookieJar(),
                ) as session,
                session.post(
                    self._url,
                    data=body,
                    headers=self._all_headers(message, body),
                    ssl=self._tls,
                    allow_redirects=False,
                ) as response,
            ):
                if not 200 <= response.status < 300:
                    said = await response.content.read(_MOST_ANSWER)
                    raise self._refused(response.status, response.headers.get("Retry-After"), said)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else _reason(error)
            raise OutsideError(f"{self._target}: {reason}", target=self._target) from error

    def _all_headers(self, message: Message, body: bytes) -> dict[str, str]:
        key = message.key.encode("utf-8", "backslashreplace")
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            "User-Agent": f"pinwarden/{__version__}",
            "Idempotency-Key": hashlib.sha256(key).hexdigest(),
        }
        if self._secret is not None:
            moment = int(datetime.now(UTC).timestamp())
            headers["Pinwarden-Signature"] = sign(self._secret, moment, body)
        return headers

    def _refused(self, status: int, retry: str | None, said: bytes) -> OutsideError:
        wait = None if retry is None else parse_retry_after(retry, datetime.now(UTC))
        hint = None
        if 300 <= status < 400:
            hint = "redirects are not followed; set `url` to the final address"
        return OutsideError(
            f"{self._target}: answered {status} {quoted(said) if said else ''}".rstrip(),
            target=self._target,
            retry_after=wait,
            permanent=status in _FINAL,
            hint=hint,
        )


def webhook_document(message: Message) -> dict[str, object]:
    """The body of the request, as `docs/alerts.md` describes it."""
    return {
        "type": "alerts",
        "version": 1,
        "key": message.key,
        "subject": message.subject,
        "text": message.text,
        "alerts": list(message.events),
    }


def sign(secret: str, moment: int, body: bytes) -> str:
    """The value of Pinwarden-Signature: the Unix time and HMAC-SHA256 over time, dot, body."""
    mac = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256)
    return f"t={moment},v1={mac.hexdigest()}"


def _parse_url(channel: str, text: str) -> URL:
    try:
        url = URL(text)
        host = url.host
    except ValueError:
        host = None
    if not host or url.scheme not in ("https", "http") or url.user or url.password:
        raise ConfigError(
            f"channel {quoted(channel)}: its URL is no plain https URL",
            hint="a user name or token belongs in `token_file` or `token_env`",
        )
    if url.scheme == "http" and not is_loopback_host(host):
        raise ConfigError(
            f"channel {quoted(channel)}: its URL is not https",
            hint="only a literal loopback address may be asked without TLS",
        )
    return url


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate was not accepted: {quoted(str(error.certificate_error))}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {quoted(error.os_error.strerror or str(error.os_error))}"
    return f"the connection broke: {type(error).__name__}"
