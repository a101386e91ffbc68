r"""DNS names in one spelling, so that equal names are equal strings.

A name here is text: labels in lower case between dots, without the final dot, the
root being empty. Octets that are not printable ASCII, and those that mean something
in a zone file (a dot inside a label among them), are written `\DDD`, so a dot in
such a text always parts two labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pinwarden.caa.zone.master import raw_octets
from pinwarden.errors import MalformedError, quoted

ROOT = ""

_LABEL_LIMIT = 63
# The length octets and the empty label of the root count (RFC 1035 section 2.3.4).
WIRE_LIMIT = 255

_PLAIN = re.compile(r"[a-z0-9_*-]{1,63}(?:\.[a-z0-9_*-]{1,63})*")
_SPECIAL = frozenset(b'."\\();@$')
_ESCAPED = re.compile(r"\\([0-9]{3})")
_TOKEN = re.compile(rb"\\([0-9]{3})|\\([^0-9])|(\.)|([^\\.])", re.DOTALL)


def parse_domain(text: str, origin: str | None = None) -> str:
    r"""A name of a zone file in the one spelling; `@` and relative names are under `origin`.

    Without an origin every name is taken as absolute, final dot or not. Raises
    `MalformedError` for empty labels, bad escapes and what is too long for DNS.
    """
    if text == "@" and origin is not None:
        return origin
    if text == ".":
        return ROOT
    lower = text.lower() if text.isascii() else text
    absolute = lower.removesuffix(".")
    if _PLAIN.fullmatch(absolute):
        relative = absolute == lower
        name = absolute
    else:
        labels, relative = _labels(text)
        name = domain_text(labels)
    if relative and origin:
        name = f"{name}.{origin}"
    if len(name) > WIRE_LIMIT - 2 and wire_length(name) > WIRE_LIMIT:
        raise MalformedError(f"name {quoted(text)}: is longer than DNS allows")
    return name


def _labels(text: str) -> tuple[list[bytes], bool]:
    """The labels of a name, and whether it is relative."""
    raw = raw_octets(text)
    labels, label, at = [], bytearray(), 0
    while at < len(raw):
        match = _TOKEN.match(raw, at)
        if match is None or (match[1] and int(match[1]) > 0xFF):
            raise MalformedError(f"name {quoted(text)}: has an escape that is none")
        at = match.end()
        if match[3]:
            labels.append(bytes(label))
            label.clear()
        else:
            label += bytes((int(match[1]),)) if match[1] else match[2] or match[4]
    if label:
        labels.append(bytes(label))
    if not labels or not all(labels):
        raise MalformedError(f"name {quoted(text)}: has an empty label")
    if any(len(each) > _LABEL_LIMIT for each in labels):
        raise MalformedError(f"name {quoted(text)}: has a label of more than 63 octets")
    return labels, bool(label)


def domain_text(labels: Iterable[bytes]) -> str:
    """Labels as they are on the wire, in the one spelling."""
    return ".".join(label_text(label) for label in labels)


def label_text(label: bytes) -> str:
    """One label in the one spelling."""
    lower = label.lower()
    if lower.isalnum():
        return lower.decode("ascii")
    return "".join(map(_character, lower))


def _character(octet: int) -> str:
    plain = 0x20 < octet < 0x7F and octet not in _SPECIAL
    return chr(octet) if plain else f"\\{octet:03}"


def wire_length(name: str) -> int:
    """The octets of a name on the wire, with the root."""
    return len(name) - 3 * name.count("\\") + (2 if name else 1)


def shown_name(name: str) -> str:
    r"""A name as messages spell it: special characters as `\X`, the root as a dot."""
    if not name:
        return "."
    return _ESCAPED.sub(_shown, name) if "\\" in name else name


def _shown(match: re.Match[str]) -> str:
    octet = int(match[1])
    return "\\" + chr(octet) if octet in _SPECIAL else match[0]


def parent(name: str) -> str:
    """The name without its first label; the root is its own parent."""
    return name.partition(".")[2]


def is_at_or_below(name: str, ancestor: str) -> bool:
    """Whether a name is another one or below it."""
    return not ancestor or name == ancestor or name.endswith(f".{ancestor}")


def parse_wire_domain(wire: bytes) -> str:
    """An uncompressed name that fills all of `wire`; raises `MalformedError`."""
    labels, at = [], 0
    while at < len(wire) and 0 < wire[at] <= _LABEL_LIMIT:
        labels.append(wire[at + 1 : at + 1 + wire[at]])
        at += 1 + wire[at]
    if at != len(wire) - 1 or len(wire) > WIRE_LIMIT:
        raise MalformedError("name in generic RDATA is none")
    return domain_text(labels)
