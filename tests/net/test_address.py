"""Whom the HTTP client asks, and as whom."""

from __future__ import annotations

import ssl

import pytest
import trustme

from net.asking import MAX, client, get_once
from net.raw_server import RawServer, answer
from pinwarden import __version__
from pinwarden.ct.logurl import is_loopback_host
from pinwarden.errors import ConfigError, OutsideError
from pinwarden.net.http import HTTPClient, verify_contact


async def test_the_user_agent_says_who_we_are_and_whom_to_write_to():
    """Log operators block or throttle clients without a contact."""
    for contact, expected in (
        ("ops@example.net", f"pinwarden/{__version__} (+ops@example.net)"),
        ("https://example.net/ct", f"pinwarden/{__version__} (+https://example.net/ct)"),
        (None, f"pinwarden/{__version__}"),
    ):
        async with RawServer([answer()]) as server, client(contact=contact) as http:
            await http.get(server.url(), max_bytes=MAX)
        assert server.asked[0].headers["User-Agent"] == expected


async def test_no_contact_means_no_request_leaves_this_machine():
    """The error says how to set the contact."""
    async with client() as http:
        with pytest.raises(ConfigError, match="no contact is set") as caught:
            await http.get("https://ct.example.com/ct/v1/get-sth", max_bytes=MAX)
    for way in ("`contact`", "--contact", "PINWARDEN_CONTACT"):
        assert way in (caught.value.hint or "")


@pytest.mark.parametrize(
    "contact", ["", "me", "a b@c.de", "http://x.de", "a@b", "x@y.de)\r\nA: b", "a@é.de", "ftp://x"]
)
def test_a_contact_nobody_can_write_to_is_refused(contact):
    """The contact also cannot break out of the User-Agent header."""
    with pytest.raises(ConfigError, match="neither an e-mail address nor an https URL"):
        HTTPClient(contact)


async def test_compression_is_asked_for_only_over_a_network():
    """Within one machine it would cost more than it saves."""
    async with RawServer([answer()]) as server, client() as http:
        await http.get(server.url(), max_bytes=MAX)
        await http.get(server.url(), max_bytes=MAX, accept_encoding="gzip")
    encodings = [asked.headers["Accept-Encoding"] for asked in server.asked]
    assert encodings == ["identity", "gzip"]


@pytest.mark.parametrize(
    "contact", ["a@b.example", "https://b.example", "https://b.example/~a?x=1"]
)
def test_an_address_or_https_url_is_a_contact(contact):
    """Both forms that log operators recognise are accepted."""
    verify_contact(contact)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.3.4", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("localhost.example.com", False),
        ("loopback.example", False),
        ("::ffff:127.0.0.1", False),
        ("127.1", False),
        ("2130706433", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_only_a_literal_loopback_host_is_loopback(host, expected):
    """Names that merely resolve to loopback, and odd spellings, are not."""
    assert is_loopback_host(host) is expected


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:80\\@example.com/",
        "http://127.0.0.1:80@example.com/",
        "http://127.0.0.1#@example.com/",
        "http://10.0.0.1/",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "127.0.0.1/",
        "http:///x",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/é",
        "http://[::1/",
        "http://[fe80::1]/",
        "",
    ],
)
async def test_a_url_that_may_not_be_asked_is_refused(url):
    """Without TLS only a literal loopback address is asked, and nothing ambiguous ever."""
    async with client(contact="ops@example.net") as http:
        with pytest.raises(ConfigError):
            await http.get(url, max_bytes=MAX)


async def test_a_known_host_does_not_vouch_for_another_url():
    """The check is by whole authority, also after a host was admitted."""
    async with RawServer([answer()]) as server, client(contact="ops@example.net") as http:
        await http.get(server.url(), max_bytes=MAX)
        for bad in (f"@example.com:{server.port}/", "?@example.com", ".example.com/", "/a\x00"):
            with pytest.raises((ConfigError, OutsideError)):
                await http.get(f"http://127.0.0.1:{server.port}0{bad}", max_bytes=MAX)
            with pytest.raises(ConfigError):
                await http.get(f"http://127.0.0.1{bad}\n", max_bytes=MAX)
    assert len(server.asked) == 1


async def test_a_redirect_is_refused():
    """Following one would let a log choose whom we talk to."""
    async with RawServer([answer(body=b"secret")]) as other:
        with pytest.raises(OutsideError, match=r"302 Found to .* not followed") as caught:
            await get_once(answer("302 Found", headers={"Location": other.url("/elsewhere")}))
    assert caught.value.permanent
    assert other.asked == []


async def test_a_tls_certificate_must_verify():
    """A certificate of an unknown CA is refused, that of a trusted one accepted."""
    authority = trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with RawServer([answer(body=b"x")], ssl_context=serving) as server:
        async with client() as http:
            with pytest.raises(OutsideError, match="TLS certificate does not verify"):
                await http.get(server.url(), max_bytes=MAX)
        async with client(ssl_context=trusting) as http:
            assert (await http.get(server.url(), max_bytes=MAX)).body == b"x"
