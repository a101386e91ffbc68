"""Whether the chain is trusted, complete, for this name, and for how long yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pinwarden import findings
from pinwarden.audit.checks.outcome import Outcome, finding, nothing_served, places, shown_apart
from pinwarden.audit.checks.sent_order import untidiness
from pinwarden.audit.facts import Facts, Presentation
from pinwarden.audit.presentation import readable
from pinwarden.audit.report import Area, NotChecked, Passed
from pinwarden.audit.served_names import covers, served_names, shown_names
from pinwarden.ct.ocsp import OCSPStatus
from pinwarden.errors import MalformedError
from pinwarden.findings import FindingKind
from pinwarden.names import display
from pinwarden.net.served import Failure, ServedAddress
from pinwarden.x509.certificate import CertificateView

__all__ = ["check_chain", "lasts_until", "warning_time"]

_Fault = tuple[FindingKind, str]

# X509_V_ERR numbers of OpenSSL, which tells the first thing that it met.
_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED_LEAF, _SELF_SIGNED_ROOT = 18, 19
_NO_ISSUER = (2, 20, 21)
_WRONG_NAME = (62, 64)
_TRUST = (_SELF_SIGNED_LEAF, _SELF_SIGNED_ROOT, *_NO_ISSUER)

_BY_CODE = {
    _NOT_YET_VALID: findings.TLS_NOT_YET_VALID,
    _EXPIRED: findings.TLS_EXPIRED,
    _SELF_SIGNED_LEAF: findings.TLS_SELF_SIGNED,
    **dict.fromkeys((_SELF_SIGNED_ROOT, *_NO_ISSUER), findings.TLS_UNTRUSTED),
    **dict.fromkeys(_WRONG_NAME, findings.TLS_WRONG_NAME),
}

_SOON = timedelta(days=14)


def check_chain(facts: Facts) -> Iterator[Outcome]:
    """What is wrong with each chain that is shown, one finding for each fault."""
    yield from _refused_unseen(facts)
    if not facts.shown:
        yield nothing_served(Area.CHAIN)
        return
    faults = [(each, list(_faults(each, facts))) for each in facts.shown]
    met = [(kind, words, shown) for shown, found in faults for kind, words in found]
    yield from shown_apart(met, facts)
    if len({each.certificates[0] for each in facts.shown}) > 1 and not _only_some(faults):
        words = f"the addresses serve {len(facts.shown)} different certificates"
        first = facts.shown[0]
        yield from shown_apart([(findings.TLS_ADDRESSES_DISAGREE, words, first)], facts)
    kinds = {kind for kind, _, _ in met}
    yield from _passed(facts.shown[0], facts, kinds)


def _refused_unseen(facts: Facts) -> Iterator[Outcome]:
    """Chains that the library refused, and that the server did not send again to be seen."""
    seen = {address for shown in facts.shown for address in shown.addresses}
    met: dict[FindingKind, list[ServedAddress]] = {}
    for each in facts.served.addresses:
        if each.failure is Failure.UNTRUSTED and each not in seen:
            kind = _BY_CODE.get(each.verify_code or 0, findings.TLS_NOT_VERIFIED)
            met.setdefault(kind, []).append(each)
    for kind, addresses in met.items():
        where = places(addresses)
        yield finding(kind, facts, f"{where}: {addresses[0].problem}", where)


def _only_some(faults: Sequence[tuple[Presentation, list[_Fault]]]) -> bool:
    """Whether a fault of some addresses tells already that they are not alike."""
    kinds = [{kind for kind, _ in found} for _, found in faults]
    return any(each != kinds[0] for each in kinds)


def _faults(shown: Presentation, facts: Facts) -> Iterator[_Fault]:
    if shown.verified:
        yield from _soon(shown, facts.at)
    else:
        yield from _not_verified(shown, facts)
    if shown.trusted:
        words = untidiness(shown.first.sent, shown.certificates)
        if words:
            yield findings.TLS_CHAIN_UNTIDY, words
    if shown.staple is not None and shown.staple.status is OCSPStatus.REVOKED:
        yield (
            findings.TLS_REVOKED,
            "the OCSP response that the server staples says that its certificate is revoked",
        )
    elif shown.staple_problem and not _is_over(shown, facts.at):
        yield findings.TLS_STAPLE_INVALID, f"stapled {shown.staple_problem}"


def _is_over(shown: Presentation, at: datetime) -> bool:
    """Whether the certificate is not valid at the time, as no response about it would be."""
    try:
        return shown.leaf is None or not shown.leaf.not_before <= at <= shown.leaf.not_after
    except MalformedError:
        return True


def _not_verified(shown: Presentation, facts: Facts) -> Iterator[_Fault]:
    found = list(_distrust(shown))
    if all(kind is not findings.TLS_SELF_SIGNED for kind, _ in found):
        # One that is signed by itself must be replaced, whatever else it says.
        found += [*_dates(shown, facts.at), *_name(shown, facts)]
    yield from found or [(findings.TLS_NOT_VERIFIED, shown.first.problem)]


def _distrust(shown: Presentation) -> Iterator[_Fault]:
    code = shown.first.verify_code
    if shown.trusted or code not in _TRUST:
        return
    leaf = shown.leaf
    if code == _SELF_SIGNED_LEAF:
        yield findings.TLS_SELF_SIGNED, "the certificate is signed by itself, and by nobody else"
    elif code == _SELF_SIGNED_ROOT:
        top = _subject(readable(shown.certificates[-1]))
        yield findings.TLS_UNTRUSTED, f"the chain leads to {top}, which is not trusted here"
    elif leaf is not None and shown.issuer is None:
        words = f"the server does not send the certificate of {_issuer(leaf)}, which signed its own"
        yield findings.TLS_MISSING_INTERMEDIATE, words
    else:
        top = _issuer(_top(shown))
        words = f"the chain as sent ends below {top}, which is not trusted here"
        yield findings.TLS_UNTRUSTED, words


def _top(shown: Presentation) -> CertificateView | None:
    """The last certificate of the chain as sent, following the names from the leaf."""
    views = [view for each in shown.certificates if (view := readable(each)) is not None]
    by_subject = {each.subject: each for each in reversed(views)}
    top = shown.leaf
    for _ in views:
        above = None if top is None else by_subject.get(top.issuer)
        if above is None or above is top:
            break
        top = above
    return top


def _dates(shown: Presentation, at: datetime) -> Iterator[_Fault]:
    """Out of date: the certificates that lead to the anchor, or the leaf where nothing does."""
    code = shown.first.verify_code
    found = dict[FindingKind, str]()
    for position, each in enumerate(shown.certificates if shown.trusted else [None]):
        view = shown.leaf if each is None else readable(each)
        if view is None:
            continue
        what = "its certificate" if position == 0 else f"the certificate of {_subject(view)}"
        try:
            if view.not_after < at:
                words = f"{what} expired on {view.not_after:%Y-%m-%d %H:%M} UTC"
                found.setdefault(findings.TLS_EXPIRED, words)
            elif view.not_before > at:
                begins = f"{view.not_before:%Y-%m-%d %H:%M} UTC, in {_left(view.not_before - at)}"
                words = f"{what} is not valid before {begins}; is the clock here right?"
                found.setdefault(findings.TLS_NOT_YET_VALID, words)
        except MalformedError:
            continue
    told = {_EXPIRED: findings.TLS_EXPIRED, _NOT_YET_VALID: findings.TLS_NOT_YET_VALID}
    if not found and code in told:
        found[told[code]] = shown.first.problem
    yield from found.items()


def _name(shown: Presentation, facts: Facts) -> Iterator[_Fault]:
    if shown.leaf is None:
        return
    names = served_names(shown.leaf)
    wrong = shown.first.verify_code in _WRONG_NAME
    if not wrong and (shown.trusted or covers(names, facts.host) is not None):
        return
    words = f"the certificate is for {shown_names(names)}, and not for {facts.host}"
    yield findings.TLS_WRONG_NAME, words


def warning_time(certificate: CertificateView) -> timedelta:
    """How long before its end a certificate should have been renewed: two weeks at most.

    Certificates that last for six days are renewed every three or four.
    """
    return min(_SOON, (certificate.not_after - certificate.not_before) / 3)


def _soon(shown: Presentation, at: datetime) -> Iterator[_Fault]:
    for position, each in enumerate(shown.certificates):
        view = readable(each)
        try:
            if view is None or view.not_after - at > warning_time(view):
                continue
        except MalformedError:
            continue
        what = "the certificate" if position == 0 else f"the certificate of {_subject(view)}"
        left = _left(view.not_after - at)
        yield (
            findings.TLS_EXPIRES_SOON,
            f"{what} expires on {view.not_after:%Y-%m-%d %H:%M} UTC, in {left}",
        )
        return


def _left(left: timedelta) -> str:
    if left.days > 1:
        return f"{left.days} days"
    hours, minutes = left // timedelta(hours=1), left // timedelta(minutes=1)
    return f"{hours} hours" if hours > 1 else f"{minutes} minute{'' if minutes == 1 else 's'}"


def lasts_until(certificates: Sequence[bytes]) -> datetime | None:
    """When the first of them ends, None if that cannot be read."""
    try:
        return min(view.not_after for each in certificates if (view := readable(each)) is not None)
    except (MalformedError, ValueError):
        return None


def _passed(shown: Presentation, facts: Facts, found: set[FindingKind]) -> Iterator[Outcome]:
    """What is right with the first chain."""
    if shown.trusted:
        top = _subject(readable(shown.certificates[-1]))
        yield Passed(Area.CHAIN, "trust", f"{len(shown.certificates)} certificates, up to {top}")
    if shown.leaf is not None:
        name = covers(served_names(shown.leaf), facts.host)
        if name is not None and findings.TLS_WRONG_NAME not in found:
            yield Passed(Area.CHAIN, "name", f"it is for {display(name, 100)}")
    dated = {findings.TLS_EXPIRED, findings.TLS_NOT_YET_VALID, findings.TLS_EXPIRES_SOON}
    until = lasts_until(shown.certificates)
    if shown.trusted and until is not None and not found & dated:
        left = _left(until - facts.at)
        yield Passed(Area.CHAIN, "dates", f"valid until {until:%Y-%m-%d}, for {left}")
    if shown.trusted and shown.first.sent and findings.TLS_CHAIN_UNTIDY not in found:
        count = len(shown.first.sent)
        words = f"{count} certificates are sent" if count > 1 else "one certificate is sent"
        yield Passed(Area.CHAIN, "order", f"{words}, in order and none without need")
    yield from _stapled(shown)


def _stapled(shown: Presentation) -> Iterator[Outcome]:
    staple = shown.staple
    if staple is None:
        why = shown.handed_problem or "the server staples no OCSP response"
        yield NotChecked(Area.CHAIN, "revocation", why, failed=False)
    elif staple.status is OCSPStatus.GOOD:
        words = "the stapled OCSP response says good, and its signature verifies"
        yield Passed(Area.CHAIN, "revocation", words)
    elif staple.status is not OCSPStatus.REVOKED:
        why = staple.problem or "the stapled OCSP response does not know the certificate"
        yield NotChecked(Area.CHAIN, "revocation", why, failed=False)


def _subject(view: CertificateView | None) -> str:
    try:
        return "an unreadable certificate" if view is None else display(view.subject_text, 120)
    except MalformedError:
        return "an unreadable name"


def _issuer(view: CertificateView | None) -> str:
    try:
        return "an unreadable certificate" if view is None else display(view.issuer_text, 120)
    except MalformedError:
        return "an unreadable name"
