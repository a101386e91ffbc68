"""Keys as they are told to a person or a program: those of chains, and those in files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pinwarden.errors import MalformedError
from pinwarden.pinning.material import CertificateRole, KeyKind, KeyMaterial, role_of
from pinwarden.pinning.moments import to_moment
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = ["FORMS", "ShownKey", "key_json", "keys_of_chain", "keys_of_material"]

FORMS = ("curl", "okhttp", "hpkp", "base64", "hex")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """One key, in the certificate or file that it stands in.

    `role` is None for what is no certificate; `pin` is None, and `problem` says why,
    where the certificate is not in DER. Texts are safe to show.
    """

    position: int
    kind: KeyKind | None
    role: CertificateRole | None = None
    subject: str = ""
    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    key: str = ""
    pin: Pin | None = None
    problem: str = ""

    @property
    def until(self) -> str:
        """The last day, in words; empty if there is none."""
        return "" if self.not_after is None else f"until {self.not_after:%Y-%m-%d}"


def keys_of_chain(chain: Sequence[bytes]) -> tuple[ShownKey, ...]:
    """The keys of a chain in DER: the first certificate is the leaf, whatever it says."""
    return tuple(_of_certificate(der, position) for position, der in enumerate(chain))


def keys_of_material(material: Iterable[KeyMaterial]) -> tuple[ShownKey, ...]:
    """The keys in a file, leaf first as far as they are a chain."""
    return tuple(
        ShownKey(
            position=position,
            kind=each.kind,
            role=each.role,
            subject=each.subject,
            pin=each.pin,
            key=each.key_description,
            **({} if each.certificate is None else _dates(each.certificate)),
        )
        for position, each in enumerate(material)
    )


def _of_certificate(der: bytes, position: int) -> ShownKey:
    try:
        pin, problem = pin_of_certificate(der), ""
    except MalformedError as error:
        pin, problem = None, str(error)
    try:
        view = view_certificate(der)
    except MalformedError as error:
        return ShownKey(position=position, kind=KeyKind.CERTIFICATE, pin=pin, problem=str(error))
    role = role_of(view)
    if position == 0:
        role = CertificateRole.LEAF
    elif role is CertificateRole.LEAF:
        role = CertificateRole.INTERMEDIATE
    return ShownKey(
        position=position,
        kind=KeyKind.CERTIFICATE,
        role=role,
        subject=_read(view, "subject_text") or "",
        key=_read(view, "key_description") or "",
        pin=pin,
        problem=problem,
        **_dates(view),
    )


def _dates(view: CertificateView) -> dict[str, Any]:
    return {
        "issuer": _read(view, "issuer_text") or "",
        "not_before": _read(view, "not_before"),
        "not_after": _read(view, "not_after"),
    }


def _read(view: CertificateView, field: str) -> Any:
    """One field, or None where it cannot be read: that costs this field alone."""
    try:
        return getattr(view, field)
    except MalformedError:
        return None


def key_json(key: ShownKey) -> dict[str, Any]:
    """The documented object of one key."""
    return {
        "position": key.position,
        "kind": None if key.kind is None else str(key.kind),
        "role": None if key.role is None else str(key.role),
        "subject": key.subject or None,
        "issuer": key.issuer or None,
        "not_before": None if key.not_before is None else to_moment(key.not_before),
        "not_after": None if key.not_after is None else to_moment(key.not_after),
        "key": key.key or None,
        "spki_sha256": None if key.pin is None else key.pin.base64,
        "pin": None if key.pin is None else key.pin.curl,
        **({"problem": key.problem} if key.problem else {}),
    }
