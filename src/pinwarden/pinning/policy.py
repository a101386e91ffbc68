"""What a pin set says: pins, the policy of a host, and which policy a host falls under.

The rules of precedence are our own, because HPKP's depended on the order in which
hosts were visited (RFC 7469 section 4.2) and OkHttp pools everything that fits: here
the most specific policy decides alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Self, TypeVar

from pinwarden.errors import ConfigError, quoted
from pinwarden.pinning.host import is_ip, normalise_host
from pinwarden.pinning.pin import Pin, parse_pin

__all__ = [
    "Mode",
    "OnExpiry",
    "PinPolicy",
    "PinRole",
    "PinSetError",
    "PinnedKey",
    "UnpinnedHosts",
    "by_host",
    "word_of",
    "writable",
]


class PinSetError(ConfigError, ValueError):
    """A pin set that would not do what its author meant, or would lock people out."""


class PinRole(StrEnum):
    """Where in a verified chain a pinned key is looked for."""

    LEAF = "leaf"
    CA = "ca"
    BACKUP = "backup"
    FORBIDDEN = "forbidden"


class Mode(StrEnum):
    """Whether a mismatch ends the connection, or is only told."""

    ENFORCE = "enforce"
    REPORT_ONLY = "report-only"


class OnExpiry(StrEnum):
    """What becomes of a policy after its last day.

    CLOSED refuses every connection, REPORT_ONLY goes on reporting, OPEN stops pinning.
    """

    CLOSED = "closed"
    REPORT_ONLY = "report-only"
    OPEN = "open"


class UnpinnedHosts(StrEnum):
    """What becomes of hosts that no policy is about."""

    ALLOW = "allow"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """A pin in its place, and what people noted about it.

    `kind` is what the author says the key is (`leaf`, `intermediate`, `root` or
    empty); only the role decides where it is looked for. `expires` is the last day of
    the certificate or key, for planning: evaluation does not read it. Raises
    `PinSetError` for a pin that no key can have.
    """

    pin: Pin
    role: PinRole
    kind: str = ""
    comment: str = ""
    owner: str = ""
    expires: date | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", word_of(PinRole, self.role, "role"))
        if self.pin.is_placeholder:
            raise PinSetError(f"{self.pin}: is a placeholder that no key matches")
        for text in (self.kind, self.comment, self.owner):
            writable(text, str(self.pin))
        _refuse_times(self.expires, str(self.pin))


@dataclass(frozen=True, slots=True, kw_only=True)
class PinPolicy:
    """The pins of one host, perhaps with everything below it.

    Made by hand or by `pinning.document`; raises `PinSetError` if it contradicts
    itself, and `MalformedError` if its host is none. `expires` is the last day on which
    it holds, in UTC. Keys are kept in the order of their roles.
    """

    host: str
    mode: Mode
    keys: tuple[PinnedKey, ...]
    include_subdomains: bool = False
    exclude: tuple[str, ...] = ()
    expires: date | None = None
    on_expiry: OnExpiry | None = None
    report_uri: str = ""
    allow_no_backup: bool = False
    comment: str = ""
    owner: str = ""
    # The hashes by the place in which they are looked for.
    at_leaf: frozenset[bytes] = field(init=False, repr=False, compare=False)
    above_leaf: frozenset[bytes] = field(init=False, repr=False, compare=False)
    forbidden: frozenset[bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("host", normalise_host(self.host))
        # A word that is only equal to an enumeration's member must not pass for another.
        put("mode", word_of(Mode, self.mode, "mode"))
        if self.on_expiry is not None:
            put("on_expiry", word_of(OnExpiry, self.on_expiry, "on_expiry"))
        put("keys", tuple(sorted(self.keys, key=lambda key: _ROLE_ORDER[key.role])))
        if isinstance(self.exclude, str):
            raise PinSetError(f"policy {quoted(self.host)}: exclude is not a list of names")
        put("exclude", tuple(normalise_host(each) for each in self.exclude))
        put("at_leaf", self._hashes(PinRole.LEAF, PinRole.BACKUP))
        put("above_leaf", self._hashes(PinRole.CA, PinRole.BACKUP))
        put("forbidden", self._hashes(PinRole.FORBIDDEN))
        _refuse_contradictions(self)

    @classmethod
    def of(
        cls,
        host: str,
        mode: Mode | str,
        *,
        ca_pins: Iterable[Pin | str] = (),
        leaf_pins: Iterable[Pin | str] = (),
        backup_pins: Iterable[Pin | str] = (),
        forbidden_pins: Iterable[Pin | str] = (),
        **others: Any,
    ) -> Self:
        """A policy in the words of a pin set file, each pin in any of its text forms.

        `others` are the other attributes. Raises `PinError` for what is no pin, too.
        """
        by_role = {
            PinRole.CA: ca_pins,
            PinRole.LEAF: leaf_pins,
            PinRole.BACKUP: backup_pins,
            PinRole.FORBIDDEN: forbidden_pins,
        }
        keys = tuple(
            PinnedKey(pin if isinstance(pin, Pin) else parse_pin(pin), role)
            for role, pins in by_role.items()
            for pin in ([pins] if isinstance(pins, str) else pins)
        )
        return cls(host=host, mode=word_of(Mode, mode, "mode"), keys=keys, **others)

    def pins(self, *roles: PinRole) -> frozenset[Pin]:
        """The pins in these roles, or in all of them that a chain can match."""
        wanted = roles or (PinRole.LEAF, PinRole.CA, PinRole.BACKUP)
        return frozenset(key.pin for key in self.keys if key.role in wanted)

    def _hashes(self, *roles: PinRole) -> frozenset[bytes]:
        return frozenset(pin.spki_sha256 for pin in self.pins(*roles))

    def expired(self, at: datetime) -> bool:
        """Whether the last day is over, in UTC; a time without a zone is taken for UTC."""
        if self.expires is None:
            return False
        if at.tzinfo is not None and at.tzinfo is not UTC:
            at = at.astimezone(UTC)
        return at.date() > self.expires


_ROLE_ORDER = {role: number for number, role in enumerate(PinRole)}
_REPORT_URI = re.compile(r"https?://[!-~]{1,2000}", re.IGNORECASE)
_E = TypeVar("_E", bound=StrEnum)


def word_of(words: type[_E], value: str, what: str) -> _E:
    """The member of an enumeration that a word means; raises `PinSetError` if there is none."""
    try:
        return words(value)
    except ValueError:
        allowed = ", ".join(quoted(each) for each in words)
        raise PinSetError(f"{what} {quoted(str(value))}: is not one of {allowed}") from None


def writable(text: str, who: str) -> str:
    """The same text; raises `PinSetError` for half a character, which JSON can hold and no file."""
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        raise PinSetError(f"{who}: {quoted(text)} holds half a character")
    return text


def _refuse_times(day: date | None, who: str) -> None:
    if isinstance(day, datetime):
        raise PinSetError(f"{who}: expires on a day, not at a time of one")


def _refuse_contradictions(policy: PinPolicy) -> None:
    def wrong(message: str, hint: str | None = None) -> PinSetError:
        return PinSetError(f"policy {quoted(policy.host)}: {message}", hint=hint)

    for text in (policy.comment, policy.owner):
        writable(text, f"policy {quoted(policy.host)}")
    _refuse_times(policy.expires, f"policy {quoted(policy.host)}")
    if policy.report_uri and _REPORT_URI.fullmatch(policy.report_uri) is None:
        raise wrong(f"report_uri {quoted(policy.report_uri)} is no http or https address")
    active = policy.pins(PinRole.LEAF, PinRole.CA)
    backups, forbidden = policy.pins(PinRole.BACKUP), policy.pins(PinRole.FORBIDDEN)
    if not active:
        raise wrong("pins nothing: there is no leaf or CA pin")
    if is_ip(policy.host) and policy.include_subdomains:
        raise wrong("an IP address has no subdomains")
    for name in policy.exclude:
        if not policy.include_subdomains or not name.endswith(f".{policy.host}"):
            raise wrong(f"excludes {quoted(name)}, which it does not cover")
    for pin in sorted(forbidden & (active | backups)):
        raise wrong(f"{pin} is pinned and forbidden")
    for pin in sorted(backups & active):
        raise wrong(f"{pin} is in use, so it is no backup")
    if policy.expires is not None and policy.on_expiry is None:
        raise wrong(
            "expires, and does not say what happens then",
            'on_expiry = "closed" refuses connections, "open" stops pinning, '
            '"report-only" only reports',
        )
    if policy.mode is Mode.ENFORCE and not backups and not policy.allow_no_backup:
        raise wrong(
            "has no backup pin: whoever loses the pinned key locks every client out",
            "pin a second key that is not in the served chain (`pinwarden pin backup`), or say "
            "allow_no_backup = true",
        )


def by_host(policies: Iterable[PinPolicy]) -> dict[str, PinPolicy]:
    """Policies by host; raises `PinSetError` if two are about one."""
    found: dict[str, PinPolicy] = {}
    for policy in policies:
        if policy.host in found:
            raise PinSetError(f"policy {quoted(policy.host)}: stands twice in the set")
        found[policy.host] = policy
    return found
