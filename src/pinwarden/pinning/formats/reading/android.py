"""Android's network security configuration, with the tags of TrustKit for Android if it has any."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from pinwarden.errors import MalformedError, quoted
from pinwarden.pinning.formats.reading.found import Found
from pinwarden.pinning.formats.reading.markup import Element, parse_markup

__all__ = ["read"]

_MOST_PARENTS = 20
_IN_DEBUG_BUILDS = "in debug builds some trust anchors override the pins; a pin set knows no such"
_OVERRIDES = (
    "some trust anchors override the pins, which no pin set can say: chains that end there are "
    "refused by it"
)


def read(data: bytes, notes: list[str]) -> Iterator[Found]:
    """The policies of every domain with pins, and the names that have none below them.

    Raises `MalformedError` for what is no such file.
    """
    root = parse_markup(data)
    if root.name != "network-security-config":
        raise MalformedError(f"is XML of {quoted(root.name, 60)}, not a network-security-config")
    _tell_overrides(root, notes)
    domains: dict[str, tuple[Element | None, bool, Element | None]] = {}
    for config in root.all("domain-config"):
        _collect(config, None, None, domains, notes, 0)
    pinned = {host: each for host, each in domains.items() if each[0] is not None}
    for host, (pins, below, trustkit) in pinned.items():
        if pins is not None:
            excluded = _excluded(host, below, domains)
            yield _policy(host, pins, below, trustkit, excluded, notes)


def _collect(
    config: Element,
    pins: Element | None,
    trustkit: Element | None,
    domains: dict[str, tuple[Element | None, bool, Element | None]],
    notes: list[str],
    depth: int,
) -> None:
    """The domains of an element and of those in it, which inherit what they do not say."""
    if depth > _MOST_PARENTS:
        raise MalformedError("is too deep")
    sets, more = config.all("pin-set"), config.all("trustkit-config")
    if sets:
        pins = sets[0] if sets[0].all("pin") else None
    trustkit = more[0] if more else trustkit
    for domain in config.all("domain"):
        below = _is_true(domain.attributes.get("includeSubdomains"))
        name = domain.text.strip().lower()
        if name in domains:
            notes.append(
                f"{quoted(name, 80)} stands twice, at which Android stops: the last counts"
            )
        domains[name] = (pins, below, trustkit)
    for inner in config.all("domain-config"):
        _collect(inner, pins, trustkit, domains, notes, depth + 1)


def _tell_overrides(root: Element, notes: list[str]) -> None:
    """Trust anchors for whose chains the pins are not asked."""
    places = [(each, each.name == "debug-overrides") for each in root.children]
    while places:
        place, debug = places.pop()
        places += [(each, debug) for each in place.all("domain-config")]
        if any(
            _is_true(each.attributes.get("overridePins"))
            for anchors in place.all("trust-anchors")
            for each in anchors.children
        ):
            notes.append(_IN_DEBUG_BUILDS if debug else _OVERRIDES)


def _is_true(value: str | None) -> bool:
    return (value or "").strip().lower() == "true"


def _excluded(
    host: str, below: bool, domains: dict[str, tuple[Element | None, bool, Element | None]]
) -> tuple[str, ...]:
    if not below:
        return ()
    return tuple(
        name
        for name, (pins, _, _) in domains.items()
        if pins is None and name.endswith(f".{host}") and _nearest(name, domains) == host
    )


def _nearest(
    name: str, domains: dict[str, tuple[Element | None, bool, Element | None]]
) -> str | None:
    while "." in name:
        name = name.partition(".")[2]
        found = domains.get(name)
        if found is not None and found[0] is not None and found[1]:
            return name
    return None


def _policy(
    host: str,
    pins: Element,
    below: bool,
    trustkit: Element | None,
    excluded: tuple[str, ...],
    notes: list[str],
) -> Found:
    uris: list[str] = []
    if trustkit is not None:
        uris = [each.text.strip() for each in trustkit.all("report-uri")]
        if not _is_true(trustkit.attributes.get("enforcePinning")):
            notes.append(
                f"{quoted(host)}: not enforced by TrustKit, and by Android 7 and newer it is"
            )
    if len(uris) > 1:
        notes.append(f"{quoted(host)}: of {len(uris)} report addresses the first is taken")
    return Found(
        host=host,
        anywhere=tuple(_pin(each) for each in pins.all("pin")),
        include_subdomains=below,
        exclude=excluded,
        last_day=_last_day(pins.attributes.get("expiration"), host, notes),
        report_uri=uris[0] if uris else "",
    )


def _pin(pin: Element) -> str:
    digest = pin.attributes.get("digest", "SHA-256").strip()
    return f"{digest.lower().replace('-', '')}/{pin.text.strip()}"


def _last_day(text: str | None, host: str, notes: list[str]) -> date | None:
    """The day before the one named, on which the pins hold no longer."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip()) - timedelta(days=1)
    except (ValueError, OverflowError):
        notes.append(f"{quoted(host)}: expiration {quoted(text, 40)} is no date")
        return None
