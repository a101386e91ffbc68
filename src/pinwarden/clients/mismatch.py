"""The error of a connection that its pins end, and how to find it inside a client's own."""

from __future__ import annotations

import ssl
from typing import Self

from pinwarden.errors import VerificationError
from pinwarden.pinning.result import PinResult, Reason

__all__ = ["PinMismatch", "find_mismatch"]

_DEEPEST = 50
_HINTS = {
    Reason.EMPTY_CHAIN: "pins are compared on new connections with verified certificates alone: "
    "no session=, no verify=False",
    Reason.HOST_UNREADABLE: "give the connection its server_hostname",
    Reason.HOST_NOT_PINNED: 'the set names no such host, and says unpinned_hosts = "refuse"',
    Reason.EXPIRED: "put a newer pin set in force",
}


class PinMismatch(VerificationError, ssl.SSLCertVerificationError):  # noqa: N818 - what it is
    """A connection was ended because of its pins; `result` says what was seen and expected.

    A `ssl.SSLCertVerificationError` too, so that every client treats it as what it is: a
    peer that could not be verified.
    """

    def __init__(self, result: PinResult) -> None:
        super().__init__(str(result), hint=_HINTS.get(result.reason))
        self.result = result
        self.verify_code = 0
        self.verify_message = str(result)
        self.reason = "PIN_MISMATCH"
        self.library = "PINWARDEN"

    def __reduce__(self) -> tuple[type[Self], tuple[PinResult]]:
        # An error of a worker process is built anew from its arguments.
        return type(self), (self.result,)

    def __str__(self) -> str:
        # An ssl.SSLError prints as the tuple of its arguments.
        return f"pins: {self.result}"


def find_mismatch(error: BaseException | None) -> PinMismatch | None:
    """Our error inside what a client raised, however deep; None if it is not in there.

    Looks through causes, contexts, exception groups and the `reason` and arguments in which
    urllib, urllib3 and requests put the errors that they wrap.
    """
    waiting, seen = [error], set[int]()
    # Never through properties: of some exceptions they run code, or warn.
    while waiting and len(seen) < _DEEPEST:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        if isinstance(each, PinMismatch):
            return each
        seen.add(id(each))
        waiting += [each.__cause__, each.__context__, vars(each).get("reason"), *each.args]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
    return None
