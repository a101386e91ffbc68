"""`NSPinnedDomains` and TrustKit's configuration, in an Info.plist or alone, XML or binary."""

from __future__ import annotations

import plistlib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from xml.parsers.expat import ExpatError

from pinwarden.errors import MalformedError, quoted
from pinwarden.pinning.formats.reading.found import Found

__all__ = ["read"]

_EXCLUDE = ("kSKExcludeSubdomainFromParentPolicy", "TSKExcludeSubdomainFromParentPolicy")
_BROKEN = (
    *(plistlib.InvalidFileException, ExpatError, ValueError, TypeError, KeyError, IndexError),
    *(AttributeError, OverflowError, RecursionError, LookupError, MemoryError, AssertionError),
)


def read(data: bytes, notes: list[str]) -> Iterator[Found]:
    """The policies of both; raises `MalformedError` if it is no property list or has neither."""
    # Property lists name a document type and never declare an entity.
    if b"<!ENTITY" in data:
        raise MalformedError("declares entities, as no property list needs to")
    try:
        root = plistlib.loads(data)
    except _BROKEN as error:
        raise MalformedError(f"is not a property list: {error}") from None
    apple = _find(root, "NSAppTransportSecurity", "NSPinnedDomains")
    trustkit = _find(root, "TSKConfiguration", "TSKPinnedDomains")
    if apple is None and trustkit is None:
        raise MalformedError("holds neither NSPinnedDomains nor TSKPinnedDomains")
    for host, domain in _domains(apple, notes):
        yield _apple(host, domain, notes)
    domains = dict(_domains(trustkit, notes))
    for host, domain in domains.items():
        if not any(domain.get(key) for key in _EXCLUDE):
            yield _trustkit(host, domain, domains, notes)


def _find(root: object, outer: str, inner: str) -> Mapping[str, Any] | None:
    """The dictionary of a name, at its place or with less around it."""
    if not isinstance(root, dict):
        return None
    for place in (root.get(outer), root):
        if isinstance(place, dict) and isinstance(place.get(inner), dict):
            return place[inner]  # type: ignore[no-any-return]
    return None


def _domains(
    table: Mapping[str, Any] | None, notes: list[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for host, domain in (table or {}).items():
        if isinstance(host, str) and isinstance(domain, dict):
            yield host, domain
        else:
            notes.append(f"{quoted(str(host), 80)}: is no dictionary")


def _apple(host: str, domain: Mapping[str, Any], notes: list[str]) -> Found:
    below = domain.get("NSIncludesSubdomains") is True
    if below:
        notes.append(
            f"{quoted(host)}: NSIncludesSubdomains reaches one label down, include_subdomains all"
        )
    leaf = tuple(_identities(domain.get("NSPinnedLeafIdentities")))
    ca = tuple(_identities(domain.get("NSPinnedCAIdentities")))
    if leaf and ca:
        notes.append(
            f"{quoted(host)}: a chain may have to meet a leaf identity and a CA identity, and here "
            "either is enough"
        )
    return Found(
        host=host,
        leaf=leaf,
        ca=ca,
        include_subdomains=below,
    )


def _identities(value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else []:
        pin = each.get("SPKI-SHA256-BASE64") if isinstance(each, dict) else each
        yield pin if isinstance(pin, str) else repr(pin)[:80]


def _trustkit(
    host: str,
    domain: Mapping[str, Any],
    domains: Mapping[str, Mapping[str, Any]],
    notes: list[str],
) -> Found:
    below = domain.get("TSKIncludeSubdomains") is True
    hashes = domain.get("TSKPublicKeyHashes")
    uris = domain.get("TSKReportUris")
    if isinstance(uris, list) and len(uris) > 1:
        notes.append(f"{quoted(host)}: of {len(uris)} report addresses the first is taken")
    return Found(
        host=host,
        anywhere=tuple(_identities(hashes)),
        include_subdomains=below,
        exclude=tuple(_excluded(host, domains)) if below else (),
        report_only=domain.get("TSKEnforcePinning", True) in (False, "NO", "false"),
        last_day=_last_day(domain.get("TSKExpirationDate"), host, notes),
        report_uri=str(uris[0]) if isinstance(uris, list) and uris else "",
    )


def _excluded(host: str, domains: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, domain in domains.items():
        if any(domain.get(key) for key in _EXCLUDE) and name.endswith(f".{host}"):
            yield name


def _last_day(value: object, host: str, notes: list[str]) -> date | None:
    """The day before the one named, from whose beginning TrustKit pins no longer."""
    if value is None:
        return None
    try:
        found = value if isinstance(value, date) else date.fromisoformat(str(value).strip())
        return date(found.year, found.month, found.day) - timedelta(days=1)
    except (ValueError, OverflowError):
        notes.append(f"{quoted(host)}: TSKExpirationDate {quoted(str(value), 40)} is no date")
        return None
