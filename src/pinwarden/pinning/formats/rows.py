"""Policies as rows of plain text, for generated code that carries the rules of `evaluate` along."""

from __future__ import annotations

from dataclasses import dataclass

from pinwarden.pinning.policy import Mode, PinPolicy, PinRole

__all__ = ["Row", "rows_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One policy; pins are in base64, `expires` is "" or the last day, `on_expiry` "" or a word."""

    policy: PinPolicy
    host: str
    include_subdomains: bool
    exclude: tuple[str, ...]
    enforce: bool
    expires: str
    on_expiry: str
    leaf: tuple[str, ...]
    ca: tuple[str, ...]
    forbidden: tuple[str, ...]


def rows_of(policies: tuple[PinPolicy, ...]) -> list[Row]:
    """The rows; a backup pin stands under `leaf` and `ca`, since either place will do for it."""
    return [
        Row(
            policy=each,
            host=each.host,
            include_subdomains=each.include_subdomains,
            exclude=each.exclude,
            enforce=each.mode is Mode.ENFORCE,
            expires=str(each.expires or ""),
            on_expiry=str(each.on_expiry or "") if each.expires else "",
            leaf=_pins(each, PinRole.LEAF, PinRole.BACKUP),
            ca=_pins(each, PinRole.CA, PinRole.BACKUP),
            forbidden=_pins(each, PinRole.FORBIDDEN),
        )
        for each in policies
    ]


def _pins(policy: PinPolicy, *roles: PinRole) -> tuple[str, ...]:
    return tuple(sorted(pin.base64 for pin in policy.pins(*roles)))
