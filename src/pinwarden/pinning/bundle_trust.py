"""Whether a bundle is to be believed: signed by enough keys, and newer than the last one.

The rules are those of TUF's root role: a change of keys must be signed by the old keys and
by the new ones; who missed some changes walks through them in order; versions only grow.
Nothing unsigned is ever parsed further than to find its signatures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pinwarden.errors import BadSignatureError, MalformedError, VerificationError, quoted
from pinwarden.pinning.bundle import (
    LARGEST_FILE,
    MOST_LINKS,
    Bundle,
    BundleFile,
    KeySet,
    SignedText,
    parse_bundle,
)
from pinwarden.pinning.minisign import PublicKey

__all__ = ["Accepted", "BundleRefusedError", "Refusal", "Trust", "accept", "signers"]


class Refusal(StrEnum):
    """Why a bundle is not taken."""

    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    OTHER_NAME = "other-name"
    ROLLED_BACK = "rolled-back"
    EQUIVOCATION = "equivocation"


class BundleRefusedError(VerificationError):
    """A bundle that must not be used; `why` says what is wrong with it."""

    def __init__(self, message: str, why: Refusal, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.why = why


@dataclass(frozen=True, slots=True)
class Trust:
    """What a client is built with: whose bundles, signed by whom, and not older than which.

    `keys` sign the bundles from version `floor` on: nothing older is taken, and no older
    change of keys walked through, which could lead back to a key that was given up.
    """

    name: str
    keys: KeySet
    floor: int = 1


@dataclass(frozen=True, slots=True)
class Accepted:
    """A bundle that was believed, and what is believed after it.

    `keys` sign the next one. `file` carries the changes of keys that led here, each of
    them verified, so that all can be verified from the beginning again.
    """

    bundle: Bundle
    file: BundleFile
    keys: KeySet

    @property
    def version(self) -> int:
        """The version of the bundle."""
        return self.bundle.version


def signers(signed: SignedText, keys: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
    """Those of the keys that signed the text, each once."""
    by_id: dict[bytes, dict[bytes, PublicKey]] = {}
    for key in keys:
        by_id.setdefault(key.key_id, {})[key.octets] = key
    found: dict[bytes, PublicKey] = {}
    octets = signed.octets
    for signature in signed.signatures:
        for key in by_id.get(signature.key_id, {}).values():
            if key.octets in found:
                continue
            try:
                signature.verify(octets, key)
            except BadSignatureError:
                continue
            found[key.octets] = key
    return tuple(found.values())


def accept(file: BundleFile, trust: Trust, last: Accepted | None = None) -> Accepted:
    """The bundle in a file, if it is to be believed by who believed `last` before.

    Returns `last` itself if it is that bundle again. Raises `BundleRefusedError`; then
    `last` stands as it did. Whether it is stale is for the caller to ask.
    """
    if last is not None and file.signed.text == last.file.signed.text:
        return last
    keys = trust.keys if last is None else last.keys
    known = () if last is None else last.file.chain
    if last is not None and last.bundle.next_keys is not None:
        known = (*known, last.file.signed)
    reached = trust.floor - 1 if last is None else max(last.version, trust.floor - 1)
    walked: list[SignedText] = []
    for link in file.chain:
        step = _step(link, trust, keys, reached)
        if step is None or step.next_keys is None:
            continue
        keys, reached = step.next_keys, step.version
        walked.append(link)
    bundle = _verified(file.signed, trust, keys)
    _refuse_old(bundle, trust, last, reached)
    if bundle.next_keys is not None:
        _verify_next(file.signed, bundle.next_keys)
    whole = BundleFile(file.signed, (*known, *walked))
    if len(whole.chain) > MOST_LINKS or len(whole.to_json().encode()) > LARGEST_FILE:
        raise BundleRefusedError(
            "bundle: too many changes of keys lie between it and the keys built in",
            Refusal.MALFORMED,
            hint="clients must be built with later keys",
        )
    return Accepted(bundle, whole, bundle.next_keys or keys)


def _step(link: SignedText, trust: Trust, keys: KeySet, reached: int) -> Bundle | None:
    """A change of keys that follows on what is known; None for any other, which is passed by.

    Who is built with later keys, or has come further, cannot verify the first links, and
    need not: a link that is passed by changes nothing.
    """
    if len(signers(link, keys.keys)) < keys.threshold:
        return None
    bundle = _parsed(link)
    if bundle.name != trust.name or bundle.version <= reached or bundle.next_keys is None:
        return None
    if len(signers(link, bundle.next_keys.keys)) < bundle.next_keys.threshold:
        return None
    return bundle


def _verified(signed: SignedText, trust: Trust, keys: KeySet) -> Bundle:
    found = len(signers(signed, keys.keys))
    if found < keys.threshold:
        raise BundleRefusedError(
            f"bundle: {found} of the trusted keys signed it, and {keys.threshold} must",
            Refusal.UNSIGNED,
        )
    bundle = _parsed(signed)
    if bundle.name != trust.name:
        raise BundleRefusedError(
            f"bundle: is {quoted(bundle.name)}, not {quoted(trust.name)}", Refusal.OTHER_NAME
        )
    return bundle


def _verify_next(signed: SignedText, keys: KeySet) -> None:
    found = len(signers(signed, keys.keys))
    if found < keys.threshold:
        raise BundleRefusedError(
            f"bundle: hands over to new keys, of which {found} signed it and {keys.threshold} must",
            Refusal.UNSIGNED,
            hint="whoever hands over shows that the new keys can sign",
        )


def _parsed(signed: SignedText) -> Bundle:
    try:
        return parse_bundle(signed.text)
    except MalformedError as error:
        raise BundleRefusedError(str(error), Refusal.MALFORMED, hint=error.hint) from None


def _refuse_old(bundle: Bundle, trust: Trust, last: Accepted | None, reached: int) -> None:
    if last is not None and bundle.version == last.version:
        raise BundleRefusedError(
            f"bundle {quoted(bundle.name)}: there are two of version {bundle.version}",
            Refusal.EQUIVOCATION,
            hint="somebody signed both: look at who holds the signing keys",
        )
    lowest = max(trust.floor, reached + 1)
    if bundle.version < lowest:
        raise BundleRefusedError(
            f"bundle {quoted(bundle.name)}: is version {bundle.version}, older than {lowest}",
            Refusal.ROLLED_BACK,
        )
