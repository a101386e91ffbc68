"""Files that a person names: read to a limit, and the certificates in one."""

from __future__ import annotations

import binascii
import re
import sys
from base64 import b64decode
from pathlib import Path
from typing import BinaryIO

from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.x509.certificate import CertificateView, view_certificate

# Every certificate that a large site has; a file of another kind is refused early.
_LARGEST_FILE = 64 << 20
_PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END ")
_BEGIN = b"-----BEGIN "


def read_file(path: Path, limit: int) -> bytes:
    """All of a file of at most `limit` octets, or of the standard input for `-`.

    Raises `ConfigError` for a file that cannot be read, or that is larger.
    """
    if str(path) == "-":
        return _read(sys.stdin.buffer, "standard input", limit)
    try:
        with path.open("rb") as file:
            return _read(file, f"file {quoted(str(path))}", limit)
    except OSError as error:
        raise ConfigError(f"file {quoted(str(path))}: {error.strerror}") from error


def _read(file: BinaryIO, name: str, limit: int) -> bytes:
    data = file.read(limit + 1)
    if len(data) > limit:
        size = f"{limit >> 20} MiB" if limit >> 20 else f"{limit >> 10} KiB"
        raise ConfigError(f"{name}: is larger than {size}")
    return data


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
