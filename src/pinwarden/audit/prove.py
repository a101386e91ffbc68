"""Holding logs to their promises: what an SCT was given for must be in the signed tree.

An SCT that verifies is a promise, and nothing more: whoever has a log's key can sign one and
never log the certificate. A proof needs nobody's word. The absence of an entry cannot be
proven to an RFC 6962 log, so before it is called missing the log is asked again, under a new
head, and must show that it knows that very tree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pinwarden.ct.head import Head
from pinwarden.ct.inclusion import (
    Breach,
    Cause,
    HeadForm,
    Missing,
    NotYet,
    Outcome,
    ProofHead,
    Proven,
    Unprovable,
    final_head,
    promise_due,
)
from pinwarden.ct.log import Log, LogKind
from pinwarden.ct.merkle import LeafHash, NodeHash, leaf_hash, verify_inclusion
from pinwarden.ct.presented import JudgedSCT, SCTStatus
from pinwarden.ct.sct import SCT, SCTSource, embedded_entry, sct_leaf_hash, x509_entry
from pinwarden.errors import (
    BadProofError,
    ConfigError,
    MalformedError,
    OutsideError,
    PinwardenError,
    quoted,
)
from pinwarden.net.logs import LogClient, NotInLogError
from pinwarden.x509.certificate import CertificateView

__all__ = ["Patience", "SCTProof", "prove_scts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a log is asked, the pause between, and the limit for one log, in seconds."""

    attempts: int = 3
    pause: float = 1.0
    limit: float = 120.0


@dataclass(frozen=True, slots=True)
class SCTProof:
    """One SCT, and what became of its promise."""

    judged: JudgedSCT
    outcome: Outcome


async def prove_scts(
    certificate: CertificateView,
    issuer: CertificateView | None,
    judged: Sequence[JudgedSCT],
    open_client: Callable[[Log], LogClient],
    *,
    now: Callable[[], datetime],
    patience: Patience | None = None,
) -> tuple[SCTProof, ...]:
    """What became of the promise of each SCT, in the order given; all logs are asked at once.

    What a log does or fails to do is an outcome. Raises `ConfigError` if a log may not be
    asked, such as without a contact.
    """
    patience = patience or Patience()

    async def one(each: JudgedSCT) -> SCTProof:
        try:
            promise = _promise(certificate, issuer, each)
        except _UnprovableError as error:
            return SCTProof(each, error.outcome)
        question = _Question(promise, open_client(promise.log), now, patience)
        return SCTProof(each, await question.answer())

    return tuple(await asyncio.gather(*map(one, judged)))


@dataclass(frozen=True, slots=True)
class _Promise:
    """What a log promised: this leaf, at this place if it says so, until that time."""

    log: Log
    leaf: LeafHash
    index: int | None
    due: datetime


class _UnprovableError(Exception):
    """There is nothing to ask the log."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.outcome = Unprovable(cause, reason)


def _promise(
    certificate: CertificateView, issuer: CertificateView | None, judged: JudgedSCT
) -> _Promise:
    sct, log = judged.sct, judged.log
    if judged.status is SCTStatus.UNKNOWN_LOG:
        raise _UnprovableError(Cause.UNKNOWN_LOG, judged.reason)
    if judged.status is not SCTStatus.VALID or sct is None or log is None:
        raise _UnprovableError(Cause.NOT_VALID, judged.reason)
    if not log.url:
        raise _UnprovableError(Cause.NO_ADDRESS, "no log list in use says where its log is read")
    try:
        leaf = _leaf(certificate, issuer, judged.source, sct)
        due = promise_due(sct, log)
    except MalformedError as error:
        raise _UnprovableError(Cause.NOT_VALID, str(error)) from None
    return _Promise(log, leaf, _index(sct, log), due)


def _leaf(
    certificate: CertificateView, issuer: CertificateView | None, source: SCTSource, sct: SCT
) -> LeafHash:
    if source is SCTSource.EMBEDDED:
        if issuer is None:
            raise MalformedError("its issuer is not known")
        return sct_leaf_hash(sct, embedded_entry(certificate, issuer))
    if certificate.der is None:
        raise MalformedError("only the TBSCertificate is here")
    return sct_leaf_hash(sct, x509_entry(certificate.der))


def _index(sct: SCT, log: Log) -> int | None:
    """Where the entry must be; a log that can be asked by hash need not say so."""
    try:
        index = sct.leaf_index
    except MalformedError as error:
        index, why = None, str(error)
    else:
        why = "it says no leaf_index"
    if index is None and log.kind is LogKind.STATIC:
        raise _UnprovableError(Cause.NO_INDEX, f"{why}, by which a static log is asked")
    return index


def _stands_there(
    other: bytes, leaf: LeafHash, index: int, head: Head, proof: Sequence[NodeHash]
) -> bool:
    """Whether the tree has another entry at this place than the leaf."""
    found = leaf_hash(other)
    try:
        verify_inclusion(found, index, head.size, proof, head.root)
    except BadProofError:
        return False
    return found != leaf


class _Question:
    """One promise, put to one log until there is an answer that can be relied on."""

    def __init__(
        self,
        promise: _Promise,
        client: LogClient,
        now: Callable[[], datetime],
        patience: Patience,
    ) -> None:
        self._promise = promise
        self._client = client
        self._now = now
        self._patience = patience

    async def answer(self) -> Outcome:
        limit = self._patience.limit
        try:
            return await asyncio.wait_for(self._ask_again(), limit)
        except TimeoutError:
            return Unprovable(Cause.LOG_SILENT, f"the log did not answer within {limit:g} s")

    async def _ask_again(self) -> Outcome:
        """Ask until it is proven: one server of a log may not know yet what another does."""
        outcome = await self._ask()
        for _ in range(self._patience.attempts - 1):
            if isinstance(outcome, Proven):
                break
            if isinstance(outcome, Unprovable) and outcome.cause is Cause.LOG_SILENT:
                # The HTTP client has asked often enough.
                break
            await asyncio.sleep(self._patience.pause)
            outcome = await self._ask()
        return outcome

    async def _ask(self) -> Outcome:
        try:
            return await self._ask_once()
        except ConfigError:
            raise
        except OutsideError as error:
            return Unprovable(Cause.LOG_SILENT, str(error))
        except PinwardenError as error:
            return Unprovable(Cause.BAD_ANSWER, str(error))

    async def _ask_once(self) -> Outcome:
        promise = self._promise
        found = await self._head()
        head = found.head
        try:
            index, proof = await self._client.fetch_inclusion(promise.leaf, promise.index, head)
        except NotInLogError as error:
            return await self._not_there(found, error.evidence)
        try:
            verify_inclusion(promise.leaf, index, head.size, proof, head.root)
        except BadProofError:
            return await self._wrong(found, index, proof)
        return Proven(index=index, head=found, proof=tuple(proof))

    async def _head(self) -> ProofHead:
        """The log's head, or of a closed log that is gone the last one that a list has."""
        try:
            head = await self._client.fetch_head()
        except OutsideError:
            final = final_head(self._promise.log)
            if final is None:
                raise
            return final
        form = HeadForm.CHECKPOINT if head.source == "checkpoint" else HeadForm.STH
        return ProofHead(form, head)

    async def _not_there(self, found: ProofHead, answer: bytes) -> Outcome:
        early = self._too_early(found)
        if early is not None:
            return early
        promise, head = self._promise, found.head
        if promise.log.kind is LogKind.STATIC:
            return Missing(breach=Breach.TREE_TOO_SMALL, head=found, index=promise.index)
        await self._require_other_proofs(head)
        return Missing(breach=Breach.ABSENT, head=found, answer=answer)

    async def _require_other_proofs(self, head: Head) -> None:
        """Have an entry proven in the same way that is certainly in the tree: its last one.

        A server that lags behind, or proves nothing to anybody, refuses like one that lacks
        the entry. Raises `OutsideError` or another of our errors if the log proves nothing.
        """
        if head.size == 0:
            return
        last = head.size - 1
        leaf = (await self._client.fetch_range(last, head.size, head.size)).leaf_hashes()[0]
        try:
            index, proof = await self._client.fetch_inclusion(leaf, last, head)
        except NotInLogError as error:
            raise OutsideError(
                f"{quoted(self._promise.log.url)}: proves no entry at all to its head of "
                f"{head.size}",
                target=self._promise.log.url,
            ) from error
        verify_inclusion(leaf, index, head.size, proof, head.root)

    async def _wrong(self, found: ProofHead, index: int, proof: Sequence[NodeHash]) -> Outcome:
        promise, head = self._promise, found.head
        nodes = tuple(proof)
        if promise.log.kind is LogKind.STATIC and found.form.is_signed:
            other = await self._entry_at(index, head)
            if other is not None and _stands_there(other, promise.leaf, index, head, nodes):
                # Final, whatever time is left: nothing ever moves in a log.
                return Missing(
                    breach=Breach.OTHER_ENTRY, head=found, index=index, other=other, proof=nodes
                )
        early = self._too_early(found)
        if early is not None:
            return early
        place = index if 0 <= index < head.size else None
        return Missing(breach=Breach.WRONG_PROOF, head=found, index=place, proof=nodes)

    async def _entry_at(self, index: int, head: Head) -> bytes | None:
        try:
            batch = await self._client.fetch_range(index, index + 1, head.size)
        except (OutsideError, MalformedError):
            return None
        return batch.leaves[0]

    def _too_early(self, found: ProofHead) -> Outcome | None:
        """Why a missing entry is no broken promise, if it is none."""
        due = self._promise.due
        if not found.form.is_signed:
            return Unprovable(
                Cause.BAD_ANSWER,
                "the log is closed and gives no head, and has no proof to the final tree head "
                "of the log list, which it did not sign",
            )
        if found.head.timestamp >= due:
            return None
        if self._now() < due:
            return NotYet(due, found)
        return Unprovable(
            Cause.LOG_LAGGING,
            f"the newest head of the log is of {found.head.timestamp:%Y-%m-%d %H:%M:%S}Z, before "
            f"the entry had to be in it ({due:%Y-%m-%d %H:%M:%S}Z)",
        )
