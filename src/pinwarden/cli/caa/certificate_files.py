"""The certificates in a file that a person names."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from pathlib import Path

from pinwarden.cli.files import read_file
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = ["read_certificates"]

# Every certificate that a large site has; a file of another kind is refused early.
_LARGEST_FILE = 64 << 20
_PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END ")
_BEGIN = b"-----BEGIN "


def read_certificates(path: Path) -> tuple[CertificateView, ...]:
    """Every certificate in a PEM or DER file, or on the standard input for `-`.

    Raises `ConfigError` where the file cannot be read, has none, or one is damaged.
    """
    data = read_file(path, _LARGEST_FILE)
    try:
        ders = [b64decode(b"".join(body.split()), validate=True) for body in _PEM.findall(data)]
        # A PEM file has its own reason to have none: a key, a request, a cut certificate.
        if not ders and _BEGIN in data:
            raise MalformedError("no PEM block in it is a whole certificate")
        return tuple(map(view_certificate, ders or [data]))
    except (binascii.Error, MalformedError) as error:
        raise ConfigError(
            f"file {quoted(str(path))}: is not a certificate: {error}", hint="a file in PEM or DER"
        ) from error
