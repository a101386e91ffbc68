"""Certificates for forms that take certificates where the set has pins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pinwarden.pinning.formats.export import Loss, LossKind, Writing
from pinwarden.pinning.formats.literals import plain
from pinwarden.pinning.pem import pem_text
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import PinPolicy, PinRole, PinSetError
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import view_certificate

__all__ = ["anchors_of", "by_pin", "pem_file"]


def by_pin(certificates: Iterable[bytes]) -> dict[Pin, tuple[bytes, ...]]:
    """Certificates in DER by the pin of their key; raises `MalformedError` for one that is none."""
    found: dict[Pin, tuple[bytes, ...]] = {}
    for certificate in certificates:
        pin = pin_of_certificate(certificate)
        if certificate not in found.get(pin, ()):
            found[pin] = (*found.get(pin, ()), certificate)
    return found


def anchors_of(policy: PinPolicy, writing: Writing) -> tuple[tuple[bytes, ...], list[Loss]]:
    """The CA certificates of a policy that clients are to trust alone, and what is lost by it.

    Raises `PinSetError` if there is none for any of the CA pins. A certificate that ends,
    or is issued anew with another name, stands for its key no longer.
    """
    losses: list[Loss] = []
    anchors: list[bytes] = []
    for role, kind in ((PinRole.CA, LossKind.CA_PINS), (PinRole.BACKUP, LossKind.BACKUP_PINS)):
        missing = []
        for pin in sorted(policy.pins(role)):
            found = [each for each in writing.certificates.get(pin, ()) if _is_ca(each)]
            anchors += found
            if not found:
                missing.append(str(pin))
        if missing and role is PinRole.CA and not anchors:
            raise PinSetError(
                f"policy {policy.host!r}: this form takes certificates, and there is none for "
                f"{', '.join(missing)}",
                hint="name files with the certificates of the pinned CAs with --certificate",
            )
        if missing:
            losses.append(
                Loss(kind, policy.host, f"there is no CA certificate for {', '.join(missing)}")
            )
    if not policy.pins(PinRole.LEAF) and any(
        key.role is PinRole.BACKUP and key.kind == "leaf" for key in policy.keys
    ):
        losses.append(
            Loss(
                LossKind.BACKUP_POSITION,
                policy.host,
                "backup pins of leaf keys count for nothing where CAs are pinned",
            )
        )
    losses.append(
        Loss(
            LossKind.CERTIFICATES,
            policy.host,
            "certificates stand for keys: a CA's next certificate for the same key may be refused",
        )
    )
    return tuple(dict.fromkeys(anchors)), losses


def _is_ca(certificate: bytes) -> bool:
    return view_certificate(certificate).is_ca


def pem_file(certificates: Sequence[bytes]) -> str:
    """The certificates in PEM, each under its subject and last day."""
    blocks = []
    for each in certificates:
        view = view_certificate(each)
        blocks.append(
            f"# {plain(view.subject_text)}, until {view.not_after:%Y-%m-%d}, "
            f"{pin_of_certificate(each).curl}\n{pem_text('CERTIFICATE', each)}"
        )
    return "\n".join(blocks)
