"""What a pin set says: pins, the policy of a host, and which policy a host falls under.

The rules of precedence are our own, because HPKP's depended on the order in which
hosts were visited (RFC 7469 section 4.2) and OkHttp pools everything that fits: here
the most specific policy decides alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from ipaddress import ip_address

from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import ip_reading, normalise_name
from pinwarden.pinning.pin import Pin

__all__ = [
    "Mode",
    "OnExpiry",
    "PinPolicy",
    "PinRole",
    "PinSetError",
    "PinnedKey",
    "UnpinnedHosts",
    "normalise_host",
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
    the certificate or key, for planning: evaluation does not read it.
    """

    pin: Pin
    role: PinRole
    kind: str = ""
    comment: str = ""
    owner: str = ""
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PinPolicy:
    """The pins of one host, perhaps with everything below it.

    Made by hand or by `pinning.document`; raises `PinSetError` if it contradicts
    itself. `expires` is the last day on which it holds, in UTC.
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
    _by_role: dict[PinRole, frozenset[Pin]] = field(
        init=False, repr=False, compare=False, hash=False
    )

    def __post_init__(self) -> None:
        host = normalise_host(self.host)
        object.__setattr__(self, "host", host)
        exclude = tuple(normalise_name(each) for each in self.exclude)
        object.__setattr__(self, "exclude", exclude)
        by_role = {
            role: frozenset(key.pin for key in self.keys if key.role is role) for role in PinRole
        }
        object.__setattr__(self, "_by_role", by_role)
        _refuse_contradictions(self)

    def pins(self, *roles: PinRole) -> frozenset[Pin]:
        """The pins in these roles, or in all of them that a chain can match."""
        wanted = roles or (PinRole.LEAF, PinRole.CA, PinRole.BACKUP)
        if len(wanted) == 1:
            return self._by_role[wanted[0]]
        return frozenset().union(*(self._by_role[role] for role in wanted))

    def expired(self, at: datetime) -> bool:
        """Whether the last day is over, in UTC."""
        return self.expires is not None and at.date() > self.expires


def _refuse_contradictions(policy: PinPolicy) -> None:
    def wrong(message: str, hint: str | None = None) -> PinSetError:
        return PinSetError(f"policy {quoted(policy.host)}: {message}", hint=hint)

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


def normalise_host(text: str) -> str:
    """A host as a policy names it: a DNS name as `normalise_name` has it, or an IP address.

    Raises `MalformedError` for anything else.
    """
    address = text.strip().removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(address))
    except ValueError:
        pass
    if ip_reading(text) is not None:
        raise MalformedError(f"host {quoted(text)}: is an IP address and something else")
    return normalise_name(text)


def is_ip(host: str) -> bool:
    """Whether a normalised host is an IP address."""
    return ":" in host or host.replace(".", "").isdigit()


def suffixes(host: str) -> Iterator[str]:
    """The host and each name above it, the most specific first."""
    yield host
    while "." in host and not is_ip(host):
        host = host.partition(".")[2]
        yield host


def by_host(policies: Iterable[PinPolicy]) -> dict[str, PinPolicy]:
    """Policies by host; raises `PinSetError` if two are about one."""
    found: dict[str, PinPolicy] = {}
    for policy in policies:
        if policy.host in found:
            raise PinSetError(f"policy {quoted(policy.host)}: stands twice in the set")
        found[policy.host] = policy
    return found
