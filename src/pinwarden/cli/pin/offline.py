"""Whether a chain in a file verifies, without asking its server."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pinwarden.cli.pin.anchors import trust_anchors
from pinwarden.errors import ConfigError, VerificationError, quoted

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["verify_offline"]


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
    """Those that clients have, as far as the library reads them."""
    from cryptography import x509

    found = []
    with warnings.catch_warnings():
        # Some roots of old have serial numbers that are not allowed any more.
        warnings.simplefilter("ignore")
        for der in trust_anchors(cafile):
            with contextlib.suppress(ValueError):
                found.append(x509.load_der_x509_certificate(der))
    return found
