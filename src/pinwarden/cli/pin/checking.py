"""What a check of one host comes to: the verdict at each address, and what clients would do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pinwarden import findings
from pinwarden.cli.output import ExitCode
from pinwarden.cli.pin.keys import keys_of_chain
from pinwarden.findings import Finding, FindingKind
from pinwarden.net.served import Failure, ServedAddress
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, PinPolicy, PinRole
from pinwarden.pinning.result import PinResult, PinVerdict, Reason

__all__ = ["Checked", "CheckedAddress", "check_address"]

_WORST_FIRST = (PinVerdict.MISMATCH, PinVerdict.UNKNOWN, PinVerdict.MATCH)


@dataclass(frozen=True, slots=True)
class CheckedAddress:
    """One address; `result` is None where no chain verified, so that there is none."""

    served: ServedAddress
    result: PinResult | None

    @property
    def verdict(self) -> PinVerdict:
        """Whether a pin in force was found in the verified chain."""
        return PinVerdict.UNKNOWN if self.result is None else self.result.verdict

    @property
    def reason(self) -> str:
        """The one thing that decided: a `Reason`, or why no chain verified."""
        if self.result is not None:
            return str(self.result.reason)
        return str(self.served.failure or Reason.EMPTY_CHAIN)

    @property
    def was_asked(self) -> bool:
        """Whether this address said enough to judge it."""
        return self.result is not None or self.served.failure is Failure.UNTRUSTED

    @property
    def allowed(self) -> bool | None:
        """Whether clients would go on; None if there is no telling."""
        if self.result is not None:
            return self.result.allowed
        return False if self.served.failure is Failure.UNTRUSTED else None

    @property
    def clients(self) -> str:
        """What clients would do, in words."""
        if self.result is None:
            problem = self.served.problem
            if self.served.failure is Failure.UNTRUSTED:
                return f"clients refuse it, whatever is pinned: {problem}"
            return f"not checked: {problem}"
        return _words(self.result)


def _words(result: PinResult) -> str:
    reason = result.reason.words
    if result.problem:
        reason += f" ({result.problem})"
    if result.verdict is PinVerdict.MATCH:
        key = result.matched[0]
        what = " ".join(each for each in (str(key.role), "pin", key.pin.curl) if each)
        return f"clients connect: {what}" + (f" ({key.comment})" if key.comment else "")
    if not result.allowed:
        return f"clients refuse it: {reason}"
    if result.verdict is PinVerdict.MISMATCH:
        return f"clients connect, and report it: {reason}"
    return f"clients connect, held to no pin: {reason}"


def check_address(served: ServedAddress, pins: PinSet, host: str, at: datetime) -> CheckedAddress:
    """Compare what one address served with the policy of its host at a time."""
    if not served.verified:
        return CheckedAddress(served, None)
    return CheckedAddress(served, pins.check(served.verified, host, at=at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One host at all its addresses.

    `problem` says why there is no address, or that some were not asked.
    """

    target: str
    host: str
    at: datetime
    policy: PinPolicy | None
    addresses: tuple[CheckedAddress, ...]
    problem: str

    @property
    def worst(self) -> CheckedAddress | None:
        """The address that decides: what is refused before what is not known."""
        if not self.addresses:
            return None
        return min(
            self.addresses,
            key=lambda each: (_WORST_FIRST.index(each.verdict), not each.was_asked),
        )

    @property
    def verdict(self) -> PinVerdict:
        """That of the worst address; what could not be asked is never a match."""
        worst = PinVerdict.UNKNOWN if self.worst is None else self.worst.verdict
        return PinVerdict.UNKNOWN if worst is PinVerdict.MATCH and self.problem else worst

    @property
    def code(self) -> ExitCode:
        """The part of this host in the exit code."""
        judged = [each for each in self.addresses if each.was_asked]
        if self.findings or any(each.verdict is not PinVerdict.MATCH for each in judged):
            return ExitCode.FINDINGS
        return ExitCode.OK if self.verdict is PinVerdict.MATCH else ExitCode.UNFINISHED

    @property
    def expected(self) -> tuple[Pin, ...]:
        """The pins of which one should be seen."""
        return () if self.policy is None else tuple(sorted(self.policy.pins()))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What there is to say of it, besides the verdict, each kind once."""
        return tuple(
            Finding(kind=kind, subject=self.host, message=message)
            for kind, message in dict(self._found()).items()
        )

    def _found(self) -> Iterator[tuple[FindingKind, str]]:
        results = [each.result for each in self.addresses if each.result is not None]
        reasons = {each.reason for each in results}
        if Reason.FORBIDDEN_KEY in reasons:
            yield findings.PIN_FORBIDDEN_SERVED, "a key is served that the policy forbids"
        if Reason.NO_PIN_MATCHED in reasons:
            what = "would be" if self._only_reports else "are"
            message = f"no pin matches {self._share(results)}: clients {what} locked out"
            yield findings.PIN_LOCKED_OUT, message
        if len({each.verdict for each in results}) > 1:
            some = sum(each.verdict is PinVerdict.MATCH for each in results)
            message = f"the pins match at {some} of {len(results)} addresses"
            yield findings.PIN_ADDRESSES_DISAGREE, message
        if self.policy is not None and self.policy.expired(self.at):
            yield findings.PIN_EXPIRED, f"the policy expired on {self.policy.expires}"
        yield from self._certificate_hashes(results)

    @staticmethod
    def _share(results: list[PinResult]) -> str:
        """At how many addresses no pin matched."""
        failed = sum(each.reason is Reason.NO_PIN_MATCHED for each in results)
        return (
            "what is served"
            if failed == len(results)
            else f"at {failed} of {len(results)} addresses"
        )

    @property
    def _only_reports(self) -> bool:
        return self.policy is not None and self.policy.mode is Mode.REPORT_ONLY

    def _certificate_hashes(self, results: list[PinResult]) -> Iterator[tuple[FindingKind, str]]:
        """Pins that are fingerprints of served certificates: the commonest mistake of all."""
        hashes = {hashlib.sha256(der).digest() for each in results for der in each.chain}
        for pin in self.expected:
            if pin.spki_sha256 in hashes:
                message = f"{pin} is the hash of a whole certificate that is served, and no pin"
                yield findings.PIN_CERTIFICATE_HASH, message

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing although it is no fault."""
        return tuple(dict.fromkeys(self._noted()))

    def _noted(self) -> Iterator[str]:
        for address in self.addresses:
            result = address.result
            if result is None:
                continue
            if result.matched and all(key.role is PinRole.BACKUP for key in result.matched):
                yield "a backup pin is in use: pin its key as such, and make another backup"
            if any(pin in set(self.expected) for pin in _beside(address)):
                yield "a pinned key is sent, but is not in the verified chain"
            for key in keys_of_chain(result.chain):
                if key.not_after is not None and key.not_after < self.at:
                    yield f"{key.subject}: is valid until {key.not_after:%Y-%m-%d} only"


def _beside(address: CheckedAddress) -> list[Pin]:
    """The pins of certificates that were sent and are in no verified chain."""
    assert address.result is not None
    if address.verdict is PinVerdict.MATCH:
        return []
    sent = keys_of_chain(address.served.sent)
    return [key.pin for key in sent if key.pin is not None and key.pin not in address.result.seen]
