"""DNS names: the user's own, and those that a certificate may be read to hold.

The user's names are normalised strictly, so that a typing error is heard of.
The names in certificates are read generously: whoever asks a CA for a
certificate chooses the encoding, so `readings` gives every name that some
client, or some careless administrator, could take a value for. Whatever cannot
be read becomes `UNREADABLE_LABEL`, which matches every label.

Nothing here knows about certificates (`x509`) or watch lists (`watch`).

References: RFC 5890 to 5892 (IDNA 2008), UTS #46, RFC 6125 section 6.4, and
for the `?` label the redaction drafts of RFC 6962-bis.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import idna

from pinwarden.errors import MalformedError, quoted

UNREADABLE_LABEL = "\ufffd"

# A value longer than this that is not plainly a DNS name is not taken apart:
# it is one unreadable name. A DNS name has at most 253 octets.
VALUE_LIMIT = 1024

_NAME_LIMIT = 253
_LABEL_LIMIT = 63
_DISPLAY_LIMIT = 1000
_IP_LIMIT = 100

_PLAIN = re.compile(rb"(?:\*\.)?[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_IP_LITERAL = re.compile(rb"[0-9A-Fa-f:.]+")
_OWN_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# A name that is what it becomes: host labels in lower case, none of them an
# A-label, and the last one not of digits.
_NORMAL = re.compile(
    r"(?:(?!xn--)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*"
    r"(?!xn--)[a-z_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
_SCHEME = re.compile(r"^\s*[a-zA-Z][a-zA-Z0-9+.-]{0,30}://")
_SEPARATOR = re.compile(r"[\s\x00/\\:,;=|\"'<>()\[\]{}]")
_CONTROL = re.compile("[\x00-\x1f\x7f\ufffd\ud800-\udfff]")
_TRIMMED = ".\0" + "".join(c for c in map(chr, range(0x3001)) if c.isspace())

# Invisible although they are letters, symbols or marks: the fillers, the blank
# Braille pattern, the grapheme joiner and the variation selectors.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f]")


def normalise_name(text: str) -> str:
    """A name given by the user, in lower case, as A-labels, without the final dot.

    Raises `MalformedError`, naming what is wrong, for anything that is not one
    DNS name: IDNA 2008 with the UTS #46 mapping; underscores are allowed.
    """
    if len(text) <= _NAME_LIMIT and _NORMAL.fullmatch(text):
        return text
    subject = f"name {quoted(text)}"
    if len(text) > VALUE_LIMIT:
        raise MalformedError(f"{subject}: is longer than {_NAME_LIMIT} characters")
    if ip_reading(text) is not None:
        raise MalformedError(f"{subject}: is an IP address, not a DNS name")
    try:
        mapped = idna.uts46_remap(text.strip(), std3_rules=False)
    except UnicodeError as error:
        raise MalformedError(f"{subject}: holds a character no DNS name may hold") from error
    mapped = mapped.removesuffix(".")
    if not mapped:
        raise MalformedError(f"{subject}: is empty")
    name = ".".join(_own_label(label, subject) for label in mapped.split("."))
    if len(name) > _NAME_LIMIT:
        raise MalformedError(f"{subject}: is longer than {_NAME_LIMIT} characters")
    return name


def _own_label(label: str, subject: str) -> str:
    if not label:
        raise MalformedError(f"{subject}: has an empty label")
    if label.isascii():
        if len(label) > _LABEL_LIMIT:
            raise MalformedError(f"{subject}: has a label of more than {_LABEL_LIMIT} characters")
        if not _OWN_LABEL.fullmatch(label):
            hint = "name the domain itself, without the wildcard" if "*" in label else None
            raise MalformedError(f"{subject}: label {quoted(label)} is not a host label", hint=hint)
        if label.startswith("xn--"):
            _refuse_broken_a_label(label, subject)
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except UnicodeError as error:
        hint = None
        if len(label) <= _LABEL_LIMIT:
            hint = f"if this name exists, write the label as {quoted(_a_label(label))}"
        raise MalformedError(
            f"{subject}: label {quoted(label)} is not a valid internationalised label", hint=hint
        ) from error


def _refuse_broken_a_label(label: str, subject: str) -> None:
    """Only undecodable ones: names that IDNA 2008 forbids, such as emoji, are in use."""
    try:
        label[4:].encode("ascii").decode("punycode")
    except UnicodeError as error:
        raise MalformedError(f"{subject}: label {quoted(label)} is not Punycode") from error


def _a_label(label: str) -> str:
    """The label as an A-label, without asking whether IDNA would allow it."""
    return "xn--" + label.encode("punycode").decode("ascii")


def is_plain_name(raw: bytes) -> bool:
    """Whether a value is a DNS name by its characters alone, so that it has one reading."""
    return _PLAIN.fullmatch(raw) is not None and b".." not in raw


def readings(raw: bytes | str) -> frozenset[str]:
    """Every DNS name that a value in a certificate could be read as; never raises.

    A value that plainly is a DNS name has one reading. Others have several:
    without a URL scheme; whole, and cut at a NUL byte, slash, port, space or
    comma; bytes as UTF-8 and as Latin-1; with and without the UTS #46 mapping
    (full-width letters and dots). White space and dots around it are dropped.
    """
    data = raw if isinstance(raw, bytes) else _ascii_bytes(raw)
    if data is not None and is_plain_name(data):
        return frozenset((data.decode("ascii").lower().removesuffix("."),))
    if len(raw) > VALUE_LIMIT:
        return frozenset((UNREADABLE_LABEL,))
    if data is not None and _IP_LITERAL.fullmatch(data) and (address := ip_reading(data)):
        return frozenset((str(address),))
    texts = _decodings(raw) if isinstance(raw, bytes) else {raw}
    # A value can only be cut after it was mapped, since the mapping makes dots
    # and slashes out of other characters.
    spellings = {text.lower() for text in texts} | {_mapped(text) for text in texts}
    names = {_name(piece) for text in spellings for piece in _pieces(text)}
    return frozenset(names - {""})


def _ascii_bytes(text: str) -> bytes | None:
    return text.encode("ascii") if text.isascii() else None


def _decodings(raw: bytes) -> set[str]:
    if raw.isascii():
        return {raw.decode("ascii")}
    # Without the bytes that are not UTF-8 is how a lenient decoder reads it.
    return {raw.decode("latin-1"), raw.decode("utf-8", "ignore")}


def _mapped(text: str) -> str:
    """The text after the UTS #46 mapping; characters it disallows stay."""
    if text.isascii():
        return text.lower()
    try:
        return idna.uts46_remap(text, std3_rules=False)
    except UnicodeError:
        # One disallowed character must not hide a full-width dot elsewhere.
        return unicodedata.normalize("NFC", "".join(map(_mapped_character, text)))


def _mapped_character(character: str) -> str:
    try:
        return idna.uts46_remap(character, std3_rules=False)
    except UnicodeError:
        return character


def _pieces(text: str) -> Iterator[str]:
    """The whole value, what stands before its first separator, and dotted rests."""
    text = _SCHEME.sub("", text, count=1).strip(_TRIMMED)
    yield text
    if not _SEPARATOR.search(text):
        return
    first, *others = _SEPARATOR.split(text)
    # "Acme Inc." is no name "acme", but before a NUL, slash or port anything is.
    if not text[len(first)].isspace():
        yield first
    yield from (piece for piece in (first, *others) if "." in piece.strip(_TRIMMED))


def _name(piece: str) -> str:
    return ".".join(_label(label) for label in piece.strip(_TRIMMED).split(".") if label)


def _label(label: str) -> str:
    if _CONTROL.search(label):
        return UNREADABLE_LABEL
    if label.isascii():
        return label
    if len(label) > _LABEL_LIMIT:
        return UNREADABLE_LABEL
    return _a_label(label)


def ip_reading(raw: bytes | str) -> IPv4Address | IPv6Address | None:
    """The IP address that a name is the literal of, also in a URL or with a port."""
    if len(raw) > _IP_LIMIT:
        return None
    if isinstance(raw, bytes):
        raw = raw.decode("latin-1")
    text = _SCHEME.sub("", raw, count=1).strip(_TRIMMED)
    text = re.split(r"[\x00/%]", text, maxsplit=1)[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    if not text.isascii() or (":" not in text and not text[-1:].isdigit()):
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def display(text: str, limit: int = _DISPLAY_LIMIT) -> str:
    r"""Foreign text made safe to show: one line, bounded, nothing invisible.

    Control characters, bidirectional overrides and other invisible characters
    are shown as escapes such as `\x1b` or `\u202e`. A-labels stay as they are.
    Markup characters are left to whoever writes markup.
    """
    cut = text[:limit]
    if not cut.isprintable() or _INVISIBLE.search(cut):
        cut = "".join(_shown(character) for character in cut)
    return cut + "…" if len(text) > limit else cut


def _shown(character: str) -> str:
    if character.isprintable() and not _INVISIBLE.match(character):
        return character
    return character.encode("unicode_escape").decode("ascii")


def label_matches(cert_label: str, watched_label: str) -> bool:
    """Whether a label in a certificate may stand for a watched label.

    `*`, `?` (the old redaction of RFC 6962-bis drafts) and the unreadable
    label stand for anything; a wildcard inside a label (RFC 6125 section 6.4.3
    discourages it, clients accepted it) stands for any run of characters.
    """
    if cert_label == watched_label or cert_label in ("*", "?", UNREADABLE_LABEL):
        return True
    return "*" in cert_label and _glob(cert_label.split("*"), watched_label)


def _glob(parts: list[str], text: str) -> bool:
    """Whether `text` is the parts in their order with anything between them.

    Leftmost fits suffice when only `*` is special, so there is no backtracking
    for a hostile pattern to drive.
    """
    first, *middle, last = parts
    if len(text) < len(first) + len(last):
        return False
    if not (text.startswith(first) and text.endswith(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def name_touches(cert_name: str, watched_name: str, below: bool) -> bool:
    """Whether a name in a certificate concerns a watched name.

    Labels are compared from the right. With `below`, names below the watched
    one concern it as well. A name nobody could read at all concerns everybody.
    """
    if cert_name == UNREADABLE_LABEL:
        return True
    watched = watched_name.lstrip(".").split(".")
    labels = cert_name.rsplit(".", len(watched))
    if len(labels) > len(watched):
        if not below:
            return False
        del labels[0]
    return len(labels) == len(watched) and all(map(label_matches, labels, watched))
