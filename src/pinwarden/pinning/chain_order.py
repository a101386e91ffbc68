"""Putting certificates into the order of a chain, leaf first, by the names in them."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.x509.certificate import CertificateView

__all__ = ["leaf_first"]


def leaf_first(certificates: Sequence[CertificateView]) -> list[int] | None:
    """The positions of certificates in the order of the one chain that they all form.

    None if they form none, or more than one, as a bundle of roots does: names alone do
    not decide between certificates of one subject.
    """
    by_subject = {each.subject: number for number, each in enumerate(certificates)}
    issuers = {each.issuer for each in certificates}
    leaves = [number for number, each in enumerate(certificates) if each.subject not in issuers]
    if len(leaves) != 1:
        return None
    order, at = list[int](), leaves[0]
    while at not in order:
        order.append(at)
        issuer = by_subject.get(certificates[at].issuer)
        if issuer is None:
            break
        at = issuer
    return order if len(order) == len(certificates) else None
