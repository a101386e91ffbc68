"""Which pins a trust store hides: a chain ends at the first certificate that is trusted.

OpenSSL with X509_V_FLAG_PARTIAL_CHAIN, the default of Python since 3.13, ends a chain
at an intermediate that stands in the trust store itself (RFC 5280 section 6.1 allows any
trust anchor). A pin of the root above it then never matches, though it did before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pinwarden.errors import MalformedError, quoted
from pinwarden.names import display
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinPolicy, PinRole
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = ["HiddenPin", "hidden_pins"]


@dataclass(frozen=True, slots=True)
class HiddenPin:
    """A pinned authority that chains through `below` do not reach.

    `above` and `below` are the subjects of the pinned certificate and of the one that it
    issued and that is trusted by itself, both safe to show.
    """

    policy: PinPolicy
    pin: Pin
    above: str
    below: str

    def __str__(self) -> str:
        return (
            f"policy {quoted(self.policy.host)}: chains through {self.below} end there, since the "
            f"trust store holds it, and never reach {self.above}, which is pinned ({self.pin})"
        )


@dataclass(frozen=True, slots=True)
class _Anchor:
    pin: Pin
    subject: bytes
    issuer: bytes
    text: str


def hidden_pins(pins: PinSet, anchors: Iterable[bytes]) -> list[HiddenPin]:
    """The CA and backup pins that partial chains hide, given the trust anchors in DER.

    A policy that pins the trusted intermediate as well loses nothing, and is left out.
    Anchors that cannot be read hide nothing that could be told.
    """
    policies = [(each, each.pins(PinRole.CA, PinRole.BACKUP)) for each in pins.policies]
    if not any(wanted for _, wanted in policies):
        return []
    read = [each for each in map(_read, anchors) if each is not None]
    by_issuer: dict[bytes, list[_Anchor]] = {}
    for each in read:
        if each.issuer != each.subject:
            by_issuer.setdefault(each.issuer, []).append(each)
    return [
        HiddenPin(policy, above.pin, above.text, below.text)
        for above in read
        for below in by_issuer.get(above.subject, ())
        for policy, wanted in policies
        if above.pin in wanted and below.pin not in wanted
    ]


def _read(anchor: bytes) -> _Anchor | None:
    try:
        view = view_certificate(anchor)
        return _Anchor(pin_of_certificate(anchor), view.subject, view.issuer, _shown(view))
    except MalformedError:
        return None


def _shown(view: CertificateView) -> str:
    try:
        return display(view.subject_text)
    except MalformedError:
        return "a certificate whose subject cannot be read"
