"""Which keys stand above a certificate, where its history tells no more than who issued it.

History rarely has whole chains: Cert Spotter tells the hash of the issuing key, a folder
often holds leaves alone. With certificates of the CAs the rest of a chain follows, up to a
root; cross-signed ones give several.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.issuances import PastIssuance
from pinwarden.pinning.paths import possible_paths
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import CertificateView, view_certificate
from pinwarden.x509.signature import verify_issued

__all__ = ["KeysAbove", "KnownKeys"]

_MOST_ISSUERS = 64


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """What is known of the keys in the chains of one certificate, as SHA-256 of each.

    `leaf` and `issuer` are None where the source does not tell. `chains` are the keys above
    the leaf in each chain that clients may build, complete up to a root; without any of
    them, `above` are those that are known to stand above the leaf, and there may be others.
    """

    leaf: bytes | None
    issuer: bytes | None
    above: frozenset[bytes]
    chains: tuple[tuple[bytes, ...], ...]


class KeysAbove:
    """Certificates of CAs, asked for the keys that stand above an issuance.

    What is no certificate of a CA, or cannot be read, is left out.
    """

    def __init__(self, certificates: Iterable[bytes] = ()) -> None:
        self._all: list[bytes] = []
        self._roots: list[bytes] = []
        self._by_key: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self._by_subject: defaultdict[bytes, list[CertificateView]] = defaultdict(list)
        self._chains: dict[bytes, tuple[tuple[bytes, ...], ...]] = {}
        for each in dict.fromkeys(certificates):
            self._take(each)

    def _take(self, certificate: bytes) -> None:
        try:
            view = view_certificate(certificate)
            key = pin_of_certificate(certificate).spki_sha256
            # Some roots of old are of version 1, which cannot say that it is a CA.
            if not (view.is_ca or (view.is_self_issued and not view.extensions)):
                return
            subject = view.subject
        except MalformedError:
            return
        self._all.append(certificate)
        self._by_key[key].append(certificate)
        self._by_subject[subject].append(view)
        if view.is_self_issued:
            self._roots.append(certificate)

    def known(self, issuance: PastIssuance) -> KnownKeys:
        """The keys of an issuance: those that its source tells, and those that follow."""
        leaf = issuance.spki_sha256
        if leaf is None and issuance.der is not None:
            leaf = _key_of(issuance.der)
        issuer = issuance.issuer_spki_sha256
        if issuer is None and issuance.der is not None:
            issuer = self._issuer_of(issuance.der)
        chains = () if issuer is None else self._chains_of(issuer)
        told = (*issuance.chain_spki_sha256, *(() if issuer is None else (issuer,)))
        return KnownKeys(leaf, issuer, frozenset(told), chains)

    def _issuer_of(self, certificate: bytes) -> bytes | None:
        """The key that signed a certificate, if it is a known CA's."""
        try:
            view = view_certificate(certificate)
            candidates = self._by_subject.get(view.issuer, ())
        except MalformedError:
            return None
        for each in candidates[:_MOST_ISSUERS]:
            try:
                verify_issued(view, each)
            except (BadSignatureError, MalformedError):
                continue
            return bytes(each.spki_hash)
        return None

    def _chains_of(self, issuer: bytes) -> tuple[tuple[bytes, ...], ...]:
        """The keys of each chain from an issuing key to a root, the issuing one first."""
        if issuer not in self._chains:
            found: dict[tuple[bytes, ...], None] = {}
            for each in self._by_key.get(issuer, ())[:_MOST_ISSUERS]:
                for path in possible_paths((each, *self._all), self._roots):
                    found[tuple(pin_of_certificate(der).spki_sha256 for der in path.chain)] = None
            self._chains[issuer] = tuple(found)
        return self._chains[issuer]


def _key_of(certificate: bytes) -> bytes | None:
    try:
        return pin_of_certificate(certificate).spki_sha256
    except MalformedError:
        return None
