"""The values that directives of both headers have."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pinwarden.errors import quoted
from pinwarden.headers.fault import Fault, FaultKind
from pinwarden.headers.grammar import Directive

__all__ = ["faults_of_repetition", "is_absolute_uri", "read_max_age", "read_report_uri"]

_DIGITS = re.compile(r"[0-9]+")
_MOST_DIGITS = 100
# RFC 3986 sections 3 and 4.3: a scheme, a hierarchical part, perhaps a query, no fragment.
_ABSOLUTE_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:"
    r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|\[[0-9A-Fa-fv.:]+\]|%[0-9A-Fa-f]{2})+"
)
# RFC 3986 section 3.2: the authority of a scheme that has one is not empty, and holds one host.
_AUTHORITY = re.compile(r"https?://[^/?]+.*", re.IGNORECASE)
_SHOWN = 60


def is_absolute_uri(text: str) -> bool:
    """Whether a text is an absolute-URI (RFC 3986 section 4.3); for HTTP one with a host."""
    if _ABSOLUTE_URI.fullmatch(text) is None:
        return False
    return text.partition(":")[0].lower() not in ("http", "https") or bool(
        _AUTHORITY.fullmatch(text)
    )


def read_max_age(directive: Directive) -> int | Fault:
    """The seconds of a max-age: 1*DIGIT, after unescaping (RFC 7469 section 2.1.2).

    A number of more than 100 digits is the greatest one with 100.
    """
    value = directive.value
    if value is None:
        return Fault(FaultKind.MALFORMED, "'max-age' has no value")
    if _DIGITS.fullmatch(value) is None:
        shown = quoted(value, _SHOWN)
        return Fault(FaultKind.MALFORMED, f"the value of 'max-age' is no number: {shown}")
    digits = value.lstrip("0")
    return int(digits or "0") if len(digits) <= _MOST_DIGITS else int("9" * _MOST_DIGITS)


def read_report_uri(directive: Directive) -> str | Fault:
    """The address of a report-uri, an absolute-URI (RFC 7469 section 2.1.4, RFC 9163 2.1.1)."""
    value = directive.value
    if value is None:
        return Fault(FaultKind.MALFORMED, "'report-uri' has no value")
    if not is_absolute_uri(value):
        shown = quoted(value, _SHOWN)
        return Fault(FaultKind.MALFORMED, f"the value of 'report-uri' is no absolute URI: {shown}")
    return value


def faults_of_repetition(names: Iterable[str]) -> list[Fault]:
    """A fault for each name that stands more than once, each name told once."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for name in names:
        if name in seen:
            twice[name] = None
        seen.add(name)
    return [
        Fault(FaultKind.DUPLICATE_DIRECTIVE, f"{quoted(each, _SHOWN)} stands twice")
        for each in twice
    ]
