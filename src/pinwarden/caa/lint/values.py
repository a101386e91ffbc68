"""Faults of one record, whatever set it stands in: tag, flags, value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from pinwarden import findings
from pinwarden.caa.contact import parse_contact_email, parse_contact_phone, parse_iodef
from pinwarden.caa.lint.parameters import lint_parameters
from pinwarden.caa.lint.setting import Setting, in_words, meant
from pinwarden.caa.record import ISSUER_CRITICAL, CAARecord
from pinwarden.caa.value import IssueValue, parse_issue_value
from pinwarden.errors import MalformedError, quoted
from pinwarden.findings import Finding

ISSUE_PROPERTIES = ("issue", "issuewild", "issuemail", "issuevmc")
_CONTACTS = ("contactemail", "contactphone")
_DEFINED = (*ISSUE_PROPERTIES, "iodef", *_CONTACTS)
# Never defined, and taken out of use: RFC 8659 section 7.
_RESERVED = ("auth", "path", "policy")
# What the TLS Baseline Requirements oblige every CA to know.
_KNOWN_TO_ALL = ("issue", "issuewild", "iodef")
# Ballot SC-090: the validation methods that use these contacts end on these days.
_SUNSET = {"contactphone": "2027-03-15", "contactemail": "2028-03-15"}
# What people write who mean the empty issuer.
KEYWORDS = frozenset(("none", "null", "no", "nobody", "deny", "disallow", "empty"))
# What word processors make of a quotation mark, in UTF-8.
_TYPOGRAPHIC = tuple(mark.encode() for mark in "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb")
_WHOLE_RECORD = re.compile(rb"[ \t]*[0-9]+[ \t]+[A-Za-z0-9]+[ \t]")


def lint_record(record: CAARecord, setting: Setting) -> Iterator[Finding]:
    """Everything wrong with one record, or worth knowing about it."""
    yield from _lint_tag(record, setting)
    yield from _lint_flags(record, setting)
    check = _VALUES.get(record.property or "")
    if check is not None:
        yield from check(record, setting)


def read_issue(record: CAARecord) -> IssueValue | None:
    """The value of an issue property; None for one that breaks the grammar."""
    try:
        return parse_issue_value(record.value)
    except MalformedError:
        return None


def _lint_tag(record: CAARecord, setting: Setting) -> Iterator[Finding]:
    tag = record.property
    if tag is None:
        message = (
            f"tag {quoted(record.tag)} may hold letters and digits only, so it is no property, "
            "and some software drops the whole answer for it"
        )
        yield setting.finding(findings.CAA_ILLEGAL_TAG, message, record)
        return
    if tag in _RESERVED:
        message = f"tag {tag} is reserved and was never given a meaning, so it restricts nothing"
        yield setting.finding(findings.CAA_RESERVED_TAG, message, record)
    elif tag not in _DEFINED:
        # A critical one forbids everything, which `_lint_flags` says.
        so = "" if record.critical else ", so it restricts nothing"
        message = f"tag {quoted(tag)} is not known{so}{meant(tag, _DEFINED)}"
        yield setting.finding(findings.CAA_UNKNOWN_TAG, message, record)
    if not record.tag.islower():
        message = f"tag {quoted(record.tag)} is read as {tag} by CAs, but not by every checker"
        yield setting.finding(findings.CAA_UPPER_CASE, message, record)


def _lint_flags(record: CAARecord, setting: Setting) -> Iterator[Finding]:
    reserved = record.flags & ~ISSUER_CRITICAL
    if reserved:
        message = f"flags {record.flags}: only 0 and 128 (critical) are defined"
        if reserved & 1 and not record.critical:
            message += (
                "; by the standard 1 is not critical, which is 128, "
                "but Let's Encrypt takes it as critical"
            )
        yield setting.finding(findings.CAA_RESERVED_FLAGS, message, record)
    if not record.critical:
        return
    tag = record.property
    if tag in _KNOWN_TO_ALL:
        message = f"every CA knows {tag}, so the critical flag changes nothing"
        yield setting.finding(findings.CAA_CRITICAL_NEEDLESS, message, record)
        return
    message = f"no CA knows {quoted(record.tag)}, so all"
    if tag in _DEFINED:
        message = f"a CA need not know {quoted(record.tag)}, and one that does not"
    message += " must refuse every certificate because the record is critical"
    yield setting.finding(findings.CAA_CRITICAL_UNKNOWN, message, record)


def _lint_issue(record: CAARecord, setting: Setting) -> Iterator[Finding]:
    try:
        value = parse_issue_value(record.value)
    except MalformedError as error:
        yield _malformed(record, error, setting)
        return
    if b" " in record.value or b"\t" in record.value:
        message = "the value has blanks in it, which some DNS hosts refuse, or cut it there"
        yield setting.finding(findings.CAA_BLANKS, message, record)
    if value.issuer is None:
        if value.parameters:
            message = "parameters without a CA before them: the record names nobody"
            yield setting.finding(findings.CAA_PARAMETERS_ALONE, message, record)
        return
    yield from _lint_issuer(record, value.issuer, setting)
    if not value.parameters and record.value.rstrip(b" \t").endswith(b";"):
        message = (
            "nothing follows the semicolon: some DNS hosts cut values there, and with the "
            "parameters the restriction is gone"
        )
        yield setting.finding(findings.CAA_PARAMETERS_LOST, message, record)
    yield from lint_parameters(record, value, setting)


def _malformed(record: CAARecord, error: MalformedError, setting: Setting) -> Finding:
    text = record.value.strip(b" \t")
    consequence = "; the record names no CA, as if its value were ';'"
    if _WHOLE_RECORD.match(text):
        message = f"{error} (the value repeats the flags and the tag){consequence}"
        return setting.finding(findings.CAA_MALFORMED_VALUE, message, record)
    if text.startswith(_TYPOGRAPHIC):
        message = "the value is between typographic quotation marks, which are a part of it"
        return setting.finding(findings.CAA_QUOTED_VALUE, message + consequence, record)
    quotes = text.startswith((b'"', b"'", b'\\"')) or text.endswith((b'"', b"'"))
    kind = findings.CAA_QUOTED_VALUE if quotes else findings.CAA_MALFORMED_VALUE
    return setting.finding(kind, in_words(error) + consequence, record)


def _lint_issuer(record: CAARecord, issuer: str, setting: Setting) -> Iterator[Finding]:
    if issuer != issuer.lower():
        message = (
            f"issuer {quoted(issuer)}: names are compared without regard to case, "
            "but Let's Encrypt for one compares them exactly"
        )
        yield setting.finding(findings.CAA_UPPER_CASE, message, record)
    owner = setting.issuers.owner_of(issuer)
    if issuer.lower() in KEYWORDS:
        message = f"{quoted(issuer)} is taken for the name of a CA; a CA is forbidden by ';' alone"
        yield setting.finding(findings.CAA_UNKNOWN_CA, message, record)
    elif owner is None:
        near = setting.issuers.nearest(issuer, limit=1)
        hint = f" (did you mean {near[0].domain}, {near[0].owner.name}?)" if near else ""
        message = f"no CA is known to go by {quoted(issuer)}{hint}"
        yield setting.finding(findings.CAA_UNKNOWN_CA, message, record)
    elif issuer.lower() in owner.former:
        message = f"{owner.name} does not list {quoted(issuer)} as its own any more"
        yield setting.finding(findings.CAA_UNKNOWN_CA, message, record)


def _lint_iodef(record: CAARecord, setting: Setting) -> Iterator[Finding]:
    try:
        parse_iodef(record.value)
    except MalformedError as error:
        yield setting.finding(findings.CAA_IODEF_INVALID, in_words(error), record)
        return
    if record.value[:5].lower() == b"http:":
        message = "CAs are expected to know mailto and https addresses only, not http"
        yield setting.finding(findings.CAA_IODEF_UNSUPPORTED, message, record)


def _lint_contact(record: CAARecord, setting: Setting) -> Iterator[Finding]:
    tag = record.property or ""
    parse = parse_contact_email if tag == "contactemail" else parse_contact_phone
    try:
        parse(record.value)
    except MalformedError as error:
        yield setting.finding(findings.CAA_CONTACT_INVALID, in_words(error), record)
        return
    day = _SUNSET[tag]
    past = setting.at.date().isoformat() >= day
    verb = "ended" if past else "ends"
    message = f"the use of {tag} in domain validation {verb} on {day} (ballot SC-090)"
    yield setting.finding(findings.CAA_CONTACT_SUNSET, message, record)


_Check = Callable[[CAARecord, Setting], Iterator[Finding]]
_VALUES: Mapping[str, _Check] = {
    **dict.fromkeys(ISSUE_PROPERTIES, _lint_issue),
    "iodef": _lint_iodef,
    **dict.fromkeys(_CONTACTS, _lint_contact),
}
