"""Getting a bundle: over TLS, bounded in size and time, and out of reach of any pins."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pinwarden.clients import install
from pinwarden.clients.bundle import BundleSource, Outcome
from pinwarden.clients.bundle_fetch import URLFetch, _Connections, verify_bundle_url
from pinwarden.errors import ConfigError, OutsideError
from pinwarden.pinning.bundle import LARGEST_FILE
from support.pin_bundles import KEYS, NAME, file_of, fresh, octets_of
from support.pin_world import pin_set as world_set
from support.pin_world import world

Answer = Callable[[BaseHTTPRequestHandler], object]


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A plain HTTP server on this machine, and the address of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/shop.json"
        server.shutdown()
        thread.join()


def plain(body: bytes, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def moved(where: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", where)
        handler.end_headers()

    return answer


def failure(answer: Answer, seconds: float = 20) -> str:
    with serving(answer) as url:
        with pytest.raises(OutsideError) as caught:
            URLFetch(url, seconds=seconds)()
        assert str(caught.value).isprintable()
        return str(caught.value)


def test_a_body_is_fetched_whole() -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(str(handler.headers))
        plain(b"x" * 300_000)(handler)

    with serving(answer) as url:
        assert URLFetch(url, seconds=20)() == b"x" * 300_000
    assert "pinwarden/" in asked[0]
    assert "Authorization" not in asked[0]


def test_a_bundle_comes_over_tls() -> None:
    for chain, outcome in (("genuine", Outcome.UPDATED), ("expired", Outcome.UNREACHABLE)):
        with world().serve(chain, body=octets_of(file_of(fresh(3)))) as server:
            bundles = BundleSource(
                f"https://localhost:{server.port}/shop.json",
                name=NAME,
                keys=KEYS.keys,
                threshold=2,
                cache=None,
                when_stale="closed",
                cafile=world().cafile,
            )
            assert bundles.refresh().outcome is outcome


def test_pins_of_the_whole_process_do_not_stand_in_its_way() -> None:
    """A bundle must come exactly when the pins are wrong."""
    with world().serve("genuine", body=b"new pins") as server, install(world_set("wrong")):
        fetch = URLFetch(f"https://localhost:{server.port}/", cafile=world().cafile, seconds=20)
        assert fetch() == b"new pins"


def test_an_untrusted_server_is_told_nothing() -> None:
    with world().serve("genuine") as server:
        with pytest.raises(OutsideError, match="CERTIFICATE_VERIFY_FAILED"):
            URLFetch(f"https://localhost:{server.port}/", seconds=20)()
        assert all(not visit.said for visit in server.visits)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (plain(b"x" * (LARGEST_FILE + 1)), "larger than"),
        (plain(b"x" * 100, **{"Content-Length": "200"}), "cut off"),
        (plain(b"x", **{"Content-Encoding": "gzip"}), "compressed"),
        (lambda handler: handler.send_error(404), "404"),
        (lambda handler: handler.send_error(503), "503"),
        (lambda handler: handler.wfile.write(b"\x1b[2Jno HTTP\r\n\r\n"), "cannot be fetched"),
        (lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000), "fetched"),
        (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "cannot be fetched"),
        (lambda handler: moved(f"{handler.path}x")(handler), "302"),
        (moved("ftp://127.0.0.1/"), "away from https"),
        (moved("http://pins.example/"), "away from https"),
        (moved("file:///etc/passwd"), "302"),
    ],
)
def test_what_is_no_proper_answer_is_told(answer: Answer, words: str) -> None:
    assert words in failure(answer)


@pytest.mark.parametrize("beginning", ["Content-Length: 1000\r\n\r\n", "X: "])
def test_an_answer_that_drips_is_cut_off(beginning: str) -> None:
    """Its body, or its headers, an octet at a time."""
    done = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(f"HTTP/1.1 200 OK\r\n{beginning}".encode())
        try:
            while not done.wait(0.01):
                handler.wfile.write(b"x")
        except OSError:
            done.set()

    assert "longer than" in failure(answer, seconds=1)
    # Only what cut the connection ends the dripping.
    assert done.is_set()


def test_a_handshake_that_drips_is_cut_off() -> None:
    """TLS has the connection to itself then."""
    ended = threading.Event()

    def drip(listening: socket.socket) -> None:
        visitor, _ = listening.accept()
        with visitor, contextlib.suppress(OSError):
            visitor.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
            while not ended.wait(0.01):
                visitor.sendall(b"x")
        ended.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,), daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(OutsideError, match="longer than"):
            URLFetch(url, seconds=0.5)()
        thread.join(20)
    assert ended.is_set()


def test_a_connection_that_comes_too_late_is_none() -> None:
    connections = _Connections()
    connections.cut()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with pytest.raises(TimeoutError):
            connections.connect(listening.getsockname())
        visitor, _ = listening.accept()
        with visitor:
            assert visitor.recv(1) == b""


@pytest.mark.parametrize(
    "url",
    [
        "http://pins.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://localhost.evil.example/",
        "https://user@pins.example/",
        "https://",
        "https:///x",
        "ftp://pins.example/",
        "file:///etc/passwd",
        "//pins.example/",
        "https://pins.example/\r\nX: y",
        "https://pins.example/a b",
        "https://bücher.example/",
        "https://pins.example" + "/x" * 2000,
        "",
    ],
)
def test_only_https_and_this_machine_are_asked(url: str) -> None:
    with pytest.raises(ConfigError):
        verify_bundle_url(url)


def test_a_password_is_told_to_nobody() -> None:
    with pytest.raises(ConfigError, match="names a user") as caught:
        verify_bundle_url("https://user:secret@pins.example/x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://pins.example",
        "https://pins.example:8443/a/b.json?c=d",
        "HTTPS://pins.example/",
        "https://[2001:db8::1]/",
        "http://127.0.0.1:8080/",
        "http://[::1]/",
        "http://localhost/x",
    ],
)
def test_proper_addresses_are_taken(url: str) -> None:
    verify_bundle_url(url)
