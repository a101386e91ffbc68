"""What `pinwarden pin verify` does: the same judgement as a client's, with its reasons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pinwarden.cli.output import ExitCode, answer, answer_json, say
from pinwarden.cli.pin.bundle_view import (
    bundle_json,
    bundle_lines,
    changes,
    read_bundle_file,
    read_public_key,
)
from pinwarden.cli.pin.writing import PUBLIC, write_new_files
from pinwarden.cli.reading import parse_moment
from pinwarden.errors import BadSignatureError, ConfigError, MalformedError, OutsideError, quoted
from pinwarden.names import display
from pinwarden.pinning.bundle import (
    Bundle,
    BundleFile,
    KeySet,
    SignedText,
    parse_bundle,
    parse_bundle_file,
)
from pinwarden.pinning.bundle_trust import (
    Accepted,
    BundleRefusedError,
    Refusal,
    Trust,
    accept,
)
from pinwarden.pinning.minisign import PublicKey, Signature
from pinwarden.pinning.moments import to_moment

__all__ = ["Order", "verify_bundle"]

_SECONDS = 30.0
# What a refused bundle says is worth telling only if its signatures are good.
_SIGNED = frozenset({Refusal.ROLLED_BACK, Refusal.EQUIVOCATION, Refusal.OTHER_NAME})
_LONGEST_COMMENT = 200


class _Verdict(StrEnum):
    GOOD = "good"
    STALE = "stale"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `verify` was asked for."""

    bundle: str
    keys: tuple[str, ...]
    threshold: int | None
    name: str | None
    after: int | None
    previous: Path | None
    at: str | None
    extract: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judgement:
    verdict: _Verdict
    reason: str
    problem: str = ""
    says: Bundle | None = None
    before: Bundle | None = None
    keys: tuple[PublicKey, ...] = ()
    threshold: int | None = None


def verify_bundle(order: Order) -> int:
    """Answer; raises `ConfigError` for usage, and `OutsideError` if it cannot be fetched."""
    at = parse_moment(order.at, "--at") or datetime.now(UTC)
    trust = _trust(order)
    file = _read(order.bundle)
    if order.extract is not None:
        _extract(file, order.extract)
    judgement = _unknown(file) if trust is None else _judge(file, order, trust, at)
    if judgement.verdict is _Verdict.GOOD and judgement.says and judgement.says.issued > at:
        say(f"note: it is issued after {to_moment(at)}: is the clock right?")
    _tell(file, judgement, order)
    return ExitCode.OK if judgement.verdict is _Verdict.GOOD else ExitCode.FINDINGS


def _read(where: str) -> BundleFile:
    if "://" not in where:
        return read_bundle_file(Path(where))
    from pinwarden.clients.bundle_fetch import URLFetch

    data = URLFetch(where, seconds=_SECONDS)()
    try:
        return parse_bundle_file(data)
    except MalformedError as error:
        raise OutsideError(f"{quoted(where)}: {error}", target=where, hint=error.hint) from None


def _trust(order: Order) -> KeySet | None:
    if not order.keys:
        for option, value in (("--threshold", order.threshold), ("--name", order.name)):
            if value is not None:
                raise ConfigError(f"{option}: says nothing without --key")
        return None
    keys = tuple(map(read_public_key, order.keys))
    try:
        return KeySet(keys, order.threshold or len(keys))
    except MalformedError as error:
        raise ConfigError(f"--key, --threshold: {error}") from None


def _unknown(file: BundleFile) -> _Judgement:
    problem = "no --key says whom to believe"
    try:
        says = parse_bundle(file.signed.text)
    except MalformedError as error:
        return _Judgement(verdict=_Verdict.UNKNOWN, reason="no-key", problem=f"{problem}; {error}")
    return _Judgement(verdict=_Verdict.UNKNOWN, reason="no-key", problem=problem, says=says)


def _judge(file: BundleFile, order: Order, keys: KeySet, at: datetime) -> _Judgement:
    last = _last(order, keys)
    name = order.name or (last.bundle.name if last else _claimed_name(file))
    floor = 1 if order.after is None else order.after + 1
    known = keys if last is None else last.keys
    try:
        # Whoever has that version went through the changes of keys before it.
        taken = accept(file, Trust(name, keys), last)
        if taken.version < floor:
            raise BundleRefusedError(
                f"bundle: is version {taken.version}, older than {floor}", Refusal.ROLLED_BACK
            )
    except BundleRefusedError as error:
        says = parse_bundle(file.signed.text) if error.why in _SIGNED else None
        return _Judgement(
            verdict=_Verdict.REFUSED,
            reason=error.why,
            problem=str(error),
            says=says,
            keys=known.keys,
            threshold=known.threshold,
        )
    stale = taken.bundle.expired(at)
    ended = to_moment(taken.bundle.expires)
    return _Judgement(
        verdict=_Verdict.STALE if stale else _Verdict.GOOD,
        reason="expired" if stale else "signed",
        problem=f"it was good until {ended}" if stale else "",
        says=taken.bundle,
        before=None if last is None else last.bundle,
        keys=_signing(taken, known),
        threshold=known.threshold,
    )


def _signing(taken: Accepted, known: KeySet) -> tuple[PublicKey, ...]:
    """Every key that may have signed it: those known, those reached through its chain, the next."""
    reached = [known.keys, taken.keys.keys]
    for link in taken.file.chain:
        following = parse_bundle(link.text).next_keys
        reached.append(() if following is None else following.keys)
    return tuple(dict.fromkeys(key for keys in reached for key in keys))


def _last(order: Order, keys: KeySet) -> Accepted | None:
    if order.previous is None:
        return None
    file = read_bundle_file(order.previous)
    name = order.name or _claimed_name(file)
    try:
        return accept(file, Trust(name, keys))
    except BundleRefusedError as error:
        raise ConfigError(f"--previous: {error}", hint=error.hint) from None


def _claimed_name(file: BundleFile) -> str:
    """Under which name to judge it; what is signed is verified before it counts."""
    try:
        return parse_bundle(file.signed.text).name
    except MalformedError:
        return ""


def _extract(file: BundleFile, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--extract {quoted(str(folder))}: {error.strerror}") from None
    names = [("bundle.json", file.signed)]
    names += [(f"link-{number}.json", link) for number, link in enumerate(file.chain, 1)]
    files = []
    for name, signed in names:
        files.append((folder / name, signed.octets, PUBLIC))
        for number, signature in enumerate(signed.signatures, 1):
            path = folder / f"{name}.{number}.minisig"
            files.append((path, signature.text.encode(), PUBLIC))
    write_new_files(*files)
    say(f"{quoted(str(folder / 'bundle.json'))}: the text that is signed; sign it with minisign -S")


def _statuses(signed: SignedText, keys: tuple[PublicKey, ...]) -> Iterator[dict[str, Any]]:
    for signature in signed.signatures:
        status = _status(signature, signed.octets, keys)
        # Without its key nobody knows who wrote the comment.
        comment = signature.trusted_comment if status == "valid" else None
        yield {"key_id": signature.shown_id, "status": status, "comment": comment}
    for _ in signed.unread:
        yield {"key_id": None, "status": "unreadable", "comment": None}


def _status(signature: Signature, octets: bytes, keys: tuple[PublicKey, ...]) -> str:
    named = [key for key in keys if key.key_id == signature.key_id]
    for key in named:
        try:
            signature.verify(octets, key)
        except BadSignatureError:
            continue
        return "valid"
    return "invalid" if named else "unknown-key"


def _tell(file: BundleFile, judgement: _Judgement, order: Order) -> None:
    statuses = list(_statuses(file.signed, judgement.keys))
    says = judgement.says
    changed = tuple(changes(judgement.before, says)) if judgement.before and says else ()
    if order.as_json:
        nothing = dict.fromkeys(
            ("name", "version", "issued", "expires", "next_keys", "next_threshold", "hosts")
        )
        answer_json(
            {
                "target": order.bundle,
                "verdict": judgement.verdict,
                "reason": judgement.reason,
                "problem": judgement.problem,
                **(nothing if says is None else bundle_json(says)),
                "threshold": judgement.threshold,
                "signatures": statuses,
                "changes": changed,
            }
        )
        return
    problem = f": {judgement.problem}" if judgement.problem else ""
    lines = [f"{display(order.bundle)}: {judgement.verdict}{problem}"]
    lines += [] if says is None else [f"  {line}" for line in bundle_lines(says)]
    for each in statuses:
        comment = each["comment"]
        note = f" ({display(comment, _LONGEST_COMMENT)})" if comment else ""
        lines.append(
            f"  signature by {each['key_id'] or 'nobody knows whom'}: {each['status']}{note}"
        )
    lines += [f"  changed: {line}" for line in changed]
    answer("\n".join(lines))
