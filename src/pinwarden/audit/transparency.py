"""What the SCTs of a certificate come to; hosts that share a certificate share the answer."""

from __future__ import annotations

from datetime import datetime

from pinwarden.audit.facts import CTFacts, Unknown
from pinwarden.caa.issuers.map import IssuerMap
from pinwarden.ct.log import LogList
from pinwarden.ct.policy import BrowserPolicy, evaluate_policies, forecast_policy
from pinwarden.ct.presented import collect_scts, judge_scts
from pinwarden.x509.certificate import CertificateView

__all__ = ["CTJudge"]

_PRIVATE = "browsers ask for SCTs from public CAs only, and this issuer is none that is known"
_UNTRUSTED = "there are none, and browsers refuse the chain before they ask for any"

_Question = tuple[bytes | None, bytes | None, bool, bytes, bytes, datetime]

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
        self._known: dict[_Question, CTFacts | Unknown] = {}

    def judge(
        self,
        leaf: CertificateView | None,
        issuer: CertificateView | None,
        *,
        trusted: bool,
        sct_list: bytes,
        ocsp: bytes,
        at: datetime,
    ) -> CTFacts | Unknown:
        """The facts about a certificate, with what came beside it; never raises.

        What was found within the same minute is not found again.
        """
        if leaf is None:
            return Unknown("the served certificate cannot be read")
        der, above = leaf.der, None if issuer is None else issuer.der
        if len(der or b"") + len(above or b"") + len(sct_list) + len(ocsp) > _LARGEST_REMEMBERED:
            return self._judge(leaf, issuer, trusted, sct_list, ocsp, at)
        minute = at.replace(second=0, microsecond=0)
        question = der, above, trusted, sct_list, ocsp, minute
        known = self._known.get(question)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._judge(leaf, issuer, trusted, sct_list, ocsp, at)
            self._known[question] = known
        return known

    def _judge(
        self,
        leaf: CertificateView,
        issuer: CertificateView | None,
        trusted: bool,
        sct_list: bytes,
        ocsp: bytes,
        at: datetime,
    ) -> CTFacts | Unknown:
        if self._logs is None:
            return Unknown("there is no log list to check against")
        presented, problems = collect_scts(leaf, sct_list, ocsp)
        if not presented and not problems:
            if not trusted:
                return Unknown(_UNTRUSTED, failed=False)
            if not self._always and self._is_private(leaf, issuer):
                return Unknown(_PRIVATE, failed=False)
        judged = judge_scts(leaf, issuer, presented, self._logs, at)
        return CTFacts(
            scts=judged,
            problems=problems,
            policies=evaluate_policies(leaf, judged, at),
            forecasts=tuple(
                each
                for policy in BrowserPolicy
                for each in forecast_policy(policy, leaf, judged, at)
            ),
        )

    def _is_private(self, leaf: CertificateView, issuer: CertificateView | None) -> bool:
        spki = None if issuer is None else issuer.spki_hash
        return self._issuers.issuer_of(leaf, issuer_spki_sha256=spki) is None
