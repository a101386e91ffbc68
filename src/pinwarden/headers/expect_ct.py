"""Expect-CT (RFC 9163 section 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pinwarden.errors import MalformedError
from pinwarden.headers.fault import Fault, FaultKind, HeaderError
from pinwarden.headers.grammar import Directive, parse_list
from pinwarden.headers.values import faults_of_repetition, read_max_age, read_report_uri

__all__ = ["EXPECT_CT", "ExpectCT", "parse_expect_ct"]

EXPECT_CT = "Expect-CT"
_KNOWN = frozenset({"max-age", "enforce", "report-uri"})
_HTTPS = "https:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectCT:
    """What the fields of a response say that clients would have read.

    `max_age` is in seconds. `report_uri` is an https address; `ignored_report_uri` is one
    that is not, to which clients send nothing (section 2.1.1). `unknown` are names of
    directives that clients skip.
    """

    max_age: int
    enforce: bool
    report_uri: str | None
    ignored_report_uri: str | None = None
    unknown: tuple[str, ...] = ()


def parse_expect_ct(values: Sequence[str]) -> ExpectCT:
    """What all Expect-CT fields of one response say together, of which there is at least one.

    They are one list (RFC 9110 section 5.3): section 2.1.4 spreads directives over two
    fields, and none may stand twice. Raises `HeaderError` with all faults where clients
    ignore it.
    """
    try:
        # Field by field, so that a quoted-string which is left open does not reach into the next.
        directives = [each for value in values for each in _directives(value, len(values) > 1)]
        if not directives:
            raise MalformedError("is empty")
    except MalformedError as error:
        raise HeaderError(EXPECT_CT, [Fault(FaultKind.MALFORMED, str(error))]) from None
    faults = faults_of_repetition(each.name for each in directives)
    max_age, enforce, report_uri = None, False, None
    for each in directives:
        match each.name:
            case "max-age":
                seconds = read_max_age(each)
                if isinstance(seconds, Fault):
                    faults.append(seconds)
                else:
                    max_age = seconds
            case "enforce":
                enforce = True
                if each.value is not None:
                    faults.append(Fault(FaultKind.MALFORMED, "'enforce' has a value"))
            case "report-uri":
                uri = read_report_uri(each)
                if isinstance(uri, Fault):
                    faults.append(uri)
                else:
                    report_uri = uri
    if all(each.name != "max-age" for each in directives):
        faults.append(Fault(FaultKind.MISSING_MAX_AGE, "has no max-age"))
    if faults or max_age is None:
        raise HeaderError(EXPECT_CT, faults)
    honoured = report_uri is not None and report_uri.lower().startswith(_HTTPS)
    return ExpectCT(
        max_age=max_age,
        enforce=enforce,
        report_uri=report_uri if honoured else None,
        ignored_report_uri=None if honoured else report_uri,
        unknown=tuple(dict.fromkeys(each.name for each in directives if each.name not in _KNOWN)),
    )


def _directives(value: str, among_others: bool) -> tuple[Directive, ...]:
    """Of one field; beside others an empty one adds nothing to the list."""
    return () if among_others and not value.strip(" \t,") else parse_list(value)
