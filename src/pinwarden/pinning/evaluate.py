"""Whether a verified chain meets the policy of a host: the decision itself, pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pinwarden.errors import MalformedError
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import Mode, OnExpiry, PinnedKey, PinPolicy, PinRole
from pinwarden.pinning.result import PinResult, PinVerdict, Reason
from pinwarden.pinning.spki import pin_of_certificate

__all__ = ["compare", "judged"]


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
    hashes = [pin.spki_sha256 for pin in seen]
    expired = policy.expired(at)
    verdict, reason = judged(policy, hashes, expired=expired, readable=not problem)
    enforced = policy.mode is _ENFORCE and not (expired and policy.on_expiry is _REPORT_ONLY)
    return PinResult(
        host=host,
        at=at,
        verdict=verdict,
        reason=reason,
        allowed=verdict is not _MISMATCH or not enforced,
        policy=policy,
        matched=_matched(policy, hashes) if verdict is _MATCH else (),
        seen=tuple(seen),
        chain=tuple(chain),
        problem=problem,
    )


# Members of an enumeration are slow to look up, and this runs in every handshake.
_MATCH, _MISMATCH, _UNKNOWN = PinVerdict.MATCH, PinVerdict.MISMATCH, PinVerdict.UNKNOWN
_ENFORCE, _OPEN, _REPORT_ONLY = Mode.ENFORCE, OnExpiry.OPEN, OnExpiry.REPORT_ONLY
_MET_BY_LEAF = (PinRole.LEAF, PinRole.BACKUP)
_MET_ABOVE = (PinRole.CA, PinRole.BACKUP)
_PIN_MATCHED = Reason.PIN_MATCHED


def judged(
    policy: PinPolicy, hashes: Sequence[bytes], *, expired: bool, readable: bool
) -> tuple[PinVerdict, Reason]:
    """The verdict on the SHA-256 of the keys of a whole verified chain, leaf first."""
    if expired and policy.on_expiry is not _REPORT_ONLY:
        return (_UNKNOWN if policy.on_expiry is _OPEN else _MISMATCH), Reason.EXPIRED
    if not readable:
        return _MISMATCH, Reason.CHAIN_UNREADABLE
    if not hashes:
        return _MISMATCH, Reason.EMPTY_CHAIN
    if not policy.forbidden.isdisjoint(hashes):
        return _MISMATCH, Reason.FORBIDDEN_KEY
    if hashes[0] in policy.at_leaf or not policy.above_leaf.isdisjoint(hashes[1:]):
        return _MATCH, _PIN_MATCHED
    return _MISMATCH, Reason.NO_PIN_MATCHED


def _matched(policy: PinPolicy, hashes: Sequence[bytes]) -> tuple[PinnedKey, ...]:
    """The pinned keys found where their role has them looked for.

    A leaf pin is not met by a CA, nor a CA pin by a leaf; a backup pin by either.
    """
    leaf, above = hashes[0], hashes[1:]
    found = []
    for key in policy.keys:
        wanted = key.pin.spki_sha256
        if (wanted == leaf and key.role in _MET_BY_LEAF) or (
            wanted in above and key.role in _MET_ABOVE
        ):
            found.append(key)
    return tuple(found)
