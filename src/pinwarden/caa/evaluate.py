"""Whether a CA may issue for a name (RFC 8659 section 3, RFC 8657, RFC 9495)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pinwarden.caa.climb import RelevantSet, why_not_applicable
from pinwarden.caa.judge import Judgement, Reason, Terms, judge
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.caa.profiles import Profile
from pinwarden.caa.record import BrokenRecord, CAARecord
from pinwarden.errors import quoted
from pinwarden.names import display

__all__ = [
    "CAAVerdict",
    "Decision",
    "JudgedRecord",
    "Purpose",
    "Reason",
    "Request",
    "evaluate_caa",
    "governing_tag",
    "unknown_critical",
]


class Purpose(StrEnum):
    """What the certificate is for; each has a property of its own."""

    TLS = "tls"
    SMIME = "smime"
    VMC = "vmc"

    @property
    def tag(self) -> str:
        """The property that restricts it; for a wildcard name see RFC 8659 section 4.3."""
        return _TAGS[self]


_TAGS = {Purpose.TLS: "issue", Purpose.SMIME: "issuemail", Purpose.VMC: "issuevmc"}


class CAAVerdict(StrEnum):
    """The answer. `unknown` is no permission: something needed could not be learnt."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who wants to issue what.

    `name` as in `CAAName.name`. `issuers` are all domains by which the CA knows itself
    in CAA, the one asked about first. `account_uri` and `method` are the ACME account
    and the validation method in use, None where not known.
    """

    name: str
    issuers: tuple[str, ...]
    wildcard: bool = False
    account_uri: str | None = None
    method: str | None = None
    purpose: Purpose = Purpose.TLS


@dataclass(frozen=True, slots=True)
class JudgedRecord:
    """One record of the relevant set, and what it means for the request."""

    record: CAARecord | BrokenRecord
    applies: bool
    note: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the rule behind it, where the set was found, and why in sentences."""

    verdict: CAAVerdict
    reason: Reason
    relevant_name: str | None
    why: tuple[str, ...]
    judged: tuple[JudgedRecord, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether issuance is permitted for certain."""
        return self.verdict is CAAVerdict.ALLOWED


def evaluate_caa(found: RelevantSet, request: Request, profile: Profile) -> Decision:
    """Whether a CA may issue, given the outcome of the search; never raises.

    A set with a record that cannot be read is never "allowed". A property that binds to
    an account or a method which the request does not name leaves the answer open.
    """
    outside = why_not_applicable(request.name)
    if outside is not None:
        return Decision(CAAVerdict.ALLOWED, Reason.NOT_APPLICABLE, None, (outside,))
    lookup = found.lookup
    if lookup is None:
        return _without_set(found, profile)
    if lookup.outcome is Outcome.FAILED:
        return _on_failure(lookup, profile)
    lookup = _in_order(lookup)
    critical = unknown_critical(lookup.records, profile)
    if critical:
        return _on_unknown_critical(lookup, critical, profile)
    tag = governing_tag(lookup.records, wildcard=request.wildcard, purpose=request.purpose)
    terms = Terms(request.issuers, request.account_uri, request.method, request.wildcard)
    judged = {
        index: judge(record, terms, profile)
        for index, record in enumerate(lookup.records)
        if record.property == tag
    }
    return _weighed(lookup, request, profile, tag, judged)


def _in_order(lookup: Lookup) -> Lookup:
    """The same answer, in the order of RFC 4034 section 6.3 for the records of a property.

    Servers give a set in any order; neither reason nor words may depend on it.
    """
    if len(lookup.records) < 2:
        return lookup
    ordered = sorted(lookup.records, key=lambda each: (each.flags, each.tag, each.value))
    return replace(lookup, records=tuple(ordered))


def _without_set(found: RelevantSet, profile: Profile) -> Decision:
    last = found.steps[-1] if found.steps else None
    if profile.missing_tld_fails and last and last.outcome is Outcome.NO_SUCH_NAME:
        why = f"{last.name}: this top level domain does not exist, which {profile.name} refuses"
        return Decision(CAAVerdict.UNKNOWN, Reason.LOOKUP_FAILURE, last.name, (why,))
    why = f"no CAA records at {found.name} or any of its parents: any CA may issue"
    return Decision(CAAVerdict.ALLOWED, Reason.NO_RRSET, None, (why,))


def _on_failure(lookup: Lookup, profile: Profile) -> Decision:
    problem = display(lookup.problem or str(lookup.failure or "the lookup failed"))
    why = [f"{lookup.name}: {problem}"]
    if profile.lookup_failure == "br":
        missing = list(_conditions_not_met(lookup, profile))
        if not missing:
            why.append(
                "outside the CA, retried, and in a zone without DNSSEC: the Baseline "
                "Requirements let a CA take it as permission"
            )
            return Decision(
                CAAVerdict.ALLOWED, Reason.LOOKUP_FAILURE_PERMITTED, lookup.name, tuple(why)
            )
        why.append(f"no permission by the Baseline Requirements: {', '.join(missing)}")
    else:
        why.append("a lookup that fails is not permission (RFC 8659 section 6)")
    return Decision(CAAVerdict.UNKNOWN, Reason.LOOKUP_FAILURE, lookup.name, tuple(why))


def _conditions_not_met(lookup: Lookup, profile: Profile) -> Iterable[str]:
    """What stands between a failure and the exception of the Baseline Requirements."""
    if lookup.failure is Failure.BOGUS or lookup.dnssec is DNSSECState.BOGUS:
        yield "DNSSEC validation failed"
    if not profile.failure_outside_ca:
        yield "the failure is not shown to lie outside the CA"
    retried = lookup.attempts > 1 if profile.retried is None else profile.retried
    if not retried:
        yield "the lookup was not retried"
    insecure = profile.zone_insecure
    if insecure is None:
        insecure = lookup.dnssec is DNSSECState.INSECURE
    if not insecure:
        yield "the zone is not shown to be without DNSSEC"


def unknown_critical(records: Iterable[CAARecord], profile: Profile) -> list[CAARecord]:
    """The records that forbid issuance because the CA does not understand them."""
    return [record for record in records if _forbids_as_unknown(record, profile)]


def _forbids_as_unknown(record: CAARecord, profile: Profile) -> bool:
    return bool(record.flags & profile.critical_mask) and record.property not in profile.known_tags


def _on_unknown_critical(
    lookup: Lookup, critical: Sequence[CAARecord], profile: Profile
) -> Decision:
    tags = ", ".join(dict.fromkeys(quoted(record.tag) for record in critical[:5]))
    why = f"{lookup.name}: property {tags} is critical and not understood, so nobody may issue"
    judged = [
        JudgedRecord(record, True, "critical and not understood: forbids issuance")
        if _forbids_as_unknown(record, profile)
        else JudgedRecord(record, False, "not looked at: a critical property forbids issuance")
        for record in lookup.records
    ]
    judged += map(_broken, lookup.broken)
    return Decision(CAAVerdict.DENIED, Reason.UNKNOWN_CRITICAL, lookup.name, (why,), tuple(judged))


def governing_tag(records: Iterable[CAARecord], *, wildcard: bool, purpose: Purpose) -> str:
    """The property that decides; any issuewild, even a malformed one, displaces issue."""
    if (
        wildcard
        and purpose is Purpose.TLS
        and any(record.property == "issuewild" for record in records)
    ):
        return "issuewild"
    return purpose.tag


def _weighed(
    lookup: Lookup,
    request: Request,
    profile: Profile,
    tag: str,
    judged: dict[int, Judgement],
) -> Decision:
    records = tuple(
        JudgedRecord(record, True, judged[index].note)
        if index in judged
        else JudgedRecord(record, False, _note_beside(record, tag, profile))
        for index, record in enumerate(lookup.records)
    ) + tuple(map(_broken, lookup.broken))
    if judged:
        verdict, reason, note = _deciding(tuple(judged.values()))
    else:
        verdict, reason = CAAVerdict.ALLOWED, Reason.NO_RESTRICTING_PROPERTY
        note = f"the set has no {tag} property, so any CA may issue"
    why = [note]
    if lookup.broken:
        unread = _unread(len(lookup.broken), len(records))
        if verdict is not CAAVerdict.ALLOWED:
            why.append(unread)
        else:
            verdict, reason = CAAVerdict.UNKNOWN, Reason.LOOKUP_FAILURE
            also = f"{note}, but {unread}" if judged else unread
            why = [f"{also}, so it cannot be told whether issuance is forbidden"]
    why[0] = f"{lookup.name}: {why[0]}"
    return Decision(verdict, reason, lookup.name, tuple(why), records)


def _unread(broken: int, count: int) -> str:
    if broken < count:
        return f"{broken} of the {count} records cannot be read"
    return (
        "the only record cannot be read" if count == 1 else f"none of {count} records can be read"
    )


_LAST_RESORTS = (Reason.ISSUER_NOT_LISTED, Reason.MALFORMED_VALUE, Reason.EMPTY_ISSUER)


def _deciding(judged: Sequence[Judgement]) -> tuple[CAAVerdict, Reason, str]:
    """One property that lets through suffices; else the first that names the CA says why not."""
    for each in judged:
        if each.reason is None:
            return CAAVerdict.ALLOWED, Reason.ISSUER_AUTHORIZED, each.note
    named = [each for each in judged if each.reason not in _LAST_RESORTS]
    if named:
        left_open = [each for each in named if each.open]
        first = named[0]
        assert first.reason is not None
        if left_open:
            return CAAVerdict.UNKNOWN, first.reason, left_open[0].note
        return CAAVerdict.DENIED, first.reason, first.note
    for reason in _LAST_RESORTS:
        notes = [each.note for each in judged if each.reason is reason]
        if notes:
            return CAAVerdict.DENIED, reason, _and_more(notes)
    raise AssertionError("every judgement has a reason")


def _and_more(notes: Sequence[str]) -> str:
    different = list(dict.fromkeys(notes))
    text = "; ".join(different[:3])
    return text if len(different) <= 3 else f"{text}; and {len(different) - 3} more like these"


def _note_beside(record: CAARecord, tag: str, profile: Profile) -> str:
    """Why a record has no say here."""
    name = record.property
    if name is None:
        return "ignored: its tag holds other octets than letters and digits"
    if name not in profile.known_tags and name not in _ISSUING:
        return "ignored: not understood, and not critical"
    if name == "issue" and tag == "issuewild":
        return "not for wildcard names, since there is an issuewild property"
    if name in _ISSUING:
        return _ISSUING[name]
    return "does not restrict issuance"


_ISSUING = {
    "issue": "restricts TLS certificates only",
    "issuewild": "restricts wildcard names only",
    "issuemail": "restricts S/MIME certificates only",
    "issuevmc": "restricts mark certificates only",
}


def _broken(record: BrokenRecord) -> JudgedRecord:
    return JudgedRecord(record, True, f"cannot be read: {display(record.problem)}")
