"""One property against one request: the issuer, the account, the method (RFC 8659, RFC 8657)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pinwarden.caa.parameters import equivalents, parse_account_uri, parse_validation_methods
from pinwarden.caa.profiles import Profile
from pinwarden.caa.record import CAARecord
from pinwarden.caa.value import IssueValue, parse_issue_value
from pinwarden.errors import MalformedError, quoted


class Reason(StrEnum):
    """The rule that gave the answer."""

    NO_RRSET = "no-rrset"
    NO_RESTRICTING_PROPERTY = "no-restricting-property"
    ISSUER_AUTHORIZED = "issuer-authorized"
    ISSUER_NOT_LISTED = "issuer-not-listed"
    EMPTY_ISSUER = "empty-issuer"
    MALFORMED_VALUE = "malformed-value"
    UNKNOWN_CRITICAL = "unknown-critical"
    ACCOUNT_MISMATCH = "account-mismatch"
    ACCOUNT_UNSATISFIABLE = "account-unsatisfiable"
    METHOD_MISMATCH = "method-mismatch"
    METHOD_UNSATISFIABLE = "method-unsatisfiable"
    LOOKUP_FAILURE = "lookup-failure"
    LOOKUP_FAILURE_PERMITTED = "lookup-failure-permitted"
    NOT_APPLICABLE = "not-applicable"
    NAME_UNREADABLE = "name-unreadable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one applicable property says; `reason` None: it lets this request through."""

    reason: Reason | None
    note: str
    open: bool = False


# Most values are short and stand at many names; long ones are not worth the room.
_LONGEST_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Terms:
    """The part of a request that a property is held against."""

    issuers: tuple[str, ...]
    account_uri: str | None
    method: str | None
    wildcard: bool


def judge(record: CAARecord, terms: Terms, profile: Profile) -> Judgement:
    """What one issue property, or one of its kin, says about a request; never raises."""
    short = len(record.value) <= _LONGEST_REMEMBERED
    return (_judge_remembered if short else _judge)(record, terms, profile)


def _judge(record: CAARecord, terms: Terms, profile: Profile) -> Judgement:
    tag = record.property
    try:
        value = parse_issue_value(record.value)
    except MalformedError as error:
        return Judgement(Reason.MALFORMED_VALUE, f"{tag} authorises nobody: {error}")
    if not profile.parameter_hyphens and any("-" in each.tag for each in value.parameters):
        return Judgement(
            Reason.MALFORMED_VALUE,
            f"{tag} authorises nobody: {profile.name} takes no hyphen in a parameter's name",
        )
    if value.issuer is None:
        return Judgement(Reason.EMPTY_ISSUER, f"{tag} authorises nobody")
    shown = quoted(value.issuer)
    if not _is_one_of(value.issuer, terms.issuers, profile):
        return Judgement(Reason.ISSUER_NOT_LISTED, f"{tag} authorises {shown}, not this CA")
    if value.issuer.lower() != _plain(terms.issuers[0]):
        shown += ", another name of this CA"
    if not profile.supports_rfc8657 or not value.parameters:
        return Judgement(None, f"{tag} authorises {shown}")
    problems = [
        each
        for each in (_account(value, terms, profile), _method(value, terms, profile))
        if each is not None
    ]
    if not problems:
        return Judgement(None, f"{tag} authorises {shown}, and its parameters are satisfied")
    note = f"{tag} names {shown}, but {' and '.join(each.note for each in problems)}"
    is_open = all(each.open for each in problems)
    if is_open:
        options = " and ".join(_OPTIONS[each.reason] for each in problems if each.reason)
        note += f": say which {'is' if len(problems) == 1 else 'are'} used with {options}"
    return Judgement(problems[0].reason, note, open=is_open)


# What a person says to have a property judged that is open still.
_OPTIONS = {Reason.ACCOUNT_MISMATCH: "--account-uri", Reason.METHOD_MISMATCH: "--method"}


_judge_remembered = lru_cache(maxsize=1024)(_judge)


def _is_one_of(issuer: str, issuers: Sequence[str], profile: Profile) -> bool:
    if profile.issuer_case_matters:
        return issuer in issuers
    # RFC 8659 has no rule of comparison for issuers; they are DNS names (RFC 4343).
    lower = issuer.lower()
    return any(lower == _plain(each) for each in issuers)


def _plain(issuer: str) -> str:
    return issuer.lower().removesuffix(".")


def _named(value: IssueValue, tag: str, profile: Profile) -> tuple[str, ...]:
    if profile.parameter_case_matters:
        return tuple(each.value for each in value.parameters if each.tag == tag)
    return value.named(tag)


def _account(value: IssueValue, terms: Terms, profile: Profile) -> Judgement | None:
    """What accounturi forbids (RFC 8657 section 3); None: nothing."""
    uris = _named(value, "accounturi", profile)
    if not uris:
        return None
    if len(uris) > 1:
        return Judgement(
            Reason.ACCOUNT_UNSATISFIABLE, "it has more than one accounturi, which nobody satisfies"
        )
    try:
        parse_account_uri(uris[0])
    except MalformedError as error:
        return Judgement(
            Reason.ACCOUNT_UNSATISFIABLE, f"its accounturi is satisfied by nobody: {error}"
        )
    if terms.account_uri is None:
        return Judgement(Reason.ACCOUNT_MISMATCH, f"only for account {quoted(uris[0])}", open=True)
    if terms.account_uri != uris[0]:
        return Judgement(Reason.ACCOUNT_MISMATCH, f"only for account {quoted(uris[0])}")
    return None


def _method(value: IssueValue, terms: Terms, profile: Profile) -> Judgement | None:
    """What validationmethods forbids (RFC 8657 section 4); None: nothing."""
    lists = _named(value, "validationmethods", profile)
    if not lists:
        return None
    if len(lists) > 1:
        return Judgement(
            Reason.METHOD_UNSATISFIABLE,
            "it has more than one validationmethods, which nobody satisfies",
        )
    try:
        labels = parse_validation_methods(_as_far_as_read(lists[0], terms, profile))
    except MalformedError as error:
        return Judgement(
            Reason.METHOD_UNSATISFIABLE, f"its validationmethods are satisfied by nobody: {error}"
        )
    accepted = _accepted(labels, terms, profile)
    if terms.method in accepted:
        return None
    listed = f"only by method {quoted(','.join(labels))}" if labels else "it allows no method"
    if terms.wildcard and profile.wildcard_methods is not None and labels:
        listed += f", and {profile.name} validates wildcard names by DNS alone"
    if terms.method is not None or not labels:
        return Judgement(Reason.METHOD_MISMATCH, listed)
    if not accepted:
        return Judgement(Reason.METHOD_UNSATISFIABLE, listed)
    return Judgement(Reason.METHOD_MISMATCH, listed, open=True)


def _as_far_as_read(text: str, terms: Terms, profile: Profile) -> str:
    labels = text.split(",")
    if profile.labels_until_match and terms.method in labels:
        return ",".join(labels[: labels.index(terms.method) + 1])
    return text


def _accepted(labels: Sequence[str], terms: Terms, profile: Profile) -> frozenset[str]:
    """The methods that satisfy a list, for the kind of name asked about."""
    accepted = frozenset(labels)
    if profile.br_label_aliases:
        accepted = accepted.union(*map(equivalents, labels))
    if terms.wildcard and profile.wildcard_methods is not None:
        accepted &= profile.wildcard_methods
    return accepted
