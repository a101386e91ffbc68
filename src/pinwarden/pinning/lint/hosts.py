"""Faults that show beside what a host serves: who is locked out, and who soon will be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pinwarden import findings
from pinwarden.errors import MalformedError
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.pinning.draft import DraftPolicy
from pinwarden.pinning.evaluate import compare
from pinwarden.pinning.lint.mistaken_hashes import WHOLE_CERTIFICATE, mistaken_hashes
from pinwarden.pinning.lint.setting import LintSetting, days, found, shown_keys
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import Mode, PinPolicy, PinRole
from pinwarden.pinning.result import PinResult, PinVerdict, Reason
from pinwarden.pinning.served import ServedChain, pins_in
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import view_certificate

__all__ = ["lint_host"]


def lint_host(
    policy: DraftPolicy, chains: Sequence[ServedChain], setting: LintSetting
) -> Iterator[Finding]:
    """What is wrong with a policy beside the verified chains of its host."""
    seen = [each for each in chains if each.verified]
    if not seen:
        return
    certificates = list(dict.fromkeys(der for each in seen for der in each.verified))
    sent = list(dict.fromkeys((*certificates, *(der for each in chains for der in each.sent))))
    yield from _mistaken(policy, sent)
    yield from _roles(policy, seen)
    if policy.policy is not None:
        yield from _outcome(policy, policy.policy, seen, setting)
    yield from _backups(policy, frozenset(pins_in(certificates)))
    yield from _unserved(policy, frozenset(pins_in(certificates)))
    yield from _ending(policy, certificates, setting)


def _mistaken(policy: DraftPolicy, certificates: Sequence[bytes]) -> Iterator[Finding]:
    hashes: dict[bytes, tuple[str, bytes]] = {}
    for certificate in certificates:
        for digest, words in mistaken_hashes(certificate).items():
            hashes.setdefault(digest, (words, certificate))
    places = shown_keys(policy)
    for number, key in enumerate(policy.keys):
        words, certificate = hashes.get(key.pin.spki_sha256 if key.pin else b"", ("", b""))
        if words:
            whole = words.startswith(WHOLE_CERTIFICATE)
            kind = findings.PIN_CERTIFICATE_HASH if whole else findings.PIN_WRONG_OCTETS
            right = _pin_words(certificate)
            yield found(
                kind,
                policy,
                f"{key.pin}: is the hash of {words} of {_name(certificate)}{right}",
                places[number],
            )


def _roles(policy: DraftPolicy, seen: Sequence[ServedChain]) -> Iterator[Finding]:
    """A leaf pin of a CA's key, or a CA pin of the leaf's, is met by no chain."""
    leaves = frozenset(pins_in(each.verified[0] for each in seen))
    above = frozenset(pins_in(der for each in seen for der in each.verified[1:]))
    places = shown_keys(policy)
    for number, key in enumerate(policy.keys):
        if key.role is PinRole.CA and key.pin in leaves - above:
            words = "is pinned as a CA's and is the key of the leaf"
        elif key.role is PinRole.LEAF and key.pin in above - leaves:
            words = "is pinned as a leaf's and is the key of a CA"
        else:
            continue
        yield found(findings.PIN_WRONG_ROLE, policy, f"{key.pin}: {words}", places[number])


def _outcome(
    draft: DraftPolicy, policy: PinPolicy, seen: Sequence[ServedChain], setting: LintSetting
) -> Iterator[Finding]:
    results = [(each, compare(policy, each.verified, policy.host, at=setting.at)) for each in seen]
    bad = [(each, result) for each, result in results if result.verdict is PinVerdict.MISMATCH]
    forbidden = [pair for pair in bad if pair[1].reason is Reason.FORBIDDEN_KEY]
    if forbidden:
        served = policy.pins(PinRole.FORBIDDEN) & {
            pin for _, result in forbidden for pin in result.seen
        }
        keys = ", ".join(str(pin) for pin in sorted(served))
        yield found(
            findings.PIN_FORBIDDEN_SERVED,
            draft,
            f"{keys}: is forbidden and in the chain at {_addresses(forbidden)}",
        )
    missed = [pair for pair in bad if pair[1].reason is not Reason.FORBIDDEN_KEY]
    # After its last day a closed policy refuses everybody; that finding exists already.
    missed = [pair for pair in missed if pair[1].reason is not Reason.EXPIRED]
    if not missed:
        return
    if len(missed) < len(results):
        yield found(
            findings.PIN_ADDRESSES_DISAGREE,
            draft,
            f"no pin matches at {_addresses(missed)}, and at the other addresses one does",
        )
        return
    told = "every client is refused" if policy.mode is Mode.ENFORCE else "every client reports"
    keys = ", ".join(map(str, missed[0][1].seen))
    yield found(
        findings.PIN_LOCKED_OUT,
        draft,
        f"no pin matches at {_addresses(missed)}: {told} (served: {keys})",
    )


def _addresses(pairs: Sequence[tuple[ServedChain, PinResult]]) -> str:
    shown = [display(each.address, 60) for each, _ in pairs]
    more = f" and {len(shown) - 4} more" if len(shown) > 4 else ""
    return ", ".join(shown[:4]) + more


def _backups(policy: DraftPolicy, served: frozenset[Pin]) -> Iterator[Finding]:
    """RFC 7469 section 4.3: a backup is of a key that is not in the chain."""
    backups = policy.pins(PinRole.BACKUP)
    if backups and served.issuperset(backups):
        yield found(
            findings.PIN_BACKUP_SERVED,
            policy,
            "every backup pin is of a key in the served chain, so there is no backup",
        )


def _unserved(policy: DraftPolicy, served: frozenset[Pin]) -> Iterator[Finding]:
    places = shown_keys(policy)
    for number, key in enumerate(policy.keys):
        active = key.role in (PinRole.LEAF, PinRole.CA)
        if active and key.pin is not None and key.pin not in served:
            yield found(
                findings.PIN_NOT_SERVED,
                policy,
                f"{key.pin}: is the key of no certificate in the served chain",
                places[number],
            )


def _ending(
    policy: DraftPolicy, certificates: Sequence[bytes], setting: LintSetting
) -> Iterator[Finding]:
    """A CA's certificate that ends before the policy, or soon: its key will be another."""
    noted = {key.pin for key in policy.keys if key.expires is not None}
    for certificate in certificates:
        try:
            pin, view = pin_of_certificate(certificate), view_certificate(certificate)
            last, is_ca = view.not_after.date(), view.is_ca
        except MalformedError:
            continue
        numbers = [n for n, key in enumerate(policy.keys) if key.pin == pin]
        # A leaf's key outlives its certificate, if whoever renews it wants so.
        if not is_ca or not numbers or pin in noted:
            continue
        early = policy.expires is not None and last < policy.expires
        if early or last - setting.today <= setting.soon:
            rest = f", before the policy does on {policy.expires}" if early else ""
            yield found(
                findings.PIN_KEY_EXPIRES,
                policy,
                f"{pin}: the certificate of {_name(certificate)} ends on {last} "
                f"({days(last, setting.today)}){rest}",
                shown_keys(policy)[numbers[0]],
            )


def _name(certificate: bytes) -> str:
    try:
        return display(view_certificate(certificate).subject_text, 100) or "a certificate"
    except MalformedError:
        return "a certificate"


def _pin_words(certificate: bytes) -> str:
    try:
        return f"; the pin of its key is {pin_of_certificate(certificate)}"
    except MalformedError:
        return ""
