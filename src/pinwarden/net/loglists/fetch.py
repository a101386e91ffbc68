"""Asking the servers for their newest lists."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pinwarden.ct.log import LogList
from pinwarden.ct.programs import is_older
from pinwarden.errors import (
    BadSignatureError,
    MalformedError,
    OutsideError,
    StoreError,
    VerificationError,
    quoted,
)
from pinwarden.findings import (
    LOG_LIST_NOT_KEPT,
    LOG_LIST_REFUSED,
    LOG_LIST_ROLLED_BACK,
    LOG_LIST_UNREACHABLE,
    Finding,
)
from pinwarden.net.http import HTTPClient, Response
from pinwarden.net.loglists.archive import unpack_list
from pinwarden.net.loglists.copies import Copy, save_copy
from pinwarden.net.loglists.known import (
    MOST_BYTES,
    Known,
    best_of,
    finding,
    load_known,
    parse_verified,
    with_findings,
)
from pinwarden.net.loglists.sources import ListInUse, ListSource, Origin, list_source

_MOST_SIGNATURE = 64 * 1024
_MOST_VALIDATOR = 1000
_PAST_CACHES = {"Cache-Control": "no-cache"}
_NOT_MODIFIED = 304


class _RolledBackError(VerificationError):
    """The list offered is older than the one we have."""


async def fetch_log_list(
    http: HTTPClient,
    source: ListSource | str,
    cache_dir: Path | None,
    *,
    at: datetime,
    refresh_after: timedelta = timedelta(0),
) -> ListInUse:
    """One list, from its server unless our copy was checked within `refresh_after`.

    `source` may be what the user wrote (see `list_source`). Raises ConfigError
    for a file that cannot be used, OutsideError for a URL of the user that
    gives nothing usable while no copy is there.
    """
    if isinstance(source, str):
        source = list_source(source)
    known = await asyncio.to_thread(load_known, source, cache_dir)
    findings = list(known.findings)
    if not source.is_file and not _is_recent(known, at, refresh_after):
        try:
            offered = await _ask(http, source, known, at)
            _refuse_older(source, offered.used.log_list, known)
        except _RolledBackError as error:
            findings.append(finding(LOG_LIST_ROLLED_BACK, source, str(error)))
        except (MalformedError, VerificationError) as error:
            message = f"log list {quoted(source.place)}: what was offered is refused: {error}"
            findings.append(finding(LOG_LIST_REFUSED, source, message))
        except OutsideError as error:
            if known.best is None:
                raise
            findings.append(finding(LOG_LIST_UNREACHABLE, source, str(error)))
        else:
            findings += await asyncio.to_thread(_keep, source, cache_dir, offered.copy)
            return with_findings(offered.used, findings, at)
    return with_findings(best_of(source, known, findings), findings, at)


def _is_recent(known: Known, at: datetime, refresh_after: timedelta) -> bool:
    return known.copy is not None and known.copy.checked <= at < known.copy.checked + refresh_after


@dataclass(frozen=True, slots=True)
class _Offered:
    """A list that the server says is its newest, and the copy to keep of it."""

    used: ListInUse
    copy: Copy


async def _ask(http: HTTPClient, source: ListSource, known: Known, at: datetime) -> _Offered:
    copy, best = known.copy, known.best
    answer = await _get(http, source, _conditions(copy))
    if answer.status == _NOT_MODIFIED:
        assert copy is not None, "the client takes 304 only where a condition was sent"
        assert best is not None
        # That is news: the list is current, however long it has been the same.
        return _Offered(replace(best, checked=at), replace(copy, checked=at))
    body, signature = await _with_signature(http, source, answer)
    try:
        log_list = parse_verified(source, body, signature)
    except BadSignatureError:
        # A list and its signature are two files, and caches have served them
        # out of step: both are asked for once more.
        answer = await _get(http, source, _PAST_CACHES)
        body, signature = await _with_signature(http, source, answer)
        log_list = parse_verified(source, body, signature)
    used = ListInUse(
        source=source,
        log_list=log_list,
        origin=Origin.NETWORK,
        signed=source.key is not None,
        fetched=at,
        checked=at,
    )
    kept = Copy(
        url=source.place,
        body=body,
        signature=signature,
        fetched=at,
        checked=at,
        etag=answer.headers.get("ETag"),
        last_modified=answer.headers.get("Last-Modified"),
    )
    return _Offered(used, kept)


async def _get(http: HTTPClient, source: ListSource, headers: dict[str, str]) -> Response:
    return await http.get(source.place, max_bytes=MOST_BYTES, headers=headers)


async def _with_signature(
    http: HTTPClient, source: ListSource, answer: Response
) -> tuple[bytes, bytes | None]:
    if source.place.endswith(".zip"):
        return unpack_list(answer.body, MOST_BYTES)
    if source.key is None:
        return answer.body, None
    place = source.place.removesuffix(".json") + ".sig"
    signature = await http.get(place, max_bytes=_MOST_SIGNATURE, headers=_PAST_CACHES)
    return answer.body, signature.body


def _conditions(copy: Copy | None) -> dict[str, str]:
    if copy is None:
        return {}
    given = {"If-None-Match": copy.etag, "If-Modified-Since": copy.last_modified}
    return {
        name: value
        for name, value in given.items()
        if value and len(value) <= _MOST_VALIDATOR and value.isascii() and value.isprintable()
    }


def _refuse_older(source: ListSource, offered: LogList, known: Known) -> None:
    if known.best is not None and is_older(offered, known.best.log_list):
        raise _RolledBackError(
            f"log list {quoted(source.place)}: {_named(offered)} was offered, which is older "
            f"than {_named(known.best.log_list)}; the newer one stays in use"
        )


def _named(log_list: LogList) -> str:
    date = f" of {log_list.timestamp:%Y-%m-%d %H:%M}" if log_list.timestamp else ""
    return f"version {quoted(log_list.version)}{date}"


def _keep(source: ListSource, cache_dir: Path | None, copy: Copy) -> list[Finding]:
    if cache_dir is None:
        return []
    try:
        save_copy(cache_dir, copy)
    except StoreError as error:
        return [finding(LOG_LIST_NOT_KEPT, source, str(error))]
    return []
