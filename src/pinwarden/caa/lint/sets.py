"""Faults of a set of records: what it permits as a whole, which is seldom what each line says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pinwarden import findings
from pinwarden.caa.lint.parameters import BINDINGS
from pinwarden.caa.lint.setting import Setting
from pinwarden.caa.lint.values import ISSUE_PROPERTIES, KEYWORDS, lint_record, read_issue
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.caa.value import IssueValue
from pinwarden.errors import quoted
from pinwarden.findings import Finding

_MANY_RECORDS = 100
# A UDP answer holds 1232 octets almost everywhere; past a few times that much, TCP has to work.
_MANY_OCTETS = 4096
_RECORD_OVERHEAD = 14


@dataclass(frozen=True)
class RecordSet:
    """The records of one owner, sorted by what they do."""

    records: tuple[CAARecord, ...]
    broken: tuple[BrokenRecord, ...] = ()

    @cached_property
    def by_property(self) -> Mapping[str, tuple[CAARecord, ...]]:
        """The records under each property tag, in lower case."""
        found: dict[str, tuple[CAARecord, ...]] = {}
        for record in self.records:
            if record.property is not None:
                found[record.property] = (*found.get(record.property, ()), record)
        return found

    @cached_property
    def forbids_all(self) -> bool:
        """Whether a critical property that no CA has to know forbids every certificate."""
        known = ("issue", "issuewild", "iodef")
        return any(record.critical and record.property not in known for record in self.records)

    def restricts(self, wildcard: bool) -> bool:
        """Whether a server certificate needs somebody's permission, or may need it."""
        if self.forbids_all or self.broken:
            return True
        return "issue" in self.by_property or (wildcard and "issuewild" in self.by_property)

    def values(self, tag: str) -> tuple[tuple[CAARecord, IssueValue], ...]:
        """The records of an issue property that can be read, with their values."""
        pairs = ((record, read_issue(record)) for record in self.by_property.get(tag, ()))
        return tuple((record, value) for record, value in pairs if value is not None)


def lint_records(
    records: Sequence[CAARecord], broken: Sequence[BrokenRecord], setting: Setting
) -> tuple[Finding, ...]:
    """Everything to be said about a set without asking anybody: each record, then the whole.

    Whether a parent's set is opened, and where the set stands, is for `lint_policy`
    and `lint_zone`.
    """
    whole = RecordSet(tuple(records), tuple(broken))
    return tuple(_lint_set(whole, setting))


def _lint_set(whole: RecordSet, setting: Setting) -> Iterator[Finding]:
    for each in whole.broken:
        message = f"{each.problem}; with it in the set, no CA is permitted for certain"
        yield setting.finding(findings.CAA_BROKEN_RECORD, message, each)
    for record in dict.fromkeys(whole.records):
        yield from lint_record(record, setting)
    yield from _lint_repetition(whole, setting)
    yield from _lint_restriction(whole, setting)
    for tag in ISSUE_PROPERTIES:
        yield from _lint_empty_beside(whole, tag, setting)
    for tag in ("issue", "issuewild"):
        yield from _lint_open_beside(whole, tag, setting)
    yield from _lint_wildcards_unbound(whole, setting)
    yield from _lint_left_open(whole, setting)


def _lint_repetition(whole: RecordSet, setting: Setting) -> Iterator[Finding]:
    seen: set[tuple[bytes, object]] = set()
    for record in whole.records:
        # Two spellings of one value say the same.
        value = read_issue(record) if record.property in ISSUE_PROPERTIES else None
        key = (record.tag.lower(), value or record.value)
        if key in seen:
            message = "another record of the set says the same"
            yield setting.finding(findings.CAA_DUPLICATE_RECORD, message, record)
        seen.add(key)
    octets = sum(len(r.tag) + len(r.value) + _RECORD_OVERHEAD for r in whole.records)
    octets += sum(len(each.rdata) + _RECORD_OVERHEAD for each in whole.broken)
    count = len(whole.records) + len(whole.broken)
    if count > _MANY_RECORDS or octets > _MANY_OCTETS:
        message = (
            f"{count} records of about {octets} octets: the answer fits into no datagram, and a "
            "CA whose way to you has no TCP cannot read it"
        )
        yield setting.finding(findings.CAA_TOO_MANY, message)


def _lint_restriction(whole: RecordSet, setting: Setting) -> Iterator[Finding]:
    if whole.forbids_all or whole.broken:
        return
    tags = whole.by_property
    if "issue" not in tags and "issuewild" not in tags:
        held = ", ".join(sorted(quoted(r.tag) for r in dict.fromkeys(whole.records))[:5])
        message = (
            f"the set holds {held} and neither issue nor issuewild: any CA may issue, "
            "and sets further up are not looked at"
        )
        yield setting.finding(findings.CAA_NOTHING_RESTRICTS, message)
    elif "issue" not in tags:
        message = "issuewild is about wildcard names only: any CA may issue for plain names"
        yield setting.finding(findings.CAA_ISSUEWILD_ONLY, message)
    elif "issuewild" not in tags:
        # Who means nobody by a word is told so, and not that this word may issue.
        named = sorted({v.issuer.lower() for _, v in whole.values("issue") if v.issuer} - KEYWORDS)
        if named:
            who = ", ".join(named[:5])
            message = f"{who} may issue wildcards as well as plain names: there is no issuewild"
            yield setting.finding(findings.CAA_NO_ISSUEWILD, message)


def _lint_empty_beside(whole: RecordSet, tag: str, setting: Setting) -> Iterator[Finding]:
    values = whole.values(tag)
    named = sorted({value.issuer.lower() for _, value in values if value.issuer})
    if not named:
        return
    for record, value in values:
        if value.issuer is None:
            message = f"the empty {tag} forbids nothing, since {', '.join(named[:5])} may issue"
            yield setting.finding(findings.CAA_EMPTY_BESIDE_ISSUER, message, record)


def _ca(value: IssueValue, setting: Setting) -> str:
    """One word for all names of a CA."""
    issuer = (value.issuer or "").lower()
    owner = setting.issuers.owner_of(issuer)
    return owner.name if owner is not None else issuer


def _lint_open_beside(whole: RecordSet, tag: str, setting: Setting) -> Iterator[Finding]:
    """Records are alternatives: a binding in one is void where another has none for the CA."""
    values = [(record, value) for record, value in whole.values(tag) if value.issuer]
    for parameter in BINDINGS:
        bound = {_ca(value, setting) for _, value in values if value.named(parameter)}
        for record, value in values:
            if _ca(value, setting) in bound and not value.named(parameter):
                message = (
                    f"{value.issuer} is bound by {parameter} in another {tag} record, and free of "
                    "it in this one, which is enough for it to issue"
                )
                yield setting.finding(findings.CAA_OPEN_BESIDE_BOUND, message, record)


def _lint_wildcards_unbound(whole: RecordSet, setting: Setting) -> Iterator[Finding]:
    """A wildcard certificate covers the names below, whichever account has it."""
    free = [v for _, v in whole.values("issue") if v.issuer and not v.named("accounturi")]
    bound = {_ca(v, setting) for _, v in whole.values("issue") if v.named("accounturi")}
    bound -= {_ca(value, setting) for value in free}
    for record, value in whole.values("issuewild"):
        if value.issuer and _ca(value, setting) in bound and not value.named("accounturi"):
            message = (
                f"{value.issuer} is bound to an account for plain names, "
                "but may issue wildcards for any account"
            )
            yield setting.finding(findings.CAA_OPEN_BESIDE_BOUND, message, record)


def _lint_left_open(whole: RecordSet, setting: Setting) -> Iterator[Finding]:
    tags = whole.by_property
    if whole.forbids_all or whole.broken or ("issue" not in tags and "issuewild" not in tags):
        return
    if "issuemail" not in tags:
        values = whole.values("issue")
        nobody = "issue" in tags and not any(value.issuer for _, value in values)
        message = "certificates for mail addresses (S/MIME) are not restricted by issue"
        if nobody:
            message = "no CA may issue for servers, but any may for mail addresses (S/MIME)"
        yield setting.finding(findings.CAA_SMIME_OPEN, message)
    if "issuevmc" not in tags:
        message = "certificates for brand marks in mail (VMC) are not restricted by issue"
        yield setting.finding(findings.CAA_VMC_OPEN, message)
    if "iodef" not in tags:
        message = "the set has no iodef, so no CA can report a request that it refused"
        yield setting.finding(findings.CAA_IODEF_MISSING, message)
