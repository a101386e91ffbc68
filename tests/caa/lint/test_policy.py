"""What the lint says about a policy in force: where it was found, whose it is, who reads it how."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.climb import RelevantSet
from pinwarden.caa.intent import Grant, Intent, generate_records
from pinwarden.caa.lint.policy import is_same_party, lint_policy, parent_to_ask
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.caa.presentation import to_presentation
from pinwarden.findings import Severity, where_of
from support.caa_lint import ACCOUNT, SETTING, STRICT, answer, climbed, ids


def linted(found: RelevantSet, parent: RelevantSet | None = None) -> set[str]:
    return ids(lint_policy(found, SETTING, parent), Severity.MEDIUM)


def test_a_strict_policy_is_left_alone() -> None:
    """Signed and bound: nothing to say, for the name and for names below."""
    policy = answer("example.com", *STRICT)
    for name in ("example.com", "a.b.example.com"):
        assert lint_policy(climbed(name, policy), SETTING) == ()


@pytest.mark.parametrize(
    "texts",
    [
        ('0 issue "letsencrypt.org"',),
        ('0 issue "letsencrypt.org;validationmethods=http-01"',),
        ('0 issue "letsencrypt.org; validationmethods=http-01,dns-01"', '0 issuewild ";"'),
        ('0 issue "digicert.com"', '0 issue "letsencrypt.org"', '0 issuewild "digicert.com"'),
        (f'0 issue "letsencrypt.org;accounturi={ACCOUNT}"', '0 issuemail ";"'),
        ('0 issue "digicert.com;validationmethods=dns-01"',),
    ],
)
def test_ordinary_policies_are_not_serious(texts: tuple[str, ...]) -> None:
    """What thousands publish and what works is no alarm."""
    assert linted(climbed("example.com", answer("example.com", *texts))) == set()


def test_nothing_at_all() -> None:
    """No policy is a finding; for names that CAA does not govern it is none."""
    assert linted(climbed("www.example.com")) == {"NO-POLICY"}
    assert linted(climbed("example.onion")) == set()


@pytest.mark.parametrize(
    ("failure", "dnssec", "expected"),
    [
        (Failure.SERVFAIL, DNSSECState.INDETERMINATE, "LOOKUP-FAILED"),
        (Failure.ALIAS_LOOP, DNSSECState.INDETERMINATE, "LOOKUP-FAILED"),
        (Failure.BOGUS, DNSSECState.BOGUS, "BOGUS"),
    ],
)
def test_failures(failure: Failure, dnssec: DNSSECState, expected: str) -> None:
    """The name whose lookup failed is told, also when it is one above."""
    failed = Lookup(
        name="example.com",
        outcome=Outcome.FAILED,
        failure=failure,
        dnssec=dnssec,
        problem="SERVFAIL\x1b[2J",
    )
    (finding,) = lint_policy(climbed("www.example.com", failed), SETTING)
    assert ids([finding]) == {expected}
    assert "example.com, a name above www.example.com" in finding.message
    assert finding.message.isprintable()


def test_a_failure_above_the_set_does_not_matter() -> None:
    """Nobody asks above a set."""
    failed = Lookup(name="com", outcome=Outcome.FAILED, failure=Failure.TIMEOUT)
    found = climbed("example.com", answer("example.com", *STRICT), failed)
    assert lint_policy(found, SETTING) == ()


def test_another_party_decides() -> None:
    """An alias hands the policy on, now or as soon as the other party wants."""
    theirs = answer("www.example.com", *STRICT, aliases=("x.cdn.example.net",))
    assert linted(climbed("www.example.com", theirs)) == {"THIRD-PARTY"}
    empty = answer("www.example.com", aliases=("x.cdn.example.net",))
    found = lint_policy(climbed("www.example.com", empty, answer("example.com", *STRICT)), SETTING)
    assert [each.id for each in found] == ["PW-CAA-ALIAS-OPEN"]
    ours = answer("www.example.com", *STRICT, aliases=("web.example.com",))
    assert lint_policy(climbed("www.example.com", ours), SETTING) == ()


@pytest.mark.parametrize(
    ("name", "target", "same"),
    [
        ("www.example.com", "web.example.com", True),
        ("www.example.com", "example.com", True),
        ("www.example.com", "example.com.cdn.example.net", False),
        ("www.example.com", "com", False),
        ("www.a.co.uk", "www.b.co.uk", False),
        ("www.a.co.uk", "a.co.uk", True),
        ("www.ing.nl", "ing.nl", True),
        ("EXAMPLE.com", "www.example.COM", True),
    ],
)
def test_same_party(name: str, target: str, same: bool) -> None:
    """Judged by the names alone."""
    assert is_same_party(name, target) is same


@pytest.mark.parametrize(
    ("child", "parent", "opens"),
    [
        ('0 iodef "mailto:a@example.com"', '0 issue ";"', "plain names and wildcards"),
        ('0 issuewild ";"', '0 issue "letsencrypt.org"', "plain names"),
        ('0 iodef "mailto:a@example.com"', '0 issuewild ";"', "wildcards"),
        ('0 issue "digicert.com"', '0 issue ";"', None),
        ('0 iodef "mailto:a@example.com"', '0 iodef "mailto:b@example.com"', None),
        ('128 tbs "x"', '0 issue ";"', None),
    ],
)
def test_a_child_opens_its_parent(child: str, parent: str, opens: str | None) -> None:
    """Only what becomes free counts, and it is told once, not as its milder kinds too."""
    upper = answer("example.com", parent)
    found = climbed("www.example.com", answer("www.example.com", child), upper)
    assert parent_to_ask(found) == "example.com"
    told = lint_policy(found, SETTING, climbed("example.com", upper))
    messages = [each.message for each in told if each.id == "PW-CAA-CHILD-OPENS-PARENT"]
    assert len(messages) == (opens is not None)
    if opens:
        assert f"nothing for {opens}, and" in messages[0]
        assert not ids(told) & {"NOTHING-RESTRICTS", "ISSUEWILD-ONLY"}


def test_a_parent_that_fails_or_is_not_asked_opens_nothing() -> None:
    """Nothing is claimed about a set that nobody saw."""
    found = climbed("www.example.com", answer("www.example.com", '0 issuewild ";"'))
    failed = Lookup(name="example.com", outcome=Outcome.FAILED, failure=Failure.TIMEOUT)
    for parent in (None, climbed("example.com", failed), climbed("example.com")):
        assert linted(found, parent) == {"ISSUEWILD-ONLY"}
    assert parent_to_ask(climbed("example.com")) is None


def test_ttl_and_signatures() -> None:
    """A day is long; a binding needs a signed zone, and only proof of none is told."""
    texts = STRICT[:1]

    def told(**changed: object) -> set[str]:
        lookup = replace(answer("example.com", *texts), **changed)  # type: ignore[arg-type]
        return ids(lint_policy(climbed("example.com", lookup), SETTING))

    usual = told()
    assert told(ttl=86_401) - usual == {"TTL-LONG"}
    assert told(ttl=None) == usual
    assert told(dnssec=DNSSECState.INSECURE) - usual == {"BINDING-UNSIGNED"}
    assert told(dnssec=DNSSECState.INDETERMINATE) == usual


@pytest.mark.parametrize(
    "text",
    [
        '0 issue "LetsEncrypt.org"',
        '0 issue "letsencrypt.org;x-y=1"',
        '0 issue "letsencrypt.org;validationmethods=dns-01,"',
    ],
)
def test_lets_encrypt_reads_it_differently(text: str) -> None:
    """Both answers are in the message, with the request they are for."""
    found = lint_policy(climbed("example.com", answer("example.com", text)), SETTING)
    (told,) = [each for each in found if each.id == "PW-CAA-READ-DIFFERENTLY"]
    assert "by the standard" in told.message
    assert where_of(told) == "example.com"


def test_flags_1_block_lets_encrypt_alone() -> None:
    """The famous trap: not critical by the standard, critical in practice."""
    texts = ('0 issue "letsencrypt.org"', '1 contactemail "a@example.com"')
    found = climbed("example.com", answer("example.com", *texts))
    assert linted(found) == {"RESERVED-FLAGS", "READ-DIFFERENTLY"}
    other = ('0 issue "digicert.com"', '1 contactemail "a@example.com"')
    assert linted(climbed("example.com", answer("example.com", *other))) == {"RESERVED-FLAGS"}


def test_the_gravest_first() -> None:
    """Nobody reads the last line first."""
    texts = ('0 issue "letsencrypt.org;"', "0 issue \"'x'\"", '0 iodef "http://x.example/"')
    found = lint_policy(climbed("example.com", answer("example.com", *texts)), SETTING)
    order = [list(Severity).index(each.severity) for each in found]
    assert order == sorted(order, reverse=True)
    assert order[0] > order[-1]


_GRANTS = st.lists(
    st.one_of(
        st.builds(
            Grant,
            domain=st.just("letsencrypt.org"),
            account_uris=st.sampled_from([(ACCOUNT,), (ACCOUNT, f"{ACCOUNT}6")]),
            methods=st.sampled_from([(), ("dns-01",), ("http-01", "dns-01")]),
        ),
        st.builds(
            Grant,
            domain=st.sampled_from(["digicert.com", "pki.goog", "amazon.com"]),
            methods=st.just(("dns-01", "ca-tbr-7")),
        ),
    ),
    max_size=3,
    unique_by=lambda grant: grant.domain,
).map(tuple)


@given(
    issuers=_GRANTS,
    wildcard=st.none() | _GRANTS,
    smime=st.sampled_from([None, (), ("digicert.com",)]),
    reports=st.sampled_from([(), ("mailto:security@example.com",)]),
    critical=st.booleans(),
)
def test_no_false_alarm_about_what_make_writes(
    issuers: tuple[Grant, ...],
    wildcard: tuple[Grant, ...] | None,
    smime: tuple[str, ...] | None,
    reports: tuple[str, ...],
    critical: bool,
) -> None:
    """Published as generated, in a signed zone, a policy is never called wrong."""
    intent = Intent(
        name="example.com",
        issuers=issuers,
        wildcard=wildcard,
        smime=smime,
        reports=reports,
        critical=critical,
    )
    texts = map(to_presentation, generate_records(intent))
    assert linted(climbed("example.com", answer("example.com", *texts))) == set()
