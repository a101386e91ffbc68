"""Whether clients with these pins would have accepted one certificate, as far as can be told.

A verified chain is not known, only parts of it: what may stand in the rest decides nothing
in favour of the pins. So a match needs a pin that was found and no forbidden key that could
be there, and a mismatch needs that no pin could be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pinwarden.issuances import PastIssuance
from pinwarden.pinning.backtest.above import KeysAbove, KnownKeys
from pinwarden.pinning.evaluate import judged
from pinwarden.pinning.policy import OnExpiry, PinnedKey, PinPolicy, PinRole
from pinwarden.pinning.result import PinVerdict, Reason

__all__ = ["Ground", "Trial", "Trials"]


class Ground(StrEnum):
    """The one thing that decided about a certificate, or about a time without one."""

    PIN_MATCHED = "pin-matched"
    BACKUP_MATCHED = "backup-matched"
    NO_PIN_MATCHED = "no-pin-matched"
    FORBIDDEN_KEY = "forbidden-key"
    EXPIRED = "expired"
    KEY_NOT_KNOWN = "key-not-known"
    CHAIN_NOT_KNOWN = "chain-not-known"
    CHAINS_DIFFER = "chains-differ"
    NO_CERTIFICATE = "no-certificate"

    @property
    def words(self) -> str:
        """A sentence without its end, for people."""
        return _WORDS[self]


_WORDS = {
    Ground.PIN_MATCHED: "a pinned key is in its chain",
    Ground.BACKUP_MATCHED: "only a backup pin is in its chain",
    Ground.NO_PIN_MATCHED: "no pinned key is in its chain, and no backup pin either",
    Ground.FORBIDDEN_KEY: "a forbidden key is in its chain",
    Ground.EXPIRED: "the policy had expired",
    Ground.KEY_NOT_KNOWN: "its source does not tell its key",
    Ground.CHAIN_NOT_KNOWN: "the keys above it are not known up to a root",
    Ground.CHAINS_DIFFER: "some clients build a chain with a pinned key, others one without",
    Ground.NO_CERTIFICATE: "no certificate is known that was valid then",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One certificate judged: `matched` are the pinned keys in every chain of it."""

    issuance: PastIssuance
    leaf: bytes | None
    issuer: bytes | None
    verdict: PinVerdict
    ground: Ground
    matched: tuple[PinnedKey, ...] = ()


class Trials:
    """Judges issuances by one policy; those judged together tell about each other.

    A key that is somebody's leaf is not looked for among the CAs.
    """

    def __init__(
        self, policy: PinPolicy, above: KeysAbove, issuances: Iterable[PastIssuance]
    ) -> None:
        self._policy = policy
        self._known = {id(each): (each, above.known(each)) for each in issuances}
        leaves = {known.leaf for _, known in self._known.values()}
        self._never_above = leaves | {
            key.pin.spki_sha256 for key in policy.keys if key.kind == "leaf"
        }

    def judge(self, issuance: PastIssuance, *, at: datetime) -> Trial:
        """The verdict on an issuance while the policy is in the state of a time."""
        known = self._known[id(issuance)][1]
        verdict, ground = self._verdict(known, expired=self._policy.expired(at))
        matched = _matched(self._policy, known) if verdict is PinVerdict.MATCH else ()
        if matched and all(key.role is PinRole.BACKUP for key in matched):
            ground = Ground.BACKUP_MATCHED
        return Trial(
            issuance=issuance,
            leaf=known.leaf,
            issuer=known.issuer,
            verdict=verdict,
            ground=ground,
            matched=matched,
        )

    def _verdict(self, known: KnownKeys, *, expired: bool) -> tuple[PinVerdict, Ground]:
        policy = self._policy
        if expired and policy.on_expiry is not OnExpiry.REPORT_ONLY:
            closed = policy.on_expiry is OnExpiry.CLOSED
            return (PinVerdict.MISMATCH if closed else PinVerdict.UNKNOWN), Ground.EXPIRED
        if known.leaf in policy.forbidden or not policy.forbidden.isdisjoint(known.above):
            return PinVerdict.MISMATCH, Ground.FORBIDDEN_KEY
        if known.leaf is not None and known.chains:
            return _of_chains(policy, [(known.leaf, *chain) for chain in known.chains])
        return self._of_parts(known)

    def _of_parts(self, known: KnownKeys) -> tuple[PinVerdict, Ground]:
        """The verdict where the whole chain is not known, only some of its keys."""
        policy = self._policy
        missing = Ground.KEY_NOT_KNOWN if known.leaf is None else Ground.CHAIN_NOT_KNOWN
        found = known.leaf in policy.at_leaf or not policy.above_leaf.isdisjoint(_above(known))
        wanted = policy.forbidden if found else policy.above_leaf
        could_be = self._could_be_above(wanted, known)
        if known.leaf is None:
            could_be = could_be or bool(policy.forbidden if found else policy.at_leaf)
        if could_be:
            return PinVerdict.UNKNOWN, missing
        if found:
            return PinVerdict.MATCH, Ground.PIN_MATCHED
        return PinVerdict.MISMATCH, Ground.NO_PIN_MATCHED

    def _could_be_above(self, hashes: frozenset[bytes], known: KnownKeys) -> bool:
        """Whether any of these keys may stand above, where nothing is known of it."""
        if known.chains:
            return any(not hashes.isdisjoint(chain) for chain in known.chains)
        return not hashes <= self._never_above


def _of_chains(policy: PinPolicy, chains: Sequence[tuple[bytes, ...]]) -> tuple[PinVerdict, Ground]:
    """The verdict on a certificate of which every chain is known, as its clients give it."""
    found = {judged(policy, chain, expired=False, readable=True) for chain in chains}
    if len({verdict for verdict, _ in found}) > 1:
        return PinVerdict.UNKNOWN, Ground.CHAINS_DIFFER
    verdict, reason = min(found, key=lambda each: each[1] is not Reason.FORBIDDEN_KEY)
    return verdict, Ground(str(reason))


def _above(known: KnownKeys) -> frozenset[bytes]:
    """The keys that stand above the leaf in every chain."""
    if not known.chains:
        return known.above
    return frozenset.intersection(*map(frozenset, known.chains))


def _matched(policy: PinPolicy, known: KnownKeys) -> tuple[PinnedKey, ...]:
    """The pinned keys that every client finds."""
    above = _above(known)
    return tuple(
        key
        for key in policy.keys
        if (key.role in _AT_LEAF and key.pin.spki_sha256 == known.leaf)
        or (key.role in _ABOVE and key.pin.spki_sha256 in above)
    )


_AT_LEAF = (PinRole.LEAF, PinRole.BACKUP)
_ABOVE = (PinRole.CA, PinRole.BACKUP)
