"""What of a pin set a form can say, by the form's abilities; the rest become losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from pinwarden.pinning.formats.export import Loss, LossKind
from pinwarden.pinning.host import is_ip
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import (
    Mode,
    OnExpiry,
    PinPolicy,
    PinRole,
    PinSetError,
    UnpinnedHosts,
)

__all__ = ["EVERYTHING", "Abilities", "Subdomains", "enforced_from_above", "excluded_names", "fit"]


class Subdomains(Enum):
    """How far below a name a policy of the form can reach."""

    ALL = "all"
    ONE_LABEL = "one-label"
    BY_HAND = "by-hand"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a form can say.

    `pooled` forms accept the pins of every policy that fits a host. Without `odd_names` a
    program refuses its whole configuration for a host that is not in public DNS.
    """

    report_only: bool = False
    on_expiry: frozenset[OnExpiry] = frozenset()
    reports: bool = False
    roles: bool = False
    forbidden: bool = False
    exclude: bool = False
    subdomains: Subdomains = Subdomains.ALL
    addresses: bool = False
    refuse_unpinned: bool = False
    pooled: bool = False
    fewest_pins: int = 1
    odd_names: bool = True


EVERYTHING = Abilities(
    report_only=True,
    on_expiry=frozenset(OnExpiry),
    reports=True,
    roles=True,
    forbidden=True,
    exclude=True,
    addresses=True,
    refuse_unpinned=True,
)


def fit(pins: PinSet, able: Abilities) -> tuple[tuple[PinPolicy, ...], list[Loss]]:
    """The policies that the form can hold, and what is lost with the rest and of these.

    A policy that only reports is never turned into one that enforces. Raises
    `PinSetError` if no policy is left.
    """
    losses = list(_of_the_set(pins, able))
    kept = []
    for policy in pins.policies:
        gone = next(_reasons_to_leave_out(policy, able), None)
        if gone is None:
            kept.append(policy)
            losses += _of_the_policy(policy, able)
        else:
            losses.append(gone)
            losses += enforced_from_above(policy, pins)
    if not kept:
        raise PinSetError(
            "the set holds no policy that this form can say", hint="; ".join(map(str, losses))
        )
    if able.pooled:
        losses += _pooled(kept)
    return tuple(kept), losses


def _reasons_to_leave_out(policy: PinPolicy, able: Abilities) -> Iterator[Loss]:
    if policy.mode is Mode.REPORT_ONLY and not able.report_only:
        yield Loss(
            LossKind.REPORT_ONLY, policy.host, "the policy only reports, and is left out whole"
        )
    if is_ip(policy.host) and not able.addresses:
        yield Loss(LossKind.ADDRESSES, policy.host, "an address cannot be pinned, and is left out")


def enforced_from_above(policy: PinPolicy, pins: PinSet) -> Iterator[Loss]:
    """A name whose policy does not count falls under the one above it, which may enforce."""
    if is_ip(policy.host):
        return
    for above in pins.policies:
        if (
            above.mode is Mode.ENFORCE
            and above.include_subdomains
            and _below(policy.host, above.host)
            and not any(_below(f".{policy.host}", each) for each in above.exclude)
        ):
            yield Loss(
                LossKind.REPORT_ONLY_ENFORCED,
                policy.host,
                f"it falls under the policy of {above.host}, which enforces",
            )
            return


def _below(name: str, above: str) -> bool:
    return name.endswith(f".{above}")


def _of_the_set(pins: PinSet, able: Abilities) -> Iterator[Loss]:
    if pins.unpinned_hosts is UnpinnedHosts.REFUSE and not able.refuse_unpinned:
        yield Loss(LossKind.UNPINNED, "", "hosts that no policy is about are not refused")


def _of_the_policy(policy: PinPolicy, able: Abilities) -> Iterator[Loss]:
    def loss(kind: LossKind, message: str) -> Loss:
        return Loss(kind, policy.host, message)

    on_expiry = policy.on_expiry
    if policy.expires and on_expiry is not None and on_expiry not in able.on_expiry:
        if on_expiry is OnExpiry.CLOSED:
            yield loss(
                LossKind.NEVER_CLOSES,
                f"after {policy.expires} the pins go on being accepted instead of nothing",
            )
        else:
            yield loss(LossKind.KEEPS_PINNING, f"the pins are enforced after {policy.expires} too")
    if policy.report_uri and not able.reports:
        yield loss(LossKind.REPORTS, "failures are not reported")
    if not able.roles and policy.pins(PinRole.LEAF, PinRole.CA):
        yield loss(LossKind.ROLES, "a pinned key counts wherever in the chain it stands")
    if policy.pins(PinRole.FORBIDDEN) and not able.forbidden:
        yield loss(LossKind.FORBIDDEN, "forbidden keys are not refused")
    if policy.exclude and not able.exclude:
        yield loss(LossKind.EXCLUDE, f"excluded names are pinned: {', '.join(policy.exclude)}")
    if policy.include_subdomains:
        yield from _of_the_names_below(policy, able)
    if not able.odd_names and _is_odd(policy.host):
        yield loss(LossKind.HOST_NAME, "a name that is not public is refused, and with it the rest")
    if len(policy.pins()) < able.fewest_pins:
        yield loss(LossKind.TOO_FEW_PINS, f"fewer than {able.fewest_pins} pins are refused")


# Of no registry: RFC 6761, RFC 6762, RFC 7686, RFC 9476, and what people make up.
_NOT_PUBLIC = frozenset(
    (
        *("alt", "corp", "example", "home", "internal", "intranet", "invalid", "lan", "local"),
        *("localdomain", "localhost", "mail", "onion", "private", "test"),
    )
)


def _is_odd(host: str) -> bool:
    """Whether a host is not a name that anybody could register, as far as that can be told."""
    return "." not in host or "_" in host or host.rpartition(".")[2] in _NOT_PUBLIC


def _of_the_names_below(policy: PinPolicy, able: Abilities) -> Iterator[Loss]:
    match able.subdomains:
        case Subdomains.NONE:
            yield Loss(LossKind.SUBDOMAINS, policy.host, "names below it are not pinned")
        case Subdomains.ONE_LABEL:
            yield Loss(
                LossKind.SUBDOMAINS_ONE_LABEL,
                policy.host,
                "names more than one label below it are not pinned",
            )
        case Subdomains.BY_HAND:
            yield Loss(
                LossKind.SUBDOMAINS_BY_HAND,
                policy.host,
                "names below it are pinned only where its file is used for them",
            )


def excluded_names(policies: Iterable[PinPolicy]) -> list[str]:
    """The names that no policy decides about because one excludes them, each once.

    A name that one policy excludes may have a policy of its own, or fall under a nearer
    one that pins it: freeing it for all would be weaker than the set.
    """
    kept = PinSet(policies)
    names = dict.fromkeys(each for policy in kept.policies for each in policy.exclude)
    return [name for name in names if kept.policy_for(name) is None]


def _pooled(kept: list[PinPolicy]) -> Iterator[Loss]:
    for policy in kept:
        for above in kept:
            if (
                above.include_subdomains
                and _below(policy.host, above.host)
                and not above.pins() <= policy.pins()
            ):
                yield Loss(
                    LossKind.POOLED, policy.host, f"the pins of {above.host} are accepted too"
                )
