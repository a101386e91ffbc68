"""Real and odd certificates: no name that anybody else finds in them is missed.

Three readers that are not ours look for names: pyca/cryptography where it
accepts the certificate, OpenSSL where it is installed, and a search for the
bytes of a name that knows next to nothing about certificates.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from pinwarden.errors import MalformedError
from pinwarden.names import is_plain_name, readings
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.precert import tbs_hash
from x509.test_certificate import read_everything

PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
SAN_OID = b"\x06\x03\x55\x1d\x11"
CN_OID = b"\x06\x03\x55\x04\x03"
TWO_TIMES = re.compile(rb"\x30.(?:[\x17\x18].\d{8,}[^\x00-\x1f\x80-\xff]*?(?=[\x17\x18\x30])){2}")
STRING_TAGS = b"\x0c\x12\x13\x14\x16\x1a"


def json_lines(path: Path) -> list[dict[str, object]]:
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


def der_of(record: dict[str, object]) -> bytes:
    return base64.b64decode(str(record["der"]))


def pems(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("*.pem")):
        for block in PEM.findall(path.read_bytes()):
            yield base64.b64decode(block)


def by_cryptography(der: bytes) -> tuple[set[str], set[str]] | None:
    """DNS names and commonNames as pyca/cryptography reads them, if it does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            certificate = x509.load_der_x509_certificate(der)
            subject = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            common = {str(each.value) for each in subject}
            kind = x509.SubjectAlternativeName
            alternative = certificate.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return set(), common
        except (ValueError, TypeError, KeyError, x509.DuplicateExtension, x509.InvalidVersion):
            return None
        return set(alternative.get_values_for_type(x509.DNSName)), common


def by_openssl(ders: list[bytes]) -> dict[bytes, set[bytes]]:
    """For each certificate that OpenSSL accepts, the DNS names that it prints."""
    armoured = b"".join(
        b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % base64.encodebytes(der)
        for der in ders
    )
    printed = subprocess.run(
        ["openssl", "storeutl", "-text", "-certs", "/dev/stdin"],
        input=armoured,
        capture_output=True,
        check=False,
    ).stdout
    texts = PEM.split(printed)
    return {
        base64.b64decode(block): set(re.findall(rb"DNS:([^,\n]+)", _alternative_names(text)))
        for text, block in zip(texts[::2], texts[1::2], strict=False)
    }


def _alternative_names(text: bytes) -> bytes:
    return b"\n".join(re.findall(rb"X509v3 Subject Alternative Name:[^\n]*\n([^\n]*)", text))


def by_search(der: bytes) -> set[bytes]:
    """Plain names found by looking for their bytes after the bytes of an OID.

    Whatever follows the OID of subjectAltName within the length given next is
    searched for octets 0x82; commonNames are searched for after the two times.
    """
    found: set[bytes] = set()
    for at in _positions(der, SAN_OID):
        start = der.find(b"\x04", at + len(SAN_OID), at + len(SAN_OID) + 4)
        if start >= 0:
            region, _ = _content(der, start + 1)
            found.update(_strings(region, b"\x82"))
    times = TWO_TIMES.search(der)
    if times is not None:
        subject, _ = _content(der, times.end() + 1)
        for at in _positions(subject, CN_OID):
            value = subject[at + len(CN_OID) :]
            if value[:1] and value[0] in STRING_TAGS:
                found.add(_content(value, 1)[0])
    return {each for each in found if is_plain_name(each) and b"." in each}


def _positions(data: bytes, wanted: bytes) -> list[int]:
    return [match.start() for match in re.finditer(re.escape(wanted), data)]


def _content(data: bytes, at: int) -> tuple[bytes, int]:
    """What the length octets at a position measure off, as far as there is any."""
    length = data[at] if at < len(data) else 0
    at += 1
    if length > 0x80:
        length, at = int.from_bytes(data[at : at + length - 0x80], "big"), at + length - 0x80
    return data[at : at + length], at + length


def _strings(region: bytes, tag: bytes) -> Iterator[bytes]:
    for at in _positions(region, tag):
        yield _content(region, at + 1)[0]


@pytest.fixture(scope="module")
def rejects(corpus: Path) -> list[dict[str, object]]:
    return json_lines(corpus / "certs-odd" / "pyca_rejects.jsonl.gz")


def test_rejected_certificates_are_viewed(rejects: list[dict[str, object]]) -> None:
    """What cryptography rejects has a view, but for these that are no certificates or are cut."""
    reasons: Counter[str] = Counter()
    damaged: Counter[str] = Counter()
    for record in rejects:
        try:
            view = view_certificate(der_of(record))
        except MalformedError as error:
            reasons[re.sub(r"\d+", "N", str(error))] += 1
            continue
        damaged.update(re.sub(r"\d+", "N", str(each)) for each in view.identifiers().unreadable)
        tbs_hash(view.tbs)
    assert len(rejects) == 586
    assert reasons == {
        # OCSP responses, CMS messages, a bare TBSCertificate, a key.
        "certificate: element at offset N: is not a SEQUENCE": 30,
        # Certificate signing requests and a time stamp.
        "TBSCertificate: has N fields, fewer than six": 7,
        # Cut off in the packet capture.
        "certificate: element at offset N: runs past the end of what holds it": 2,
        "TBSCertificate: element at offset N: runs past the end of what holds it": 1,
        "certificate: element at offset N: has an indefinite length": 1,
    }
    assert damaged == {
        # The value is a bare name instead of a SEQUENCE of names.
        "subjectAltName: element at offset N: runs past the end of what holds it": 26,
        # A DNS name of five octets, most of them control characters.
        r"subjectAltName: holds a name that cannot be read: '\xNc\xN\xN\xN\t'": 1,
        # Revocation lists.
        "subject: is not a SEQUENCE": 2,
        "certificate: TBSCertificate: has an unknown field NxaN": 2,
    }


def test_no_name_in_a_rejected_certificate_is_missed(rejects: list[dict[str, object]]) -> None:
    """Every name that a search for bytes finds is in our view, or there is no view at all."""
    searched = 0
    for record in rejects:
        der = der_of(record)
        try:
            found = view_certificate(der).identifiers()
        except MalformedError:
            continue
        names = by_search(der)
        assert {each.decode().lower().rstrip(".") for each in names} <= set(found.dns)
        searched += len(names)
    assert searched > 700


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl program")
def test_openssl_finds_no_more(rejects: list[dict[str, object]], corpus: Path) -> None:
    """Every certificate and every DNS name that OpenSSL reads, we read."""
    ders = [der_of(record) for record in rejects]
    ders += pems(corpus / "certs-odd" / "google-ct-python")
    ders += pems(corpus / "certs-odd" / "zlint")
    refused, names = [], 0
    for der, printed in by_openssl(ders).items():
        try:
            found = view_certificate(der).identifiers()
        except MalformedError as error:
            refused.append(str(error))
            continue
        for each in printed:
            assert readings(each) <= set(found.dns)
        names += len(printed)
    assert refused == ["certificate: element at offset 4: has an indefinite length"]
    assert names > 1400


@pytest.mark.parametrize("source", ["certs-odd/google-ct-python", "certs-odd/zlint"])
def test_cryptography_finds_no_more_in_odd_certificates(corpus: Path, source: str) -> None:
    """Every name that cryptography reads in a collection of odd certificates, we read."""
    compared = 0
    for der in pems(corpus / source):
        view = read_everything(der)
        names = by_cryptography(der)
        if view is None or names is None:
            continue
        found = view.identifiers()
        for each in names[0] | {name for name in names[1] if "." in name or " " not in name}:
            assert readings(each) <= set(found.dns), each
        compared += 1
    assert compared > 20


def test_cryptography_finds_no_more_in_limbo(corpus: Path) -> None:
    """The same for the peer certificates of the x509-limbo suite."""
    path = corpus / "certs-odd" / "x509-limbo" / "limbo_generated.json.gz"
    with gzip.open(path, "rb") as file:
        cases = json.load(file)["testcases"]
    for case in cases:
        der = base64.b64decode(PEM.findall(case["peer_certificate"].encode())[0])
        view = read_everything(der)
        names = by_cryptography(der)
        if view is not None and names is not None:
            for each in names[0]:
                assert readings(each) <= set(view.identifiers().dns)
    assert len(cases) > 80


def test_real_leaves_read_as_cryptography_reads_them(corpus: Path) -> None:
    """In real certificates the fields and names are exactly those that cryptography reads."""
    records = json_lines(corpus / "certs-bulk" / "real_leaves.jsonl.gz")
    odd = []
    for record in records:
        der = der_of(record)
        view = view_certificate(der)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = x509.load_der_x509_certificate(der)
            assert view.serial == other.serial_number
            assert view.not_before == other.not_valid_before_utc
            assert view.not_after == other.not_valid_after_utc
            assert view.tbs == other.tbs_certificate_bytes
            assert view.issuer == other.issuer.public_bytes()
            assert view.subject == other.subject.public_bytes()
        assert view.is_precertificate is record["is_precert"]
        assert (view.sct_list is not None) is record["has_sct_list"]
        names = by_cryptography(der)
        assert names is not None
        expected = {each.lower() for each in names[0] | names[1] if "." in each or " " not in each}
        found = view.identifiers()
        assert found.unreadable == ()
        if set(found.dns) != expected:
            odd.append(sorted(set(found.dns) ^ expected))
    assert len(records) == 654
    # URLs and Chinese characters as commonName have more readings than one.
    assert odd == [
        ["http://www.valicert.com/", "www.valicert.com", "www.valicert.com/"],
        ["xn--49ty30l", "xn--baf7b0j8hpa", "黄恒"],
        ["http://www.valicert.com/", "www.valicert.com", "www.valicert.com/"],
        ["http://www.valicert.com/", "www.valicert.com", "www.valicert.com/"],
    ]


def test_real_names_as_text(corpus: Path) -> None:
    """Names of real issuers are shown as cryptography shows them, but for friendlier types."""
    same = 0
    for record in json_lines(corpus / "certs-bulk" / "real_leaves.jsonl.gz"):
        issuer = str(record["issuer"])
        if re.search(r"\d\.\d", issuer) is None:
            assert view_certificate(der_of(record)).issuer_text == issuer
            same += 1
    assert same > 500
