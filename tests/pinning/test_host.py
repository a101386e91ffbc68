"""Hosts: one spelling for each, and no name that clients understand differently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError, PinwardenError
from pinwarden.pinning.host import is_ip, normalise_host, suffixes
from pinwarden.pinning.pinset import PinSet
from support.pin_samples import hosts, policy


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("api.example.com", "api.example.com"),
        ("API.Example.COM.", "api.example.com"),
        ("localhost", "localhost"),
        ("_srv.my_host.example", "_srv.my_host.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("api。example．com", "api.example.com"),
        ("192.0.2.1", "192.0.2.1"),
        ("１９２.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_host_has_one_spelling(text: str, host: str) -> None:
    assert normalise_host(text) == host
    assert PinSet([policy(text)]).policy_for(host) is not None
    assert PinSet([policy(host)]).policy_for(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", " ", "..", ".example.com", "example..com", "example.com.."),
        *("*.example.com", "*", "a*.example.com", "**.example.com"),
        *("example.com:443", "https://example.com", "example.com/", "user@example.com"),
        *("a\0b.example", "a b.example", "example.com\x1b", "-a.example", "a-.example"),
        *("x" * 64 + ".example", "a." * 127 + "example", "é" * 2000, "xn--", "xn--\x80"),
        *("192.0.2.1.", "192.0.2.1:443", "[192.0.2.1]", "[2001:db8::1", "2001:db8::1]"),
        *("[2001:db8::1]:443", "fe80::1%eth0", "[fe80::1%25eth0]", "https://192.0.2.1/"),
        # Addresses in the forms of old, which resolvers take.
        *("127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.0x1"),
        # One host for Python's ssl module, another for browsers.
        *("straße.example", "faß.example", "βόλος.example", "نامه\u200cای.example"),
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        normalise_host(text)
    assert str(caught.value).isprintable()


@given(st.text(max_size=40) | hosts)
def test_any_text_is_a_host_or_our_error(text: str) -> None:
    try:
        host = normalise_host(text)
    except PinwardenError:
        return
    assert normalise_host(host) == host
    assert normalise_host(host.upper()) == host
    assert host.isascii()
    assert is_ip(host) or normalise_host(f"{host}.") == host


@given(hosts)
def test_above_a_host_are_the_ends_of_its_name(host: str) -> None:
    above = list(suffixes(host))
    if is_ip(host):
        assert above == [host]
    else:
        labels = host.split(".")
        assert above == [".".join(labels[number:]) for number in range(len(labels))]
