"""Which addresses are public: an audit on behalf of others goes to no other."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.net.address_classes import why_not_public

INNER = {
    "0.0.0.0": "without an address",
    "0.1.2.3": "without an address",
    "10.0.0.1": "private network",
    "100.64.0.1": "provider's inner network",
    "100.100.100.200": "metadata service",
    "100.127.255.255": "provider's inner network",
    "127.0.0.1": "this machine itself",
    "127.255.0.1": "this machine itself",
    "168.63.129.16": "platform service",
    "169.254.0.1": "local link",
    "169.254.169.254": "metadata service",
    "172.16.0.1": "private network",
    "172.31.255.255": "private network",
    "192.0.0.192": "metadata service",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4",
    "192.168.1.1": "private network",
    "198.18.0.1": "measurements",
    "198.19.255.255": "measurements",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "without an address",
    "::1": "this machine itself",
    "::2": "without an address",
    "::8.8.8.8": "reserved",
    "::ffff:127.0.0.1": "this machine itself, as 127.0.0.1 inside IPv6",
    "::ffff:169.254.169.254": "metadata service",
    "::ffff:0:10.0.0.1": "private network",
    "64:ff9b::10.0.0.1": "private network",
    "64:ff9b:1::1": "local translation",
    "100::1": "discarded",
    "2001::1": "Teredo",
    "2001:2::1": "measurements",
    "2001:20::1": "reserved for protocols",
    "2001:db8::1": "documentation",
    "2002:a00:1::1": "private network, as 10.0.0.1 inside IPv6",
    "2a00:1450::5efe:10.0.0.1": "private network",
    "2a00:1450::200:5efe:192.168.0.1": "private network",
    "3fff::1": "documentation",
    "4000::1": "reserved",
    "4000::5efe:8.8.8.8": "reserved",
    "5f00::1": "segment routing",
    "fc00::1": "private network",
    "fd00:ec2::254": "private network",
    "fe80::1": "local link",
    "fe80::1%lo": "link of this machine",
    "2a00:1450::1%lo": "link of this machine",
    "fec0::1": "site's inner network",
    "ff02::1": "multicast",
    "localhost": "no IP address",
    "127.1": "no IP address",
    "0x7f000001": "no IP address",
    "2130706433": "no IP address",
    "": "no IP address",
}
PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
    *("192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255"),
    *("2001:4860:4860::8888", "2001:200::1", "2606:4700::1111", "2a00:1450:4001::200e"),
    *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2a00:1450::5efe:8.8.8.8"),
)


@pytest.mark.parametrize(("address", "words"), INNER.items(), ids=INNER)
def test_what_is_not_public(address: str, words: str) -> None:
    """Each class has its name, however the address is wrapped up in another."""
    why = why_not_public(address)
    assert why is not None
    assert why.startswith("it is ")
    assert words in why


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address: str) -> None:
    """Nothing public is refused, up to the edges of what is not."""
    assert why_not_public(address) is None


@given(st.integers(0, 2**32 - 1))
def test_never_more_than_the_standard_library(number: int) -> None:
    """What Python's tables, older or newer, call private is not public here."""
    address = IPv4Address(number)
    if address.is_private or address.is_multicast or address.is_reserved:
        assert why_not_public(str(address)) is not None


@given(st.integers(0, 2**128 - 1) | st.integers(0x2000 << 112, (0x4000 << 112) - 1))
def test_never_more_than_the_standard_library_for_ipv6(number: int) -> None:
    """The same of IPv6, of which only an eighth is given to anybody."""
    address = IPv6Address(number)
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert why_not_public(str(address)) is not None


@given(st.integers(0, 2**32 - 1))
def test_an_address_inside_another(number: int) -> None:
    """Mapped, translated or tunnelled, it is public at most if it is public itself."""
    inner = IPv4Address(number)
    for outer in (f"::ffff:{inner}", f"64:ff9b::{inner}", f"2a00:1450::5efe:{inner}"):
        assert (why_not_public(outer) is None) is (why_not_public(str(inner)) is None)
    tunnel = ip_address((0x2002 << 112) | (number << 80) | 1)
    assert (why_not_public(str(tunnel)) is None) is (why_not_public(str(inner)) is None)
