"""Files of keys and certificates: every pin is the one that OpenSSL's pipe of commands gives."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
)
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import ConfigError, MalformedError, PinwardenError
from pinwarden.pinning.material import (
    LARGEST_FILE,
    CertificateRole,
    KeyKind,
    is_in_order,
    read_material,
)
from pinwarden.pinning.pem import pem_blocks, pem_text
from pinwarden.pinning.spki import pin_of_certificate
from support import openssl_keys as made
from support.pin_samples import certificate, key, named

CHAIN = [
    certificate("www", "int", ca=False),
    certificate("int", "root", ca=True),
    certificate("root", ca=True),
]
SPKI = key("www").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PIN = pin_of_certificate(CHAIN[0])


def pem(*certificates: bytes) -> bytes:
    return "".join(pem_text("CERTIFICATE", each) for each in certificates).encode()


def der(text: bytes) -> bytes:
    return pem_blocks(text)[0].data


def written(form: PrivateFormat, encoding: Encoding = Encoding.PEM, secret: bytes = b"") -> bytes:
    lock = BestAvailableEncryption(secret) if secret else NoEncryption()
    return key("www").private_bytes(encoding, form, lock)


@made.needs_openssl
@pytest.mark.parametrize("sort", made.SORTS)
@pytest.mark.parametrize("armoured", [True, False])
def test_certificates_and_requests_have_openssls_pin(sort: str, armoured: bool) -> None:
    """Of every sort of key, those that cryptography would encode anew included."""
    for text, theirs in (
        (made.certificate(sort), made.pin_of_certificate),
        (made.request(sort), made.pin_of_request),
    ):
        (found,) = read_material(text if armoured else der(text))
        assert found.pin.base64 == theirs(text)
        assert found.subject == "CN=www.example.com"
        assert found.key_description


@made.needs_openssl
@pytest.mark.parametrize("sort", made.SORTS)
def test_private_keys_have_openssls_pin_or_none(sort: str) -> None:
    """In PKCS#8, PKCS#8 in DER, encrypted in both ways, and as OpenSSL wrote them of old."""
    plain = made.openssl("pkcs8 -topk8 -nocrypt", made.private_key(sort))
    sealed = made.openssl("pkcs8 -topk8 -passout pass:secret", plain)
    scrypt = made.openssl("pkcs8 -topk8 -scrypt -passout pass:secret", plain)
    old = made.openssl(
        "pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA1 -passout pass:secret", plain
    )
    forms = [made.private_key(sort), plain, der(plain), sealed, der(sealed), scrypt, old]
    if sort in ("rsa", "p-256"):
        forms.append(made.openssl("pkey -traditional", plain))
        forms.append(der(forms[-1]))
    for text in forms:
        if sort in made.NOT_FORETOLD:
            with pytest.raises(MalformedError) as caught:
                read_material(text, lambda _: b"secret")
            assert caught.value.hint == "use the certificate or the certification request"
        else:
            (found,) = read_material(text, lambda _: b"secret")
            assert found.kind is KeyKind.PRIVATE_KEY
            assert found.pin.base64 == made.pin_of_private_key(plain)


@made.needs_openssl
def test_public_keys_have_openssls_pin() -> None:
    for sort in made.SORTS:
        text = made.openssl("pkey -pubout", made.private_key(sort))
        for each in (text, der(text)):
            (found,) = read_material(each)
            assert found.pin.base64 == made.pin_of_private_key(made.private_key(sort))
    text = made.openssl("rsa -RSAPublicKey_out", made.private_key("rsa"))
    for each in (text, der(text)):
        (found,) = read_material(each)
        assert found.pin.base64 == made.pin_of_private_key(made.private_key("rsa"))


def test_one_key_has_one_pin_in_everything_it_stands_in() -> None:
    signed = x509.CertificateSigningRequestBuilder(named("www")).sign(key("www"), hashes.SHA256())
    files = {
        KeyKind.CERTIFICATE: [pem(CHAIN[0]), CHAIN[0]],
        KeyKind.REQUEST: [signed.public_bytes(each) for each in (Encoding.PEM, Encoding.DER)],
        KeyKind.PUBLIC_KEY: [pem_text("PUBLIC KEY", SPKI).encode(), SPKI],
        KeyKind.PRIVATE_KEY: [
            *(written(PrivateFormat.PKCS8, each) for each in (Encoding.PEM, Encoding.DER)),
            written(PrivateFormat.TraditionalOpenSSL),
            written(PrivateFormat.TraditionalOpenSSL, Encoding.DER),
            written(PrivateFormat.PKCS8, secret=b"secret"),
            written(PrivateFormat.PKCS8, Encoding.DER, secret=b"secret"),
        ],
    }
    for kind, texts in files.items():
        for text in texts:
            (found,) = read_material(text, lambda _: b"secret")
            assert (found.kind, found.pin, found.spki, found.position) == (kind, PIN, SPKI, 0)
            assert (found.certificate is not None) is (kind is KeyKind.CERTIFICATE)
            assert found.key_description == "ECDSA P-256"


def test_a_private_key_is_not_kept() -> None:
    (found,) = read_material(written(PrivateFormat.PKCS8))
    assert found.der == found.spki == SPKI


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1)])
def test_a_chain_comes_leaf_first(order: tuple[int, ...]) -> None:
    found = read_material(pem(*(CHAIN[number] for number in order)))
    assert [each.der for each in found] == CHAIN
    assert [each.position for each in found] == [order.index(number) for number in range(3)]
    assert is_in_order(found) is (order == (0, 1, 2))
    assert [each.role for each in found] == ["leaf", "intermediate", "root"]


def test_what_is_no_chain_keeps_its_order() -> None:
    bundles = [
        (CHAIN[2], certificate("other", ca=True), CHAIN[1]),
        # Two certificates of one subject: names do not decide.
        (CHAIN[2], certificate("int", "other", ca=True), CHAIN[1], CHAIN[0]),
        (CHAIN[2], CHAIN[0]),
        (CHAIN[1], CHAIN[1]),
    ]
    for bundle in bundles:
        found = read_material(pem(*bundle))
        assert tuple(each.der for each in found) == bundle
        assert is_in_order(found)


def test_a_key_beside_a_chain_stays_where_it_is() -> None:
    text = pem(CHAIN[1]) + written(PrivateFormat.PKCS8) + pem(CHAIN[0])
    found = read_material(text)
    assert [each.kind for each in found] == ["certificate", "private-key", "certificate"]
    assert [each.position for each in found] == [2, 1, 0]
    assert found[0].pin == found[1].pin == PIN


def test_chains_in_pkcs7() -> None:
    loaded = [x509.load_der_x509_certificate(each) for each in CHAIN]
    for encoding in (Encoding.PEM, Encoding.DER):
        found = read_material(pkcs7.serialize_certificates(loaded, encoding))
        assert [each.der for each in found] == CHAIN


def test_roles_are_what_a_certificate_says_of_itself() -> None:
    said = {
        certificate("own", ca=False): CertificateRole.LEAF,
        certificate("own", ca=True): CertificateRole.ROOT,
        certificate("int", "root", ca=True): CertificateRole.INTERMEDIATE,
        certificate("int", "root"): CertificateRole.LEAF,
        # Cannot say that it is a CA.
        certificate("ancient"): CertificateRole.ROOT,
    }
    for each, role in said.items():
        (found,) = read_material(each)
        assert found.role is role


def test_text_around_blocks_is_not_read() -> None:
    text = b"\xef\xbb\xbfBag Attributes\r\n  a: b\r\n" + pem(CHAIN[0]).replace(b"\n", b"\r\n")
    text += b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    (found,) = read_material(text)
    assert found.pin == PIN


BLOCK = pem(CHAIN[0]).decode()
OF_OLD = (
    b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n"
    b"\nAAAA\n-----END RSA PRIVATE KEY-----\n"
)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "file: is empty"),
        (b" \n", "file: is empty"),
        (b"hello", "file: is neither PEM nor DER"),
        (PIN.curl.encode(), "file: is neither PEM nor DER"),
        (b"0" * (LARGEST_FILE + 1), "file: is larger than 4 MiB"),
        (BLOCK.encode() * 1001, "holds more than 1000 PEM blocks"),
        (b"-----BEGIN \x1b[2J-----\n", "block 1: '\\x1b[2J' is no PEM label"),
        (BLOCK[:100].encode(), "block 1 (CERTIFICATE): does not end"),
        ((BLOCK[:100] + "\n" + BLOCK).encode(), "block 1 (CERTIFICATE): does not end before"),
        (BLOCK.replace("END C", "END X").encode(), "block 1 (CERTIFICATE): ends as 'XERTIFICATE'"),
        (BLOCK.replace("\nM", "\n*").encode(), "block 1 (CERTIFICATE): is not base64"),
        (BLOCK.replace("CERT", "TRUSTED CERT").encode(), "is nothing that can be pinned"),
        (BLOCK.replace("CERTIFICATE", "PUBLIC KEY").encode(), "public key: "),
        (BLOCK.replace("CERTIFICATE", "PKCS7").encode(), "PKCS#7: is not a ContentInfo"),
        (pem_text("CERTIFICATE", SPKI).encode(), "block 1 (CERTIFICATE): certificate: "),
        (pem_text("CERTIFICATE", CHAIN[0] + b"\0").encode(), "holds more than it should"),
        (pem_text("PRIVATE KEY", SPKI).encode(), "block 1 (PRIVATE KEY): private key: "),
        (pem_text("X509 CRL", b"").encode(), "holds no certificate, key or request"),
        (CHAIN[0] + b"\0", "file: is neither PEM nor DER"),
        (bytes.fromhex("30030101ff"), "file: is DER of a kind that cannot be pinned"),
        (bytes.fromhex("300702010330003000"), "file: is PKCS#12"),
        (
            OF_OLD,
            "block 1 (RSA PRIVATE KEY): is encrypted in the way of old",
        ),
    ],
    # The keys are new each time, and every worker must have the same names.
    ids=lambda value: "data" if isinstance(value, bytes) else None,
)
def test_what_cannot_be_pinned_says_why(data: bytes, told: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read_material(data)
    assert told in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_sealed_key_wants_its_passphrase() -> None:
    text = written(PrivateFormat.PKCS8, secret=b"secret")
    asked: list[str] = []

    def wrong(who: str) -> bytes:
        asked.append(who)
        return b"guess"

    with pytest.raises(ConfigError, match="is not opened by this passphrase"):
        read_material(text, wrong)
    assert asked == ["block 1 (ENCRYPTED PRIVATE KEY)"]
    for passphrase in (None, lambda _: None):
        with pytest.raises(ConfigError, match="there is no passphrase for it"):
            read_material(text, passphrase)


@made.needs_openssl
def test_a_pkcs12_file_says_how_to_take_it_apart(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(made.private_key("p-256") + made.certificate("p-256"))
    try:
        data = made.openssl(f"pkcs12 -export -passout pass:x -in {tmp_path / 'key.pem'}")
    except subprocess.CalledProcessError:
        pytest.skip("this openssl program writes no PKCS#12")
    with pytest.raises(MalformedError) as caught:
        read_material(data)
    assert "openssl pkcs12" in str(caught.value.hint)


SEEDS = [
    CHAIN[0],
    pem(*CHAIN),
    SPKI,
    written(PrivateFormat.PKCS8, Encoding.DER),
    written(PrivateFormat.TraditionalOpenSSL),
    pkcs7.serialize_certificates(
        [x509.load_der_x509_certificate(each) for each in CHAIN], Encoding.DER
    ),
]


@given(st.sampled_from(SEEDS), st.integers(0, 2000), st.binary(max_size=3), st.integers(0, 3))
def test_any_damage_is_read_or_our_error(seed: bytes, at: int, new: bytes, gone: int) -> None:
    data = seed[:at] + new + seed[at + gone :]
    try:
        found = read_material(data)
    except PinwardenError as error:
        shown = str(error)
    else:
        shown = "".join(f"{each.kind} {each.pin} {each.subject} {each.role}" for each in found)
    assert shown.isprintable()
