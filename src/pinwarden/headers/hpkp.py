"""Public-Key-Pins and Public-Key-Pins-Report-Only (RFC 7469 section 2.1).

A client ignores the whole field if anything in it is malformed, and repairs nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pinwarden.errors import MalformedError, quoted
from pinwarden.headers.fault import Fault, FaultKind, HeaderError
from pinwarden.headers.grammar import Directive, parse_sequence
from pinwarden.headers.values import faults_of_repetition, read_max_age, read_report_uri

__all__ = ["PUBLIC_KEY_PINS", "REPORT_ONLY", "HPKPPolicy", "parse_public_key_pins"]

PUBLIC_KEY_PINS, REPORT_ONLY = "Public-Key-Pins", "Public-Key-Pins-Report-Only"

_PIN = "pin-"
_SHA256 = "pin-sha256"
_HASH_OCTETS = 32
_UNQUOTED_PIN = re.compile(r"(?:^|[; \t])(pin-[a-z0-9]{1,20})=(?!\")", re.IGNORECASE)
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class HPKPPolicy:
    """What a field says that clients would have read.

    `pins` are the values of pin-sha256 in base64, in their order and with repetitions;
    `bad_pins` are those of them that are no hash of 32 octets, and match no key. `max_age` is
    in seconds, and None in a report-only field, where it means nothing. `unknown` are names of
    directives, pins of other hashes among them, that clients skip.
    """

    report_only: bool
    pins: tuple[str, ...]
    max_age: int | None
    include_subdomains: bool
    report_uri: str | None
    bad_pins: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def hashes(self) -> frozenset[bytes]:
        """The octets of the pins, without the bad ones.

        Section 2.4: a pin is the fingerprint of a key. What can be none is not the backup that
        section 2.5 demands either.
        """
        bad = frozenset(self.bad_pins)
        return frozenset(base64.b64decode(each) for each in self.pins if each not in bad)


def parse_public_key_pins(value: str, report_only: bool = False) -> HPKPPolicy:
    """The policy in the value of one field.

    Raises `HeaderError` with all its faults for a field that clients ignore.
    """
    name = REPORT_ONLY if report_only else PUBLIC_KEY_PINS
    try:
        directives = parse_sequence(value)
    except MalformedError as error:
        raise HeaderError(name, [_fault_of_grammar(error, value)]) from None
    reading = _Reading(report_only)
    for each in directives:
        reading.take(each)
    faults = [
        *reading.faults,
        *faults_of_repetition(each.name for each in directives if not each.name.startswith(_PIN)),
    ]
    if not report_only and all(each.name != "max-age" for each in directives):
        faults.append(Fault(FaultKind.MISSING_MAX_AGE, "has no max-age"))
    if faults:
        raise HeaderError(name, faults)
    return reading.policy()


def _fault_of_grammar(error: MalformedError, value: str) -> Fault:
    """In base64 there is an equals sign, so that a pin without quotes is no token either."""
    match = _UNQUOTED_PIN.search(value)
    if match is not None:
        return _not_in_quotes(match[1])
    return Fault(FaultKind.MALFORMED, str(error))


def _not_in_quotes(name: str) -> Fault:
    return Fault(FaultKind.MALFORMED, f"{quoted(name, _SHOWN)} is not in quotes")


class _Reading:
    def __init__(self, report_only: bool) -> None:
        self._report_only = report_only
        self._pins: list[str] = []
        self._bad: list[str] = []
        self._unknown: list[str] = []
        self._max_age: int | None = None
        self._subdomains = False
        self._report_uri: str | None = None
        self.faults: list[Fault] = []

    def take(self, directive: Directive) -> None:
        match directive.name:
            case "max-age":
                self._take_max_age(directive)
            case "includesubdomains":
                self._subdomains = True
                if directive.value is not None:
                    problem = "'includeSubDomains' has a value"
                    self.faults.append(Fault(FaultKind.MALFORMED, problem))
            case "report-uri":
                uri = read_report_uri(directive)
                if isinstance(uri, Fault):
                    self.faults.append(uri)
                else:
                    self._report_uri = uri
            case name if name == _SHA256:
                self._take_pin(directive)
            case name:
                # Section 2.1.1: a hash that a client does not know is skipped like rule 5 has it.
                self._unknown.append(name)

    def _take_max_age(self, directive: Directive) -> None:
        # Section 2.1.2: in a report-only field there is nothing that could grow old.
        if self._report_only:
            return
        seconds = read_max_age(directive)
        if isinstance(seconds, Fault):
            self.faults.append(seconds)
        else:
            self._max_age = seconds

    def _take_pin(self, directive: Directive) -> None:
        value = directive.value
        if value is None or not directive.in_quotes:
            self.faults.append(_not_in_quotes(directive.name))
            return
        octets = _decoded(value)
        if octets is None:
            problem = f"a pin is not base64: {quoted(value, _SHOWN)}"
            self.faults.append(Fault(FaultKind.BAD_PIN, problem))
            return
        self._pins.append(value)
        if len(octets) != _HASH_OCTETS:
            self._bad.append(value)

    def policy(self) -> HPKPPolicy:
        return HPKPPolicy(
            report_only=self._report_only,
            pins=tuple(self._pins),
            max_age=self._max_age,
            include_subdomains=self._subdomains,
            report_uri=self._report_uri,
            bad_pins=tuple(self._bad),
            unknown=_once(self._unknown),
        )


def _decoded(value: str) -> bytes | None:
    """The octets of base64 (RFC 4648 section 4), or None."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def _once(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
