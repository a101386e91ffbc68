"""Keys and certificates of sorts that cryptography does not write, made by OpenSSL's program."""

from __future__ import annotations

import base64
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl program")

PSS = "-pkeyopt rsa_keygen_bits:2048"
SAID = "-pkeyopt rsa_pss_keygen_md:sha256 -pkeyopt rsa_pss_keygen_mgf1_md:sha256"
# How each sort is made; the result is a private key in PEM.
_RECIPES = {
    "rsa": "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
    "rsa-pss": f"genpkey -algorithm RSA-PSS {PSS}",
    "rsa-pss-said": f"genpkey -algorithm RSA-PSS {PSS} {SAID} -pkeyopt rsa_pss_keygen_saltlen:32",
    "p-256": "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
    "p-384": "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384",
    "explicit": "ecparam -name prime256v1 -genkey -noout -param_enc explicit",
    "compressed": "ecparam -name prime256v1 -genkey -noout -conv_form compressed",
    "ed25519": "genpkey -algorithm ED25519",
    "ed448": "genpkey -algorithm ED448",
}
SORTS = tuple(_RECIPES)
# Sorts of which a certificate may hold other bytes than its private key tells.
NOT_FORETOLD = ("explicit", "compressed")


def openssl(arguments: str, given: bytes = b"") -> bytes:
    """What the program prints; raises if it fails."""
    assert OPENSSL is not None
    ran = subprocess.run(
        [OPENSSL, *arguments.split()], input=given, capture_output=True, check=True, timeout=60
    )
    return ran.stdout


@cache
def private_key(sort: str) -> bytes:
    """A private key in PEM, the same one for the same sort."""
    made = openssl(_RECIPES[sort])
    if sort == "compressed":
        made = openssl("ec -conv_form compressed", made)
    return made


@cache
def certificate(sort: str) -> bytes:
    """A self-signed certificate in PEM for the key of a sort."""
    return _with_key(sort, "req -x509 -new -subj /CN=www.example.com -days 9 -config /dev/null")


@cache
def request(sort: str) -> bytes:
    """A certification request in PEM for the key of a sort."""
    return _with_key(sort, "req -new -subj /CN=www.example.com -config /dev/null")


def _with_key(sort: str, arguments: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "key.pem"
        path.write_bytes(private_key(sort))
        return openssl(f"{arguments} -key {path}")


def pin_of_certificate(pem: bytes) -> str:
    """The pin in base64, by the well-known pipe of commands."""
    return _pin(spki_of_certificate(pem))


def spki_of_certificate(pem: bytes) -> bytes:
    """The key as the program writes it, which for odd keys is not as it stands there."""
    return openssl("pkey -pubin -outform DER", openssl("x509 -noout -pubkey", pem))


def pin_of_request(pem: bytes) -> str:
    return _pin(openssl("pkey -pubin -outform DER", openssl("req -noout -pubkey", pem)))


def pin_of_private_key(pem: bytes) -> str:
    return _pin(openssl("pkey -pubout -outform DER", pem))


def _pin(spki: bytes) -> str:
    return base64.b64encode(openssl("dgst -sha256 -binary", spki)).decode()
