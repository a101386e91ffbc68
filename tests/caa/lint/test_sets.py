"""What the lint says about a set of records as a whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.evaluate import Request, evaluate_caa
from pinwarden.caa.intent import Grant, Intent, generate_records
from pinwarden.caa.lint.sets import RecordSet, lint_records
from pinwarden.caa.profiles import RFC8659
from pinwarden.caa.record import BrokenRecord
from pinwarden.findings import Severity
from support.caa_lint import ACCOUNT, AFTER_SC098, SETTING, STRICT, answer, climbed, ids, records

_OTHER = "https://acme-v02.api.letsencrypt.org/acme/acct/99"


def linted(*texts: str, least: Severity = Severity.MEDIUM) -> set[str]:
    return ids(lint_records(records(*texts), (), SETTING), least)


def test_who_means_nobody_by_a_word_is_not_told_that_it_may_issue() -> None:
    """The word is taken for a CA, which is the finding."""
    assert linted('0 issue "none"', least=Severity.LOW) == {"UNKNOWN-CA", "SMIME-OPEN"}


def test_the_strictest_set_leaves_nothing_to_say() -> None:
    """Bound, no wildcards, no mail, no marks, an address for reports: silence."""
    assert lint_records(records(*STRICT), (), SETTING) == ()


@pytest.mark.parametrize(
    "intent",
    [
        Intent(name="example.com"),
        Intent(name="example.com", issuers=(Grant(domain="letsencrypt.org"),)),
        Intent(
            name="example.com",
            issuers=(Grant(domain="letsencrypt.org"), Grant(domain="digicert.com")),
            wildcard=(),
            smime=(),
            vmc=(),
            reports=("mailto:security@example.com",),
        ),
        Intent(
            name="example.com",
            issuers=(
                Grant(
                    domain="letsencrypt.org",
                    account_uris=(ACCOUNT, _OTHER),
                    methods=("dns-01", "http-01"),
                ),
            ),
            smime=("digicert.com",),
            critical=True,
        ),
        Intent(
            name="example.com",
            issuers=(Grant(domain="sectigo.com", methods=("dns-01",)),),
            wildcard=(Grant(domain="pki.goog"),),
            contact_emails=("security@example.com",),
        ),
    ],
)
def test_what_make_writes_is_clean(intent: Intent) -> None:
    """The lint never contradicts the generator."""
    made = generate_records(intent)
    for setting in (SETTING, AFTER_SC098):
        assert ids(lint_records(made, (), setting), Severity.MEDIUM) == set()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (('0 iodef "mailto:a@example.com"',), {"NOTHING-RESTRICTS"}),
        (('0 issuemail ";"',), {"NOTHING-RESTRICTS"}),
        (('0 issu ";"',), {"NOTHING-RESTRICTS", "UNKNOWN-TAG"}),
        (('128 tbs "x"',), {"CRITICAL-UNKNOWN", "UNKNOWN-TAG"}),
        (('0 issuewild ";"',), {"ISSUEWILD-ONLY"}),
        (('0 issue ";"', '0 issue "letsencrypt.org"'), {"EMPTY-BESIDE-ISSUER"}),
        (('0 issuemail ";"', '0 issuemail "digicert.com"', '0 issue ";"'), {"EMPTY-BESIDE-ISSUER"}),
        (('0 issue ";"', '0 issuewild "letsencrypt.org"'), set()),
        (
            (f'0 issue "letsencrypt.org;accounturi={ACCOUNT}"', '0 issue "letsencrypt.org"'),
            {"OPEN-BESIDE-BOUND"},
        ),
        (
            (
                f'0 issue "letsencrypt.org;accounturi={ACCOUNT}"',
                '0 issue "letsencrypt.org;validationmethods=dns-01"',
            ),
            {"OPEN-BESIDE-BOUND"},
        ),
        (
            (
                '0 issue "digicert.com;validationmethods=dns-01"',
                '0 issue "www.digicert.com"',
            ),
            {"OPEN-BESIDE-BOUND"},
        ),
        (
            (
                f'0 issue "letsencrypt.org;accounturi={ACCOUNT}"',
                '0 issuewild "letsencrypt.org"',
            ),
            {"OPEN-BESIDE-BOUND"},
        ),
        (
            (
                f'0 issue "letsencrypt.org;accounturi={ACCOUNT}"',
                '0 issue "digicert.com"',
            ),
            set(),
        ),
        (
            (
                '0 issue "letsencrypt.org;validationmethods=http-01"',
                '0 issuewild "letsencrypt.org;validationmethods=dns-01"',
            ),
            set(),
        ),
        (
            (
                '0 issue "letsencrypt.org"',
                f'0 issuewild "letsencrypt.org;accounturi={ACCOUNT}"',
            ),
            set(),
        ),
    ],
)
def test_what_a_set_means(texts: tuple[str, ...], expected: set[str]) -> None:
    """The traps that no line shows by itself."""
    assert linted(*texts) == expected


def test_low_matters() -> None:
    """What is left open is told, and how far `issue ";"` reaches."""
    least = Severity.INFO
    left_open = {"NO-ISSUEWILD", "SMIME-OPEN", "VMC-OPEN", "IODEF-MISSING"}
    assert linted('0 issue "letsencrypt.org"', least=least) == left_open
    assert linted('0 issue ";"', least=least) == left_open - {"NO-ISSUEWILD"}
    found = lint_records(records('0 issue ";"'), (), SETTING)
    assert any("but any may for mail addresses" in each.message for each in found)


def test_one_meaning_twice() -> None:
    """Spelling does not make two records different."""
    texts = ('0 issue "letsencrypt.org"', '0 ISSUE "letsencrypt.org "')
    assert "DUPLICATE-RECORD" in linted(*texts, least=Severity.LOW)
    texts = ('0 issue "letsencrypt.org"', '0 issuewild "letsencrypt.org"')
    assert "DUPLICATE-RECORD" not in linted(*texts, least=Severity.LOW)


def test_a_large_set() -> None:
    """More than a hundred records, or too many octets, cannot be had by UDP."""
    assert "TOO-MANY" in linted(*(f'0 issue "ca{n}.example"' for n in range(101)))
    assert "TOO-MANY" in linted(*(f'0 iodef "mailto:{"a" * 60}{n}@x.example"' for n in range(60)))
    assert "TOO-MANY" not in linted(*(f'0 issue "ca{n}.example"' for n in range(20)))


def test_a_broken_record_spoils_the_set() -> None:
    """It is a finding, and the set is then not said to permit anything."""
    broken = BrokenRecord(b"\x00\x05", "has 0 of the 5 octets of its tag")
    found = lint_records(records('0 iodef "mailto:a@example.com"'), (broken,), SETTING)
    assert ids(found) == {"BROKEN-RECORD"}
    assert RecordSet((), (broken,)).restricts(wildcard=False)


_LINES = st.lists(
    st.sampled_from(
        [
            *STRICT,
            '0 issue "letsencrypt.org"',
            '0 issue "%%%"',
            '0 issuewild "digicert.com"',
            '0 tbs "x"',
            '128 tbs "x"',
            '1 tbs "x"',
            '128 issuemail ";"',
            '128 issue ";"',
        ]
    ),
    min_size=1,
    max_size=5,
    unique=True,
)


@given(texts=_LINES, wildcard=st.booleans())
def test_the_lint_and_the_evaluation_agree_on_what_restricts(
    texts: list[str], wildcard: bool
) -> None:
    """A set restricts if, and only if, a CA that nobody named may not issue by it."""
    stranger = Request(name="example.com", issuers=("stranger.example",), wildcard=wildcard)
    decision = evaluate_caa(
        climbed("example.com", answer("example.com", *texts)), stranger, RFC8659
    )
    assert RecordSet(records(*texts)).restricts(wildcard) is not decision.allowed
    told = linted(*texts)
    if not wildcard:
        free = told & {"NOTHING-RESTRICTS", "ISSUEWILD-ONLY"}
        assert bool(free) is decision.allowed
