"""A policy on the certificates of the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.backtest import (
    BacktestReason,
    BacktestVerdict,
    CAABacktest,
    TriedIssuance,
    backtest_policy,
)
from pinwarden.caa.climb import RelevantSet, climb_with
from pinwarden.caa.evaluate import Reason
from pinwarden.caa.issuers.map import How, IssuerMap, load_issuers, parse_issuers
from pinwarden.caa.lookup import Failure, Lookup, Outcome
from pinwarden.caa.presentation import parse_presentation
from pinwarden.caa.profiles import LETSENCRYPT, RFC8659, Profile, profile_at
from pinwarden.issuances import PastIssuance
from pinwarden.lab.ca import CA
from pinwarden.lab.hostile import hostile_certificate
from pinwarden.names import UNREADABLE_LABEL
from pinwarden.x509.certificate import view_certificate

AT = datetime(2026, 11, 24, tzinfo=UTC)
LE, DIGICERT = "C=US, O=Let's Encrypt, CN=R11", "C=US, O=DigiCert Inc, CN=G2"
REFUSED, UNKNOWN, ALLOWED = BacktestVerdict


def issued(*names: str, by: str = LE, ago: int = 30, **fields: Any) -> PastIssuance:
    """A certificate of 90 days, issued so many days before `AT`."""
    start = AT - timedelta(days=ago)
    told: dict[str, Any] = {
        "not_before": start,
        "not_after": start + timedelta(days=90),
        "source": "test",
    }
    return PastIssuance(names=names, issuer=by, **(told | fields))


def lookups(sets: dict[str, list[str]]) -> dict[str, Lookup]:
    return {
        name: Lookup(
            name=name,
            outcome=Outcome.RECORDS,
            records=tuple(map(parse_presentation, records)),
        )
        for name, records in sets.items()
    }


def tried(
    sets: dict[str, list[str]],
    *issuances: PastIssuance,
    issuers: IssuerMap | None = None,
    profile: Profile = RFC8659,
) -> CAABacktest:
    """The sets are all that stands in DNS; the policy is about what is below example.com."""
    found = lookups(sets)

    def look_up(name: str) -> Lookup:
        return found.get(name) or Lookup(name=name, outcome=Outcome.NO_DATA)

    def policy(name: str) -> RelevantSet | None:
        return climb_with(name, look_up) if f".{name}".endswith(".example.com") else None

    return backtest_policy(policy, issuances, issuers or load_issuers(), profile, AT)


def the_only(result: CAABacktest) -> TriedIssuance:
    (each,) = result.tried
    return each


ONLY_LE = {"example.com": ['0 issue "letsencrypt.org"', '0 issuewild ";"']}


def test_a_policy_that_fits() -> None:
    """Whoever is named may renew."""
    result = tried(ONLY_LE, issued("example.com", "www.example.com"))
    each = the_only(result)
    assert result.verdict is each.verdict is ALLOWED
    assert (each.ca, each.how, each.domain) == ("Let's Encrypt", How.BY_NAME, "letsencrypt.org")
    assert each.valid
    assert result.failing == ()


def test_one_refused_name_refuses_the_certificate() -> None:
    """Every name is asked for (RFC 8659 section 3): the wildcard costs the plain name too."""
    each = the_only(tried(ONLY_LE, issued("example.com", "*.example.com")))
    assert [(name.name, name.verdict) for name in each.names] == [
        ("example.com", ALLOWED),
        ("*.example.com", REFUSED),
    ]
    assert each.verdict is REFUSED
    assert each.deciding.reason == Reason.EMPTY_ISSUER
    assert each.deciding.relevant_name == "example.com"


def test_refusals_by_ca_and_name_and_date() -> None:
    """Counts and days are those of the history, the oldest first."""
    result = tried(
        ONLY_LE,
        issued("www.example.com", by=DIGICERT, ago=20),
        issued("example.com", by=DIGICERT, ago=200),
        issued("www.example.com", ago=100),
        issued("www.example.com", ago=10),
    )
    assert [(AT - each.issuance.not_before).days for each in result.tried] == [200, 100, 20, 10]
    digicert, letsencrypt = result.by_ca()
    assert (digicert.of, digicert.refused, digicert.allowed) == ("DigiCert", 2, 0)
    assert digicert.first_refused == AT - timedelta(days=200)
    assert digicert.last_refused == AT - timedelta(days=20)
    assert (letsencrypt.of, letsencrypt.refused, letsencrypt.allowed) == ("Let's Encrypt", 0, 2)
    assert letsencrypt.first_refused is letsencrypt.last_refused is None
    assert letsencrypt.first == AT - timedelta(days=100)
    by_name = {each.of: (each.refused, each.allowed) for each in result.by_name()}
    assert by_name == {"www.example.com": (1, 2), "example.com": (1, 0)}


def test_renewals_that_will_fail() -> None:
    """Refused and still valid: the first to end comes first."""
    result = tried(
        ONLY_LE,
        issued("a.example.com", by=DIGICERT, ago=10),
        issued("b.example.com", by=DIGICERT, ago=80),
        issued("c.example.com", by=DIGICERT, ago=200),
        issued("d.example.com", ago=10),
    )
    assert [each.issuance.names[0] for each in result.failing] == [
        "b.example.com",
        "a.example.com",
    ]


def test_what_may_have_been_replaced() -> None:
    """After a change of CA the old certificate is valid for a while, and is told apart."""
    result = tried(
        ONLY_LE,
        issued("a.example.com", by=DIGICERT, ago=40),
        issued("a.example.com", "b.example.com", by=DIGICERT, ago=30),
        issued("a.example.com", ago=20),
        issued("c.example.com", ago=60),
        issued("c.example.com", by=DIGICERT, ago=10),
    )
    assert [each.issuance.names for each in result.replaced] == [("a.example.com",)]
    assert len(result.failing) == 3


def test_a_set_below_decides_alone() -> None:
    """A name with records of its own does not ask its parent."""
    sets = ONLY_LE | {"pay.example.com": ['0 issue "digicert.com"']}
    result = tried(sets, issued("pay.example.com", by=DIGICERT), issued("pay.example.com"))
    assert {each.ca: each.verdict for each in result.tried} == {
        "DigiCert": ALLOWED,
        "Let's Encrypt": REFUSED,
    }


def test_names_of_others_do_not_count() -> None:
    """A policy is about its own names; certificates without any are counted apart."""
    result = tried(
        ONLY_LE,
        issued("example.com", "example.net", by=LE),
        issued("example.org", by=DIGICERT),
        issued("192.0.2.1", "2001:db8::1", by=DIGICERT),
    )
    assert [name.name for name in the_only(result).names] == ["example.com"]
    assert result.elsewhere == 2
    assert result.verdict is ALLOWED


def test_nothing_to_try_it_on() -> None:
    """A policy that was tried on nothing has passed nothing."""
    assert tried(ONLY_LE).verdict is UNKNOWN
    assert tried(ONLY_LE, issued("example.org")).verdict is UNKNOWN


def test_a_ca_that_is_not_mapped() -> None:
    """What it goes by in CAA is not known, so a set that names others cannot be judged."""
    each = the_only(tried(ONLY_LE, issued("example.com", by="CN=x,O=Tiny\x1b CA")))
    assert (each.verdict, each.deciding.reason) == (UNKNOWN, BacktestReason.ISSUER_NOT_MAPPED)
    assert (each.ca, each.how, each.domain) == ("Tiny\x1b CA", None, "")


@pytest.mark.parametrize("by", [LE, "CN=x,O=Tiny CA", ""])
def test_a_set_for_nobody_refuses_everybody(by: str) -> None:
    """Whoever it was: `;` names no CA, known or not."""
    each = the_only(tried({"example.com": ['0 issue ";"']}, issued("example.com", by=by)))
    assert (each.verdict, each.deciding.reason) == (REFUSED, Reason.EMPTY_ISSUER)


@pytest.mark.parametrize("by", [LE, "CN=x,O=Tiny CA"])
def test_no_records_allow_everybody(by: str) -> None:
    """Without CAA every CA may issue."""
    each = the_only(tried({}, issued("example.com", by=by)))
    assert (each.verdict, each.deciding.reason) == (ALLOWED, Reason.NO_RRSET)


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ("accounturi=https://a.example/1", BacktestReason.ACCOUNT_NOT_OBSERVABLE),
        ("validationmethods=dns-01", BacktestReason.METHOD_NOT_OBSERVABLE),
    ],
)
def test_what_no_certificate_shows(parameter: str, reason: BacktestReason) -> None:
    """A binding is neither kept nor broken by what can be seen; another CA is refused."""
    sets = {"example.com": [f'0 issue "letsencrypt.org;{parameter}"']}
    result = tried(sets, issued("example.com"), issued("example.com", by=DIGICERT))
    assert {each.ca: (each.verdict, each.deciding.reason) for each in result.tried} == {
        "Let's Encrypt": (UNKNOWN, reason),
        "DigiCert": (REFUSED, Reason.ISSUER_NOT_LISTED),
    }


def test_a_binding_that_nobody_satisfies() -> None:
    """Two accounts in one record refuse all, whatever the account was."""
    value = "letsencrypt.org;accounturi=https://a.example/1;accounturi=https://a.example/2"
    each = the_only(tried({"example.com": [f'0 issue "{value}"']}, issued("example.com")))
    assert (each.verdict, each.deciding.reason) == (REFUSED, Reason.ACCOUNT_UNSATISFIABLE)


def test_whose_reading() -> None:
    """Today the Baseline Requirements let a CA ignore a binding, and Let's Encrypt does not."""
    sets = {"example.com": ['0 issue "letsencrypt.org;accounturi=https://a.example/1"']}
    verdicts = [
        tried(sets, issued("example.com"), profile=each).verdict
        for each in (profile_at(AT), LETSENCRYPT)
    ]
    assert verdicts == [ALLOWED, UNKNOWN]


def test_a_lookup_that_fails() -> None:
    """What could not be asked may be a policy that refuses."""
    failed = Lookup(
        name="example.com", outcome=Outcome.FAILED, failure=Failure.SERVFAIL, problem="SERVFAIL"
    )
    found = RelevantSet("example.com", "example.com", failed, (failed,))
    issuers = load_issuers()
    result = backtest_policy(lambda _: found, [issued("example.com")], issuers, RFC8659, AT)
    each = the_only(result)
    assert (each.verdict, each.deciding.reason) == (UNKNOWN, Reason.LOOKUP_FAILURE)


def test_a_domain_that_a_ca_has_given_up() -> None:
    """Named by a former domain a CA may or may not see itself: that is no permission."""
    former = load_issuers().owner_named("Google Trust Services")
    assert former is not None
    assert "google.com" in former.former
    sets = {"example.com": ['0 issue "google.com"']}
    each = the_only(tried(sets, issued("example.com", by="O=Google Trust Services")))
    assert (each.verdict, each.deciding.reason) == (UNKNOWN, BacktestReason.FORMER_DOMAIN)


@pytest.mark.parametrize(
    ("value", "verdict", "reason"),
    [
        ("one.example", UNKNOWN, BacktestReason.ISSUER_NOT_CERTAIN),
        ("three.example", REFUSED, Reason.ISSUER_NOT_LISTED),
    ],
)
def test_one_of_two_cas(value: str, verdict: BacktestVerdict, reason: str) -> None:
    """Where several may have issued, only what is the same for all of them is said."""
    owners = (
        '{"format": 1, "owners": [{"name": "One", "domains": ["one.example"]},'
        ' {"name": "Two", "domains": ["two.example"]}],'
        ' "sources": [{"part": "domains", "name": "t", "date": "2026-01-01"}]}'
    )
    # Eight octets of zeros are the key that both run.
    keys = '{"format": 1, "groups": [{"owners": [0, 1], "spki": "AAAAAAAAAAA="}]}'
    issuers = parse_issuers(owners, lambda: keys)
    told = issued("example.com", issuer_spki_sha256=bytes(32))
    each = the_only(tried({"example.com": [f'0 issue "{value}"']}, told, issuers=issuers))
    assert (each.verdict, each.deciding.reason) == (verdict, reason)
    assert (each.ca, each.domain) == ("One or Two", "")


def test_a_name_that_cannot_be_read() -> None:
    """A name that nobody can read may be one of ours."""
    each = the_only(tried(ONLY_LE, issued(UNREADABLE_LABEL)))
    assert (each.verdict, each.deciding.reason) == (UNKNOWN, BacktestReason.NAME_UNREADABLE)


def test_a_field_that_cannot_be_read() -> None:
    """So may be what stands in a damaged field, whatever else the certificate is for."""
    damaged = hostile_certificate(CA("Odd CA"), "example.org", "cut").issued
    der = damaged.certificate_chain[0]
    assert view_certificate(der).identifiers().unreadable
    told = issued("example.org", problems=("subjectAltName: damaged",), der=der)
    each = the_only(tried(ONLY_LE, told))
    assert (each.verdict, each.deciding.reason) == (UNKNOWN, BacktestReason.NAME_UNREADABLE)


def test_what_is_no_name_at_all() -> None:
    """crt.sh has organisations among the names: they are no problem of the policy."""
    result = tried(ONLY_LE, issued("example.com", problems=("not DNS names: 'Example, Inc.'",)))
    assert result.verdict is ALLOWED


def test_the_policy_is_asked_once_for_a_name() -> None:
    """Ten thousand renewals of one name are one question."""
    asked = []

    def policy(name: str) -> RelevantSet:
        asked.append(name)
        return RelevantSet(name)

    past = [issued("example.com", "*.example.com", ago=each) for each in range(100)]
    backtest_policy(policy, past, load_issuers(), RFC8659, AT)
    assert asked == ["example.com"]


@given(st.lists(st.text(max_size=30), max_size=4), st.text(max_size=60))
def test_hostile_history(names: list[str], issuer: str) -> None:
    """Whatever a source tells, every issuance is tried or counted, and nothing is raised."""
    found = RelevantSet("x", "x", lookups({"x": ['0 issue "letsencrypt.org"']})["x"])
    told = issued(*names, by=issuer)
    result = backtest_policy(lambda _: found, [told], load_issuers(), RFC8659, AT)
    assert len(result.tried) + result.elsewhere == 1
