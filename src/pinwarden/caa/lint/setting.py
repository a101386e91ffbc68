"""What every part of the lint is given, and the form in which it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches

from pinwarden.caa.issuers.map import IssuerMap
from pinwarden.caa.presentation import to_generic, to_presentation
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.errors import MalformedError
from pinwarden.findings import Finding, FindingKind
from pinwarden.names import display

_LONGEST_WHERE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The name whose policy is read, the CAs that are known, and the day (an aware time).

    `lines` tells where in a zone file a record stands, if it is from one.
    """

    name: str
    issuers: IssuerMap
    at: datetime
    lines: Mapping[CAARecord | BrokenRecord, int] = field(default_factory=dict)

    def finding(
        self,
        kind: FindingKind,
        message: str,
        where: CAARecord | BrokenRecord | str | None = None,
    ) -> Finding:
        """One finding about the name; `where` is the record or place to look at."""
        place = where if where is None or isinstance(where, str) else self._place(where)
        details = (("where", place),) if place else ()
        return Finding(kind=kind, subject=self.name, message=message, details=details)

    def _place(self, record: CAARecord | BrokenRecord) -> str:
        line = self.lines.get(record)
        if line is not None and isinstance(record, BrokenRecord) and not record.rdata:
            return f"line {line}"
        return shown(record) if line is None else f"line {line}: {shown(record)}"


def shown(record: CAARecord | BrokenRecord) -> str:
    """A record as it stands in a zone file, harmless on a terminal and not too long."""
    if isinstance(record, CAARecord):
        return display(to_presentation(record), _LONGEST_WHERE)
    return display(to_generic(record), _LONGEST_WHERE)


def meant(word: str, known: Iterable[str]) -> str:
    """A known word near to an unknown one, as a question to end a message with; or ""."""
    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def in_words(error: MalformedError) -> str:
    """An error with its hint, for a message."""
    return f"{error} ({error.hint})" if error.hint else str(error)
