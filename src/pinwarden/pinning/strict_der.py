"""Reading of DER that takes nothing but DER (X.690 section 10.1), for keys that are pinned.

`x509.der` reads what attackers may have written in any way that some program would take;
here two readings of one value must be impossible, so that whatever is not written in the
one way that DER allows is refused.
"""

from __future__ import annotations

from pinwarden.errors import MalformedError

__all__ = ["BIT_STRING", "INTEGER", "OCTET_STRING", "OID", "SEQUENCE", "StrictReader"]

INTEGER, BIT_STRING, OCTET_STRING, OID, SEQUENCE = 0x02, 0x03, 0x04, 0x06, 0x30
_LONGEST = 1 << 20


class StrictReader:
    """The elements of a value in DER, one after the other; short and definite lengths only."""

    __slots__ = ("_at", "_data", "_end", "_what")

    def __init__(self, data: bytes, what: str, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._at = start
        self._end = len(data) if end is None else end
        self._what = what
        if self._end > _LONGEST:
            raise self._wrong("is larger than 1 MiB")

    def all_of(self, tag: int) -> StrictReader:
        """The inside of the one element that this is."""
        inside = self.enter(tag, self._what)
        self.ends()
        return inside

    def next_tag(self) -> int | None:
        """The tag of what comes next, or None at the end."""
        return self._data[self._at] if self._at < self._end else None

    def enter(self, tag: int, field: str) -> StrictReader:
        """The inside of the next element, which is passed over."""
        start, end = self._element(tag, field)
        self._at = end
        return StrictReader(self._data, self._what, start, end)

    def skip(self, tag: int, field: str) -> None:
        """Pass over the next element."""
        self._at = self._element(tag, field)[1]

    def content(self, tag: int, field: str) -> bytes:
        """The content of the next element, which is passed over."""
        start, end = self._element(tag, field)
        self._at = end
        return self._data[start:end]

    def take(self, tag: int, field: str) -> bytes:
        """The next element whole, with its header."""
        begins = self._at
        self._at = self._element(tag, field)[1]
        return self._data[begins : self._at]

    def ends(self) -> None:
        """Refuse anything more."""
        if self._at != self._end:
            raise self._wrong("holds more than it should")

    def _element(self, tag: int, field: str) -> tuple[int, int]:
        """Where the content of the next element begins and ends (X.690 section 10.1)."""
        data, at = self._data, self._at
        if at + 2 > self._end:
            raise self._wrong(f"ends before its {field}")
        if data[at] != tag:
            raise self._wrong(f"has tag {data[at]:#04x} for its {field}, not {tag:#04x}")
        length, at = data[at + 1], at + 2
        if length >= 0x80:
            octets = length & 0x7F
            coded = data[at : min(at + octets, self._end)]
            length, at = int.from_bytes(coded, "big"), at + octets
            if not coded or coded[0] == 0 or length < 0x80 or len(coded) != octets:
                raise self._wrong(f"does not code the length of its {field} in DER")
        if at + length > self._end:
            raise self._wrong(f"ends inside its {field}")
        return at, at + length

    def _wrong(self, problem: str) -> MalformedError:
        return MalformedError(f"{self._what}: {problem}")
