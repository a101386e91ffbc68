r"""Domain names in DNS messages (RFC 1035 section 3.1) and as text, both ways.

The text is the presentation form of RFC 1035 section 5.1 in lower case and without
the final dot, so that names are equal when their text is; the root is `.`. Special
characters carry a backslash, what is not printable ASCII stands as `\DDD`: whatever
a server sends stays one name, and shows no control characters.
"""

from __future__ import annotations

import re

from pinwarden.errors import MalformedError, quoted

ROOT = "."

# RFC 1035 section 3.1: at most 63 octets a label, 255 a name with all its lengths.
LONGEST_LABEL = 63
LONGEST_NAME = 255
_MOST_POINTERS = 127

_POINTER = 0xC0
_LENGTHS = [bytes((size,)) for size in range(LONGEST_LABEL + 1)]
_PLAIN_NAME = re.compile(rb"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_PLAIN_LABEL = re.compile(rb"[a-z0-9_-]+")
_PIECE = re.compile(rb"\\([0-9]{3})|\\([^0-9])|([^\\.])|(\.)", re.DOTALL)
_TEXT = {
    octet: (
        f"\\{chr(octet)}"
        if chr(octet) in '"().;\\@$'
        else chr(octet)
        if 0x20 < octet < 0x7F
        else f"\\{octet:03d}"
    )
    for octet in range(256)
}

# Where a name begins in a message -> its text and its length in octets.
Known = dict[int, tuple[str, int]]


def encode_name(text: str) -> bytes:
    """A name as it stands in a message, in lower case and without compression.

    `text` is in presentation form, with or without the final dot. Raises
    MalformedError for text that is no name: not ASCII, an empty label, too long.
    """
    try:
        raw = text.lower().encode("ascii")
    except UnicodeEncodeError:
        raise MalformedError(f"name {quoted(text)}: holds a character outside ASCII") from None
    if raw == b".":
        return b"\0"
    if _PLAIN_NAME.fullmatch(raw):
        wire = b"".join([_LENGTHS[len(label)] + label for label in raw.split(b".")]) + b"\0"
    else:
        wire = b"".join([_LENGTHS[len(each)] + each for each in _labels(raw, text)]) + b"\0"
    if len(wire) > LONGEST_NAME:
        raise MalformedError(f"name {quoted(text)}: is longer than {LONGEST_NAME} octets")
    return wire


def _labels(raw: bytes, text: str) -> list[bytes]:
    """The labels of a name in presentation form, without their escapes."""
    labels, label, at = [], bytearray(), 0
    ends_in_dot = False
    while at < len(raw):
        piece = _PIECE.match(raw, at)
        if piece is None or (piece[1] is not None and int(piece[1]) > 255):
            raise MalformedError(f"name {quoted(text)}: has a broken escape")
        at = piece.end()
        ends_in_dot = piece[4] is not None
        if ends_in_dot:
            labels.append(bytes(label))
            label.clear()
        else:
            label += bytes((int(piece[1]),)) if piece[1] is not None else piece[2] or piece[3]
    if not ends_in_dot:
        labels.append(bytes(label))
    if not all(labels):
        raise MalformedError(f"name {quoted(text)}: has an empty label")
    if any(len(each) > LONGEST_LABEL for each in labels):
        raise MalformedError(f"name {quoted(text)}: has a label of more than 63 octets")
    return [each.lower() for each in labels]


def skip_name(wire: bytes, at: int) -> int:
    """Where the name that begins at `at` ends; IndexError past the end of the message."""
    while size := wire[at]:
        if size >= _POINTER:
            return at + 2
        if size > LONGEST_LABEL:
            raise MalformedError(f"label type 0x{size & _POINTER:02x} is not known")
        at += size + 1
    return at + 1


def read_name(wire: bytes, at: int, known: Known) -> str:
    """The text of the name that begins at `at`, through its compression pointers.

    `known` remembers names of the same message. Pointers must lead towards the
    beginning (RFC 1035 section 4.1.4 says "a prior occurrence"), so that none can
    make a circle. Raises MalformedError, or IndexError past the end of the message.
    """
    labels: list[str] = []
    length = 0
    # Where each part between pointers begins, and the labels and octets before it.
    parts = [(at, 0, 0)]
    while True:
        if at in known:
            tail, more = known[at]
            length += more
            if tail != ROOT:
                labels.append(tail)
            break
        size = wire[at]
        if size >= _POINTER:
            target = (size & ~_POINTER) << 8 | wire[at + 1]
            if target >= parts[-1][0] or len(parts) > _MOST_POINTERS:
                raise MalformedError("compression pointer does not lead to an earlier name")
            at = target
            parts.append((at, len(labels), length))
            continue
        if size > LONGEST_LABEL:
            raise MalformedError(f"label type 0x{size & _POINTER:02x} is not known")
        length += size + 1
        if size == 0 or length > LONGEST_NAME:
            break
        labels.append(_label_text(wire[at + 1 : at + 1 + size], size))
        at += size + 1
    if length > LONGEST_NAME:
        raise MalformedError(f"name is longer than {LONGEST_NAME} octets")
    for begin, count, before in parts:
        known[begin] = (".".join(labels[count:]) or ROOT, length - before)
    return known[parts[0][0]][0]


def _label_text(label: bytes, size: int) -> str:
    if len(label) != size:
        raise IndexError("label past the end of the message")
    label = label.lower()
    if _PLAIN_LABEL.fullmatch(label):
        return label.decode("ascii")
    return "".join([_TEXT[octet] for octet in label])


def prefix_below(name: str, ancestor: str) -> str | None:
    r"""What stands before `ancestor` in `name`, dot included; None when it is not below it.

    The dot of `a\.b` is part of a label and ends none.
    """
    if ancestor == ROOT:
        return f"{name}." if name != ROOT else None
    if not name.endswith(f".{ancestor}"):
        return None
    prefix = name[: -len(ancestor)]
    escapes = len(prefix) - 1 - len(prefix[:-1].rstrip("\\"))
    return prefix if escapes % 2 == 0 else None
