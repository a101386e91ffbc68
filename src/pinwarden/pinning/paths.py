"""The chains that verifying clients may build from one and the same answer of a server.

Which certificates are in the verified chain depends on the client's trust store and on
its rules. OpenSSL ends at a self-signed anchor, but with X509_V_FLAG_PARTIAL_CHAIN, which
Python sets from 3.13 on, at the first certificate that is in the store, so that a pinned
root above it is never seen. And a cross-signed CA gives one path for each root above it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pinwarden.errors import MalformedError
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = ["ChainPath", "possible_paths"]

_DEEPEST, _MOST_PATHS, _MOST_STEPS = 10, 64, 2000


@dataclass(frozen=True, slots=True)
class ChainPath:
    """One chain in DER from the leaf to an anchor.

    `partial` says that only clients that take partial chains end there: the anchor is not
    self-signed.
    """

    chain: tuple[bytes, ...]
    partial: bool


def possible_paths(sent: Sequence[bytes], anchors: Iterable[bytes]) -> tuple[ChainPath, ...]:
    """Every chain from the leaf, the first certificate sent, to any of the anchors.

    A client may trust some of the anchors only, so each path is possible for some client.
    At most 64 paths of at most ten certificates; certificates that cannot be read lead
    nowhere. Validity in time and purposes are not looked at.
    """
    if not sent:
        return ()
    trusted = frozenset(anchors)
    store = _by_subject((*sent[1:], *trusted))
    found: dict[tuple[bytes, ...], bool] = {}
    # A hostile server could otherwise send certificates that all vouch for each other.
    for step, (chain, ends) in enumerate(_walk((sent[0],), store, trusted)):
        if ends:
            found[chain] = not _self_issued(chain[-1])
        if len(found) >= _MOST_PATHS or step >= _MOST_STEPS:
            break
    return tuple(ChainPath(chain, partial) for chain, partial in found.items())


def _walk(
    chain: tuple[bytes, ...], store: Mapping[bytes, Sequence[bytes]], trusted: frozenset[bytes]
) -> Iterator[tuple[tuple[bytes, ...], bool]]:
    """Chains that grow from this one, and whether each may end where it ends."""
    yield chain, chain[-1] in trusted
    view = _view(chain[-1])
    if view is None or len(chain) >= _DEEPEST or _self_issued(chain[-1]):
        return
    for issuer in store.get(view.issuer, ()):
        if issuer not in chain and _issued(chain[-1], issuer):
            yield from _walk((*chain, issuer), store, trusted)


def _by_subject(certificates: Iterable[bytes]) -> Mapping[bytes, list[bytes]]:
    found: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for certificate in dict.fromkeys(certificates):
        view = _view(certificate)
        if view is not None:
            found[view.subject].append(certificate)
    return found


@lru_cache(maxsize=1024)
def _view(certificate: bytes) -> CertificateView | None:
    try:
        return view_certificate(certificate)
    except MalformedError:
        return None


def _self_issued(certificate: bytes) -> bool:
    view = _view(certificate)
    return view is not None and view.is_self_issued


@lru_cache(maxsize=1024)
def _issued(certificate: bytes, issuer: bytes) -> bool:
    """Whether the issuer's key signed the certificate.

    Where the library does not know the algorithm, the names, which agree, decide.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        below, above = x509.load_der_x509_certificate(certificate), issuer
        below.verify_directly_issued_by(x509.load_der_x509_certificate(above))
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, TypeError):
        return True
    except ValueError:
        return False
    return True
