"""The bulk scan: which few of many log entries need a closer look.

A log holds a billion entries and a watch list meets a handful of them, so most
entries must be put aside within a few microseconds. The rule that makes this
safe: an entry is put aside only when its certificate has the ordinary shape,
checked length by length (`shape.py`), and each of its names is plain ASCII that
leaves the watch tree. **Everything else is a candidate**: an odd tag, a second
SAN extension, a string type that is not ASCII, a name that could be an address,
a certificate without a SAN, bytes that are no certificate at all. The full
reader then judges the candidates, and the property tests hold that whatever it
would match is among them.

Why not a search for the watched names in the raw bytes: docs/decisions/0004.

Whoever edits this file: answering "not ordinary" is always safe; giving names
is a claim that no reading of this certificate could find any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.watch.shape import (
    COMMON_NAME_HEADER,
    EXTENSIONS_HEADER,
    extensions_headers,
    match_ordinary,
    precert_headers,
    san_headers,
    sequence_headers,
)
from pinwarden.watch.watchlist import ByteTree, Watchlist

# Where things stand in a MerkleTreeLeaf (RFC 6962 section 3.4): the low byte of
# the entry type, then for a precertificate the length of its TBSCertificate.
_ENTRY_TYPE = 11
_TBS_LENGTH = 44
_TBS_CONTENT = 51
_X509_START = 15
_X509_CONTENT = 23
_PRECERT = b"\x01"
_DNS_NAME = b"\x82"


class Scanner:
    """Finds the candidates for one watch list."""

    def __init__(self, watchlist: Watchlist) -> None:
        self._everything = watchlist.watches_everything
        self._tree = watchlist.byte_tree()

    def candidates(self, leaves: Sequence[bytes]) -> list[int]:
        """Positions in `leaves` (MerkleTreeLeaf bytes) that need the full reader."""
        if self._everything:
            return list(range(len(leaves)))
        tree = self._tree
        found = []
        for position, leaf in enumerate(leaves):
            names = ordinary_names(leaf)
            if names is None or _touches(names, tree):
                found.append(position)
        return found


def _touches(names: list[bytes], tree: ByteTree) -> bool:
    """Whether a plain name reaches a watched one, label by label from the right."""
    for name in names:
        node = tree
        for label in reversed(name.split(b".")):
            child = node.get(label)
            if child is None:
                # An empty label may be skipped by a reader, a star may be anything.
                if not label or b"*" in label:
                    return True
                break
            if child is True:
                return True
            node = child  # type: ignore[assignment]  # not True, so a deeper tree
        else:
            return True
    return False


def ordinary_names(leaf: bytes) -> list[bytes] | None:
    """All names of the leaf's certificate in lower case, or None unless it is ordinary."""
    if leaf[_ENTRY_TYPE : _ENTRY_TYPE + 1] == _PRECERT:
        found = match_ordinary(leaf)
    else:
        # The signature that follows begins as an extension does.
        found = match_ordinary(leaf, 0, _X509_CONTENT + int.from_bytes(leaf[21:23], "big"))
    if found is None:
        return None
    end = found.end()
    lone, subject, other, extensions, san_header, san = found.groups()
    if (
        extensions != extensions_headers[end - found.end(EXTENSIONS_HEADER)]
        or san_header not in san_headers[len(san)]
        or not _fills_leaf(leaf, end)
        or (subject is not None and not _fills_header(subject))
    ):
        return None
    # A plain name holds no byte 0x82, and neither does the length before it.
    names = [each[1:] for each in san.lower().split(_DNS_NAME)[1:]]
    common_name = lone[1 + COMMON_NAME_HEADER :] if lone else other and other[COMMON_NAME_HEADER:]
    if common_name and common_name.lower() not in names:
        names.append(common_name.lower())
    return names


def _fills_leaf(leaf: bytes, end: int) -> bool:
    """Whether the lengths around a TBSCertificate that ends at `end` agree with the leaf."""
    if leaf[_ENTRY_TYPE]:
        if leaf[_TBS_LENGTH:_TBS_CONTENT] != precert_headers[end - _TBS_CONTENT]:
            return False
    else:
        # Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }
        length = int.from_bytes(leaf[_X509_START - 3 : _X509_START], "big")
        if end >= _X509_START + length:
            return False
        headers = sequence_headers[length - 4] + sequence_headers[end - _X509_CONTENT]
        if leaf[_X509_START:_X509_CONTENT] != headers:
            return False
        end = _X509_START + length
    # Only the CtExtensions follow, and nothing after them.
    return end + 2 + int.from_bytes(leaf[end : end + 2], "big") == len(leaf)


def _fills_header(name: bytes) -> bool:
    """Whether the length in front of a Name is that of what follows it."""
    size = 2 if name[1] < 0x80 else 3 if name[1] == 0x81 else 4
    return name[:size] == sequence_headers[len(name) - size]
