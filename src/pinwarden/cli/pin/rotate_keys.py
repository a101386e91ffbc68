"""The keys of a rotation, as the user names them or as the policy leaves no choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from pinwarden.cli.output import say
from pinwarden.cli.pin.key_files import is_file, read_keys
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import display
from pinwarden.pinning.material import CertificateRole, KeyKind, KeyMaterial
from pinwarden.pinning.pin import Pin, PinError, parse_pin
from pinwarden.pinning.policy import PinPolicy, PinRole
from pinwarden.pinning.rotation.edits import NewKey
from pinwarden.pinning.served import ServedChain, pins_in
from pinwarden.x509.certificate import CertificateView

__all__ = ["chosen_keys", "last_day", "new_key_of"]

_LAST_YEAR = 9000


def new_key_of(given: Pin | str, passphrase_file: str | None = None) -> NewKey:
    """A key by its pin, or the first one in a file; raises `ConfigError`."""
    if isinstance(given, Pin):
        return NewKey(pin=given)
    if not is_file(given):
        try:
            return NewKey(pin=parse_pin(given))
        except PinError as error:
            if not Path(given).exists():
                raise ConfigError(f"{error} (and no file)", hint=error.hint) from None
    found = read_keys(given, passphrase_file)
    key = _of_material(found[0])
    if len({each.pin for each in found}) > 1:
        say(f"note: {display(given)}: holds {len(found)} keys; taken is {key.pin} ({key.comment})")
    return key


def _of_material(material: KeyMaterial) -> NewKey:
    kind, expires = "", None
    if material.role is not None:
        kind = str(material.role)
    if material.certificate is not None and material.role is not CertificateRole.LEAF:
        expires = last_day(material.certificate)
    sort = "" if material.kind is KeyKind.CERTIFICATE else f"{material.kind} "
    words = f"{sort}{material.subject or material.key_description}".replace("-", " ", 1)
    return NewKey(pin=material.pin, kind=kind, comment=words.strip()[:200], expires=expires)


def last_day(certificate: CertificateView) -> date | None:
    """The day on which a certificate ends, in UTC; None if that cannot be read, or is never.

    Never is 9999-12-31 (RFC 5280 section 4.1.2.5), from which no date can be counted.
    """
    try:
        day = certificate.not_after.date()
    except MalformedError:
        return None
    return day if day.year < _LAST_YEAR else None


def chosen_keys(
    policy: PinPolicy,
    old: Sequence[str],
    new: str | None,
    served: Callable[[], Sequence[ServedChain]],
    passphrase_file: str | None,
) -> tuple[tuple[Pin, ...], NewKey | None]:
    """The old keys and the new one; raises `ConfigError` if it is not clear which are old.

    Without --old they are those pinned, if there is one, or if each served chain has them
    all: then they stand for one CA, or for one certificate and its CA.
    """
    if new is not None:
        new_key: NewKey | None = new_key_of(new, passphrase_file)
    else:
        spare = policy.pins(PinRole.BACKUP)
        new_key = NewKey(pin=next(iter(spare))) if len(spare) == 1 else None
    if old:
        return tuple(new_key_of(each, passphrase_file).pin for each in old), new_key
    active = policy.pins(PinRole.LEAF, PinRole.CA)
    if len(active) > 1:
        chains = [frozenset(pins_in(each.verified)) for each in served() if each.verified]
        active &= frozenset().union(*chains) or active
        if not chains or not all(active <= chain for chain in chains):
            shown = ", ".join(str(pin) for pin in sorted(active))
            raise ConfigError(
                f"policy {quoted(policy.host)}: {len(active)} keys are pinned ({shown})",
                hint="name those to be replaced with --old",
            )
    # In the order of the file.
    return tuple(key.pin for key in policy.keys if key.pin in active), new_key
