"""Records as they were meant beside records as they are served, and what happened between.

RDATA is compared octet by octet, for a set has no order and its TTL is not part of the
policy. What differs is matched with what it most probably was, since a provider that cuts
a value at its semicolon has silently opened the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pinwarden.caa.presentation import to_presentation
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.names import display


class Damage(StrEnum):
    """What became of a record, the usual accidents first."""

    CUT = "cut"
    QUOTED = "quoted"
    BLANKS = "blanks"
    CASE = "case"
    FLAGS = "flags"
    SEMICOLON = "semicolon"
    DOT = "dot"
    BACKSLASH = "backslash"
    TAG = "tag"
    ALTERED = "altered"
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One record that is not served as it was meant; `meant` or `served` is None if absent."""

    damage: Damage
    meant: CAARecord | None
    served: CAARecord | BrokenRecord | None

    @property
    def sentence(self) -> str:
        """What happened, with both records, in one line that is safe to show."""
        return _SENTENCES[self.damage].format(meant=_shown(self.meant), served=_shown(self.served))


_SENTENCES = {
    Damage.CUT: "{meant} was cut at a semicolon: served as {served}, without its restrictions",
    Damage.QUOTED: "{meant} is served with quotation marks inside the value: {served}",
    Damage.BLANKS: "{meant} is served with other blanks: {served}",
    Damage.CASE: "{meant} is served in other case: {served}",
    Damage.FLAGS: "{meant} is served with other flags: {served}",
    Damage.SEMICOLON: "{meant} is served with another semicolon at its end: {served}",
    Damage.DOT: "{meant} is served with a final dot more or less: {served}",
    Damage.BACKSLASH: "{meant} is served with its escapes not undone: {served}",
    Damage.TAG: "{meant} is served under another tag: {served}",
    Damage.ALTERED: "{meant} is served as {served}",
    Damage.MISSING: "{meant} is not served",
    Damage.UNEXPECTED: "{served} is served and was not meant",
    Damage.BROKEN: "a record is served that cannot be read: {served}",
}


def compare_records(
    meant: Sequence[CAARecord], served: Sequence[CAARecord | BrokenRecord]
) -> tuple[Difference, ...]:
    """What differs between two sets, as octets; empty where they are the same."""
    # A set holds a record once (RFC 2181 section 5), however often it was written down.
    missing = [record for record in dict.fromkeys(meant) if record not in served]
    others = [record for record in dict.fromkeys(served) if record not in meant]
    readable = [record for record in others if isinstance(record, CAARecord)]
    found = []
    for damage, is_it in _TESTS:
        for record in tuple(missing):
            match = next((each for each in readable if is_it(record, each)), None)
            if match is not None:
                missing.remove(record)
                readable.remove(match)
                found.append(Difference(damage=damage, meant=record, served=match))
    found += [Difference(damage=Damage.MISSING, meant=record, served=None) for record in missing]
    found += [
        Difference(damage=Damage.UNEXPECTED, meant=None, served=record) for record in readable
    ]
    found += [
        Difference(damage=Damage.BROKEN, meant=None, served=record)
        for record in others
        if isinstance(record, BrokenRecord)
    ]
    return tuple(found)


def _same_place(meant: CAARecord, served: CAARecord) -> bool:
    return meant.flags == served.flags and meant.tag == served.tag


def _is_cut(meant: CAARecord, served: CAARecord) -> bool:
    head, semicolon, rest = meant.value.partition(b";")
    if not _same_place(meant, served) or not semicolon or not rest.strip(b" \t"):
        return False
    # A cut at any of the semicolons, which may itself have stayed, as may a quotation mark.
    cut = served.value.strip(b'"').rstrip(b'; \t".')
    whole = cut != b"" and meant.value.startswith(cut) and len(cut) >= len(head.rstrip(b" \t"))
    return whole and meant.value[len(cut) :].lstrip(b" \t").startswith(b";")


def _is_quoted(meant: CAARecord, served: CAARecord) -> bool:
    bare = served.value.replace(b"\\", b"").strip(b'"')
    return _same_place(meant, served) and b'"' in served.value and bare == meant.value


def _has_other_blanks(meant: CAARecord, served: CAARecord) -> bool:
    return _same_place(meant, served) and _squeezed(meant.value) == _squeezed(served.value)


def _has_other_case(meant: CAARecord, served: CAARecord) -> bool:
    same = (meant.tag.lower(), meant.value.lower()) == (served.tag.lower(), served.value.lower())
    return meant.flags == served.flags and same


def _has_other_flags(meant: CAARecord, served: CAARecord) -> bool:
    return (meant.tag, meant.value) == (served.tag, served.value)


def _has_other_end(meant: CAARecord, served: CAARecord) -> bool:
    return _same_place(meant, served) and meant.value.rstrip(b"; ") == served.value.rstrip(b"; ")


def _has_other_dot(meant: CAARecord, served: CAARecord) -> bool:
    return _same_place(meant, served) and _undotted(meant.value) == _undotted(served.value)


def _has_escapes(meant: CAARecord, served: CAARecord) -> bool:
    # `\;`, and `\059` for the semicolon, where somebody escaped what was escaped already.
    plain = served.value.replace(b"\\059", b";").replace(b"\\", b"")
    return _same_place(meant, served) and plain == meant.value


def _has_other_tag(meant: CAARecord, served: CAARecord) -> bool:
    # `;` stands under several tags, and one of them tells nothing of another.
    return meant.value == served.value and meant.value.strip(b"; ") != b""


def _is_altered(meant: CAARecord, served: CAARecord) -> bool:
    return meant.tag.lower() == served.tag.lower() and _issuer(meant) == _issuer(served) != b""


_TESTS: tuple[tuple[Damage, Callable[[CAARecord, CAARecord], bool]], ...] = (
    (Damage.FLAGS, _has_other_flags),
    (Damage.CASE, _has_other_case),
    (Damage.QUOTED, _is_quoted),
    (Damage.BLANKS, _has_other_blanks),
    (Damage.SEMICOLON, _has_other_end),
    (Damage.DOT, _has_other_dot),
    (Damage.BACKSLASH, _has_escapes),
    (Damage.CUT, _is_cut),
    (Damage.TAG, _has_other_tag),
    (Damage.ALTERED, _is_altered),
)


def _issuer(record: CAARecord) -> bytes:
    return record.value.partition(b";")[0].strip(b' \t".').lower()


def _undotted(value: bytes) -> tuple[bytes, ...]:
    head, semicolon, rest = value.partition(b";")
    return head.rstrip(b"."), semicolon, rest.rstrip(b".")


def _squeezed(value: bytes) -> bytes:
    return value.replace(b" ", b"").replace(b"\t", b"")


def _shown(record: CAARecord | BrokenRecord | None) -> str:
    if record is None:
        return ""
    if isinstance(record, BrokenRecord):
        return display(f"{record.rdata[:40].hex()} ({record.problem})")
    return f"`{display(to_presentation(record), 300)}`"
