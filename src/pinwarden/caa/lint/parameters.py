"""Faults of the parameters of RFC 8657: the account, the validation methods."""

from __future__ import annotations

from collections.abc import Iterator

from pinwarden import findings
from pinwarden.caa.lint.accounts import account_ca, is_lets_encrypt_account, is_test_account
from pinwarden.caa.lint.setting import Setting, in_words, meant
from pinwarden.caa.parameters import (
    METHODS,
    equivalents,
    label_problem,
    parse_account_uri,
    parse_validation_methods,
)
from pinwarden.caa.profiles import RFC8657_MANDATORY
from pinwarden.caa.record import CAARecord
from pinwarden.caa.value import IssueValue
from pinwarden.errors import MalformedError, quoted
from pinwarden.findings import Finding, FindingKind

BINDINGS = ("accounturi", "validationmethods")
_HONOUR_ALREADY = frozenset(("letsencrypt.org",))
# Parameters that CAs defined for themselves (RFC 8659 section 4.2).
_OF_CAS = frozenset(("cansignhttpexchanges",))
# Baseline Requirements 3.2.2.4.19 and .20: not for wildcard names.
_NOT_FOR_WILDCARDS = frozenset(
    ("http-01", "tls-alpn-01", "tls-sni-01", "tls-sni-02", "ca-tbr-18", "ca-tbr-19", "ca-tbr-20")
)


def lint_parameters(record: CAARecord, value: IssueValue, setting: Setting) -> Iterator[Finding]:
    """Everything wrong with the parameters of a value that names a CA."""
    for tag in BINDINGS:
        if len(value.named(tag)) > 1:
            message = f"{tag} stands more than once, which no request can satisfy"
            yield setting.finding(findings.CAA_DUPLICATE_PARAMETER, message, record)
    for uri in dict.fromkeys(value.named("accounturi")):
        yield from _lint_account(record, value, uri, setting)
    for text in dict.fromkeys(value.named("validationmethods")):
        yield from _lint_methods(record, text, setting)
    yield from _lint_others(record, value, setting)
    yield from _lint_support(record, value, setting)


def _lint_account(
    record: CAARecord, value: IssueValue, uri: str, setting: Setting
) -> Iterator[Finding]:
    try:
        parse_account_uri(uri)
    except MalformedError as error:
        message = f"{error}; no request can satisfy it"
        yield setting.finding(findings.CAA_ACCOUNT_INVALID, message, record)
        return
    if is_test_account(uri):
        message = f"{quoted(uri)} is an account of a test service; no real certificate is from it"
        yield setting.finding(findings.CAA_ACCOUNT_STAGING, message, record)
        return
    issuer = (value.issuer or "").lower()
    other = account_ca(uri)
    if other is not None and other not in {issuer, *setting.issuers.same_ca(issuer)}:
        message = f"{quoted(uri)} is an account at {other}, not at {issuer}; nobody can use it"
        yield setting.finding(findings.CAA_ACCOUNT_INVALID, message, record)
    elif issuer == "letsencrypt.org" and not is_lets_encrypt_account(uri):
        message = (
            f"{quoted(uri)} is no account URL of Let's Encrypt, "
            "such as https://acme-v02.api.letsencrypt.org/acme/acct/12345"
        )
        yield setting.finding(findings.CAA_ACCOUNT_INVALID, message, record)


def _lint_methods(record: CAARecord, text: str, setting: Setting) -> Iterator[Finding]:
    try:
        labels = parse_validation_methods(text)
    except MalformedError as error:
        yield setting.finding(findings.CAA_METHODS_INVALID, in_words(error), record)
        return
    if not labels:
        message = "the list is empty: the CA may use no method, so it cannot issue by this record"
        yield setting.finding(findings.CAA_METHODS_EMPTY, message, record)
        return
    known = []
    for label in labels:
        problem = label_problem(label) or _misplaced(label, record)
        if problem:
            kind, message = _about_label(label, problem)
            yield setting.finding(kind, message, record)
        else:
            known.append(label)
            yield from _lint_twin(record, label, labels, setting)
    if record.property == "issuewild" and known and _NOT_FOR_WILDCARDS.issuperset(known):
        message = f"{', '.join(known)} cannot prove control of a wildcard name; a DNS method can"
        yield setting.finding(findings.CAA_METHOD_NO_WILDCARD, message, record)


def _misplaced(label: str, record: CAARecord) -> str:
    """Why a known method is of no use here: it is not for certificates of servers."""
    method = METHODS.get(label)
    if method is None or method.server or record.property not in ("issue", "issuewild"):
        return ""
    return "is for other certificates than those of servers"


def _about_label(label: str, problem: str) -> tuple[FindingKind, str]:
    if label != label.lower() and not label_problem(label.lower()):
        return findings.CAA_UPPER_CASE, f"method {quoted(label)} {problem}"
    hint = meant(label, _USUAL) if problem.startswith("is neither") else ""
    return findings.CAA_METHOD_UNKNOWN, f"method {quoted(label)} {problem}{hint}"


_USUAL = ("dns-01", "http-01", "tls-alpn-01", "dns-account-01", "dns-persist-01")


def _lint_twin(
    record: CAARecord, label: str, labels: tuple[str, ...], setting: Setting
) -> Iterator[Finding]:
    """ACME CAs look for the ACME label; that they take either is a recommendation only."""
    twins = [each for each in sorted(equivalents(label)) if not each.startswith("ca-")]
    if label.startswith("ca-tbr-") and twins and not set(twins) & set(labels):
        message = f"method {label} is {twins[0]} in ACME, and a CA may look for that label only"
        yield setting.finding(findings.CAA_METHOD_RENAMED, message, record)


def _lint_others(record: CAARecord, value: IssueValue, setting: Setting) -> Iterator[Finding]:
    for parameter in value.parameters:
        tag = parameter.tag.lower()
        if tag in BINDINGS:
            if parameter.tag != tag:
                message = f"parameter {quoted(parameter.tag)} is usually written {tag}"
                yield setting.finding(findings.CAA_UPPER_CASE, message, record)
        elif tag not in _OF_CAS:
            message = (
                f"parameter {quoted(parameter.tag)} is defined by no standard: "
                f"only the CA can tell what it does{meant(tag, BINDINGS)}"
            )
            yield setting.finding(findings.CAA_UNKNOWN_PARAMETER, message, record)


def _lint_support(record: CAARecord, value: IssueValue, setting: Setting) -> Iterator[Finding]:
    bound = [tag for tag in BINDINGS if value.named(tag)]
    issuer = (value.issuer or "").lower()
    if not bound or setting.at >= RFC8657_MANDATORY or issuer in _HONOUR_ALREADY:
        return
    if record.property not in ("issue", "issuewild"):
        return
    message = (
        f"{issuer} need not honour {' and '.join(bound)} before 2027-03-15 "
        "(ballot SC-098v2), unless it says that it does"
    )
    yield setting.finding(findings.CAA_BINDING_NOT_MANDATORY, message, record)
