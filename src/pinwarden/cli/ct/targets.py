"""What the commands of `ct` look at: the certificate of a host or file, and its SCTs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from pinwarden.cli.asking_hosts import ask_hosts, endpoint_of
from pinwarden.cli.ct.target_options import TargetOptions
from pinwarden.cli.files import read_file
from pinwarden.cli.output import ExitCode
from pinwarden.cli.pin.anchors import trust_anchors
from pinwarden.cli.pin.key_files import could_be_host, is_file, read_keys
from pinwarden.ct.issuer import claimed_issuer, issuer_among
from pinwarden.ct.log import LogList
from pinwarden.ct.ocsp import LARGEST_OCSP, OCSPAnswer, OCSPStatus, evaluate_ocsp
from pinwarden.ct.presented import JudgedSCT, PresentedSCT, collect_scts, judge_scts
from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.names import display
from pinwarden.net.served import ServedAddress, ServedHost, Wanted
from pinwarden.pinning.moments import to_moment
from pinwarden.x509.certificate import CertificateView, view_certificate

__all__ = ["TargetCertificate", "find_targets", "judge_target"]

# A vector of the TLS presentation language with a length of two octets.
_LARGEST_SCT_LIST = 2 + (1 << 16)
_MOST_NOTES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCertificate:
    """One certificate of a target, and what came with it.

    A host whose addresses serve several certificates, or hand over different SCTs, gives
    one for each. `chain` is what stands above the certificate, as verified or as sent;
    `issuer` is the one in it, or elsewhere, whose name and signature fit. `verified` is
    whether the TLS library verified the chain for the host, None for a file.

    Where there is none, `claimed` is whom the certificate names.

    `sct_problems` are SCT lists that could not be read; `staple_problem` is why the OCSP
    response does not verify or is out of date. `beside_problem` says why it is not
    known which SCTs came beside the chain, so that there may be more than those presented.
    Without a certificate `problem` says why there is none, and `code` is the target's part
    in the exit code.
    """

    target: str
    certificate: CertificateView | None
    chain: tuple[CertificateView, ...] = ()
    issuer: CertificateView | None = None
    claimed: CertificateView | None = None
    presented: tuple[PresentedSCT, ...] = ()
    sct_problems: tuple[str, ...] = ()
    staple_problem: str = ""
    beside_problem: str = ""
    verified: bool | None = None
    addresses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    code: ExitCode = ExitCode.OK


def find_targets(
    targets: Sequence[str], options: TargetOptions, at: datetime
) -> list[TargetCertificate]:
    """The certificates of all targets, in their order; hosts are asked at the same time.

    `at` is the time as of which an OCSP response is called out of date. Raises
    `ConfigError` for files that cannot be read and options that do not fit together.
    """
    finder = _Finder(options, at)
    files = [is_file(each) for each in targets]
    if finder.is_of_one_file and files != [True]:
        option = "--sct-list" if options.sct_list_file is not None else "--ocsp"
        raise ConfigError(f"{option}: is of one certificate; name its file alone")
    endpoints = [
        endpoint_of(each, options.asking)
        for each, file in zip(targets, files, strict=True)
        if not file
    ]
    read = {each: finder.of_file(each) for each, file in zip(targets, files, strict=True) if file}
    served = iter(ask_hosts(endpoints, options.asking, Wanted(handed=True)) if endpoints else ())
    found: list[TargetCertificate] = []
    for target in targets:
        found += [read[target]] if target in read else finder.of_host(target, next(served))
    return found


def judge_target(target: TargetCertificate, logs: LogList, at: datetime) -> tuple[JudgedSCT, ...]:
    """The SCTs that came with a certificate, each judged; none without a certificate."""
    if target.certificate is None:
        return ()
    return judge_scts(
        target.certificate,
        target.issuer,
        target.presented,
        logs,
        at,
        claimed=target.claimed,
        staple_problem=target.staple_problem,
    )


@dataclass(frozen=True, slots=True)
class _Came:
    """The SCTs that came with a certificate in one way, or at some of its host's addresses."""

    presented: tuple[PresentedSCT, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    staple_problem: str = ""
    beside_problem: str = ""


class _Finder:
    """What all targets of one command have in common."""

    def __init__(self, options: TargetOptions, at: datetime) -> None:
        self._at = at
        self._cafile = options.asking.cafile
        named = options.issuer_file
        self._issuers = () if named is None else _certificates(named)
        self._sct_list = _read(options.sct_list_file, _LARGEST_SCT_LIST, "--sct-list")
        self._ocsp = _read(options.ocsp_file, LARGEST_OCSP, "--ocsp")

    @property
    def is_of_one_file(self) -> bool:
        """Whether something was named that belongs to the one certificate in a file."""
        return bool(self._sct_list or self._ocsp)

    def of_file(self, target: str) -> TargetCertificate:
        """The first certificate of a file, and the chain above it; raises `ConfigError`."""
        certificate, *above = _certificates(target)
        notes = []
        if could_be_host(target):
            notes.append(f"{display(target)} is a file here; for a host of that name add its port")
        notes.extend(_left_out_notes(certificate, above))
        issuer = self._issuer(certificate, above)
        came = self._came(certificate, issuer, self._sct_list, self._ocsp)
        return self._target(target, certificate, issuer, above, came, notes)

    def of_host(self, target: str, served: ServedHost) -> Iterator[TargetCertificate]:
        """Each certificate that a host serves, or why there is none."""
        by_leaf: dict[bytes, list[ServedAddress]] = {}
        for each in served.addresses:
            chain = each.verified or each.sent
            if chain:
                by_leaf.setdefault(chain[0], []).append(each)
        if not by_leaf:
            yield _not_asked(target, served)
            return
        notes = list(_host_notes(served))
        if len(by_leaf) > 1:
            notes.append(f"the addresses serve {len(by_leaf)} certificates, told one by one")
        for leaf, addresses in by_leaf.items():
            yield from self._of_leaf(target, leaf, addresses, notes)

    def _of_leaf(
        self, target: str, leaf: bytes, addresses: Sequence[ServedAddress], notes: Sequence[str]
    ) -> Iterator[TargetCertificate]:
        """One certificate, once for each set of SCTs that its addresses hand over."""
        try:
            certificate = view_certificate(leaf)
        except MalformedError as error:
            yield TargetCertificate(
                target=target,
                certificate=None,
                verified=any(each.verified for each in addresses),
                addresses=tuple(map(str, addresses)),
                notes=tuple(notes),
                problem=f"its certificate cannot be read: {error}",
                code=ExitCode.FINDINGS,
            )
            return
        chains = [(each.verified or each.sent)[1:] for each in addresses]
        shown = dict.fromkeys(der for chain in chains for der in chain)
        issuer = self._issuer(certificate, _views(tuple(shown))[0])
        by_came: dict[_Came, list[ServedAddress]] = {}
        for each in addresses:
            by_came.setdefault(self._handed(certificate, issuer, each), []).append(each)
        if len(by_came) > 1:
            notes = (*notes, "the addresses differ in what they hand over, and are told one by one")
        for came, of_these in by_came.items():
            best = next((each for each in of_these if each.verified), of_these[0])
            above, lost = _views((best.verified or best.sent)[1:])
            told = (*notes, *lost)
            yield self._target(target, certificate, issuer, above, came, told, of_these)

    def _handed(
        self, certificate: CertificateView, issuer: CertificateView | None, served: ServedAddress
    ) -> _Came:
        handed = served.handed
        if handed is not None and not handed.problem:
            return self._came(certificate, issuer, handed.sct_list, handed.ocsp)
        why = "it was not asked" if handed is None else handed.problem
        presented, problems = collect_scts(certificate)
        return _Came(presented, problems, beside_problem=why)

    def _came(
        self,
        certificate: CertificateView,
        issuer: CertificateView | None,
        sct_list: bytes,
        ocsp: bytes,
    ) -> _Came:
        presented, problems = collect_scts(certificate, sct_list, ocsp)
        answer = evaluate_ocsp(ocsp, certificate, issuer, self._at) if ocsp else OCSPAnswer()
        # What cannot be read is said with the SCTs that are lost in it.
        notes = tuple(each for each in _ocsp_notes(answer) if each not in problems)
        return _Came(presented, problems, notes, answer.problem)

    def _issuer(
        self, certificate: CertificateView, above: Sequence[CertificateView]
    ) -> CertificateView | None:
        """Who signed it, of those that came above, that are named, or that are trusted."""
        issuer = issuer_among(certificate, (*above, *self._issuers, certificate))
        return issuer or issuer_among(certificate, self._anchors)

    def _claimed(
        self, certificate: CertificateView, above: Sequence[CertificateView]
    ) -> CertificateView | None:
        """Whom it names of the same, where none of them signed it."""
        return claimed_issuer(certificate, (*above, *self._issuers, *self._anchors))

    def _target(
        self,
        target: str,
        certificate: CertificateView,
        issuer: CertificateView | None,
        above: Sequence[CertificateView],
        came: _Came,
        notes: Sequence[str],
        addresses: Sequence[ServedAddress] = (),
    ) -> TargetCertificate:
        claimed = None if issuer is not None else self._claimed(certificate, above)
        told = [*notes, *came.notes, *_certificate_notes(certificate)]
        if issuer is None:
            told.append(_no_issuer(is_above=bool(above), is_given=bool(self._issuers)))
        if came.beside_problem:
            told.append(f"what comes beside the chain is not known: {came.beside_problem}")
        return TargetCertificate(
            target=target,
            certificate=certificate,
            chain=tuple(above),
            issuer=issuer,
            claimed=claimed,
            presented=came.presented,
            sct_problems=came.problems,
            staple_problem=came.staple_problem,
            beside_problem=came.beside_problem,
            verified=any(each.verified for each in addresses) if addresses else None,
            addresses=tuple(map(str, addresses)),
            notes=tuple(dict.fromkeys(told))[:_MOST_NOTES],
        )

    @cached_property
    def _anchors(self) -> tuple[CertificateView, ...]:
        """For a leaf that comes alone: some CAs issue from a key that clients trust."""
        return _views(trust_anchors(self._cafile))[0]


def _certificates(path: str) -> tuple[CertificateView, ...]:
    found = tuple(each.certificate for each in read_keys(path) if each.certificate is not None)
    if not found:
        raise ConfigError(f"file {quoted(path)}: holds no certificate")
    return found


def _read(path: str | None, limit: int, option: str) -> bytes:
    if path is None:
        return b""
    data = read_file(Path(path), limit)
    if not data:
        raise ConfigError(f"{option} {quoted(path)}: is empty")
    return data


def _views(chain: Sequence[bytes]) -> tuple[tuple[CertificateView, ...], list[str]]:
    """The certificates that can be read, and a note for each that cannot."""
    found: list[CertificateView] = []
    lost: list[str] = []
    for der in chain:
        try:
            found.append(view_certificate(der))
        except MalformedError as error:
            lost.append(f"a certificate above it cannot be read: {error}")
    return tuple(found), lost


def _not_asked(target: str, served: ServedHost) -> TargetCertificate:
    why = [f"{each}: {each.problem}" for each in served.addresses if each.problem]
    return TargetCertificate(
        target=target,
        certificate=None,
        problem=served.problem or "; ".join(why) or "it served no certificate",
        code=ExitCode.UNFINISHED,
    )


def _host_notes(served: ServedHost) -> Iterator[str]:
    for each in served.addresses:
        if each.problem and not each.verified:
            vouched = "; nothing vouches for the chain it sent" if each.sent else ""
            yield f"{each}: {each.problem}{vouched}"
    if served.left_out:
        yield f"{served.left_out} more addresses were not asked"


def _ocsp_notes(answer: OCSPAnswer) -> Iterator[str]:
    if answer.status is OCSPStatus.REVOKED:
        since = "" if answer.revoked_at is None else f" since {to_moment(answer.revoked_at)}"
        yield f"the OCSP response says that the certificate is revoked{since}"
    elif answer.status is OCSPStatus.UNKNOWN:
        yield "the OCSP response says that its responder does not know the certificate"
    if answer.problem:
        yield answer.problem


def _certificate_notes(certificate: CertificateView) -> Iterator[str]:
    try:
        if certificate.is_precertificate:
            yield "this is a precertificate, which carries no SCTs yet"
        elif certificate.is_ca:
            yield "this is the certificate of a CA; browsers ask for the SCTs of servers' alone"
    except MalformedError as error:
        yield f"the certificate cannot be read to its end: {error}"


def _no_issuer(*, is_above: bool, is_given: bool) -> str:
    if is_given:
        others = ", nor did one above it" if is_above else ""
        return (
            "the issuer of the certificate is not known: what --issuer names did not issue it"
            f"{others}"
        )
    why = "none above it has the name and made the signature" if is_above else "it came alone"
    return (
        f"the issuer of the certificate is not known: {why}; "
        "--issuer FILE names the certificate of the issuer"
    )


def _left_out_notes(
    certificate: CertificateView, others: Sequence[CertificateView]
) -> Iterator[str]:
    """A file with the certificates of several servers has one chain, that of the first."""
    count = 1
    for each in others:
        try:
            # A root of the first version does not say that it is of a CA.
            is_of_ca = each.is_ca or each.is_self_issued
        except MalformedError:
            continue
        count += not is_of_ca and each.tbs != certificate.tbs
    if count > 1:
        yield f"the file has the certificates of {count} servers; only the first is looked at"
