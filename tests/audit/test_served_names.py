"""The names that clients find in a certificate, and which host they cover."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.audit.served_names import ServedNames, covers, served_names, shown_names
from pinwarden.lab import asn1
from pinwarden.lab.ca import CA, new_key
from pinwarden.x509.certificate import view_certificate, view_tbs

_CA = CA("Names")
_KEY = new_key()


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("www.example.com", "www.example.com"),
        ("a.example.com", "*.example.com"),
        ("example.com", None),
        ("a.b.example.com", None),
        ("xexample.com", None),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.2", None),
        ("2001:db8::1", "2001:db8::1"),
        ("host.test", None),
        ("1.0.2.192", None),
    ],
)
def test_a_name_covers_itself_and_a_wildcard_one_label(host: str, covered: str | None) -> None:
    """RFC 9525 section 6.3; what looks like an address is compared as one."""
    names = ServedNames(
        dns=("www.example.com", "*.example.com", "*.test", "192.0.2.2", "f*.example.net"),
        ips=(ip_address("192.0.2.1"), ip_address("2001:db8::1")),
    )
    assert covers(names, host) == covered


def test_names_are_those_of_subject_alt_name_alone() -> None:
    """The common name does not count; case and a final dot do not matter."""
    issued = _CA.issue(["WWW.example.com.", "*.example.com"], cn="other.example", ips=["192.0.2.1"])
    names = served_names(view_certificate(issued.certificate))
    assert names.dns == ("www.example.com", "*.example.com")
    assert list(map(str, names.ips)) == ["192.0.2.1"]
    assert names.unreadable == ()


def test_a_certificate_without_names_covers_nothing() -> None:
    """There is nothing to fall back to."""
    names = served_names(view_certificate(_CA.root))
    assert names == ServedNames()
    assert covers(names, "example.com") is None
    assert shown_names(names) == "no name at all"


def test_many_names_are_shown_as_a_few() -> None:
    """A message is one line, and nothing in it is invisible."""
    names = ServedNames(dns=("a\u202eb", "b", "c", "d", "e"))
    assert shown_names(names) == "a\\u202eb, b, c and 2 more"


def test_two_extensions_of_names_are_unreadable() -> None:
    """RFC 5280 section 4.2 forbids that, and clients would choose."""
    tbs = _CA.tbs(["www.example.com"], _KEY)
    extensions = asn1.extensions_of(tbs)
    doubled = asn1.with_extensions(tbs, [*extensions, *extensions])
    names = served_names(view_tbs(doubled))
    assert names.dns == ()
    assert names.unreadable


@given(st.binary(max_size=200))
def test_whatever_stands_there_nothing_is_raised(value: bytes) -> None:
    """Hostile octets give names or say that they cannot be read."""
    san = asn1.extension("2.5.29.17", value)
    view = view_tbs(asn1.with_extensions(_CA.tbs(["a.example"], _KEY), [san]))
    names = served_names(view)
    assert all(each.isascii() for each in names.dns)
    assert all(each.isprintable() for each in names.unreadable)
