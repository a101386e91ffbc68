"""Log lists: reading and verifying them.

Reads the version 2 and 3 schema that Chrome, Apple, Mozilla and crt.sh share,
each with liberties of its own. Three rules:

1. A field that cannot be read costs that field, a log that cannot be used
   costs that log, and each is named in `problems`.
2. Nothing is fetched without TLS. Only a list that the user gives may name
   logs over plain HTTP, and only on a literal loopback host.
3. The mimic logs, whose private keys are public, are refused in every list.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pinwarden.ct.head import LogID, LogKey
from pinwarden.ct.known_logs import mimic_logs
from pinwarden.ct.log import (
    DEFAULT_MMD,
    Listing,
    Log,
    LogKind,
    LogList,
    LogState,
    PreviousOperator,
    Program,
)
from pinwarden.ct.logurl import origin_of, parse_log_url
from pinwarden.ct.merkle import RootHash
from pinwarden.ct.programs import (
    is_older,
    is_stale,
    logs_to_follow,
    merge_log_lists,
    why_not_followed,
)
from pinwarden.errors import BadSignatureError, MalformedError, quoted

__all__ = [
    "Listing",
    "Log",
    "LogKind",
    "LogList",
    "LogState",
    "PreviousOperator",
    "Program",
    "is_older",
    "is_stale",
    "logs_to_follow",
    "merge_log_lists",
    "parse_log_list",
    "verify_log_list",
    "why_not_followed",
]

# The longest real list has 309 logs.
_MOST_LOGS = 5000
_LONGEST_KEY = 4096
_LONGEST_TEXT = 1000
_LONGEST_MMD = timedelta(days=30)
_HASH_SIZE = 32


def parse_log_list(data: bytes, source: str, program: Program = Program.USER) -> LogList:
    """The logs that a list names, and what is wrong with those it names badly.

    `source` says where the list is from, for people; `program` whose list it
    is. Raises MalformedError if this is no log list at all.
    """
    top = _load_json(data, source)
    operators = top.get("operators")
    if not isinstance(operators, list):
        raise MalformedError(f"log list {quoted(source)}: has no list of operators")
    if len(operators) > _MOST_LOGS:
        raise MalformedError(f"log list {quoted(source)}: names more than {_MOST_LOGS} operators")
    return _Reader(program, source).read(top, operators)


def verify_log_list(data: bytes, signature: bytes, public_key_pem: bytes) -> None:
    """Verify the detached signature of a list: RSA, PKCS #1 v1.5, SHA-256.

    Raises BadSignatureError, or MalformedError if the key is no RSA key.
    """
    try:
        key = load_pem_public_key(public_key_pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MalformedError("log list key: is not a PEM public key") from error
    if not isinstance(key, RSAPublicKey):
        raise MalformedError("log list key: is not an RSA key")
    try:
        key.verify(signature, data, PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise BadSignatureError("log list: its signature does not verify") from error


def _load_json(data: bytes, source: str) -> dict[str, object]:
    try:
        top = json.loads(data)
    except (ValueError, RecursionError, MemoryError) as error:
        raise MalformedError(f"log list {quoted(source)}: is not JSON") from error
    if not isinstance(top, dict):
        raise MalformedError(f"log list {quoted(source)}: is not a JSON object")
    return top


@dataclass(slots=True)
class _Reader:
    """Reads one list and collects its problems."""

    program: Program
    source: str
    as_of: datetime | None = None
    problems: list[str] = field(default_factory=list)

    def read(self, top: dict[str, object], operators: list[object]) -> LogList:
        self.as_of = self._time(top.get("log_list_timestamp"), "the list: its date")
        logs: dict[LogID, Log] = {}
        for count, (operator, raw, kind) in enumerate(self._raw_logs(operators)):
            if count >= _MOST_LOGS:
                raise MalformedError(
                    f"log list {quoted(self.source)}: names more than {_MOST_LOGS} logs"
                )
            try:
                log = self._log(raw, operator, kind)
            except MalformedError as error:
                self.problems.append(f"{_subject(raw)}: {error}")
                continue
            if log.log_id in logs:
                self.problems.append(f"{_subject(raw)}: is listed twice; its first entry is used")
            logs.setdefault(log.log_id, log)
        return LogList(
            logs=tuple(logs.values()),
            version=_text(top.get("version")),
            timestamp=self.as_of,
            source=self.source,
            problems=tuple(self.problems),
        )

    def _raw_logs(self, operators: list[object]) -> Iterator[tuple[str, object, LogKind]]:
        for operator in operators:
            if not isinstance(operator, dict):
                self.problems.append("an operator is not a JSON object; its logs are lost")
                continue
            name = _text(operator.get("name"))
            for key, kind in (("logs", LogKind.RFC6962), ("tiled_logs", LogKind.STATIC)):
                logs = operator.get(key)
                if isinstance(logs, list):
                    yield from ((name, raw, kind) for raw in logs)
                elif logs is not None:
                    self.problems.append(f"operator {quoted(name)}: {key} is not a list")

    def _log(self, raw: object, operator: str, kind: LogKind) -> Log:
        """One log. Raises MalformedError, without a subject, if it is refused."""
        if not isinstance(raw, dict):
            raise MalformedError("is not a JSON object")
        log_id, key = _identity(raw)
        subject = _subject(raw)
        url = self._url(raw, "url" if kind is LogKind.RFC6962 else "monitoring_url", subject)
        submission = self._submission_url(raw, kind, url, subject)
        state, since, final = self._state(raw.get("state"), subject)
        return Log(
            log_id=log_id,
            key=key,
            description=_text(raw.get("description")) or url,
            operator=operator,
            kind=kind,
            url=url,
            submission_url=submission,
            origin=origin_of(submission) if kind is LogKind.STATIC else "",
            mmd=self._mmd(raw.get("mmd"), subject),
            state=state,
            state_since=since,
            interval=self._interval(raw.get("temporal_interval"), subject),
            final_size=final[0] if final else None,
            final_root=final[1] if final else None,
            log_type=_text(raw.get("log_type")),
            previous_operators=self._previous_operators(raw, subject),
            listings=(
                Listing(
                    program=self.program,
                    operator=operator,
                    state=state,
                    since=since,
                    as_of=self.as_of,
                ),
            ),
        )

    def _url(self, raw: dict[str, object], name: str, subject: str) -> str:
        value = raw.get(name)
        if value is None or value == "":
            # Mozilla leaves all URLs out, because it only checks SCTs.
            if self.program is not Program.MOZILLA:
                self.problems.append(f"{subject}: has no {name}, so it cannot be followed")
            return ""
        try:
            return self._prefix(value)
        except MalformedError as error:
            if self.program is Program.USER:
                raise
            # The key of a listed log checks SCTs even if nobody may read the log.
            self.problems.append(f"{subject}: {error}; it cannot be followed")
            return ""

    def _prefix(self, value: object) -> str:
        if not isinstance(value, str):
            raise MalformedError("its URL is not a string")
        return parse_log_url(value, allow_loopback=self.program is Program.USER)

    def _submission_url(self, raw: dict[str, object], kind: LogKind, url: str, subject: str) -> str:
        if kind is LogKind.RFC6962:
            return url
        value = raw.get("submission_url")
        if value is None or value == "":
            if url:
                # Without it the name on the log's checkpoints is not known.
                raise MalformedError("has no submission_url")
            return ""
        return self._prefix(value)

    def _state(
        self, value: object, subject: str
    ) -> tuple[LogState, datetime | None, tuple[int, RootHash] | None]:
        if value is None:
            return LogState.UNKNOWN, None, None
        states = []
        if isinstance(value, dict):
            for name, detail in value.items():
                if name in _STATES and isinstance(detail, dict):
                    states.append((name, detail))
        if not states:
            self.problems.append(f"{subject}: its state cannot be read")
            return LogState.UNREADABLE, None, None
        dated = [
            (self._time(detail.get("timestamp"), f"{subject}: its state's date"), name, detail)
            for name, detail in states
        ]
        # Mozilla keeps past states: the latest one is in force.
        since, name, detail = max(dated, key=lambda each: each[0] or _LONG_AGO)
        return LogState(name), since, self._final_head(detail.get("final_tree_head"), subject)

    def _final_head(self, value: object, subject: str) -> tuple[int, RootHash] | None:
        if value is None:
            return None
        if isinstance(value, dict):
            size = _integer(value.get("tree_size"))
            root = _base64(value.get("sha256_root_hash"), _HASH_SIZE)
            if size is not None and size < 2**63 and root is not None and len(root) == _HASH_SIZE:
                return size, RootHash(root)
        self.problems.append(f"{subject}: its final tree head cannot be read")
        return None

    def _mmd(self, value: object, subject: str) -> timedelta:
        seconds = _integer(value)
        if seconds and seconds <= _LONGEST_MMD.total_seconds():
            return timedelta(seconds=seconds)
        # Mozilla gives 0 where it does not know.
        if value not in (None, 0):
            self.problems.append(f"{subject}: its maximum merge delay cannot be read")
        return DEFAULT_MMD

    def _interval(self, value: object, subject: str) -> tuple[datetime, datetime] | None:
        if value is None:
            return None
        if isinstance(value, dict):
            start = _parse_time(value.get("start_inclusive"))
            end = _parse_time(value.get("end_exclusive"))
            if start is not None and end is not None and start < end:
                return start, end
        # Without an interval the log is followed for ever, so nothing is missed.
        self.problems.append(f"{subject}: its temporal interval cannot be read")
        return None

    def _previous_operators(
        self, raw: dict[str, object], subject: str
    ) -> tuple[PreviousOperator, ...]:
        value = raw.get("previous_operators")
        if value is None:
            return ()
        found = []
        for each in value[:_MOST_LOGS] if isinstance(value, list) else ():
            until = _parse_time(each.get("end_time")) if isinstance(each, dict) else None
            if until is not None and _text(each.get("name")):
                found.append(PreviousOperator(_text(each.get("name")), until))
        if not isinstance(value, list) or len(found) != len(value):
            self.problems.append(f"{subject}: its previous operators cannot all be read")
        return tuple(sorted(found, key=lambda each: each.until))

    def _time(self, value: object, what: str) -> datetime | None:
        time = _parse_time(value)
        if time is None and value is not None:
            self.problems.append(f"{what} cannot be read")
        return time


_STATES = frozenset(LogState) - {LogState.UNKNOWN, LogState.UNREADABLE}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _identity(raw: dict[str, object]) -> tuple[LogID, bytes]:
    key = _base64(raw.get("key"), _LONGEST_KEY)
    log_id = _base64(raw.get("log_id"), _HASH_SIZE)
    if key is None or log_id is None:
        raise MalformedError("its log_id or its key is not base64")
    if sha256(key).digest() != log_id:
        raise MalformedError("its log_id is not the SHA-256 of its key")
    if log_id in mimic_logs():
        raise MalformedError("is a mimic log, whose private key is public")
    LogKey(key)
    return LogID(log_id), key


def _subject(raw: object) -> str:
    if not isinstance(raw, dict):
        return "a log"
    for name in ("description", "url", "monitoring_url", "log_id"):
        if text := _text(raw.get(name)):
            return f"log {quoted(text)}"
    return "a log without a name"


def _text(value: object) -> str:
    """Text of bounded length that every store can hold: no lone surrogates, no NUL."""
    if not isinstance(value, str):
        return ""
    cut = value[:_LONGEST_TEXT].replace("\0", "\ufffd")
    return cut.encode("utf-8", "replace").decode("utf-8")


def _integer(value: object) -> int | None:
    """A whole number that is not negative; JSON has no integers, so 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _base64(value: object, most: int) -> bytes | None:
    if not isinstance(value, str) or len(value) > most * 2 + 4:
        return None
    try:
        return b64decode(value, validate=True)
    except ValueError:
        return None


def _parse_time(value: object) -> datetime | None:
    """An RFC 3339 time in UTC."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
