"""Whether a verified chain meets the policy of a host: the decision itself, pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pinwarden.errors import MalformedError
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import Mode, OnExpiry, PinnedKey, PinPolicy, PinRole
from pinwarden.pinning.result import PinResult, PinVerdict, Reason
from pinwarden.pinning.spki import pin_of_certificate

__all__ = ["compare"]


def compare(policy: PinPolicy, chain: Sequence[bytes], host: str, *, at: datetime) -> PinResult:
    """Compare a verified chain, leaf first and in DER, with the policy in force at a time.

    An empty chain never matches, and neither does one of which a certificate cannot be
    read: what cannot be seen is not a pass. A forbidden key counts wherever it stands.
    """
    seen: list[Pin] = []
    problem = ""
    for certificate in chain:
        try:
            seen.append(pin_of_certificate(certificate))
        except MalformedError as error:
            problem = problem or str(error)
    matched = _matched(policy, seen)
    verdict, reason = PinVerdict.MISMATCH, Reason.NO_PIN_MATCHED
    if policy.expired(at) and policy.on_expiry is not OnExpiry.REPORT_ONLY:
        reason = Reason.EXPIRED
        if policy.on_expiry is OnExpiry.OPEN:
            verdict = PinVerdict.UNKNOWN
    elif not chain:
        reason = Reason.EMPTY_CHAIN
    elif problem:
        reason = Reason.CHAIN_UNREADABLE
    elif not policy.pins(PinRole.FORBIDDEN).isdisjoint(seen):
        reason = Reason.FORBIDDEN_KEY
    elif matched:
        verdict, reason = PinVerdict.MATCH, Reason.PIN_MATCHED
    return PinResult(
        host=host,
        at=at,
        verdict=verdict,
        reason=reason,
        allowed=verdict is not PinVerdict.MISMATCH or not _enforced(policy, at),
        policy=policy,
        matched=matched if verdict is PinVerdict.MATCH else (),
        seen=tuple(seen),
        chain=tuple(chain),
        problem=problem,
    )


def _enforced(policy: PinPolicy, at: datetime) -> bool:
    return policy.mode is Mode.ENFORCE and not (
        policy.expired(at) and policy.on_expiry is OnExpiry.REPORT_ONLY
    )


def _matched(policy: PinPolicy, seen: Sequence[Pin]) -> tuple[PinnedKey, ...]:
    """The pinned keys found where their role has them looked for.

    A leaf pin is not met by a CA, nor a CA pin by a leaf; a backup pin by either.
    """
    if not seen:
        return ()
    leaf, above = seen[0], frozenset(seen[1:])
    return tuple(
        key
        for key in policy.keys
        if (key.pin == leaf and key.role in (PinRole.LEAF, PinRole.BACKUP))
        or (key.pin in above and key.role in (PinRole.CA, PinRole.BACKUP))
    )
