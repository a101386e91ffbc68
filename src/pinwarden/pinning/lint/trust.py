"""Pins that depend on what else the clients trust: partial chains, cross-signed CAs, one CA."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pinwarden import findings
from pinwarden.errors import MalformedError
from pinwarden.findings import Finding
from pinwarden.names import display
from pinwarden.pinning.draft import Draft, DraftPolicy
from pinwarden.pinning.evaluate import compare
from pinwarden.pinning.hidden_pins import hidden_pins
from pinwarden.pinning.lint.setting import LintSetting, found
from pinwarden.pinning.paths import ChainPath, possible_paths
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinPolicy, PinRole
from pinwarden.pinning.result import PinVerdict
from pinwarden.pinning.served import ServedChain
from pinwarden.pinning.spki import pin_of_certificate
from pinwarden.x509.certificate import view_certificate

__all__ = ["lint_hidden", "lint_trust"]

_ORGANISATION = re.compile(r"(?:^|,)O=((?:[^,\\]|\\.)*)")


def lint_trust(
    policy: DraftPolicy, chains: Sequence[ServedChain], setting: LintSetting
) -> Iterator[Finding]:
    """What is wrong with a policy beside the trust stores of its clients."""
    seen = [each for each in chains if each.verified]
    if seen and policy.policy is not None:
        yield from _paths(policy, policy.policy, seen, setting)
    yield from _one_ca(policy, seen, setting)


def lint_hidden(draft: Draft, setting: LintSetting) -> Iterator[Finding]:
    """Pins that the trust store hides from partial chains, of hosts that were not asked."""
    asked = {host for host, chains in setting.served.items() if any(c.verified for c in chains)}
    drafts = {each.host: each for each in draft.policies if each.host not in asked}
    pins = PinSet([each.policy for each in drafts.values() if each.policy is not None])
    for hidden in hidden_pins(pins, setting.anchors):
        yield found(
            findings.PIN_ROOT_UNREACHABLE,
            drafts[hidden.policy.host],
            f"{hidden.pin}: clients that take partial chains (Python 3.13 and later) end at "
            f"{hidden.below}, which their trust store holds, and never reach {hidden.above}",
        )


def _paths(
    draft: DraftPolicy, policy: PinPolicy, seen: Sequence[ServedChain], setting: LintSetting
) -> Iterator[Finding]:
    told: set[str] = set()
    for each in seen:
        matches = _matches(policy, each.verified, setting)
        anchors = (*setting.anchors, each.verified[-1])
        # The anchor itself needs no sending; whatever was sent may be used.
        for path in possible_paths((*each.verified[:-1], *each.sent), anchors):
            # That a chain is met by no client at all is another finding.
            other = _matches(policy, path.chain, setting) is not matches
            if other and _end(path) not in told and _is_current(path, setting):
                told.add(_end(path))
                yield _about(draft, path, each) if matches else _cut(draft, path, each)


def _matches(policy: PinPolicy, chain: Sequence[bytes], setting: LintSetting) -> bool:
    result = compare(policy, chain, policy.host, at=setting.at)
    return result.verdict is PinVerdict.MATCH


def _about(draft: DraftPolicy, path: ChainPath, served: ServedChain) -> Finding:
    if path.partial and path.chain == served.verified[: len(path.chain)]:
        return found(
            findings.PIN_ROOT_UNREACHABLE,
            draft,
            f"clients that take partial chains (Python 3.13 and later) end at {_end(path)}, "
            "which their trust store holds, and see no pinned key",
        )
    return found(
        findings.PIN_TRUST_STORE,
        draft,
        f"a client whose chain ends at {_end(path)} sees no pinned key; by the trust store used "
        f"here it ends at {_subject(served.verified[-1])}",
    )


def _cut(draft: DraftPolicy, path: ChainPath, served: ServedChain) -> Finding:
    shorter = path.chain[: len(served.verified)] == served.verified
    kind = findings.PIN_ROOT_UNREACHABLE if shorter else findings.PIN_TRUST_STORE
    return found(
        kind,
        draft,
        f"a client whose chain ends at {_end(path)} sees a pinned key; by the trust store and the "
        f"rules used here it ends at {_subject(served.verified[-1])}, and none is seen",
    )


def _is_current(path: ChainPath, setting: LintSetting) -> bool:
    try:
        views = [view_certificate(each) for each in path.chain]
        return all(view.not_before <= setting.at <= view.not_after for view in views)
    except MalformedError:
        return False


def _end(path: ChainPath) -> str:
    return _subject(path.chain[-1])


def _subject(certificate: bytes) -> str:
    try:
        return display(view_certificate(certificate).subject_text, 100)
    except MalformedError:
        return "a certificate that cannot be read"


def _one_ca(
    policy: DraftPolicy, seen: Sequence[ServedChain], setting: LintSetting
) -> Iterator[Finding]:
    """Told only where every pin is known to be a CA's, and all of one organisation.

    A key of one's own, pinned as a leaf or kept as a backup, can be certified by any CA.
    """
    wanted = policy.pins(PinRole.LEAF, PinRole.CA, PinRole.BACKUP)
    if not seen or not wanted:
        return
    above = (der for each in seen for der in each.verified[1:])
    known: dict[Pin, str] = {}
    for certificate in dict.fromkeys((*above, *setting.anchors)):
        try:
            known.setdefault(pin_of_certificate(certificate), _organisation(certificate))
        except MalformedError:
            continue
    owners = {known.get(pin, "") for pin in wanted}
    if len(owners) == 1 and "" not in owners:
        yield found(
            findings.PIN_ONE_CA,
            policy,
            f"every pin is of {display(owners.pop(), 100)}: if it must not or will not issue, "
            "nothing that is pinned can",
        )


def _organisation(certificate: bytes) -> str:
    named = _ORGANISATION.search(view_certificate(certificate).subject_text)
    return named[1] if named else ""
