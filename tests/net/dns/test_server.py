"""Servers as the user writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import ConfigError, MalformedError
from pinwarden.net.dns.server import ServerAddress, Transport, parse_server, system_servers

UDP, TCP, TLS, HTTPS = Transport


@pytest.mark.parametrize(
    ("text", "server", "shown"),
    [
        ("127.0.0.1:5300", ServerAddress(UDP, "127.0.0.1", 5300), "127.0.0.1:5300"),
        ("192.0.2.1", ServerAddress(UDP, "192.0.2.1", 53), "192.0.2.1:53"),
        ("[::1]:5353", ServerAddress(UDP, "::1", 5353), "[::1]:5353"),
        ("[2001:DB8::1]", ServerAddress(UDP, "2001:db8::1", 53), "[2001:db8::1]:53"),
        ("2001:db8::1", ServerAddress(UDP, "2001:db8::1", 53), "[2001:db8::1]:53"),
        ("udp://192.0.2.1", ServerAddress(UDP, "192.0.2.1", 53), "192.0.2.1:53"),
        ("tcp://192.0.2.1", ServerAddress(TCP, "192.0.2.1", 53), "tcp://192.0.2.1:53"),
        ("NS1.Example.net.", ServerAddress(UDP, "ns1.example.net", 53), "ns1.example.net:53"),
        ("tls://dns.example", ServerAddress(TLS, "dns.example", 853), "tls://dns.example:853"),
        (
            "TLS://192.0.2.1:8853#dns.example",
            ServerAddress(TLS, "192.0.2.1", 8853, "dns.example"),
            "tls://192.0.2.1:8853#dns.example",
        ),
        (
            "https://dns.example/dns-query",
            ServerAddress(HTTPS, "dns.example", 443, path="/dns-query"),
            "https://dns.example/dns-query",
        ),
        (
            "https://dns.example:8443/q",
            ServerAddress(HTTPS, "dns.example", 8443, path="/q"),
            "https://dns.example:8443/q",
        ),
        (
            "https://[::1]",
            ServerAddress(HTTPS, "::1", 443, path="/dns-query"),
            "https://[::1]/dns-query",
        ),
    ],
)
def test_a_server(text: str, server: ServerAddress, shown: str) -> None:
    assert parse_server(text) == server
    assert str(server) == shown
    assert parse_server(shown) == server


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ":53", "host:", "host:0", "host:65536", "host:x", "host:٣", "h h", "-h", "a..b"),
        *("127.1", "1", "127.0.0.1.", "[127.0.0.1", "[::1]x", "[host]:53", "::1:::", "x" * 600),
        *("http://dns.example/", "quic://dns.example", "https://", "https://u@h/", "https://h/?a"),
        *("https://h/#a", "https://h:99999/", "tls://h#", "tls://h#a b", "tls://h#\x1b", "a\nb"),
    ],
)
def test_what_is_no_server(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^server '") as met:
        parse_server(text)
    assert str(met.value).isprintable()


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    """A server whose own form says the same again, or our error."""
    for scheme in ("", "tls://", "https://"):
        try:
            server = parse_server(scheme + text)
        except MalformedError:
            continue
        assert parse_server(str(server)) == server


@pytest.mark.parametrize(
    ("text", "trusted"),
    [
        ("127.0.0.53", True),
        ("127.0.0.11", False),
        ("tcp://127.0.0.11", False),
        ("0.0.0.0", False),
        ("[::1]:53", True),
        ("192.0.2.1", False),
        ("tcp://192.0.2.1", False),
        ("localhost", False),
        ("tls://192.0.2.1", True),
        ("https://192.0.2.1/", True),
    ],
)
def test_whose_ad_bit_counts(text: str, trusted: bool) -> None:
    """Only where nobody on the way can set it."""
    assert parse_server(text).keeps_secrets == trusted


def test_the_servers_of_the_system(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(
        "# nameserver 192.0.2.9\nsearch example\nnameserver 192.0.2.1\n nameserver\n"
        "nameserver nonsense\nnameserver fe80::1%eth0\nnameserver ::1\nnameserver 192.0.2.4\n"
    )
    found = [each.host for each in system_servers(file)]
    assert found == ["192.0.2.1", "fe80::1%eth0", "::1"]


def test_a_system_without_servers(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    with pytest.raises(ConfigError, match=r"resolv\.conf': No such file"):
        system_servers(file)
    file.write_bytes(b"\xff\0")
    with pytest.raises(ConfigError, match="names no DNS server"):
        system_servers(file)
