"""Every exception that leaves Pinwarden, arranged by whose fault it is.

A message is one line, lower case, subject first, without a full stop. Foreign
text inside a message goes through `quoted`, so that a hostile certificate or
server cannot write control characters to a terminal or a log file.
"""

from __future__ import annotations

_QUOTED_LIMIT = 200


class PinwardenError(Exception):
    """The base of all our errors.

    `hint` says what to do next, when we know. `evidence` holds what the other
    side sent, exactly as received and already bounded, where that is the point.
    """

    evidence: bytes = b""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class MalformedError(PinwardenError, ValueError):
    """Bytes or text from outside do not follow their own grammar."""


class VerificationError(PinwardenError):
    """The bytes are well formed and the answer is no."""


class BadSignatureError(VerificationError):
    """A signature does not verify under the key that should have made it."""


class BadProofError(VerificationError):
    """A Merkle proof does not lead to the root it should lead to."""


class OutsideError(PinwardenError):
    """Something outside did not answer, or not in time, or not usefully.

    `target` names whom we asked; `retry_after` is the number of seconds the
    other side asked us to wait, if it did; `permanent` says that asking again
    cannot help.
    """

    def __init__(
        self,
        message: str,
        *,
        target: str,
        retry_after: float | None = None,
        permanent: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.target = target
        self.retry_after = retry_after
        self.permanent = permanent


class StoreError(PinwardenError):
    """The store cannot be opened, read or written."""


class ConfigError(PinwardenError):
    """The user's configuration or command line is wrong."""


def quoted(text: str | bytes, limit: int = _QUOTED_LIMIT) -> str:
    """Foreign text as one printable, single-quoted line of bounded length."""
    if isinstance(text, bytes):
        text = text[: limit + 1].decode("ascii", "backslashreplace")
    cut = text[:limit]
    shown = "".join(c if c.isprintable() and c != "'" else _escaped(c) for c in cut)
    return f"'{shown}'" + ("…" if len(text) > limit else "")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii") if character != "'" else "\\'"
