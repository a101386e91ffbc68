"""A pin set: which policy a host falls under, and whether a verified chain meets it.

The chain must be the *verified* one, from the leaf to the trust anchor. The chain that
a server sends proves nothing: whoever has any trusted certificate can append the pinned
certificates of others to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

from pinwarden.errors import MalformedError
from pinwarden.names import display
from pinwarden.pinning import document, files, writing
from pinwarden.pinning.evaluate import compare
from pinwarden.pinning.host import normalise_host, suffixes
from pinwarden.pinning.policy import (
    OnExpiry,
    PinPolicy,
    PinSetError,
    UnpinnedHosts,
    by_host,
    word_of,
    writable,
)
from pinwarden.pinning.result import PinResult, PinVerdict, Reason

__all__ = ["PinSet"]

# A client speaks with few hosts, and one that takes them from outside must not grow.
_REMEMBERED, _LONGEST_REMEMBERED = 1024, 255


class PinSet:
    """The policies of any number of hosts; cannot be changed.

    Of several policies that cover a host the most specific one decides alone: the
    host's own, else that of the nearest name above it that includes subdomains. A host
    that this one excludes is not pinned.
    """

    __slots__ = ("_by_host", "_found", "comment", "owner", "unpinned_hosts")

    def __init__(
        self,
        policies: Iterable[PinPolicy] = (),
        *,
        unpinned_hosts: UnpinnedHosts = UnpinnedHosts.ALLOW,
        comment: str = "",
        owner: str = "",
    ) -> None:
        """Raises `PinSetError` if two policies are about one host."""
        self._by_host = by_host(policies)
        self._found: dict[str, PinPolicy | None] = {}
        self.unpinned_hosts = word_of(UnpinnedHosts, unpinned_hosts, "unpinned_hosts")
        self.comment = writable(comment, "the set")
        self.owner = writable(owner, "the set")

    @classmethod
    def load(cls, path: files.StrPath) -> Self:
        """The set in a file, TOML or (if its name ends in .json) JSON.

        Raises `PinSetError` in one line for a file that cannot be read, is not such a
        document, or contradicts itself.
        """
        text = files.read_text(path)
        return cls.parse(text, json=str(path).lower().endswith(".json"), where=str(path))

    @classmethod
    def parse(cls, text: str, *, json: bool = False, where: str = "pin set") -> Self:
        """The set in a text; raises `PinSetError`, whose message begins with `where`."""
        read = document.read(text, json=json, where=where)
        try:
            return cls(
                read.policies,
                unpinned_hosts=read.unpinned_hosts,
                comment=read.comment,
                owner=read.owner,
            )
        except PinSetError as error:
            raise PinSetError(f"{display(where)}: {error}", hint=error.hint) from None

    @property
    def policies(self) -> tuple[PinPolicy, ...]:
        """The policies in the order in which they were given."""
        return tuple(self._by_host.values())

    def to_toml(self) -> str:
        """As a document that `parse` reads to an equal set."""
        return writing.to_toml(self._document())

    def to_json(self) -> str:
        """As a JSON document that `parse` reads to an equal set."""
        return writing.to_json(self._document())

    def _document(self) -> document.Document:
        return document.Document(
            self.policies, self.unpinned_hosts, comment=self.comment, owner=self.owner
        )

    def policy_for(self, host: str) -> PinPolicy | None:
        """The policy that a host falls under; raises `MalformedError` if it is no host."""
        try:
            return self._found[host]
        except KeyError:
            pass
        found = self._search(normalise_host(host))
        if len(self._found) >= _REMEMBERED:
            self._found.clear()
        if len(host) <= _LONGEST_REMEMBERED:
            self._found[host] = found
        return found

    def _search(self, host: str) -> PinPolicy | None:
        for name in suffixes(host):
            policy = self._by_host.get(name)
            if policy is not None and (name == host or policy.include_subdomains):
                excluded = any(host == each or host.endswith(f".{each}") for each in policy.exclude)
                return None if excluded else policy
        return None

    def check(self, chain: Sequence[bytes], host: str, *, at: datetime) -> PinResult:
        """Whether a connection to a host may go on, given its verified chain in DER.

        The chain runs from the leaf to the trust anchor, which is included. Never
        raises: what cannot be judged is not allowed.
        """
        try:
            policy = self.policy_for(host)
        except MalformedError as error:
            return _without_policy(
                host, at, Reason.HOST_UNREADABLE, allowed=False, problem=str(error)
            )
        if policy is None:
            allowed = self.unpinned_hosts is UnpinnedHosts.ALLOW
            return _without_policy(host, at, Reason.HOST_NOT_PINNED, allowed=allowed)
        return compare(policy, chain, host, at=at)

    def ends(self, result: PinResult) -> datetime | None:
        """From when on what `check` has allowed is to be checked again; None if never.

        Until then the same chain is allowed for the same host. A class that overrides
        `check` overrides this too, or its results are not remembered from one connection
        to the next.
        """
        policy = result.policy
        if policy is None or policy.expires is None or policy.on_expiry is not OnExpiry.CLOSED:
            return None
        try:
            over = policy.expires + timedelta(days=1)
        except OverflowError:
            return None
        return datetime(over.year, over.month, over.day, tzinfo=UTC)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PinSet):
            return NotImplemented
        return self._document() == other._document()

    def __hash__(self) -> int:
        return hash(self._document())

    def __repr__(self) -> str:
        hosts = ", ".join(self._by_host)
        return f"PinSet({hosts}; unpinned_hosts={self.unpinned_hosts})"


def _without_policy(
    host: str, at: datetime, reason: Reason, *, allowed: bool, problem: str = ""
) -> PinResult:
    return PinResult(
        host=host,
        at=at,
        verdict=PinVerdict.UNKNOWN,
        reason=reason,
        allowed=allowed,
        problem=problem,
    )
