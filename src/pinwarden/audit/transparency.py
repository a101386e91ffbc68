"""What the SCTs of a certificate come to; hosts that share a certificate share the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pinwarden.audit.facts import CTFacts, Unknown
from pinwarden.caa.issuers.map import IssuerMap
from pinwarden.ct.log import Listing, Log, LogKind, LogList, LogState, Program
from pinwarden.ct.policy import (
    BrowserPolicy,
    PolicyResult,
    evaluate_policies,
    forecast_policy,
    list_dates,
)
from pinwarden.ct.presented import JudgedSCT, SCTStatus, collect_scts, judge_scts
from pinwarden.x509.certificate import CertificateView

__all__ = ["CTJudge"]

_PRIVATE = "browsers ask for SCTs from public CAs only, and this issuer is none that is known"
_UNTRUSTED = "there are none, and browsers refuse the chain before they ask for any"

_Came = tuple[bytes, bytes, str]
"""What came beside a certificate: SCTs, an OCSP response, and what is wrong with that."""

_Question = tuple[bytes | None, bytes | None, bool, _Came, datetime]

# Estates and content networks have few certificates for many hosts.
_REMEMBERED = 64
_LARGEST_REMEMBERED = 32_768


class CTJudge:
    """Judges SCTs against the logs of one list, and by the policies of browsers.

    `always` has certificates without SCTs of an issuer that nobody knows judged as well;
    without it they are taken for those of a private CA.
    """

    def __init__(self, logs: LogList | None, issuers: IssuerMap, *, always: bool = False) -> None:
        self._logs, self._issuers, self._always = logs, issuers, always
        self._lists = list_dates(() if logs is None else logs.logs)
        self._known: dict[_Question, CTFacts | Unknown] = {}

    def judge(
        self,
        leaf: CertificateView | None,
        issuer: CertificateView | None,
        *,
        trusted: bool,
        sct_list: bytes,
        ocsp: bytes,
        staple_problem: str,
        at: datetime,
    ) -> CTFacts | Unknown:
        """The facts about a certificate, with what came beside it; never raises.

        `staple_problem` is why the OCSP response does not verify, as `evaluate_ocsp` says.
        What was found within the same minute is not found again.
        """
        if leaf is None:
            return Unknown("the served certificate cannot be read")
        came = sct_list, ocsp, staple_problem
        der, above = leaf.der, None if issuer is None else issuer.der
        if len(der or b"") + len(above or b"") + len(sct_list) + len(ocsp) > _LARGEST_REMEMBERED:
            return self._judge(leaf, issuer, trusted, came, at)
        minute = at.replace(second=0, microsecond=0)
        question = der, above, trusted, came, minute
        known = self._known.get(question)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._judge(leaf, issuer, trusted, came, at)
            self._known[question] = known
        return known

    def _judge(
        self,
        leaf: CertificateView,
        issuer: CertificateView | None,
        trusted: bool,
        came: _Came,
        at: datetime,
    ) -> CTFacts | Unknown:
        if self._logs is None:
            return Unknown("there is no log list to check against")
        sct_list, ocsp, staple_problem = came
        presented, problems = collect_scts(leaf, sct_list, ocsp)
        if issuer is not None:
            # A response that counts for nothing is one fault, and told with the chain.
            problems = tuple(each for each in problems if each != staple_problem)
        if not presented and not problems:
            if not trusted:
                return Unknown(_UNTRUSTED, failed=False)
            if not self._always and self._is_private(leaf, issuer):
                return Unknown(_PRIVATE, failed=False)
        judged = judge_scts(leaf, issuer, presented, self._logs, at, staple_problem=staple_problem)
        policies = evaluate_policies(leaf, judged, at, self._lists)
        return CTFacts(
            scts=judged,
            problems=problems,
            policies=policies,
            rests_on_unlisted=self._rests_on_unlisted(leaf, judged, policies, at),
            forecasts=tuple(
                each
                for policy in BrowserPolicy
                for each in forecast_policy(policy, leaf, judged, at, self._lists)
            ),
        )

    def _rests_on_unlisted(
        self,
        leaf: CertificateView,
        judged: Sequence[JudgedSCT],
        policies: Sequence[PolicyResult],
        at: datetime,
    ) -> bool:
        """Whether no policy would surely fail if the logs that no list names were good ones."""
        unlisted = [each for each in judged if each.status is SCTStatus.UNKNOWN_LOG]
        if not unlisted or all(each.compliant is not False for each in policies):
            return False
        if len(unlisted) == len(judged):
            return True
        doubtful = [_doubtful(each) if each in unlisted else each for each in judged]
        results = evaluate_policies(leaf, doubtful, at, self._lists)
        return all(each.compliant is not False for each in results)

    def _is_private(self, leaf: CertificateView, issuer: CertificateView | None) -> bool:
        spki = None if issuer is None else issuer.spki_hash
        return self._issuers.issuer_of(leaf, issuer_spki_sha256=spki) is None


def _doubtful(judged: JudgedSCT) -> JudgedSCT:
    """The same of a log that is listed, in a state that nobody can tell."""
    listing = Listing(program=Program.USER, operator="", state=LogState.UNREADABLE)
    log_id = judged.log_id
    if log_id is None:
        return judged
    log = Log(
        log_id=log_id, key=b"", description="", kind=LogKind.RFC6962, url="", listings=(listing,)
    )
    return replace(judged, log=log)
