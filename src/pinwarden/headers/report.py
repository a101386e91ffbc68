"""What was judged of the headers of one answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pinwarden.findings import Finding
from pinwarden.headers.expect_ct import ExpectCT
from pinwarden.headers.hpkp import HPKPPolicy

__all__ = [
    "HeaderReport",
    "JudgedExpectCT",
    "JudgedPins",
    "Syntax",
    "finding_name",
]

_MOST_PINS = 1_000


class Syntax(StrEnum):
    """Whether clients could read the field at all."""

    OK = "ok"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class JudgedPins:
    """A pin header: `policy` is None if it is malformed.

    `noted` is whether a client of those days would have kept the pins (RFC 7469 section
    2.5), None where that hangs on a chain that is not known.
    """

    policy: HPKPPolicy | None
    noted: bool | None

    @property
    def syntax(self) -> Syntax:
        """Whether clients could read it."""
        return Syntax.MALFORMED if self.policy is None else Syntax.OK

    def to_json(self) -> dict[str, object]:
        """The values as `header lint --json` has them; those of a malformed field are null."""
        policy = self.policy
        return {
            "syntax": str(self.syntax),
            "noted": self.noted,
            "pins": None if policy is None else list(policy.pins[:_MOST_PINS]),
            "max_age": None if policy is None else policy.max_age,
            "include_subdomains": None if policy is None else policy.include_subdomains,
            "report_uri": None if policy is None else policy.report_uri,
        }


@dataclass(frozen=True, slots=True)
class JudgedExpectCT:
    """Expect-CT: `policy` is None if it is malformed.

    `noted` is whether a client of those days would have kept it (RFC 9163 section 2.3.2),
    None where that hangs on a certificate that is not known.
    """

    policy: ExpectCT | None
    noted: bool | None

    @property
    def syntax(self) -> Syntax:
        """Whether clients could read it."""
        return Syntax.MALFORMED if self.policy is None else Syntax.OK

    def to_json(self) -> dict[str, object]:
        """The values as `header lint --json` has them; those of a malformed field are null."""
        policy = self.policy
        return {
            "syntax": str(self.syntax),
            "noted": self.noted,
            "max_age": None if policy is None else policy.max_age,
            "enforce": None if policy is None else policy.enforce,
            "report_uri": None if policy is None else policy.report_uri,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderReport:
    """The retired headers of one answer; each is None where it is not sent.

    The subject of the findings is the host, their "where" the header's name.
    """

    public_key_pins: JudgedPins | None = None
    public_key_pins_report_only: JudgedPins | None = None
    expect_ct: JudgedExpectCT | None = None
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The three headers, as `header lint --json` has them."""
        pins, only, expect_ct = (
            self.public_key_pins,
            self.public_key_pins_report_only,
            self.expect_ct,
        )
        return {
            "public_key_pins": pins and pins.to_json(),
            "public_key_pins_report_only": only and only.to_json(),
            "expect_ct": expect_ct and expect_ct.to_json(),
        }


def finding_name(finding: Finding) -> str:
    """The id of a finding about headers without its prefix, such as `hpkp-no-backup-pin`."""
    return finding.id.removeprefix("PW-").lower()
