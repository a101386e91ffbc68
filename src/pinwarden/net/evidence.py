"""Errors about a log that carry what the log sent, and the calls that raise them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pinwarden.ct.head import Head, LogKey, verify_head
from pinwarden.errors import BadSignatureError, MalformedError, VerificationError, quoted

_MOST_EVIDENCE = 64 * 1024
_MOST_EXCERPT = 1024

T = TypeVar("T")


class BadHeadError(BadSignatureError):
    """A tree head whose signature does not verify; `evidence` is the head as received."""

    def __init__(self, message: str, evidence: bytes) -> None:
        super().__init__(message)
        self.evidence = evidence


class GarbageError(MalformedError):
    """A log answered what is not CT; `evidence` is the beginning of the answer."""

    def __init__(self, message: str, *, target: str, evidence: bytes) -> None:
        super().__init__(message)
        self.target = target
        self.evidence = evidence[:_MOST_EVIDENCE]


class NotInLogError(VerificationError):
    """A log answered, and says that it has no such entry in a tree of that size.

    `evidence` is the beginning of what it said, which nobody signed.
    """

    def __init__(self, message: str, *, target: str, evidence: bytes) -> None:
        super().__init__(message)
        self.target = target
        self.evidence = evidence[:_MOST_EXCERPT]


def understood(url: str, body: bytes, parse: Callable[[bytes], T]) -> T:
    """What `url` answered, parsed; raises GarbageError when it cannot be."""
    try:
        return parse(body)
    except MalformedError as error:
        raise GarbageError(f"{quoted(url)}: {error}", target=url, evidence=body) from error


def signed_head(url: str, body: bytes, parse: Callable[[bytes], Head], key: LogKey) -> Head:
    """The tree head that `url` answered; raises GarbageError or BadHeadError."""
    head = understood(url, body, parse)
    try:
        verify_head(head, key)
    except BadSignatureError as error:
        raise BadHeadError(f"{quoted(url)}: {error}", body) from error
    return head
