"""Hosts and ports as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import ConfigError
from pinwarden.net.endpoint import Endpoint, parse_endpoint
from pinwarden.net.starttls import STARTTLS_PORTS


@pytest.mark.parametrize(
    ("text", "host", "port", "starttls"),
    [
        ("example.com", "example.com", 443, None),
        ("EXAMPLE.com.", "example.com", 443, None),
        ("example.com:8443", "example.com", 8443, None),
        ("bücher.example", "xn--bcher-kva.example", 443, None),
        ("192.0.2.1", "192.0.2.1", 443, None),
        ("192.0.2.1:1", "192.0.2.1", 1, None),
        ("2001:db8::1", "2001:db8::1", 443, None),
        ("[2001:DB8::1]", "2001:db8::1", 443, None),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535, None),
        ("https://example.com/path?query#fragment", "example.com", 443, None),
        ("HTTPS://example.com:8443", "example.com", 8443, None),
        ("https://[::1]:8443/", "::1", 8443, None),
        ("imaps://mail.example.com", "mail.example.com", 993, None),
        ("rediss://cache.example:6380/0", "cache.example", 6380, None),
        ("smtp://mail.example.com", "mail.example.com", 25, "smtp"),
        ("smtp://mail.example.com:587", "mail.example.com", 587, "smtp"),
        ("postgresql://db.example/name", "db.example", 5432, "postgres"),
        ("localhost", "localhost", 443, None),
        ("_dane.example", "_dane.example", 443, None),
    ],
)
def test_what_is_understood(text: str, host: str, port: int, starttls: str | None) -> None:
    """Host, port and how TLS begins, with the usual port where none is said."""
    assert parse_endpoint(text) == Endpoint(host, port, starttls)


def test_an_option_is_for_those_who_do_not_say_it_themselves() -> None:
    """--starttls gives its usual port; a URL over TLS stays what it says."""
    assert parse_endpoint("mail.example", starttls="imap") == Endpoint("mail.example", 143, "imap")
    assert parse_endpoint("mail.example:1", starttls="imap") == Endpoint("mail.example", 1, "imap")
    assert parse_endpoint("imaps://mail.example", starttls="imap").starttls is None


@pytest.mark.parametrize(
    "text",
    [
        *("", ":443", "example.com:", "example.com:0", "example.com:65536", "example.com:٣"),
        *("example.com:-1", "example.com:+1", "example.com: 1", "example.com:1e3"),
        *("http://example.com", "gopher://example.com", "https://", "https:///path"),
        *("user@example.com", "https://user:secret@example.com/", "*.example.com", "a b"),
        *("[example.com]:443", "[192.0.2.1]", "[::1", "::1]", "[::1]443", "[::1]:", "1.2.3"),
        *("fe80::1%eth0", "exa\x1bmple.com", "-a.example", "a..b", "x" * 1000),
        *("2001:db8::1:99999", "https://example.com:443:443"),
    ],
)
def test_what_is_refused(text: str) -> None:
    """In one printable line, without the password that a URL may hold."""
    with pytest.raises(ConfigError) as caught:
        parse_endpoint(text)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


def outcome(text: str) -> Endpoint | ConfigError:
    try:
        return parse_endpoint(text)
    except ConfigError as error:
        return error


@given(st.text(max_size=80))
def test_anything_is_an_endpoint_or_our_error(text: str) -> None:
    """Whatever is understood is understood again from how it is written."""
    found = outcome(text)
    if isinstance(found, Endpoint):
        assert 0 < found.port < 65536
        assert parse_endpoint(str(found), starttls=found.starttls) == found
    else:
        assert str(found).isprintable()


@given(
    st.sampled_from(["example.com", "192.0.2.1", "2001:db8::1"]),
    st.integers(1, 65535),
    st.sampled_from([None, *STARTTLS_PORTS]),
)
def test_an_endpoint_is_written_as_it_is_read(host: str, port: int, starttls: str | None) -> None:
    """Also an IPv6 address with a port."""
    endpoint = Endpoint(host, port, starttls)
    assert parse_endpoint(str(endpoint), starttls=starttls) == endpoint
