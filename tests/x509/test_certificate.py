"""Every field of a view is a value or our error, and one bad field never costs another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError, PinwardenError
from pinwarden.x509 import extensions
from pinwarden.x509.certificate import CertificateView, view_certificate, view_tbs
from x509.der_writer import (
    FALSE,
    POISON,
    SCT_LIST,
    TRUE,
    Certificate,
    attribute,
    extension,
    indefinite,
    name,
    oid,
    san,
    seq,
    tlv,
)

KEY_USAGE, BASIC, UNKNOWN = "2.5.29.15", "2.5.29.19", "1.3.6.1.4.1.99999.1"
ORDINARY = Certificate(
    serial=b"\x02\x03\x01\x02\x03",
    subject=name(attribute("www.example.com")),
    extensions=(
        extension(KEY_USAGE, b"\x03\x02\x07\x80", TRUE),
        extension(BASIC, seq(), FALSE),
        san("www.example.com", "example.com", "*.example.net"),
        extension(UNKNOWN, b"anything"),
    ),
)
ACCESSORS: tuple[Callable[[CertificateView], object], ...] = (
    lambda view: view.serial,
    lambda view: view.issuer,
    lambda view: view.subject,
    lambda view: view.issuer_text,
    lambda view: view.subject_text,
    lambda view: view.not_before,
    lambda view: view.not_after,
    lambda view: view.spki,
    lambda view: view.spki_hash,
    lambda view: view.key_description,
    lambda view: view.fingerprint,
    lambda view: view.extensions,
    lambda view: view.extension_problems,
    lambda view: view.is_ca,
    lambda view: view.sct_list,
    lambda view: view.is_precertificate,
)


def read_everything(der: bytes) -> CertificateView | None:
    """Reads all there is; only our errors may leave, and none from `identifiers`."""
    try:
        view = view_certificate(der)
    except PinwardenError:
        return None
    for accessor in ACCESSORS:
        try:
            accessor(view)
        except PinwardenError:
            continue
    view.identifiers()
    return view


def test_reads_an_ordinary_certificate() -> None:
    """All fields of an ordinary certificate are there."""
    der = ORDINARY.der()
    view = view_certificate(der)
    assert view.der == der
    assert view.tbs == ORDINARY.tbs()
    assert view.serial == 0x010203
    assert view.issuer == ORDINARY.issuer
    assert view.subject == ORDINARY.subject
    assert view.issuer_text == "CN=Example Issuing CA"
    assert view.subject_text == "CN=www.example.com"
    assert view.not_before == datetime(2025, 1, 1, tzinfo=UTC)
    assert view.not_after == datetime(2025, 4, 1, tzinfo=UTC)
    assert view.spki == ORDINARY.key
    assert view.spki_hash == hashlib.sha256(ORDINARY.key).digest()
    assert view.fingerprint == hashlib.sha256(der).digest()
    assert view.key_description == "ECDSA P-256"
    assert [e.oid for e in view.extensions] == [KEY_USAGE, BASIC, "2.5.29.17", UNKNOWN]
    assert [e.critical for e in view.extensions] == [True, False, False, False]
    assert view.extensions[3].value == b"anything"
    assert tuple(view.tbs[e.start : e.end] for e in view.extensions) == ORDINARY.extensions
    assert view.extension_problems == ()
    assert not view.is_ca
    assert view.sct_list is None
    assert not view.is_precertificate
    assert view.identifiers().dns == ("*.example.net", "example.com", "www.example.com")
    assert view.identifiers().unreadable == ()


def test_a_bare_tbs_has_no_fingerprint() -> None:
    """A bare TBSCertificate reads like the certificate, but is none."""
    view = view_tbs(ORDINARY.tbs())
    assert view.der is None
    assert view.fingerprint is None
    assert view.identifiers() == view_certificate(ORDINARY.der()).identifiers()


def test_trailing_bytes_are_left_out() -> None:
    """Bytes after a certificate do not change its identity."""
    der = ORDINARY.der()
    view = view_certificate(der + b"trailing")
    assert view.der == der
    assert view.fingerprint == hashlib.sha256(der).digest()


@pytest.mark.parametrize("cut", [0, 1, 2, 4, 6, 20, 100, -1])
def test_a_cut_certificate_is_refused(cut: int) -> None:
    """A certificate cut anywhere is an error about the certificate."""
    with pytest.raises(MalformedError, match=r"^(certificate|TBSCertificate): "):
        view_certificate(ORDINARY.der()[:cut])


def test_indefinite_lengths_are_refused() -> None:
    """Indefinite lengths around the fields make the whole unreadable, never half read."""
    fields = ORDINARY.tbs()[4:]
    for der in (
        seq(indefinite(0x30, fields), seq(), tlv(0x03, b"\0")),
        indefinite(0x30, ORDINARY.tbs(), seq(), tlv(0x03, b"\0")),
    ):
        with pytest.raises(MalformedError, match="indefinite"):
            view_certificate(der)


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        ({"serial": tlv(0x04, b"\1")}, {"serial"}),
        ({"serial": tlv(0x02)}, {"serial"}),
        ({"serial": tlv(0x02, b"\1" * 300)}, {"serial"}),
        ({"issuer": seq(b"\x31\x05")}, {"issuer_text"}),
        ({"issuer": tlv(0x05)}, {"issuer_text"}),
        ({"validity": seq(tlv(0x17, b"garbage"), tlv(0x17, b"250401000000Z"))}, {"not_before"}),
        ({"validity": seq(tlv(0x17, b"250101000000Z"))}, {"not_after"}),
        ({"subject": seq(b"\x31\x05")}, {"subject_text"}),
        ({"key": seq(b"\x30\x05")}, {"key_description"}),
        ({"key": seq(seq(), tlv(0x03))}, {"key_description"}),
        ({"extensions": (seq(b"\x06\x7f"),)}, {"is_ca", "sct_list", "is_precertificate"}),
        ({"extensions": (extension(BASIC, b"\x30\x03"),)}, {"is_ca"}),
        ({"extensions": (extension(SCT_LIST, b"\x00\x00"),)}, {"sct_list"}),
    ],
)
def test_a_bad_field_costs_only_itself(changed: dict[str, bytes], lost: set[str]) -> None:
    """A damaged field raises; every other field still reads."""
    view = view_certificate(ORDINARY.but(**changed).der())
    for attribute_name in (
        *("serial", "issuer_text", "subject_text", "not_before", "not_after", "spki_hash"),
        *("key_description", "extensions", "is_ca", "sct_list", "is_precertificate"),
    ):
        if attribute_name in lost:
            with pytest.raises(MalformedError):
                getattr(view, attribute_name)
        else:
            getattr(view, attribute_name)


def test_a_negative_serial_is_read() -> None:
    """A negative serial number, which RFC 5280 forbids, is what it is."""
    assert view_certificate(ORDINARY.but(serial=b"\x02\x01\xff").der()).serial == -1


def test_an_explicit_default_hides_nothing() -> None:
    """An encoded DEFAULT FALSE, in an extension and in basicConstraints, reads as FALSE."""
    explicit = (extension(BASIC, seq(FALSE), FALSE), san("example.com"))
    view = view_certificate(ORDINARY.but(version=b"", extensions=explicit).der())
    assert not view.is_ca
    assert view.identifiers().dns == ("example.com", "www.example.com")


@pytest.mark.parametrize(
    ("value", "is_ca"),
    [(seq(), False), (seq(FALSE), False), (seq(TRUE), True), (seq(b"\x01\x01\x01"), True)],
)
def test_basic_constraints(value: bytes, is_ca: bool) -> None:
    """Any nonzero BOOLEAN makes a CA; its absence does not."""
    certificate = ORDINARY.but(extensions=(extension(BASIC, value),))
    assert view_certificate(certificate.der()).is_ca is is_ca


def test_version_one_without_extensions() -> None:
    """A certificate of 1988 has no version, no extensions and is no CA."""
    view = view_certificate(ORDINARY.but(version=b"", extensions=()).der())
    assert view.extensions == ()
    assert not view.is_ca
    assert view.identifiers().dns == ("www.example.com",)


def test_ct_extensions() -> None:
    """Poison is seen whatever its value, and the SCT list is the inner OCTET STRING."""
    poisoned = ORDINARY.but(extensions=(extension(POISON, b"wrong", TRUE),))
    assert view_certificate(poisoned.der()).is_precertificate
    with_scts = ORDINARY.but(extensions=(extension(SCT_LIST, tlv(0x04, b"\x00\x02ab")),))
    view = view_certificate(with_scts.der())
    assert view.sct_list == b"\x00\x02ab"
    assert not view.is_precertificate


def test_duplicate_extensions_are_no_answer() -> None:
    """Two extensions of one type are both listed, but asking for the one is an error."""
    twice = ORDINARY.but(extensions=(extension(BASIC, seq()), extension(BASIC, seq(TRUE))))
    view = view_certificate(twice.der())
    assert len(view.extensions) == 2
    with pytest.raises(MalformedError, match="occurs 2 times"):
        view.extension(BASIC)
    poisons = ORDINARY.but(extensions=(extension(POISON, b""), extension(POISON, b"\x05\x00")))
    assert view_certificate(poisons.der()).is_precertificate


def test_what_cannot_be_read_is_not_absent() -> None:
    """An unreadable extension could be any, so that asking for an absent one raises."""
    view = view_certificate(ORDINARY.but(extensions=(san("example.com"), seq(tlv(0x05)))).der())
    assert len(view.extensions) == 1
    assert view.extension("2.5.29.17") is not None
    with pytest.raises(MalformedError):
        view.extension(POISON)
    known = ORDINARY.but(extensions=(seq(oid(UNKNOWN), tlv(0x05)), san("example.com")))
    view = view_certificate(known.der())
    assert view.extension(POISON) is None
    with pytest.raises(MalformedError):
        view.extension(UNKNOWN)


def test_floods_are_refused() -> None:
    """Thousands of fields or extensions end the reading, and the names count as unreadable."""
    with pytest.raises(MalformedError, match="more than 32 fields"):
        view_certificate(ORDINARY.but(tail=tlv(0x81) * 40).der())
    flood = (b"\x30\x00",) * (extensions.EXTENSION_LIMIT + 10)
    view = view_certificate(ORDINARY.but(extensions=flood).der())
    assert len(view.extension_problems) == extensions.EXTENSION_LIMIT + 2
    assert 0 < len(view.identifiers().unreadable) <= 16


def test_flipped_bytes_never_escape() -> None:
    """No byte of a certificate, however changed, makes anything but our errors."""
    der = ORDINARY.der()
    for position in range(len(der)):
        for mask in (0x01, 0x20, 0x80, 0xFF):
            flipped = bytearray(der)
            flipped[position] ^= mask
            read_everything(bytes(flipped))


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_whatever_another_parser_still_reads_we_read() -> None:
    """A damaged certificate shows us every DNS name that pyca/cryptography finds in it."""
    strict = (extension(BASIC, seq()), san("www.example.com", "*.example.net"))
    der = ORDINARY.but(extensions=strict).der()
    compared = 0
    for position in range(len(der)):
        for mask in (0x01, 0x20, 0x80):
            flipped = bytearray(der)
            flipped[position] ^= mask
            names = _names_by_cryptography(bytes(flipped))
            if names:
                found = view_certificate(bytes(flipped)).identifiers()
                assert {each.lower() for each in names} <= set(found.dns)
                compared += 1
    assert compared > 400


def _names_by_cryptography(der: bytes) -> list[str]:
    try:
        parsed = x509.load_der_x509_certificate(der).extensions
        san = parsed.get_extension_for_class(x509.SubjectAlternativeName).value
        names = san.get_values_for_type(x509.DNSName)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion):
        return []
    except UnsupportedAlgorithm:
        return []
    return names if all(set(n) <= set("abcdefghijklmnopqrstuvwxyz.*-") for n in names) else []


@given(st.binary(max_size=400))
def test_any_bytes_are_a_view_or_our_error(data: bytes) -> None:
    """Any bytes, bare or where a field should be, give a value or our error."""
    read_everything(data)
    read_everything(seq(seq(data)))
    read_everything(ORDINARY.but(subject=seq(data)).der())
    read_everything(ORDINARY.but(extensions=(data,)).der())
    read_everything(ORDINARY.but(extensions=(extension("2.5.29.17", data),)).der())
    read_everything(ORDINARY.but(validity=data, key=data, serial=data).der())


@given(st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), max_size=8))
def test_any_splice_is_a_view_or_our_error(splices: list[tuple[int, bytes]]) -> None:
    """Bytes replaced, put in or taken out anywhere give values or our errors."""
    der = bytearray(ORDINARY.der())
    for position, replacement in splices:
        at = position % len(der)
        der[at : at + position % 3] = replacement
    read_everything(bytes(der))
