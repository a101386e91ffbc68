"""Whether a chain in a file verifies, without asking its server."""

from __future__ import annotations

import re
import ssl
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from pinwarden.cli.caa.files import read_file
from pinwarden.errors import ConfigError, VerificationError, quoted

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["verify_offline"]

_LARGEST_STORE = 16 << 20
_MOST_ANCHORS = 4096
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")


def verify_offline(
    chain: Sequence[bytes], host: str, *, cafile: str | None, at: datetime
) -> tuple[bytes, ...]:
    """The chain from the leaf to a trust anchor, as it verifies for a host at a time.

    `chain` is in DER with the leaf first; only what stands in it, and the trust anchors in
    `cafile` or else the system's, is used. The rules are those of the `cryptography`
    library, which are in places stricter than those of OpenSSL. Raises
    `VerificationError` with its words if there is no such chain, and `ConfigError` for
    trust anchors that cannot be read.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import verification

    anchors = _anchors(cafile)
    if not anchors:
        raise ConfigError("no trust anchors are known here", hint="--cafile FILE")
    subject = _subject(host)
    try:
        as_given = {x509.load_der_x509_certificate(each): each for each in chain}
        leaf, *others = as_given
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store(anchors))
            .time(at)
            .build_server_verifier(subject)
        )
        found = verifier.verify(leaf, others)
    except (ValueError, verification.VerificationError) as error:
        words = quoted(" ".join(str(error).split()), 300)[1:-1]
        if "candidates exhausted" in words:
            words = f"there is no chain that verifies, up to a trust anchor known here ({words})"
        raise VerificationError(words) from None
    return tuple(as_given.get(each) or each.public_bytes(Encoding.DER) for each in found)


def _subject(host: str) -> x509.DNSName | x509.IPAddress:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _anchors(cafile: str | None) -> list[x509.Certificate]:
    """Those of a file, of which each must be readable; or the system's, as far as they are."""
    from cryptography import x509

    found: dict[bytes, x509.Certificate] = {}
    for block in _blocks(cafile):
        if block in found or len(found) >= _MOST_ANCHORS:
            continue
        try:
            with warnings.catch_warnings():
                # Some roots of old have serial numbers that are not allowed any more.
                warnings.simplefilter("ignore")
                found[block] = x509.load_pem_x509_certificate(block)
        except ValueError:
            if cafile is not None:
                raise ConfigError(
                    f"trust anchors {quoted(cafile)}: a certificate cannot be read"
                ) from None
    return list(found.values())


def _blocks(cafile: str | None) -> Iterator[bytes]:
    if cafile is not None:
        blocks = _PEM.findall(read_file(Path(cafile), _LARGEST_STORE))
        if not blocks:
            raise ConfigError(f"trust anchors {quoted(cafile)}: holds no certificate in PEM")
        yield from blocks
        return
    paths = ssl.get_default_verify_paths()
    files = [Path(paths.cafile)] if paths.cafile else []
    # A folder of links by hash is there for the same certificates once more.
    if not files and paths.capath:
        files = sorted(Path(paths.capath).glob("*.[0-9]"))[:_MOST_ANCHORS]
    for file in files:
        try:
            yield from _PEM.findall(read_file(file, _LARGEST_STORE))
        except ConfigError:
            continue
