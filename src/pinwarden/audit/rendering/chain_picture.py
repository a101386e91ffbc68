"""The picture of a chain: leaf on top, each certificate above the one that issued it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime

from pinwarden.audit.rendering.markup import Element, Node, element
from pinwarden.audit.rendering.picture import fitted, mark, named_picture, text_at, text_width
from pinwarden.audit.report import ReportedCertificate, ReportedChain
from pinwarden.render.account import day, shown

__all__ = ["account_of", "draw_chain", "name_of", "validity_of"]

# In units of the picture, which are pixels where there is room for it.
_WIDTH = 364.0
_EDGE = 1.0
_INSIDE = 14.0
_BOX = 112.0
_STEP = 34.0
_GHOST = 44.0
_MOST = 12
# Bold of size 16 is as wide as this size of the plain face.
_BOLD = 18.5


def draw_chain(
    chain: ReportedChain, key: str, at: datetime, pinned: AbstractSet[str] = frozenset()
) -> Element:
    """One chain; `pinned` are the pins that the host's policy has, `sha256//…`.

    A certificate that the server did not send has a broken line around it, and where the
    issuer of the last one is missing an empty box says so.
    """
    drawn: list[Node] = []
    y = _EDGE
    certificates = chain.certificates[:_MOST]
    for place, each in enumerate(certificates):
        if place:
            follows = certificates[place - 1].issuer == each.subject
            drawn.append(_step(y, "issued by" if follows else "is not issued by", follows))
            y += _STEP
        drawn.append(_box(y, each, at, each.pin in pinned))
        y += _BOX
    if len(chain.certificates) > _MOST:
        drawn.append(text_at(_INSIDE, y + 22, _left_out(chain), "small"))
        y += _STEP
    elif _misses_issuer(chain):
        drawn += [_step(y, "issued by", True), _ghost(y + _STEP, chain.certificates[-1].issuer)]
        y += _STEP + _GHOST
    drawn.append(_end(y, chain.verified))
    title = f"Chain of {len(chain.certificates)} as {_state(chain)}"
    height = y + _STEP + _EDGE
    account = account_of(chain, at, pinned)
    return named_picture(key, _WIDTH, height, title, account, *drawn, class_="chain")


def account_of(chain: ReportedChain, at: datetime, pinned: AbstractSet[str] = frozenset()) -> str:
    """The same picture in words."""
    told = []
    for each in chain.certificates[:_MOST]:
        sent = "sent by the server" if each.sent else "not sent by the server"
        marked = ", pinned" if each.pin in pinned else ""
        told.append(
            f"{shown(each.role, 20)} {shown(name_of(each), 80)}, {shown(each.key, 40)}, "
            f"{validity_of(each, at)}, {sent}{marked}"
        )
    if _misses_issuer(chain):
        told.append(f"its issuer {shown(chain.certificates[-1].issuer, 80)} is not sent")
    end = "verified for this host" if chain.verified else "not verified"
    return f"From the leaf up: {'; '.join(told) or 'no certificate'}. The chain is {end}."


def name_of(certificate: ReportedCertificate) -> str:
    """What people call a certificate: its common name, or else its first name, or its subject."""
    for part in certificate.subject[:2000].split(","):
        label, _, value = part.strip().partition("=")
        if label.upper() == "CN" and value:
            return value
    return (certificate.names[0] if certificate.names else "") or certificate.subject or "(no name)"


def validity_of(certificate: ReportedCertificate, at: datetime) -> str:
    """From when until when, and whether it is that time."""
    start, end = certificate.not_before, certificate.not_after
    if start is None or end is None:
        return "validity not readable"
    told = f"{day(start)} to {day(end)}"
    if end < at:
        return f"{told}, expired"
    return f"{told}, not valid yet" if start > at else told


def _state(chain: ReportedChain) -> str:
    return "verified" if chain.verified else "sent, not verified"


def _misses_issuer(chain: ReportedChain) -> bool:
    if chain.verified or not chain.certificates:
        return False
    last = chain.certificates[-1]
    return bool(last.issuer) and last.issuer != last.subject


def _left_out(chain: ReportedChain) -> str:
    return f"and {len(chain.certificates) - _MOST:,} more certificates"


def _box(y: float, each: ReportedCertificate, at: datetime, pinned: bool) -> Element:
    room = _WIDTH - 2 * _INSIDE
    told = validity_of(each, at)
    bad = bool(each.problem) or told.endswith(("expired", "not valid yet"))
    told = f"{told}; {each.problem}" if each.problem else told
    tags = [("pinned", "tag pin")] if pinned else []
    tags.append(("sent", "tag") if each.sent else ("not sent", "tag absent"))
    lines = (
        text_at(_INSIDE, y + 22, fitted(each.role, 120, 12), "role"),
        text_at(_INSIDE, y + 43, fitted(name_of(each), room, _BOLD), "name"),
        text_at(_INSIDE, y + 63, fitted(each.key or "key not readable", room, 12), "small"),
        text_at(_INSIDE, y + 80, fitted(told, room, 12), "small bad-text" if bad else "small"),
        text_at(_INSIDE, y + 99, fitted(each.pin, room, 10, monospaced=True), "pin-text"),
    )
    frame = element(
        "rect",
        x=_EDGE,
        y=y,
        width=_WIDTH - 2 * _EDGE,
        height=_BOX,
        rx=8,
        class_="box" + ("" if each.sent else " unsent") + (" bad" if bad else ""),
    )
    return element("g", frame, *lines, *_tags(y, tags))


def _tags(y: float, tags: list[tuple[str, str]]) -> list[Element]:
    right = _WIDTH - _INSIDE
    drawn = []
    for text, class_ in reversed(tags):
        width = text_width(text, 11) + 14
        plate = element("rect", x=right - width, y=y + 9, width=width, height=18, rx=9)
        label = text_at(right - width / 2, y + 22, text, "tag-text", anchor="middle")
        drawn.append(element("g", plate, label, class_=class_))
        right -= width + 6
    return drawn


def _step(y: float, words: str, good: bool) -> Element:
    x = 40.0
    line = element("path", d=f"M{x} {y + 2}V{y + _STEP - 3}", class_="step" if good else "step bad")
    head = element(
        "path",
        d=f"M{x - 5} {y + _STEP - 9}l5 7l5 -7",
        class_="step" if good else "step bad",
    )
    return element(
        "g", line, head, text_at(x + 14, y + 21, words, "small" if good else "small bad-text")
    )


def _ghost(y: float, issuer: str) -> Element:
    frame = element(
        "rect",
        x=_EDGE,
        y=y,
        width=_WIDTH - 2 * _EDGE,
        height=_GHOST,
        rx=8,
        class_="box unsent ghost",
    )
    room = _WIDTH - 2 * _INSIDE
    return element(
        "g",
        frame,
        text_at(_INSIDE, y + 18, "not sent by the server", "small"),
        text_at(_INSIDE, y + 35, fitted(issuer, room, 12), "small"),
    )


def _end(y: float, verified: bool) -> Element:
    words = "verified for this host" if verified else "not verified for this host"
    return element(
        "g",
        mark(40.0, y + 20, verified, 8),
        text_at(56, y + 24, words, "small" if verified else "small bad-text"),
    )
