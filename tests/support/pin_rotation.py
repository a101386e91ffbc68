"""Several authorities, each with a leaf for one host: keys to change between."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pinwarden.lab.ca import CA
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import Mode, PinnedKey, PinPolicy, PinRole
from pinwarden.pinning.served import ServedChain
from pinwarden.pinning.spki import pin_of_certificate

HOST = "api.example"
MOST = 6


@dataclass(frozen=True)
class Authority:
    """One verified chain, and the pins in it."""

    chain: tuple[bytes, bytes, bytes]

    @property
    def leaf(self) -> Pin:
        return pin_of_certificate(self.chain[0])

    @property
    def intermediate(self) -> Pin:
        return pin_of_certificate(self.chain[1])

    @property
    def root(self) -> Pin:
        return pin_of_certificate(self.chain[2])

    def pin(self, role: PinRole) -> Pin:
        """The pin that stands for this chain in a role."""
        return self.leaf if role is PinRole.LEAF else self.intermediate


@cache
def authority(number: int) -> Authority:
    ca = CA(f"Authority {number}")
    issued = ca.issue([HOST])
    return Authority((issued.certificate, ca.intermediate, ca.root))


def served(*numbers: int) -> tuple[ServedChain, ...]:
    """What addresses serve, each the chain of one authority."""
    return tuple(
        ServedChain(address=f"192.0.2.{place}", verified=authority(number).chain)
        for place, number in enumerate(numbers, 1)
    )


def policy_of(
    active: tuple[Pin, ...],
    backups: tuple[Pin, ...] = (),
    *,
    role: PinRole = PinRole.LEAF,
    **more: object,
) -> PinPolicy:
    """An enforced policy with these keys in use and in reserve."""
    keys = [PinnedKey(pin, role) for pin in active]
    keys += [PinnedKey(pin, PinRole.BACKUP) for pin in backups]
    chosen: dict[str, object] = {"host": HOST, "mode": Mode.ENFORCE, "keys": tuple(keys), **more}
    return PinPolicy(**chosen)  # type: ignore[arg-type]
