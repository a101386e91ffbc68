"""The committed CAA cases (`tests/vectors/caa.json`) as a DNS world and a command line.

`caa-more.json` has more of the same kind, derived from the texts of the RFCs.

Owners and targets in a case are absolute, its zone is one tree from the root down, and the
types in `MARKERS` are no records but what comes of a question there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinwarden.lab.dns_answers import Fault

MARKERS: dict[str, Fault] = {
    "SERVFAIL": "servfail",
    "TIMEOUT": "silent",
    "REFUSED": "refused",
    "NOTIMP": "notimp",
    "BOGUS": "bogus",
}
_NAMING = {"CNAME", "DNAME", "NS"}
_SWITCHES = {
    "failure_outside_ca": ("--failure-outside-ca", "--failure-inside-ca"),
    "retried": ("--retried", "--not-retried"),
    "zone_insecure": ("--zone-insecure", "--zone-signed"),
    "supports_rfc8657": ("--supports-rfc8657", "--no-supports-rfc8657"),
    "br_label_aliases": ("--br-label-aliases", "--no-br-label-aliases"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: records as owner, type and RDATA, what goes wrong where, what is asked."""

    id: str
    records: tuple[tuple[str, str, str], ...]
    faults: dict[str, Fault]
    name: str
    options: tuple[str, ...]
    expected: dict[str, Any]

    def zone(self, suffix: str = "") -> str:
        """Master file text with every name absolute, below `suffix` if there is one."""

        def moved(kind: str, rdata: str) -> str:
            return f"{rdata}{suffix}." if kind in _NAMING else rdata

        return "".join(
            f"{owner}{suffix}. 300 IN {kind} {moved(kind, rdata)}\n"
            for owner, kind, rdata in self.records
        )


def cases(vectors: Path, file: str = "caa.json") -> list[Case]:
    """All cases of a file in a folder of vectors."""
    return [_case(each) for each in json.loads((vectors / file).read_text())]


def _case(described: dict[str, Any]) -> Case:
    zone, query = described["zone"], described["query"]
    return Case(
        id=described["id"],
        # `{n}` is the running number; other braces are what they are.
        records=tuple(
            (
                each["owner"].removesuffix("."),
                each["type"],
                each["rdata"].replace("{n}", str(number)),
            )
            for each in zone
            if each["type"] not in MARKERS
            for number in range(1, each.get("repeat", 1) + 1)
        ),
        faults={
            each["owner"].lower(): MARKERS[each["type"]] for each in zone if each["type"] in MARKERS
        },
        name=query.pop("domain"),
        options=(*_asked(**query), *_profile(described.get("profile", {}))),
        expected=described["expect"],
    )


def _asked(
    *,
    wildcard: bool,
    issuer: str,
    account_uri: str | None,
    validation_method: str | None,
    issuer_aliases: tuple[str, ...] = (),
    purpose: str | None = None,
) -> list[str]:
    # With `=`: an issuer may begin with a hyphen, in the case that there is about it.
    options = {"--account-uri": account_uri, "--method": validation_method, "--purpose": purpose}
    return [
        *(f"--issuer={each}" for each in (issuer, *issuer_aliases)),
        *(["--wildcard"] if wildcard else []),
        *(f"{option}={value}" for option, value in options.items() if value is not None),
    ]


def _profile(profile: dict[str, Any]) -> list[str]:
    options = []
    for key, value in profile.items():
        if key in _SWITCHES:
            options.append(_SWITCHES[key][not value])
        elif key == "known_tags":
            options.append(f"--known-tags={','.join(value)}")
        else:
            assert key == "lookup_failure", key
            options.append(f"--lookup-failure={value}")
    return options
