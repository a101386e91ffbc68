"""The SCTs that come with a certificate, each verified and called what it is.

Three statuses and no fourth that could pass for the first: *valid* is a signature of a
log that is known, *invalid* whatever is refused for itself, *unknown-log* what nobody
here can verify. What could not be checked for want of the issuer is *not-checked*.
Whether valid SCTs are enough is for `policy` to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from pinwarden.ct.head import LogID
from pinwarden.ct.known_logs import mimic_logs
from pinwarden.ct.log import Listing, Log, LogList, LogState, Program
from pinwarden.ct.ocsp import scts_of_ocsp
from pinwarden.ct.sct import (
    SCT,
    SCTSource,
    SignedEntry,
    embedded_entry,
    log_key,
    parse_sct,
    parse_sct_list,
    verify_sct,
    x509_entry,
)
from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.names import display
from pinwarden.x509.certificate import CertificateView

__all__ = ["Flaw", "JudgedSCT", "PresentedSCT", "SCTStatus", "collect_scts", "judge_scts"]


class SCTStatus(StrEnum):
    """What became of the signature."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN_LOG = "unknown-log"
    NOT_CHECKED = "not-checked"


class Flaw(StrEnum):
    """What is wrong with an SCT, or noteworthy about its log at that time.

    The first group makes it invalid; with the second the signature holds, and it is for
    the policies to count the SCT or not.
    """

    UNREADABLE = "unreadable"
    UNKNOWN_VERSION = "unknown-version"
    BAD_SIGNATURE = "bad-signature"
    MIMIC_LOG = "mimic-log"
    FROM_THE_FUTURE = "from-the-future"
    OUTSIDE_INTERVAL = "outside-interval"
    AFTER_RETIREMENT = "after-retirement"
    LOG_REJECTED = "log-rejected"
    LOG_PENDING = "log-pending"
    TEST_LOG = "test-log"
    REPEATED = "repeated"
    # Not checked, and why.
    ISSUER_MISSING = "issuer-missing"
    UNKNOWN_LOG = "unknown-log"


@dataclass(frozen=True, slots=True)
class PresentedSCT:
    """One SCT as received, and how it came."""

    source: SCTSource
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSCT:
    """One SCT with what became of it; `sct` is None if it could not be read.

    `reason` is one line for people: why it is not valid, or what there is to note; empty
    where there is nothing to say. `flaws` has the gravest first.
    """

    source: SCTSource
    raw: bytes
    sct: SCT | None
    status: SCTStatus
    log: Log | None = None
    flaws: tuple[Flaw, ...] = ()
    reason: str = ""

    @property
    def log_id(self) -> LogID | None:
        """The log that it names."""
        return None if self.sct is None else self.sct.log_id


def collect_scts(
    certificate: CertificateView, handed_sct_list: bytes = b"", ocsp: bytes = b""
) -> tuple[tuple[PresentedSCT, ...], tuple[str, ...]]:
    """The SCTs in a certificate, in a TLS extension and in an OCSP response, in this order.

    With them comes one line for each list that cannot be read: the SCTs in it are lost, and
    whoever counts must know. Never raises.
    """
    found: list[PresentedSCT] = []
    problems: list[str] = []

    def collect(source: SCTSource, whole: bytes) -> None:
        found.extend(PresentedSCT(source, raw) for raw in parse_sct_list(whole))

    try:
        embedded = certificate.sct_list
        if embedded is not None:
            collect(SCTSource.EMBEDDED, embedded)
    except MalformedError as error:
        problems.append(f"the SCTs in the certificate cannot be read: {error}")
    if handed_sct_list:
        try:
            collect(SCTSource.TLS, handed_sct_list)
        except MalformedError as error:
            problems.append(f"the SCTs in the TLS extension cannot be read: {error}")
    if ocsp:
        stapled, problem = scts_of_ocsp(ocsp, certificate)
        if problem:
            problems.append(problem)
        if stapled is not None:
            try:
                collect(SCTSource.OCSP, stapled)
            except MalformedError as error:
                problems.append(f"the SCTs in the OCSP response cannot be read: {error}")
    return tuple(found), tuple(problems)


def judge_scts(
    certificate: CertificateView,
    issuer: CertificateView | None,
    presented: Sequence[PresentedSCT],
    logs: LogList,
    at: datetime,
) -> tuple[JudgedSCT, ...]:
    """Verify each SCT of a certificate against the logs of a list, as of a time.

    `issuer` is the certificate above, whose key an embedded SCT signs; without it such an
    SCT is not checked. Never raises: what cannot be read is a result.
    """
    about = _About(certificate, issuer, logs, at)
    ways: dict[bytes, list[SCTSource]] = {}
    judged: list[JudgedSCT] = []
    for each in presented:
        before = ways.setdefault(each.raw, [])
        judged.append(about.judge(each, repeated=each.source in before))
        before.append(each.source)
    return tuple(judged)


class _RefusedError(Exception):
    """Why an SCT has another status than valid."""

    def __init__(self, status: SCTStatus, flaw: Flaw | None, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.flaw = flaw
        self.reason = reason


class _About:
    """One certificate at one time; what its SCTs sign is put together once for all of them."""

    def __init__(
        self,
        certificate: CertificateView,
        issuer: CertificateView | None,
        logs: LogList,
        at: datetime,
    ) -> None:
        self._certificate = certificate
        self._issuer = issuer
        self._logs = logs
        self._at = at
        self._entries: dict[bool, SignedEntry] = {}

    def judge(self, presented: PresentedSCT, *, repeated: bool) -> JudgedSCT:
        sct: SCT | None = None
        log: Log | None = None
        flaws: tuple[Flaw, ...]
        try:
            sct = _read(presented.raw)
            log = self._logs.by_id.get(sct.log_id)
            self._verify(presented.source, sct, log)
        except _RefusedError as refused:
            status, reason = refused.status, refused.reason
            flaws = () if refused.flaw is None else (refused.flaw,)
        else:
            assert log is not None
            noted = [*self._outside_interval(log), *_noted(log, sct, self._at)]
            if repeated:
                noted.append((Flaw.REPEATED, "the same SCT was presented before"))
            status, reason, flaws = SCTStatus.VALID, "", ()
            if noted:
                reason = "; ".join(text for _, text in noted)
                flaws = tuple(flaw for flaw, _ in noted if flaw is not None)
        return JudgedSCT(
            source=presented.source,
            raw=presented.raw,
            sct=sct,
            status=status,
            log=log,
            flaws=flaws,
            reason=reason,
        )

    def _verify(self, source: SCTSource, sct: SCT, log: Log | None) -> None:
        """Returns if the SCT is valid, and raises `_RefusedError` for everything else."""
        mimic = mimic_logs().get(sct.log_id)
        if mimic is not None:
            raise _RefusedError(
                SCTStatus.INVALID,
                Flaw.MIMIC_LOG,
                f"of the mimic log {display(mimic, 60)}, whose private key is public: "
                "anybody can sign with it",
            )
        if log is None:
            raise _RefusedError(
                SCTStatus.UNKNOWN_LOG, Flaw.UNKNOWN_LOG, "no log list in use names its log"
            )
        try:
            key = log_key(log.key)
        except MalformedError as error:
            raise _RefusedError(SCTStatus.UNKNOWN_LOG, Flaw.UNKNOWN_LOG, str(error)) from None
        if key.log_id != sct.log_id:
            raise _RefusedError(
                SCTStatus.UNKNOWN_LOG, Flaw.UNKNOWN_LOG, "the list has another key for its log"
            )
        try:
            verify_sct(sct, self._entry(source), key)
        except BadSignatureError as error:
            raise _RefusedError(SCTStatus.INVALID, Flaw.BAD_SIGNATURE, str(error)) from None
        except MalformedError as error:
            raise _RefusedError(
                SCTStatus.INVALID, Flaw.UNREADABLE, f"what it signs cannot be put together: {error}"
            ) from None
        if sct.timestamp > self._at:
            raise _RefusedError(
                SCTStatus.INVALID,
                Flaw.FROM_THE_FUTURE,
                f"dated {_moment(sct.timestamp)}, after the time of this check",
            )

    def _outside_interval(self, log: Log) -> Iterator[tuple[Flaw | None, str]]:
        if log.interval is None:
            return
        not_after = self._not_after
        if isinstance(not_after, MalformedError):
            reason = f"whether its log takes the certificate is unknown: {not_after}"
            yield Flaw.OUTSIDE_INTERVAL, reason
            return
        start, end = log.interval
        if not start <= not_after < end:
            interval = f"{_moment(start)} to {_moment(end)}"
            reason = f"the certificate ends {_moment(not_after)}, and its log takes {interval}"
            yield Flaw.OUTSIDE_INTERVAL, reason

    @cached_property
    def _not_after(self) -> datetime | MalformedError:
        try:
            return self._certificate.not_after
        except MalformedError as error:
            return error

    def _entry(self, source: SCTSource) -> SignedEntry:
        embedded = source is SCTSource.EMBEDDED
        entry = self._entries.get(embedded)
        if entry is None:
            entry = self._embedded() if embedded else self._whole()
            self._entries[embedded] = entry
        return entry

    def _embedded(self) -> SignedEntry:
        if self._issuer is None:
            raise _RefusedError(
                SCTStatus.NOT_CHECKED,
                Flaw.ISSUER_MISSING,
                "it signs the key of the issuer, whose certificate is not here",
            )
        return embedded_entry(self._certificate, self._issuer)

    def _whole(self) -> SignedEntry:
        if self._certificate.der is None:
            raise _RefusedError(SCTStatus.NOT_CHECKED, None, "only the TBSCertificate is here")
        return x509_entry(self._certificate.der)


def _read(raw: bytes) -> SCT:
    try:
        return parse_sct(raw)
    except MalformedError as error:
        # RFC 6962 section 3.3 keeps the list open for versions to come.
        flaw = Flaw.UNKNOWN_VERSION if raw[:1] not in (b"", b"\0") else Flaw.UNREADABLE
        raise _RefusedError(SCTStatus.INVALID, flaw, str(error)) from None


def _noted(log: Log, sct: SCT, at: datetime) -> Iterator[tuple[Flaw | None, str]]:
    """What there is to say of a valid SCT and the state of its log, the gravest first."""
    listings = _opinions(log)
    ended = [_ended(each) for each in listings if each.state not in _NO_STATE]
    endings = [moment for moment in ended if moment is not None]
    if endings and len(endings) == len(ended) and max(endings) <= sct.timestamp:
        retired = _moment(max(endings))
        yield (
            Flaw.AFTER_RETIREMENT,
            f"dated {_moment(sct.timestamp)}, after its log was retired ({retired})",
        )
    states = [state for each in listings if (state := each.state_at(at)) not in _NO_STATE]
    if states and all(each is LogState.REJECTED for each in states):
        over = log.interval is not None and log.interval[1] <= at
        why = ", as logs are whose interval is over" if over else ""
        yield Flaw.LOG_REJECTED, f"its log is rejected{why}"
    elif states and all(each is LogState.PENDING for each in states):
        yield Flaw.LOG_PENDING, "its log is pending: no program approved of it yet"
    if log.log_type and log.log_type != "prod":
        yield Flaw.TEST_LOG, f"its log is for {display(log.log_type, 30)} purposes"
    elif not states and any(each.program is not Program.USER for each in listings):
        yield None, "no program gives its log a state"


_NO_STATE = (LogState.UNKNOWN, LogState.UNREADABLE)
_OVER = (LogState.RETIRED, LogState.REJECTED)


def _opinions(log: Log) -> tuple[Listing, ...]:
    """The listings that say what a log is: the user's own alone, or else the programs'.

    Firefox compiles its list from that of Chrome, and later.
    """
    found = log.listings
    if len(found) < 2:
        return found
    own = tuple(each for each in found if each.program is Program.USER)
    first_hand = tuple(each for each in found if each.program is not Program.MOZILLA)
    return own or first_hand or found


def _ended(listing: Listing) -> datetime | None:
    """When a program stopped counting what the log signs from then on, if that is known."""
    for state, since in listing.states:
        if state in _OVER and since is not None:
            return since
    return None


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"
