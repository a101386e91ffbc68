"""What we have of a list without asking anybody: a file, a copy, or the shipped table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pinwarden.ct.known_logs import listed_logs
from pinwarden.ct.log import LogList
from pinwarden.ct.loglist import parse_log_list, verify_log_list
from pinwarden.ct.programs import is_older, is_stale
from pinwarden.errors import (
    ConfigError,
    MalformedError,
    OutsideError,
    StoreError,
    VerificationError,
    quoted,
)
from pinwarden.findings import (
    LOG_LIST_NOT_KEPT,
    LOG_LIST_REFUSED,
    LOG_LIST_STALE,
    Finding,
    FindingKind,
)
from pinwarden.net.loglists.copies import Copy, load_copy
from pinwarden.net.loglists.sources import ListInUse, ListSource, Origin

MOST_BYTES = 16 * 1024 * 1024
_MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The best we have of a list; `copy` is set only if that is the copy on disk."""

    best: ListInUse | None = None
    copy: Copy | None = None
    findings: tuple[Finding, ...] = ()


def load_log_list(source: ListSource, cache_dir: Path | None, *, at: datetime) -> ListInUse:
    """One list as it would be used without asking anybody.

    Raises ConfigError for a file that cannot be used, OutsideError for a list
    of the user that was never fetched.
    """
    known = load_known(source, cache_dir)
    return with_findings(best_of(source, known, known.findings), known.findings, at)


def load_known(source: ListSource, cache_dir: Path | None) -> Known:
    """The best we have of a list: of copy and shipped table, the newer one."""
    if source.is_file:
        return Known(best=_read_file(source))
    shipped = _shipped(source)
    findings: tuple[Finding, ...] = ()
    copy = kept = None
    try:
        copy = load_copy(cache_dir, source.place) if cache_dir is not None else None
        kept = _kept(source, copy) if copy is not None else None
    except StoreError as error:
        findings = (finding(LOG_LIST_NOT_KEPT, source, f"{error}; it is not used"),)
    except (MalformedError, VerificationError) as error:
        findings = (finding(LOG_LIST_REFUSED, source, f"the copy on disk: {error}"),)
    if kept is None or (shipped is not None and is_older(kept.log_list, shipped.log_list)):
        return Known(best=shipped, findings=findings)
    return Known(best=kept, copy=copy, findings=findings)


def best_of(source: ListSource, known: Known, findings: Iterable[Finding]) -> ListInUse:
    """What is used when nothing new can be had. Raises OutsideError if that is nothing."""
    if known.best is not None:
        return known.best
    reasons = [each.message for each in findings]
    raise OutsideError(
        reasons[-1] if reasons else f"log list {quoted(source.place)}: was never fetched",
        target=source.place,
        hint=None if reasons else "`pinwarden log-list update` fetches it",
    )


def parse_verified(source: ListSource, body: bytes, signature: bytes | None) -> LogList:
    """The list, its signature verified where the source must sign."""
    if source.key is not None:
        verify_log_list(body, signature or b"", source.key)
    return _parse(source, body)


def with_findings(used: ListInUse, findings: Iterable[Finding], at: datetime) -> ListInUse:
    """The list with all findings about it: those given, refused logs, and old age."""
    source, problems = used.source, used.log_list.problems
    found = list(findings)
    found += [
        Finding(kind=LOG_LIST_REFUSED, subject=f"{source.place}: {problem}", message=problem)
        for problem in problems[:_MOST_PROBLEMS]
    ]
    if len(problems) > _MOST_PROBLEMS:
        more = len(problems) - _MOST_PROBLEMS
        message = f"log list {quoted(source.place)}: {more} more logs or fields were refused"
        found.append(finding(LOG_LIST_REFUSED, source, message))
    if used.dated is not None and is_stale(used.dated, at):
        message = (
            f"log list {quoted(source.place)}: the {used.origin} copy is of "
            f"{used.dated:%Y-%m-%d}, {(at - used.dated).days} days ago"
        )
        found.append(finding(LOG_LIST_STALE, source, message))
    return replace(used, findings=tuple(found))


def finding(kind: FindingKind, source: ListSource, message: str) -> Finding:
    """A finding about a list as a whole."""
    return Finding(kind=kind, subject=source.place, message=message)


def _read_file(source: ListSource) -> ListInUse:
    subject = f"log list {quoted(source.place)}"
    try:
        with Path(source.place).open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{subject}: {(error.strerror or 'unreadable').lower()}") from error
    except ValueError as error:
        raise ConfigError(f"{subject}: is not a path") from error
    if len(body) > MOST_BYTES:
        raise ConfigError(f"{subject}: is larger than {MOST_BYTES} bytes")
    try:
        log_list = _parse(source, body)
    except MalformedError as error:
        raise ConfigError(str(error)) from error
    return ListInUse(source=source, log_list=log_list, origin=Origin.FILE)


def _parse(source: ListSource, body: bytes) -> LogList:
    """The list. One without any log would quietly end all following: it is refused."""
    log_list = parse_log_list(body, source.place, source.program)
    if log_list.logs:
        return log_list
    problems = log_list.problems or ("names no log",)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise MalformedError(f"log list {quoted(source.place)}: {problems[0]}{more}")


def _kept(source: ListSource, copy: Copy) -> ListInUse:
    return ListInUse(
        source=source,
        log_list=parse_verified(source, copy.body, copy.signature),
        origin=Origin.COPY,
        signed=source.key is not None,
        fetched=copy.fetched,
        checked=copy.checked,
    )


def _shipped(source: ListSource) -> ListInUse | None:
    log_list = listed_logs(source.program)
    if not log_list.logs:
        return None
    return ListInUse(source=source, log_list=log_list, origin=Origin.SHIPPED)
