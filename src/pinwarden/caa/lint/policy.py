"""Faults of the policy in force for a name: how it is found, whose it is, who reads it how."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinwarden import findings
from pinwarden.caa.climb import RelevantSet, why_not_applicable
from pinwarden.caa.evaluate import Decision, Request, evaluate_caa
from pinwarden.caa.lint.parameters import BINDINGS
from pinwarden.caa.lint.sets import RecordSet, lint_records
from pinwarden.caa.lint.setting import Setting
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup
from pinwarden.caa.parameters import parse_validation_methods
from pinwarden.caa.profiles import LETSENCRYPT, RFC8659
from pinwarden.errors import MalformedError
from pinwarden.findings import Finding, FindingKind, by_severity
from pinwarden.names import display

_LONGEST_TTL = 86_400
_LETS_ENCRYPT = "letsencrypt.org"


def parent_to_ask(found: RelevantSet) -> str | None:
    """The name whose policy would be in force if the set found were not there."""
    if found.failed or found.relevant_name is None:
        return None
    return found.relevant_name.partition(".")[2] or None


def lint_policy(
    found: RelevantSet, setting: Setting, parent: RelevantSet | None = None
) -> tuple[Finding, ...]:
    """Everything to be said about the policy in force for a name, the gravest first.

    `parent` is what the search from `parent_to_ask` found: with it the lint can tell
    that a set opens what the one above it restricts.
    """
    if why_not_applicable(found.name) is not None:
        return ()
    return by_severity(_lint_found(found, setting, parent))


def _lint_found(
    found: RelevantSet, setting: Setting, parent: RelevantSet | None
) -> Iterator[Finding]:
    yield from _lint_aliases(found, setting)
    lookup = found.lookup
    if lookup is None:
        message = f"neither {found.name} nor a name above it has CAA records: any CA may issue"
        yield setting.finding(findings.CAA_NO_POLICY, message)
        return
    if found.failed:
        yield _failure(found, lookup, setting)
        return
    above = opened(found, parent, setting) if parent is not None else None
    for each in lint_records(lookup.records, lookup.broken, setting):
        if above is None or each.kind not in _SUBSUMED:
            yield each
    if above is not None:
        yield above
    yield from _lint_lookup(lookup, setting)
    yield from _lint_readings(found, lookup, setting)


def _failure(found: RelevantSet, lookup: Lookup, setting: Setting) -> Finding:
    problem = display(lookup.problem or str(lookup.failure or "the lookup failed"))
    kind: FindingKind = findings.CAA_LOOKUP_FAILED
    if lookup.failure is Failure.BOGUS or lookup.dnssec is DNSSECState.BOGUS:
        kind = findings.CAA_BOGUS
    subject = lookup.name
    if lookup.name != found.name:
        subject += f", a name above {found.name}"
    return setting.finding(kind, f"{subject}: {problem}", lookup.name)


def _lint_aliases(found: RelevantSet, setting: Setting) -> Iterator[Finding]:
    for step in found.steps:
        if not step.aliases:
            continue
        target = step.aliases[-1]
        if is_same_party(step.name, target):
            continue
        if step is found.lookup and not found.failed:
            message = (
                f"{step.name} is an alias of {display(target)}, whose CAA records are in force "
                f"for {found.name}; those above {step.name} are not looked at"
            )
            yield setting.finding(findings.CAA_THIRD_PARTY, message, display(target))
        elif step is not found.lookup:
            message = (
                f"{step.name} is an alias of {display(target)}, which has no CAA records now; "
                "whoever runs it can publish some, and those would decide"
            )
            yield setting.finding(findings.CAA_ALIAS_OPEN, message, display(target))


def is_same_party(name: str, target: str) -> bool:
    """Whether an alias seems to stay with whoever has the name.

    Without a list of public suffixes the last two labels decide, or the last three
    where the two look like a suffix such as `co.uk`; wrong only for a suffix of another
    shape, and then in taking two customers of it for one.
    """
    ours, theirs = name.lower().split("."), target.lower().split(".")
    shared = len(ours[-1]) == 2 and len(ours) > 2 and _SECOND_LEVEL.fullmatch(ours[-2])
    count = 3 if shared else 2
    return len(theirs) >= count and ours[-count:] == theirs[-count:]


# Under a country's domain these are everybody's.
_SECOND_LEVEL = re.compile(
    "ac|co|com|edu|go|gob|gouv|gov|gv|id|ltd|me|mil|ne|net|nic|nom|or|org|plc|sch"
)


_SUBSUMED = (findings.CAA_NOTHING_RESTRICTS, findings.CAA_ISSUEWILD_ONLY)


def opened(found: RelevantSet, parent: RelevantSet, setting: Setting) -> Finding | None:
    """That the set found restricts nothing where the one above it does; None if it does not."""
    if found.lookup is None or parent.lookup is None or parent.failed:
        return None
    child = RecordSet(found.lookup.records, found.lookup.broken)
    above = RecordSet(parent.lookup.records, parent.lookup.broken)
    kinds = [
        words
        for wildcard, words in ((False, "plain names"), (True, "wildcards"))
        if above.restricts(wildcard) and not child.restricts(wildcard)
    ]
    if not kinds:
        return None
    message = (
        f"the set at {found.relevant_name} restricts nothing for {' and '.join(kinds)}, and hides "
        f"the set at {parent.relevant_name}, which does: sets are not merged"
    )
    return setting.finding(findings.CAA_CHILD_OPENS_PARENT, message, found.relevant_name)


def _lint_lookup(lookup: Lookup, setting: Setting) -> Iterator[Finding]:
    if lookup.ttl is not None and lookup.ttl > _LONGEST_TTL:
        message = (
            f"TTL of {lookup.ttl} seconds: a CA may issue on an answer for that long, or for "
            "8 hours if that is more (Baseline Requirements)"
        )
        yield setting.finding(findings.CAA_TTL_LONG, message)
    if lookup.dnssec is not DNSSECState.INSECURE:
        return
    whole = RecordSet(lookup.records)
    for record, value in (*whole.values("issue"), *whole.values("issuewild")):
        if any(value.named(tag) for tag in BINDINGS):
            message = (
                "the zone is not signed, so whoever can change answers on their way to the CA "
                "takes the binding out (RFC 8657 section 5.6)"
            )
            yield setting.finding(findings.CAA_BINDING_UNSIGNED, message, record)
            return


def _lint_readings(found: RelevantSet, lookup: Lookup, setting: Setting) -> Iterator[Finding]:
    """Where Let's Encrypt, if the set is about it, decides otherwise than the RFCs say."""
    text = b"\n".join(record.value.lower() for record in lookup.records)
    if _LETS_ENCRYPT.encode() not in text:
        return
    told = set()
    for request in _requests(found.name, lookup):
        standard = evaluate_caa(found, request, RFC8659)
        theirs = evaluate_caa(found, request, LETSENCRYPT)
        key = (standard.verdict, theirs.verdict, theirs.reason)
        if standard.verdict is theirs.verdict or key in told:
            continue
        told.add(key)
        yield setting.finding(
            findings.CAA_READ_DIFFERENTLY, _readings(request, standard, theirs), lookup.name
        )


def _readings(request: Request, standard: Decision, theirs: Decision) -> str:
    what = f"*.{request.name}" if request.wildcard else request.name
    return (
        f"{what} for Let's Encrypt: {standard.verdict} by the standard, {theirs.verdict} as "
        f"Let's Encrypt reads it ({'; '.join(theirs.why)})"
    )


def _requests(name: str, lookup: Lookup) -> Iterator[Request]:
    """What Let's Encrypt could be asked for: each account and method that the set speaks of.

    A wildcard is only ever asked for with a method that can prove one.
    """
    whole = RecordSet(lookup.records)
    values = [value for tag in ("issue", "issuewild") for _, value in whole.values(tag)]
    accounts = dict.fromkeys(uri for value in values for uri in value.named("accounturi"))
    methods = dict.fromkeys(
        label
        for value in values
        for text in value.named("validationmethods")
        for label in _labels(text)
    )
    for_wildcards = LETSENCRYPT.wildcard_methods or frozenset()
    for wildcard in (False, True):
        usable = [each for each in methods if not wildcard or each in for_wildcards] or ["dns-01"]
        for account in (*list(accounts)[:8],) or (None,):
            for method in usable[:8]:
                yield Request(
                    name=name,
                    issuers=(_LETS_ENCRYPT,),
                    wildcard=wildcard,
                    account_uri=account,
                    method=method,
                )


def _labels(text: str) -> tuple[str, ...]:
    try:
        return parse_validation_methods(text)
    except MalformedError:
        return tuple(each for each in text.split(",") if each)
