"""Faults of the pins of one policy, as far as the set alone shows them."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden import findings
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.pinning.draft import DraftKey, DraftPolicy
from pinwarden.pinning.lint.setting import LintSetting, days, found, shown_keys
from pinwarden.pinning.pin import BadPin
from pinwarden.pinning.policy import Mode, PinRole

__all__ = ["lint_keys"]

_BAD = {
    BadPin.MALFORMED: findings.PIN_MALFORMED,
    BadPin.WEAK_HASH: findings.PIN_WEAK_HASH,
    BadPin.CERTIFICATE_HASH: findings.PIN_CERTIFICATE_HASH,
    BadPin.PLACEHOLDER: findings.PIN_PLACEHOLDER,
}
# A chain meets one pin of any; whoever pins a dozen CAs pins little more than the trust store.
_MANY = 10
_CA_KINDS = frozenset({"intermediate", "root"})


def lint_keys(policy: DraftPolicy, setting: LintSetting) -> Iterator[Finding]:
    """What is wrong with the pins themselves, and with the choice of them."""
    seen: dict[tuple[object, PinRole], int] = {}
    places = shown_keys(policy)
    for number, key in enumerate(policy.keys):
        where = places[number]
        if key.why is not None:
            yield found(_BAD[key.why], policy, key.problem, where)
        elif (key.pin, key.role) in seen:
            first = places[seen[key.pin, key.role]]
            yield found(
                findings.PIN_DUPLICATE, policy, f"{key.pin}: stands as {first} already", where
            )
        else:
            seen[key.pin, key.role] = number
        yield from _ends(policy, key, where, setting)
    yield from _choice(policy)


def _ends(
    policy: DraftPolicy, key: DraftKey, where: str, setting: LintSetting
) -> Iterator[Finding]:
    """The end that the author noted for a key.

    A leaf key lives on through renewals that keep it, so only the renewal to come is told
    of. A CA's certificate is replaced by another key, some time before it ends.
    """
    if key.expires is None or key.role is PinRole.FORBIDDEN:
        return
    is_ca = key.kind in _CA_KINDS or (key.role is PinRole.CA and key.kind != "leaf")
    soon = key.expires - setting.today <= setting.soon
    before_policy = policy.expires is not None and key.expires < policy.expires
    if soon or (is_ca and before_policy):
        ends = "ended" if key.expires < setting.today else "ends"
        rest = f", before the policy does on {policy.expires}" if before_policy else ""
        yield found(
            findings.PIN_KEY_EXPIRES,
            policy,
            f"{key.pin or display(key.text, 80)}: its certificate {ends} on {key.expires} "
            f"({days(key.expires, setting.today)}){rest}",
            where,
        )


def _choice(policy: DraftPolicy) -> Iterator[Finding]:
    leaves, cas = policy.pins(PinRole.LEAF), policy.pins(PinRole.CA)
    backups = policy.pins(PinRole.BACKUP)
    if policy.mode is not Mode.REPORT_ONLY and not backups:
        forced = "allow_no_backup is set, but " if policy.allow_no_backup else ""
        yield found(
            findings.PIN_NO_BACKUP,
            policy,
            f"{forced}there is no backup pin: whoever loses the pinned key locks every client out",
        )
    spare = [key for key in policy.keys if key.role is PinRole.BACKUP and key.pin]
    if leaves and not cas and not any(key.kind in _CA_KINDS for key in spare):
        yield found(
            findings.PIN_LEAF_ONLY,
            policy,
            "every pin is of a leaf key: a renewal with a new key that clients do not know yet "
            "locks them out",
        )
    active = [key for key in policy.keys if key.pin and key.role in (PinRole.LEAF, PinRole.CA)]
    if active and all(key.kind == "intermediate" for key in (*active, *spare)):
        yield found(
            findings.PIN_INTERMEDIATE_ONLY,
            policy,
            "every pin is of an intermediate: its CA may issue from another one at any renewal",
        )
    many = len({*leaves, *cas, *backups})
    if many > _MANY:
        yield found(findings.PIN_MANY, policy, f"{many} keys are pinned, and any of them is enough")
