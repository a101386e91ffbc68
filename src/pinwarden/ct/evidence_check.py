"""Whether an evidence bundle proves what it says: offline, and at any later time.

No date of today is needed: a certificate that expired and a log that was closed stay proven.
Trust comes from one place alone, the log keys that are known here; a bundle that brings keys
nobody here knows is sound in itself, and vouches for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from pinwarden.ct.evidence import Evidence, EvidenceSCT
from pinwarden.ct.head import verify_head
from pinwarden.ct.inclusion import (
    Breach,
    HeadForm,
    Missing,
    NotYet,
    ProofHead,
    Proven,
    Unprovable,
    promise_due,
)
from pinwarden.ct.known_logs import mimic_logs
from pinwarden.ct.log import Log, LogKind, LogList
from pinwarden.ct.merkle import LeafHash, leaf_hash, verify_inclusion
from pinwarden.ct.sct import SCT, SCTSource, log_key, parse_sct, parse_sct_list, signed_by_sct
from pinwarden.errors import (
    BadProofError,
    PinwardenError,
    VerificationError,
)
from pinwarden.names import display
from pinwarden.x509.certificate import CertificateView, view_certificate
from pinwarden.x509.signature import verify_issued

__all__ = ["CheckedEvidence", "CheckedSCT", "EvidenceVerdict", "verify_evidence"]


class EvidenceVerdict(StrEnum):
    """What a bundle shows of one SCT.

    `proven` and `broken-promise` follow from signatures of a log that is known here.
    `self-vouched` is as sound, with a key or a head that nobody here knows. `claimed` is a
    broken promise that the log's signatures alone do not show. `open` claims nothing, and
    `refused` claims what does not verify.
    """

    PROVEN = "proven"
    SELF_VOUCHED = "self-vouched"
    BROKEN_PROMISE = "broken-promise"
    CLAIMED = "claimed"
    OPEN = "open"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CheckedSCT:
    """One SCT of a bundle; `log` is as known here, or else as the bundle has it."""

    evidence: EvidenceSCT
    sct: SCT | None
    log: Log | None
    verdict: EvidenceVerdict
    reason: str


@dataclass(frozen=True, slots=True)
class CheckedEvidence:
    """A bundle after all checks; `chain_problem` says what is wrong with its chain, or is ""."""

    evidence: Evidence
    chain_problem: str
    scts: tuple[CheckedSCT, ...]

    @property
    def is_proven(self) -> bool:
        """Whether each of its SCTs, at least one, is proven."""
        return (
            not self.chain_problem
            and bool(self.scts)
            and all(each.verdict is EvidenceVerdict.PROVEN for each in self.scts)
        )

    @property
    def is_refused(self) -> bool:
        """Whether anything in it does not verify."""
        return bool(self.chain_problem) or any(
            each.verdict is EvidenceVerdict.REFUSED for each in self.scts
        )


def verify_evidence(evidence: Evidence, known: LogList) -> CheckedEvidence:
    """Check everything in a bundle against the logs that are known; never raises."""
    seen: set[bytes] = set()
    checked = []
    for each in evidence.scts:
        one = _check(each, evidence, known)
        if each.raw in seen:
            one = replace(one, reason=f"{one.reason}; the same SCT as before")
        seen.add(each.raw)
        checked.append(one)
    return CheckedEvidence(evidence, _chain_problem(evidence), tuple(checked))


def _chain_problem(evidence: Evidence) -> str:
    try:
        views = [view_certificate(each) for each in (evidence.certificate, *evidence.chain)]
        for below, above in pairwise(views):
            _verify_is_ca(below, above)
            verify_issued(below, above)
        top = views[-1]
        if top.is_self_issued and evidence.chain:
            verify_issued(top, top)
    except PinwardenError as error:
        return str(error)
    return ""


def _verify_is_ca(below: CertificateView, above: CertificateView) -> None:
    """Refuse an issuer that may not issue (RFC 5280 section 6.1.4 (k)).

    Otherwise whoever has any certificate at all issues one for every name, with a chain that
    ends in a real root. Certificates without extensions, which old roots are, say nothing.
    """
    says_nothing = above.is_self_issued and not (above.extensions or above.extension_problems)
    if above.der != below.der and not above.is_ca and not says_nothing:
        raise VerificationError("a certificate of the chain is not that of a CA, and issued one")


def _check(each: EvidenceSCT, evidence: Evidence, known: LogList) -> CheckedSCT:
    sct: SCT | None = None
    log: Log | None = None
    try:
        sct = parse_sct(each.raw)
        log = known.by_id.get(sct.log_id)
        here = log is not None
        log = log or evidence.log_of(sct)
        verdict, reason = _verdict(each, sct, log, evidence, here=here)
    except PinwardenError as error:
        if isinstance(each.outcome, Unprovable):
            # It says itself that it proves nothing.
            return CheckedSCT(each, sct, log, EvidenceVerdict.OPEN, each.outcome.reason)
        return CheckedSCT(each, sct, log, EvidenceVerdict.REFUSED, str(error))
    return CheckedSCT(each, sct, log, verdict, reason)


def _verdict(
    each: EvidenceSCT, sct: SCT, log: Log | None, evidence: Evidence, *, here: bool
) -> tuple[EvidenceVerdict, str]:
    outcome = each.outcome
    if isinstance(outcome, Unprovable):
        return EvidenceVerdict.OPEN, outcome.reason
    if log is None:
        raise VerificationError("the log of the SCT is not in the bundle, and not known here")
    leaf = _promised(each, sct, log, evidence)
    vouched = _verify_root(outcome.head, log, here=here)
    if isinstance(outcome, Proven):
        head = outcome.head.head
        if log.kind is LogKind.STATIC and sct.leaf_index != outcome.index:
            raise VerificationError(f"shows entry {outcome.index}, which is not what it promised")
        verify_inclusion(leaf, outcome.index, head.size, outcome.proof, head.root)
        reason = f"entry {outcome.index} of {head.size}"
        if vouched:
            return EvidenceVerdict.SELF_VOUCHED, f"{reason}; {vouched}"
        return EvidenceVerdict.PROVEN, reason
    if isinstance(outcome, NotYet):
        # Of a log that is known here the delay is too, whatever the bundle says.
        due = promise_due(sct, log)
        if not outcome.head.form.is_signed or outcome.head.head.timestamp >= due:
            raise VerificationError("says that the log has time left, which was over")
        return EvidenceVerdict.OPEN, f"the log had until {due:%Y-%m-%d %H:%M:%S}Z"
    reason = _verify_breach(outcome, leaf, sct, log)
    if outcome.breach.is_signed and not vouched:
        return EvidenceVerdict.BROKEN_PROMISE, reason
    return EvidenceVerdict.CLAIMED, f"{reason}; {vouched}" if vouched else reason


def _promised(each: EvidenceSCT, sct: SCT, log: Log, evidence: Evidence) -> LeafHash:
    """The leaf that the log promised, once it is certain that it did."""
    mimic = mimic_logs().get(sct.log_id)
    if mimic is not None:
        raise VerificationError(
            f"the SCT is of the mimic log {display(mimic, 60)}, whose private key is public"
        )
    if each.source is SCTSource.EMBEDDED:
        listed = view_certificate(evidence.certificate).sct_list
        if listed is None or each.raw not in parse_sct_list(listed):
            raise VerificationError("the SCT is not in the certificate, as the bundle says")
    signed = signed_by_sct(sct, evidence.entry(each.source))
    log_key(log.key).verify(signed, sct.signature)
    return leaf_hash(signed)


def _verify_root(proof_head: ProofHead, log: Log, *, here: bool) -> str:
    """Verify the tree head; returns why it is the bundle's word only, or ""."""
    head = proof_head.head
    if proof_head.form is HeadForm.LOG_LIST:
        if not here or (log.final_size, log.final_root) != (head.size, head.root):
            return "no log list in use has this final tree head, so the bundle vouches for itself"
        return ""
    verify_head(head, log_key(log.key))
    return "" if here else "no log list in use names the log, so the bundle vouches for itself"


def _verify_breach(outcome: Missing, leaf: LeafHash, sct: SCT, log: Log) -> str:
    """Check that a promise was broken in the way that is said; returns the reason.

    Raises `VerificationError` and `MalformedError`.
    """
    head = outcome.head.head
    if not outcome.head.form.is_signed:
        raise VerificationError("says that a promise was broken, and shows no head that was signed")
    # Whatever else stands at a place that was promised stands there for ever.
    if outcome.breach is not Breach.OTHER_ENTRY and head.timestamp < promise_due(sct, log):
        raise VerificationError("says that a promise was broken whose time was not over")
    if outcome.breach is Breach.ABSENT:
        return "the log said so, and signed nothing: ask it for a proof to the same tree head"
    if outcome.breach is Breach.WRONG_PROOF:
        try:
            verify_inclusion(leaf, outcome.index or 0, head.size, outcome.proof, head.root)
        except BadProofError:
            return "the log gave a proof that does not lead to its root, and signed no proof"
        raise VerificationError("says that a proof is wrong which is right")
    if log.kind is not LogKind.STATIC:
        raise VerificationError("says that the log promised a place, and it is no static log")
    index = sct.leaf_index
    if index is None or index != outcome.index:
        raise VerificationError("the SCT promises no place, or another one than the bundle says")
    if outcome.breach is Breach.TREE_TOO_SMALL:
        if index < head.size:
            raise VerificationError("says that the tree is too small, which it is not")
        return f"entry {index} was promised, and the tree of that time has {head.size}"
    other = leaf_hash(outcome.other)
    if other == leaf:
        raise VerificationError("says that another entry stands there, and shows the same")
    verify_inclusion(other, index, head.size, outcome.proof, head.root)
    return f"entry {index} of the log is another one than it promised"
