"""Every committed CAA case offline: zone text, search, decision."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pinwarden.caa.climb import RelevantSet, climb_with, parse_caa_name
from pinwarden.caa.evaluate import CAAVerdict, Decision, Purpose, Request, evaluate_caa
from pinwarden.caa.lookup import Failure, Lookup
from pinwarden.caa.profiles import LETSENCRYPT, RFC8659, Profile
from pinwarden.caa.zone.zonefile import parse_zone, zone_look_up
from support.caa_sets import failed
from support.caa_vectors import Case, cases

VECTORS = Path(__file__).parents[1] / "vectors"
FILES = ("caa.json", "caa-more.json")
RAW = {each["id"]: each for file in FILES for each in json.loads((VECTORS / file).read_text())}
CASES = [each for file in FILES for each in cases(VECTORS, file)]
FAILURES = {
    "servfail": Failure.SERVFAIL,
    "silent": Failure.TIMEOUT,
    "refused": Failure.REFUSED,
    "notimp": Failure.NOT_IMPLEMENTED,
    "bogus": Failure.BOGUS,
}

# What Let's Encrypt's validation authority does otherwise than the RFCs or our default
# reading of them, and why, by case.
LETS_ENCRYPT_DEVIATES = {
    "B08": "flag value 1 counts as critical",
    "E17": "no hyphen in the name of a parameter",
    "E34": "issuers are compared byte for byte",
    "H30": "it honours the parameters",
    "H33": "it does not take the labels of the Baseline Requirements for its methods",
}


def _resolver(case: Case) -> Callable[[str], Lookup]:
    zone = parse_zone(case.zone(), ".")

    def look_up(name: str) -> Lookup:
        found = zone_look_up(zone, name)
        for passed in (name, *found.aliases):
            if passed in case.faults:
                return failed(name, FAILURES[str(case.faults[passed])])
        return found

    return look_up


def _decide(case: Case, profile: Profile) -> Decision:
    query: dict[str, Any] = RAW[case.id]["query"]
    name = parse_caa_name(query["domain"])
    request = Request(
        name=name.name,
        issuers=(query["issuer"], *query.get("issuer_aliases", ())),
        wildcard=query["wildcard"],
        account_uri=query["account_uri"],
        method=query["validation_method"],
        purpose=Purpose(query.get("purpose", "tls")),
    )
    found = RelevantSet(name.name) if name.is_ip else climb_with(name.name, _resolver(case))
    return evaluate_caa(found, request, profile)


def _profile(case: Case, profile: Profile) -> Profile:
    switches = dict(RAW[case.id].get("profile", {}))
    if "known_tags" in switches:
        switches["known_tags"] = frozenset(switches["known_tags"])
    return replace(profile, **switches)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_vectors(case: Case) -> None:
    decision = _decide(case, _profile(case, RFC8659))
    told = {
        "allowed": decision.verdict is CAAVerdict.ALLOWED,
        "reason": decision.reason,
        "relevant_name": decision.relevant_name,
    }
    assert told == case.expected, decision.why


def test_where_lets_encrypt_deviates() -> None:
    """Every difference is a known one, and no known one is missing."""
    different = {
        case.id
        for case in cases(VECTORS)
        if not case.faults and _decide(case, LETSENCRYPT).allowed != case.expected["allowed"]
    }
    assert different == LETS_ENCRYPT_DEVIATES.keys()


def test_the_suite_that_cas_are_tried_with(corpus: Path) -> None:
    """SSLMate's suite is a zone in which no CA whatever may issue, by any reading."""
    folder = corpus / "caa" / "caatestsuite"
    zone = parse_zone((folder / "zones" / "caatestsuite.com.").read_text(), "caatestsuite.com")
    asked = 0
    for each in json.loads((folder / "expectations.json").read_text()):
        if each["expected"] != "deny-every-CA" or "dnssec" in each["fqdn"]:
            continue
        name = parse_caa_name(each["fqdn"])
        found = climb_with(name.name, lambda asked: zone_look_up(zone, asked))
        for profile in (RFC8659, LETSENCRYPT):
            request = Request(name=name.name, issuers=("letsencrypt.org",), wildcard=name.wildcard)
            decision = evaluate_caa(found, request, profile)
            assert not decision.allowed, each["fqdn"]
            asked += 1
    assert asked >= 36
