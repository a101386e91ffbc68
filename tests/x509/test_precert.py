"""One hash for precertificate, log entry and certificate, and not a byte re-encoded."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import MalformedError, PinwardenError, VerificationError
from pinwarden.x509.certificate import view_certificate, view_tbs
from pinwarden.x509.precert import (
    logged_tbs,
    matches_precertificate,
    tbs_hash,
    with_issuer,
)
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
    san,
    seq,
    tlv,
)

PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
AKI = "2.5.29.35"
SCTS = extension(SCT_LIST, tlv(0x04, b"\x00\x04abcd"))
POISONED = extension(POISON, b"\x05\x00", TRUE)
NAMES = san("example.com", "www.example.com")
PLAIN = Certificate(extensions=(NAMES,))


def pem(path: Path) -> bytes:
    return base64.b64decode(PEM.findall(path.read_text())[0])


def tile_entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each logged TBSCertificate and precertificate in a data tile of precertificates."""
    at = 0

    def vector(size: int) -> bytes:
        nonlocal at
        length = int.from_bytes(data[at : at + size], "big")
        at += size + length
        return data[at - length : at]

    while at < len(data):
        (kind,) = struct.unpack_from(">8xH", data, at)
        assert kind == 1
        at += 42
        tbs, _extensions, precertificate, _chain = vector(3), vector(2), vector(3), vector(2)
        yield tbs, precertificate


def test_real_log_entries(corpus: Path) -> None:
    """For real entries the spliced TBSCertificate is the logged one, and the names are theirs."""
    log = corpus / "ct-logs" / "sunlight-navigli2025h2" / "tile"
    entries = 0
    for tile in ("000", "001"):
        names = [json.loads(line) for line in (log / "names" / tile).read_text().splitlines()]
        found = list(tile_entries((log / "data" / tile).read_bytes()))
        assert len(found) == len(names)
        for (tbs, precertificate), wanted in zip(found, names, strict=True):
            view = view_certificate(precertificate)
            assert view.is_precertificate
            assert logged_tbs(view.tbs) == tbs
            assert logged_tbs(tbs) == tbs
            assert tbs_hash(view.tbs) == hashlib.sha256(tbs).digest()
            matches_precertificate(precertificate, tbs)
            common_name = wanted.get("Subject", {}).get("CommonName")
            expected = {*wanted.get("DNS", ()), *filter(None, [common_name])}
            assert set(view.identifiers().dns) == expected
            assert view_tbs(tbs).identifiers() == view.identifiers()
            entries += 1
    assert entries == 512


@pytest.mark.parametrize("kind", ["", "-with-intermediate"])
def test_pairs_have_one_hash(corpus: Path, kind: str) -> None:
    """A precertificate and its certificate with SCTs have the same hash."""
    folder = corpus / "sct-testdata" / "google-ct"
    certificate = pem(folder / f"test-embedded{kind}-cert.pem")
    precertificate = pem(folder / f"test-embedded{kind}-pre-cert.pem")
    logged = logged_tbs(view_certificate(certificate).tbs)
    assert logged_tbs(view_certificate(precertificate).tbs) == logged
    matches_precertificate(precertificate, logged)
    with pytest.raises(VerificationError, match="no poison"):
        matches_precertificate(certificate, logged)


def test_pairs_of_the_go_suite(corpus: Path) -> None:
    """A precertificate and two certificates that differ only in their SCTs have one hash."""
    file = corpus / "ct-logs" / "rfc6962-json" / "ct_go_sct_test_pairs.json"
    kinds = ("TestEmbeddedCertPEM", "TestPreCertPEM", "TestInvalidEmbeddedCertPEM")
    texts = [json.loads(file.read_text())[kind] for kind in kinds]
    views = [view_certificate(base64.b64decode(PEM.findall(text)[0])) for text in texts]
    assert len({tbs_hash(view.tbs) for view in views}) == 1
    assert len({view.fingerprint for view in views}) == 3


@pytest.mark.parametrize(
    ("kind", "signer"),
    [("-with-preca", "ca-pre-cert"), ("-with-intermediate-preca", "intermediate-pre-cert")],
)
def test_precertificate_signing_certificates(corpus: Path, kind: str, signer: str) -> None:
    """With the signer's issuer and key identifier, the precertificate is the certificate."""
    folder = corpus / "sct-testdata" / "google-ct"
    certificate = view_certificate(pem(folder / f"test-embedded{kind}-cert.pem"))
    precertificate = pem(folder / f"test-embedded{kind}-pre-cert.pem")
    tbs = view_certificate(precertificate).tbs
    signing = view_certificate(pem(folder / f"{signer}.pem"))
    own = signing.extension(AKI)
    assert tbs_hash(tbs) != tbs_hash(certificate.tbs)
    final = with_issuer(logged_tbs(tbs), signing.issuer, own.value if own else None)
    assert final == logged_tbs(certificate.tbs)
    assert tbs_hash(with_issuer(tbs, signing.issuer, own.value if own else None)) == tbs_hash(final)
    matches_precertificate(precertificate, final)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_agrees_with_cryptography_about_scts(corpus: Path) -> None:
    """Without its SCT list a certificate is what cryptography takes the SCTs to sign."""
    folder = corpus / "sct-testdata" / "google-ct"
    ders = [pem(path) for path in sorted(folder.glob("*embedded*-cert.pem"))]
    with gzip.open(corpus / "certs-bulk" / "real_leaves.jsonl.gz", "rt") as lines:
        ders += [base64.b64decode(json.loads(line)["der"]) for line in lines]
    compared = 0
    for der in ders:
        view = view_certificate(der)
        if view.sct_list is not None:
            other = x509.load_der_x509_certificate(der)
            assert logged_tbs(view.tbs) == other.tbs_precertificate_bytes
            compared += 1
    assert compared > 200


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("removed", [(SCTS,), (POISONED,), (SCTS, POISONED), (POISONED, POISONED)])
def test_removes_exactly_the_ct_extensions(at: int, removed: tuple[bytes, ...]) -> None:
    """Poison and SCT list go wherever they stand, and every other byte stays."""
    others = (NAMES, extension("2.5.29.19", seq(FALSE), FALSE))
    certificate = PLAIN.but(extensions=(*others[:at], *removed, *others[at:]))
    assert logged_tbs(certificate.tbs()) == PLAIN.but(extensions=others).tbs()


@pytest.mark.parametrize("size", [1, 100, 118, 200, 60_000, 70_000])
def test_lengths_are_written_anew(size: int) -> None:
    """Lengths around the removed extension are the shortest, whatever size remains."""
    other = extension("1.2.3", bytes(size))
    certificate = PLAIN.but(extensions=(other, SCTS))
    assert logged_tbs(certificate.tbs()) == PLAIN.but(extensions=(other,)).tbs()


def test_the_field_goes_with_the_last_extension() -> None:
    """If nothing remains there is no field of extensions."""
    assert logged_tbs(PLAIN.but(extensions=(POISONED,)).tbs()) == PLAIN.but(extensions=()).tbs()


def test_nothing_to_remove_changes_nothing() -> None:
    """Without CT extensions the bytes stay, odd lengths included."""
    for tbs in (
        PLAIN.tbs(),
        PLAIN.but(extensions=()).tbs(),
        tlv(0x30, PLAIN.tbs()[2:] if PLAIN.tbs()[1] < 0x80 else PLAIN.tbs()[3:], padding=2),
        PLAIN.but(extensions=(), tail=tlv(0xA3, seq(), padding=1)).tbs(),
    ):
        assert logged_tbs(tbs) == tbs


def test_odd_encodings_elsewhere_stay() -> None:
    """Lengths that are not minimal survive in every field and extension but the three around."""
    odd_subject = tlv(0x30, tlv(0x31, attribute("example.com"), padding=1), padding=2)
    odd_names = tlv(0x30, NAMES[2:], padding=1)
    odd = PLAIN.but(subject=odd_subject, extensions=(odd_names,))
    assert logged_tbs(odd.but(extensions=(POISONED, odd_names)).tbs()) == odd.tbs()


@pytest.mark.parametrize(
    "tbs",
    [
        b"",
        PLAIN.tbs()[:-1],
        PLAIN.tbs() + b"\0",
        seq(PLAIN.version, PLAIN.serial),
        PLAIN.but(tail=tlv(0xA3, seq(POISONED))).tbs(),
        PLAIN.but(extensions=(), tail=tlv(0xA3, seq(POISONED), seq())).tbs(),
        PLAIN.but(extensions=(), tail=tlv(0xA3, POISONED[2:])).tbs(),
        PLAIN.but(extensions=(), tail=tlv(0xA3, indefinite(0x30, POISONED))).tbs(),
        PLAIN.but(extensions=(POISONED, b"\x30\x7f")).tbs(),
        PLAIN.but(extensions=(b"\x30\x00",) * 5000).tbs(),
        PLAIN.but(tail=tlv(0x81) * 50).tbs(),
    ],
)
def test_what_does_not_fall_apart_has_no_hash(tbs: bytes) -> None:
    """A TBSCertificate that cannot be taken apart completely is an error."""
    with pytest.raises(MalformedError):
        tbs_hash(tbs)


def test_with_issuer_replaces_removes_and_appends() -> None:
    """The key identifier is replaced where it stands, removed, or appended, as logs do."""
    issuer = name(attribute("Final CA"))
    old, new = extension(AKI, b"old", FALSE), extension(AKI, b"new", FALSE)
    tbs = PLAIN.but(extensions=(old, NAMES)).tbs()
    assert with_issuer(tbs, issuer, b"new") == (
        PLAIN.but(issuer=issuer, extensions=(new, NAMES)).tbs()
    )
    assert with_issuer(tbs, issuer, None) == PLAIN.but(issuer=issuer).tbs()
    assert with_issuer(PLAIN.tbs(), issuer, b"new") == (
        PLAIN.but(issuer=issuer, extensions=(NAMES, extension(AKI, b"new"))).tbs()
    )
    bare = PLAIN.but(extensions=())
    assert with_issuer(bare.tbs(), issuer, None) == bare.but(issuer=issuer).tbs()
    twice = PLAIN.but(extensions=(old, old)).tbs()
    with pytest.raises(MalformedError, match="occurs 2 times"):
        with_issuer(twice, issuer, b"new")
    broken = PLAIN.but(extensions=(seq(old[2:7]),)).tbs()
    with pytest.raises(MalformedError, match="has no value"):
        with_issuer(broken, issuer, b"new")


@pytest.mark.parametrize(
    ("logged", "what"),
    [
        (PLAIN.but(version=b""), "version"),
        (PLAIN.but(serial=b"\x02\x01\x06"), "serial number"),
        (PLAIN.but(algorithm=seq()), "signature algorithm"),
        (PLAIN.but(validity=seq()), "validity"),
        (PLAIN.but(subject=name(attribute("other.example"))), "subject"),
        (PLAIN.but(key=seq()), "key"),
        (PLAIN.but(extensions=(san("other.example"),)), "extension 2.5.29.17"),
        (PLAIN.but(extensions=(NAMES, SCTS)), "number of extensions"),
        (PLAIN.but(extensions=()), "number of extensions"),
        (PLAIN.but(extensions=(NAMES,), tail=tlv(0x81, b"\0")), "encoding"),
    ],
)
def test_says_what_differs(logged: Certificate, what: str) -> None:
    """A logged TBSCertificate that the precertificate did not announce is refused."""
    precertificate = PLAIN.but(extensions=(POISONED, NAMES)).der()
    matches_precertificate(precertificate, PLAIN.tbs())
    with pytest.raises(VerificationError, match=f"precertificate: {what} differs"):
        matches_precertificate(precertificate, logged.tbs())


def test_another_issuer_may_be_the_final_one() -> None:
    """Issuer and key identifier may differ, since a signing certificate may stand between."""
    precertificate = PLAIN.but(extensions=(POISONED, extension(AKI, b"pre"), NAMES)).der()
    final = PLAIN.but(issuer=name(attribute("Final CA")))
    matches_precertificate(precertificate, final.but(extensions=(NAMES,)).tbs())
    final = final.but(extensions=(extension(AKI, b"final"), NAMES))
    matches_precertificate(precertificate, final.tbs())


@given(st.binary(max_size=300))
def test_any_bytes_are_spliced_or_our_error(data: bytes) -> None:
    """Any bytes give a TBSCertificate that is its own logged form, or our error."""
    for tbs in (data, PLAIN.but(extensions=(POISONED, data)).tbs(), PLAIN.but(tail=data).tbs()):
        try:
            logged = logged_tbs(tbs)
        except PinwardenError:
            continue
        assert logged_tbs(logged) == logged
        for extra in (None, data):
            with_issuer(tbs, data, extra)


def test_every_flipped_byte_is_noticed() -> None:
    """No byte of a logged TBSCertificate can differ, but for issuer and key identifier."""
    precertificate = PLAIN.but(extensions=(POISONED, NAMES)).der()
    logged = PLAIN.tbs()
    start = logged.index(PLAIN.issuer)
    issuer = range(start, start + len(PLAIN.issuer))
    for position in range(len(logged)):
        for mask in (1, 0x20, 0x80):
            flipped = bytearray(logged)
            flipped[position] ^= mask
            if position in issuer:
                continue
            with pytest.raises(PinwardenError):
                matches_precertificate(precertificate, bytes(flipped))
