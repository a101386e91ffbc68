"""Whether a server sends its certificates in order, and none that clients do not need."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pinwarden.audit.presentation import readable
from pinwarden.errors import MalformedError
from pinwarden.names import display
from pinwarden.x509.certificate import CertificateView

__all__ = ["untidiness"]


def untidiness(sent: Sequence[bytes], verified: Sequence[bytes]) -> str:
    """What is untidy, in words; empty for a list as RFC 8446 section 4.4.2 wants it.

    The leaf comes first, and each certificate signs the one before it. The root, which
    clients must have already, and what leads nowhere cost every handshake some octets.
    A certificate that offers another way to a root is needed by some clients.
    """
    if len(set(sent)) < len(sent):
        return "a certificate is sent twice"
    views = [readable(each) for each in sent]
    read = [each for each in views if each is not None]
    if len(read) < len(views):
        return "something is sent that is no certificate"
    if len(sent) > 1 and read[-1].is_self_issued and sent[-1] in verified[1:]:
        return f"the root {_shown(read[-1])} is sent, which clients have or do not trust"
    needed = _reached(read)
    stray = [each for number, each in enumerate(read) if number not in needed]
    if stray:
        return f"the certificate of {_shown(stray[0])} is sent, and leads nowhere"
    subjects = {each.issuer for each in read[:1]}
    for below, each in pairwise(read):
        if each.subject not in subjects:
            return "the certificates are sent out of order"
        subjects |= {below.issuer, each.issuer}
    return ""


def _reached(views: Sequence[CertificateView]) -> set[int]:
    """Those that the names lead to from the leaf."""
    reached, names = {0}, {views[0].issuer} if views else set()
    for _ in views:
        new = {
            number
            for number, each in enumerate(views)
            if number not in reached and each.subject in names
        }
        if not new:
            break
        reached |= new
        names |= {views[number].issuer for number in new}
    return reached


def _shown(view: CertificateView) -> str:
    try:
        return display(view.subject_text, 100)
    except MalformedError:
        return "an unreadable name"
