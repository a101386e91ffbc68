"""The report of a failed comparison, in the JSON shape of RFC 7469 section 3."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Any

from pinwarden.errors import PinwardenError
from pinwarden.pinning.moments import to_moment
from pinwarden.pinning.pem import pem_text
from pinwarden.pinning.policy import Mode
from pinwarden.pinning.result import PinResult

__all__ = ["report_of"]

_PORT_NOT_KNOWN = 0


def report_of(
    result: PinResult, *, port: int | None = None, served: Iterable[bytes] = ()
) -> dict[str, Any]:
    """The report as a value that `json` writes.

    All keys of the RFC, `enforce-pinning` as TrustKit adds it, and `reason`, a
    `Reason`. `port` is 0 where it is not known, as in TrustKit's reports;
    `effective-expiration-date` is null for a policy that does not expire. `served` are
    the certificates in DER as the server sent them. Raises `PinwardenError` if no policy
    is about the host.
    """
    policy = result.policy
    if policy is None:
        raise PinwardenError("pin report: no policy is about the host, so nothing is to report")
    ends = policy.expires
    return {
        "date-time": to_moment(result.at),
        "hostname": result.host,
        "port": _PORT_NOT_KNOWN if port is None else port,
        # The last second of the last day.
        "effective-expiration-date": (
            None if ends is None else to_moment(datetime.combine(ends, time(23, 59, 59), UTC))
        ),
        "include-subdomains": policy.include_subdomains,
        "noted-hostname": policy.host,
        "served-certificate-chain": [pem_text("CERTIFICATE", each) for each in served],
        "validated-certificate-chain": [pem_text("CERTIFICATE", each) for each in result.chain],
        "known-pins": [pin.hpkp for pin in result.expected],
        "enforce-pinning": result.mode is Mode.ENFORCE,
        "reason": str(result.reason),
    }
