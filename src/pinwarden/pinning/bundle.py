"""Signed bundles of pins: what a bundle says, and the file in which it travels.

The file is one JSON object: `bundle`, the text that is signed, exactly; `signatures`, as
many minisign signature files; and perhaps `chain`, the earlier bundles that changed the
signing keys, oldest first. Whether to believe it is `bundle_trust`'s question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pinwarden.errors import MalformedError, PinwardenError, quoted
from pinwarden.pinning import document
from pinwarden.pinning.minisign import PublicKey, Signature, parse_public_key, parse_signature
from pinwarden.pinning.moments import to_moment
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.strict_json import read_object

__all__ = [
    "LARGEST_FILE",
    "MOST_LINKS",
    "MOST_SIGNATURES",
    "MOST_VERSION",
    "Bundle",
    "BundleFile",
    "KeySet",
    "SignedText",
    "parse_bundle",
    "parse_bundle_file",
    "to_bundle_text",
    "verify_bundle_name",
]

_FORMAT = "pinwarden-pins-1"
LARGEST_FILE = 4 << 20
MOST_SIGNATURES, MOST_LINKS, _MOST_KEYS = 64, 64, 32
# Above it not every JSON parser has whole numbers.
MOST_VERSION = 2**53 - 1
_FILE_KEYS = {"bundle", "signatures", "chain"}
_BUNDLE_KEYS = {"format", "name", "version", "issued", "expires", "keys", "threshold", "pins"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KeySet:
    """Who signs, and how many of them must; raises `MalformedError` if it makes no sense.

    Keys are told apart by what they are, not by what they are called: one key under two
    names would sign twice.
    """

    keys: tuple[PublicKey, ...]
    threshold: int

    def __post_init__(self) -> None:
        if len({key.octets for key in self.keys}) != len(self.keys):
            raise MalformedError("signing keys: one stands there twice")
        if not 1 <= len(self.keys) <= _MOST_KEYS:
            raise MalformedError(f"signing keys: there are {len(self.keys)}, not 1 to {_MOST_KEYS}")
        if not 1 <= self.threshold <= len(self.keys):
            raise MalformedError(
                f"signing keys: {self.threshold} of {len(self.keys)} cannot have to sign"
            )


@dataclass(frozen=True, slots=True)
class SignedText:
    """A text and signatures of which nothing is known yet.

    A signature that cannot be read stands in `unread`: it may be of a kind to come.
    """

    text: str
    signatures: tuple[Signature, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def octets(self) -> bytes:
        """What is signed: the text in UTF-8."""
        return self.text.encode("utf-8")


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A bundle as it travels; `chain` are the earlier ones that changed the keys, oldest first."""

    signed: SignedText
    chain: tuple[SignedText, ...] = ()

    def to_json(self) -> str:
        """The file, in JSON with a newline at its end."""
        value = _signed_json(self.signed)
        if self.chain:
            value["chain"] = [_signed_json(each) for each in self.chain]
        return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a bundle says.

    `version` grows from bundle to bundle; from `expires` on nobody should rely on it any
    more. `next_keys` sign the bundles after this one; None leaves them as they were.
    """

    name: str
    version: int
    issued: datetime
    expires: datetime
    pins: PinSet
    next_keys: KeySet | None = None

    def __post_init__(self) -> None:
        shown = f"bundle {quoted(self.name)}"
        verify_bundle_name(self.name)
        if not 1 <= self.version <= MOST_VERSION:
            raise MalformedError(f"{shown}: has no version from 1 to {MOST_VERSION}")
        for moment in (self.issued, self.expires):
            if moment.microsecond or moment.utcoffset() != UTC.utcoffset(None):
                raise MalformedError(f"{shown}: its times are not whole seconds in UTC")
        if not _EARLIEST <= self.issued < self.expires:
            raise MalformedError(f"{shown}: expires before it is issued")

    def expired(self, at: datetime) -> bool:
        """Whether it is stale at a time."""
        return at >= self.expires


def verify_bundle_name(name: str) -> None:
    """Raises `MalformedError` for what no bundle can be called."""
    if not _NAME.fullmatch(name):
        raise MalformedError(
            f"bundle {quoted(name)}: is no name",
            hint="letters, digits, dots, hyphens and underscores, at most 64",
        )


def to_bundle_text(bundle: Bundle) -> str:
    """The text to sign; raises `MalformedError` if it would not be read as the same bundle."""
    data = json.loads(bundle.pins.to_json())
    value: dict[str, Any] = {
        "format": _FORMAT,
        "name": bundle.name,
        "version": bundle.version,
        "issued": to_moment(bundle.issued),
        "expires": to_moment(bundle.expires),
    }
    if bundle.next_keys is not None:
        value["keys"] = [key.text for key in bundle.next_keys.keys]
        value["threshold"] = bundle.next_keys.threshold
    text = json.dumps(value | {"pins": data}, ensure_ascii=False, indent=1) + "\n"
    if parse_bundle(text) != bundle:
        raise MalformedError(
            f"bundle {quoted(bundle.name)}: cannot be written so that it reads the same"
        )
    return text


def parse_bundle(text: str) -> Bundle:
    """What a text says, once its signatures are verified; raises `MalformedError`."""
    value = read_object(text, "bundle")
    _refuse_unknown(value, _BUNDLE_KEYS, "bundle")
    if value.get("format") != _FORMAT:
        raise MalformedError(
            f"bundle: its format is not {quoted(_FORMAT)}", hint="a later Pinwarden may read it"
        )
    name, version = value.get("name"), value.get("version")
    if not isinstance(name, str) or not isinstance(version, int) or isinstance(version, bool):
        raise MalformedError("bundle: has no name or no version")
    try:
        read = document.from_data(value.get("pins"))
        pins = PinSet(
            read.policies,
            unpinned_hosts=read.unpinned_hosts,
            comment=read.comment,
            owner=read.owner,
        )
    except PinwardenError as error:
        raise MalformedError(f"bundle {quoted(name)}: pins: {error}", hint=error.hint) from None
    return Bundle(
        name=name,
        version=version,
        issued=_moment(value, "issued"),
        expires=_moment(value, "expires"),
        pins=pins,
        next_keys=_next_keys(value),
    )


def parse_bundle_file(data: bytes | str) -> BundleFile:
    """A bundle's file, of which nothing is believed yet; raises `MalformedError`."""
    if len(data) > LARGEST_FILE:
        raise MalformedError(f"bundle file: is larger than {LARGEST_FILE >> 20} MiB")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        raise MalformedError("bundle file: is not UTF-8 text") from None
    value = read_object(text, "bundle file")
    chain = value.get("chain", [])
    if not isinstance(chain, list) or len(chain) > MOST_LINKS:
        raise MalformedError(f"bundle file: its chain is not a list of at most {MOST_LINKS}")
    return BundleFile(
        _signed(value, _FILE_KEYS, "bundle file"),
        tuple(
            _signed(each, _FILE_KEYS - {"chain"}, f"bundle file: link {number} of its chain")
            for number, each in enumerate(chain, 1)
        ),
    )


def _signed(value: object, keys: set[str], who: str) -> SignedText:
    if not isinstance(value, dict):
        raise MalformedError(f"{who}: is not an object")
    _refuse_unknown(value, keys, who)
    text, signatures = value.get("bundle"), value.get("signatures")
    if not isinstance(text, str):
        raise MalformedError(f"{who}: holds no bundle", hint="`pinwarden pin sign` makes one")
    if (
        not isinstance(signatures, list)
        or len(signatures) > MOST_SIGNATURES
        or not all(isinstance(each, str) for each in signatures)
    ):
        raise MalformedError(f"{who}: has no list of at most {MOST_SIGNATURES} signatures")
    read, unread = [], []
    for each in signatures:
        try:
            read.append(parse_signature(each))
        except MalformedError:
            unread.append(each)
    return SignedText(text, tuple(read), tuple(unread))


def _signed_json(signed: SignedText) -> dict[str, Any]:
    signatures = [*(each.text for each in signed.signatures), *signed.unread]
    return {"bundle": signed.text, "signatures": signatures}


def _refuse_unknown(value: Mapping[str, Any], keys: set[str], who: str) -> None:
    for key in value:
        if key not in keys:
            raise MalformedError(f"{who}: has no key {quoted(key)}")


def _next_keys(value: Mapping[str, Any]) -> KeySet | None:
    keys, threshold = value.get("keys"), value.get("threshold")
    if "keys" not in value and "threshold" not in value:
        return None
    if (
        not isinstance(keys, list)
        or not all(isinstance(each, str) for each in keys)
        or not isinstance(threshold, int)
        or isinstance(threshold, bool)
    ):
        raise MalformedError("bundle: its keys are not a list with a threshold")
    if len(keys) > _MOST_KEYS:
        raise MalformedError(f"bundle: has more than {_MOST_KEYS} keys")
    return KeySet(tuple(map(parse_public_key, keys)), threshold)


def _moment(value: Mapping[str, Any], key: str) -> datetime:
    text = value.get(key)
    try:
        if isinstance(text, str) and _MOMENT.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise MalformedError(f"bundle: {key} is not a time such as 2026-11-24T08:00:00Z")
