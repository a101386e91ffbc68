"""What the lint says about a zone file."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinwarden.caa.lint.zone import lint_zone, policy_in_zone
from pinwarden.caa.zone.zonefile import parse_zone
from pinwarden.findings import Finding, Severity, where_of
from support.caa_lint import SETTING, STRICT, ids
from support.caa_vectors import cases

_HEAD = "$TTL 3600\n@ SOA ns root 1 2 3 4 5\n@ NS ns.example.net.\n"
_POLICY = "".join(f"@ CAA {text}\n" for text in STRICT)


def linted(text: str, *names: str) -> dict[str, set[str]]:
    """The ids by name, of low severity and above."""
    by_name: dict[str, list[Finding]] = {}
    for each in lint_zone(parse_zone(_HEAD + text, "example.com"), SETTING, names):
        by_name.setdefault(each.subject, []).append(each)
    return {name: found for name, each in by_name.items() if (found := ids(each))}


def test_a_good_zone_is_left_alone() -> None:
    """A strict policy, and every ordinary record beside it."""
    assert linted(_POLICY + "www A 192.0.2.1\nsub NS ns.example.net.\n*.dyn A 192.0.2.2\n") == {}
    assert linted(_POLICY + "www A 192.0.2.1\nweb CNAME www\n", "web.example.com") == {}


def test_a_zone_without_caa() -> None:
    """The apex has no policy; what stands above the zone is not held against it."""
    assert linted("www A 192.0.2.1\n") == {"example.com": {"NO-POLICY"}}
    assert linted("", "a.b.example.com") == {"a.b.example.com": {"NO-POLICY"}}


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ('*.a CAA 0 issue ";"\n', "*.a.example.com", "LITERAL-WILDCARD"),
        ('a CNAME b\na CAA 0 issue ";"\n', "a.example.com", "AT-ALIAS"),
        ('a NS ns.example.net.\na CAA 0 issue ";"\n', "a.example.com", "OCCLUDED"),
        ('a NS ns.example.net.\nx.a CAA 0 issue ";"\n', "x.a.example.com", "OCCLUDED"),
        ('a DNAME b.example.net.\nx.a CAA 0 issue ";"\n', "x.a.example.com", "OCCLUDED"),
        ('a.example.net. CAA 0 issue ";"\n', "a.example.net", "OCCLUDED"),
        ('example.com CAA 0 issue ";"\n', "example.com.example.com", "OWNER-DOUBLED"),
        ('www.example.com CAA 0 issue ";"\n', "www.example.com.example.com", "OWNER-DOUBLED"),
        ('a CAA 0 iodef "mailto:a@example.com"\n', "a.example.com", "CHILD-OPENS-PARENT"),
        ('a.b CAA 0 issuewild ";"\n', "a.b.example.com", "CHILD-OPENS-PARENT"),
        ("a CAA 0 issue\n", "a.example.com", "BROKEN-RECORD"),
        ("a CAA \\# 2 0005\n", "a.example.com", "BROKEN-RECORD"),
        ("a NS ns.example.net.\nx.a CAA issue\n", "x.a.example.com", "BROKEN-RECORD"),
        (
            'a CAA 0 issue ";"\na 7200 CAA 0 issuewild ";"\n',
            "a.example.com",
            "TTL-DIFFERS",
        ),
        ('a CAA 0 issue ";"\na CAA 0 issue ";"\n', "a.example.com", "DUPLICATE-RECORD"),
        ('a 2d CAA 0 issue ";"\n', "a.example.com", "TTL-LONG"),
        (
            "a CAA 0 issue letsencrypt.org ; validationmethods=dns-01\n",
            "a.example.com",
            "PARAMETERS-LOST",
        ),
        (
            "a CAA 0 issue letsencrypt.org;accounturi=https://x.example/1\n",
            "a.example.com",
            "PARAMETERS-LOST",
        ),
    ],
)
def test_traps_of_zone_files(text: str, name: str, expected: str) -> None:
    """Each is found at its name, and at no other."""
    found = linted(_POLICY + text)
    assert expected in found.pop(name)
    assert found == {}


def test_a_comment_is_no_parameter() -> None:
    """People write comments behind records."""
    text = 'a CAA 0 issue "letsencrypt.org" ; owner=team-web\n'
    assert "PARAMETERS-LOST" not in linted(_POLICY + text)["a.example.com"]


def test_an_alias_out_of_the_zone_is_only_told() -> None:
    """The file cannot know what stands at the target; that is no failure."""
    zone = parse_zone(_HEAD + _POLICY + "www CNAME x.cdn.example.net.\n", "example.com")
    for names in ((), ("www.example.com",)):
        found = lint_zone(zone, SETTING, names)
        assert [(each.subject, each.id) for each in found] == [
            ("www.example.com", "PW-CAA-ALIAS-OPEN")
        ]


def test_where_is_a_line() -> None:
    """A finding leads to the line of the file."""
    text = _HEAD + '@ CAA 0 issue "letsencrypt.org"\n@ CAA 0 issue ";"\n'
    found = lint_zone(parse_zone(text, "example.com"), SETTING)
    (told,) = [each for each in found if each.id == "PW-CAA-EMPTY-BESIDE-ISSUER"]
    assert where_of(told) == 'line 5: 0 issue ";"'
    text = _HEAD + _POLICY + "a CAA 0 issue\n"
    (told,) = lint_zone(parse_zone(text, "example.com"), SETTING)
    assert where_of(told) == "line 9"


def test_a_name_is_judged_by_the_set_that_governs_it() -> None:
    """Asked for a name without CAA, the lint reads the set above it, with its lines."""
    text = '@ CAA 0 issue "letsecrypt.org"\nwww A 192.0.2.1\n'
    found = linted(text, "www.example.com")
    assert "UNKNOWN-CA" in found["www.example.com"]
    assert found["www.example.com"] == linted(text)["example.com"]


def test_above_the_zone_is_nothing() -> None:
    """The climb ends at the apex as if the names above were empty."""
    zone = parse_zone(_HEAD, "example.com")
    found = policy_in_zone(zone, "www.example.com")
    assert found.lookup is None
    assert policy_in_zone(zone, "www.example.net").failed


def test_hostile_names_and_the_root() -> None:
    """Escapes stay escapes, and a zone of the root is one."""
    text = '. SOA ns root 1 2 3 4 5\na\\027b. CAA 0 issue "x"\n'
    for each in lint_zone(parse_zone(text, "."), SETTING):
        assert each.subject.isprintable()
        assert each.message.isprintable()


def test_long_names() -> None:
    """A name at the limit of DNS is linted like any other."""
    name = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 45])
    found = linted(_POLICY, f"{name}.example.com")
    assert found == {}


_TOLD = {
    "malformed-value": {"MALFORMED-VALUE", "QUOTED-VALUE"},
    "unknown-critical": {"CRITICAL-UNKNOWN", "ILLEGAL-TAG"},
    "account-unsatisfiable": {"ACCOUNT-INVALID", "DUPLICATE-PARAMETER"},
    "method-unsatisfiable": {"METHODS-INVALID", "METHODS-EMPTY", "DUPLICATE-PARAMETER"},
}


def test_whatever_refuses_by_mistake_is_told(vectors: Path) -> None:
    """Each committed case that ends in a mistake of the records is a finding too."""
    for case in cases(vectors):
        zone = parse_zone(f". 60 SOA a. b. 1 2 3 4 5\n{case.zone()}", ".")
        told = ids(lint_zone(zone, SETTING))
        expected = _TOLD.get(case.expected["reason"])
        assert expected is None or told & expected, case.id


def test_real_zones(corpus: Path) -> None:
    """The public test suite and another tool's example, read as they were published."""
    folder = corpus / "caa"
    text = (folder / "caatestsuite" / "zones" / "caatestsuite.com.").read_text()
    told: dict[str, set[str]] = {}
    for each in lint_zone(parse_zone(text, "caatestsuite.com"), SETTING):
        told.setdefault(each.subject.split(".")[0], set()).update(ids([each]))
    assert "CRITICAL-UNKNOWN" in told["critical1"]
    assert {"CRITICAL-UNKNOWN", "RESERVED-FLAGS"} <= told["critical2"]
    assert "TOO-MANY" in told["big"]
    text = (folder / "dnscontrol" / "014-caa" / "foo.com.zone").read_text()
    found = lint_zone(parse_zone(text, "foo.com"), SETTING)
    assert ids(found, Severity.MEDIUM) == set()
