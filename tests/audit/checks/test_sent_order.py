"""Whether what a server sends is the chain in order, and nothing besides."""

from __future__ import annotations

from pinwarden.audit.checks.sent_order import untidiness
from pinwarden.lab.ca import CA
from support.pin_chains import crossed

_CA, _OTHER = CA("Order"), CA("Other")
_ISSUED = _CA.issue(["www.example.com"])
_LEAF, _MIDDLE, _ROOT = _ISSUED.certificate_chain
_VERIFIED = (_LEAF, _MIDDLE, _ROOT)


def test_a_chain_without_its_root_is_tidy() -> None:
    """That is what RFC 8446 section 4.4.2 wants."""
    assert untidiness((_LEAF, _MIDDLE), _VERIFIED) == ""


def test_a_leaf_alone_under_a_root_is_tidy() -> None:
    """Where there is no intermediate none can be sent."""
    assert untidiness((_LEAF,), (_LEAF, _ROOT)) == ""


def test_the_root_is_needless() -> None:
    """Clients have it already, or would not believe it."""
    assert "Order Root" in untidiness(_VERIFIED, _VERIFIED)


def test_twice_is_once_too_often() -> None:
    """The same octets again."""
    assert "twice" in untidiness((_LEAF, _MIDDLE, _MIDDLE), _VERIFIED)
    assert "twice" in untidiness((_LEAF, _LEAF, _MIDDLE), _VERIFIED)


def test_what_leads_nowhere_is_needless() -> None:
    """A certificate of another chain."""
    assert "Other E1" in untidiness((_LEAF, _MIDDLE, _OTHER.intermediate), _VERIFIED)


def test_another_way_to_a_root_is_needed_by_somebody() -> None:
    """A root that an older one signed is for clients that know only that."""
    assert untidiness((_LEAF, _MIDDLE, crossed(_CA, _OTHER)), _VERIFIED) == ""


def test_the_wrong_order_is_told() -> None:
    """TLS 1.2 clients need not sort."""
    cross = crossed(_CA, _OTHER)
    assert "order" in untidiness((_LEAF, cross, _MIDDLE), _VERIFIED)


def test_what_is_no_certificate_is_told() -> None:
    """OpenSSL would not send it, and others might."""
    assert "no certificate" in untidiness((_LEAF, b"\x30\x00"), _VERIFIED)


def test_nothing_sent_is_nothing_untidy() -> None:
    """Where the library does not tell what was sent."""
    assert untidiness((), _VERIFIED) == ""
