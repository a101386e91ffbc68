"""The Apprise channel, through its json:// service to a loopback server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pinwarden.config_channels import AppriseConfig
from pinwarden.errors import ConfigError, OutsideError
from pinwarden.net.channels import Channel, open_channel
from pinwarden.render import render_message
from support.alerts import issuance

# The library imports a module that Python 3.11 and 3.12 announce the end of.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@contextmanager
def _service(status: int = 200, location: str | None = None) -> Iterator[tuple[int, list[bytes]]]:
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            if location is not None:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], received
        finally:
            server.shutdown()
            thread.join()


def _channel(monkeypatch: pytest.MonkeyPatch, url: str, **keys: str) -> Channel:
    monkeypatch.setenv("SERVICE_URL", url)
    return open_channel(AppriseConfig(url_env="SERVICE_URL", **keys))  # type: ignore[arg-type]


async def test_delivers_neutral_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service gets subject and text, without a mention or link from a certificate."""
    alert = issuance(issuer="O=@everyone [log in](https://evil.example) <!channel>")
    message = render_message([alert])
    with _service() as (port, received):
        await _channel(monkeypatch, f"json://127.0.0.1:{port}/").deliver(message)
    (body,) = received
    document = json.loads(body)
    assert document["title"] == message.subject.replace("[", "(").replace("]", ")")
    assert "O=(at)everyone (log in)(https://evil.example) ‹!channel›" in document["message"]
    assert not set("@<>[]`|") & set(document["message"])


async def test_markdown_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service for Markdown gets the escaped Markdown."""
    message = render_message([issuance()])
    with _service() as (port, received):
        url = f"json://127.0.0.1:{port}/?format=markdown"
        await _channel(monkeypatch, url, format="markdown").deliver(message)
    assert "**Issuer:** CN\\=R11" in json.loads(received[0])["message"]


@pytest.mark.parametrize("status", [404, 429, 500])
async def test_failure_is_tried_again(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that refuses is a passing failure, once per attempt of ours, without the URL."""
    with _service(status) as (port, received):
        channel = _channel(monkeypatch, f"json://user:s3cret@127.0.0.1:{port}/")
        with pytest.raises(OutsideError, match=f"service 'JSON'.*{status}") as caught:
            await channel.deliver(render_message([issuance()]))
    assert not caught.value.permanent
    assert "s3cret" not in str(caught.value)
    assert len(received) == 1


async def test_redirects_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's default of following a redirect is off."""
    with (
        _service() as (other, elsewhere),
        _service(307, f"http://127.0.0.1:{other}/") as (port, _),
        pytest.raises(OutsideError),
    ):
        await _channel(monkeypatch, f"json://127.0.0.1:{port}/").deliver(
            render_message([issuance()])
        )
    assert elsewhere == []


async def test_nobody_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is a failure of ours to report, not an exception of theirs."""
    with _service() as (port, _):
        pass
    with pytest.raises(OutsideError):
        await _channel(monkeypatch, f"json://127.0.0.1:{port}/").deliver(
            render_message([issuance()])
        )


def test_unknown_service_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A URL that Apprise does not know is refused at the start, and shown nowhere."""
    for url in ("nonsense://s3cret", "s3cret"):
        with pytest.raises(ConfigError, match="none that Apprise knows") as caught:
            _channel(monkeypatch, url)
        assert "s3cret" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
