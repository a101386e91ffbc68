"""From what the addresses of a host served to the chains that it shows, each once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from pinwarden.audit.facts import Presentation
from pinwarden.audit.transparency import CTJudge
from pinwarden.ct.issuer import issuer_among
from pinwarden.ct.ocsp import evaluate_ocsp
from pinwarden.errors import MalformedError
from pinwarden.net.served import ServedAddress
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = ["presentations", "readable"]

_LARGEST_REMEMBERED = 8192


def presentations(
    addresses: Iterable[ServedAddress], judge: CTJudge, at: datetime
) -> tuple[Presentation, ...]:
    """The chains that the addresses show, those that verify first, else as they were met."""
    groups: dict[object, list[ServedAddress]] = {}
    for each in addresses:
        if each.verified or each.anchored or each.sent:
            key = (_best(each), each.sent, each.failure, each.verify_code)
            groups.setdefault(key, []).append(each)
    ordered = sorted(groups.values(), key=lambda group: not group[0].verified)
    return tuple(_presentation(group, judge, at) for group in ordered)


def readable(certificate: bytes) -> CertificateView | None:
    """A view of a certificate, None for what is none."""
    if len(certificate) > _LARGEST_REMEMBERED:
        return _read(certificate)
    return _read_remembered(certificate)


def _read(certificate: bytes) -> CertificateView | None:
    try:
        return view_certificate(certificate)
    except MalformedError:
        return None


# Many hosts have the same certificates above their own.
_read_remembered = lru_cache(maxsize=512)(_read)


def _best(served: ServedAddress) -> tuple[bytes, ...]:
    return served.verified or served.anchored or served.sent


def _presentation(addresses: Sequence[ServedAddress], judge: CTJudge, at: datetime) -> Presentation:
    first = addresses[0]
    chain = _best(first)
    handed = next((each.handed for each in addresses if _is_told(each)), first.handed)
    sct_list, ocsp = (b"", b"") if handed is None else (handed.sct_list, handed.ocsp)
    leaf = readable(chain[0])
    trusted = bool(first.verified or first.anchored)
    issuer = _issuer(leaf, chain, first.sent, trusted)
    staple = evaluate_ocsp(ocsp, leaf, issuer, at) if ocsp and leaf is not None else None
    return Presentation(
        addresses=tuple(addresses),
        certificates=chain,
        trusted=trusted,
        leaf=leaf,
        issuer=issuer,
        staple=staple,
        handed_problem=handed.problem if handed is not None else "it was not asked for",
        ct=judge.judge(
            leaf,
            issuer,
            trusted=trusted,
            sct_list=sct_list,
            ocsp=ocsp,
            staple_problem="" if staple is None else staple.problem,
            at=at,
        ),
    )


def _is_told(served: ServedAddress) -> bool:
    return served.handed is not None and not served.handed.problem


def _issuer(
    leaf: CertificateView | None, chain: Sequence[bytes], sent: Sequence[bytes], trusted: bool
) -> CertificateView | None:
    if leaf is None:
        return None
    if trusted and len(chain) > 1:
        # The TLS library verified the signature.
        return readable(chain[1])
    views = map(readable, dict.fromkeys((*chain[1:], *sent[1:])))
    return issuer_among(leaf, (each for each in views if each is not None))
