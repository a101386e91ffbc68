"""Answers out of a zone file: as name servers give them, and never more than it knows."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.lookup import Failure, Lookup, Outcome
from pinwarden.caa.record import CAARecord
from pinwarden.caa.zone.zonefile import parse_zone, zone_look_up
from pinwarden.errors import MalformedError

VECTORS = Path(__file__).parents[2] / "vectors" / "caa.json"
ZONE = parse_zone(
    """\
$ORIGIN example.com.
@ 600 SOA ns hostmaster 1 2 3 4 90
@ 600 NS ns
@ 300 CAA 0 issue "apex.example"
@ 200 CAA 0 issue "apex.example"
@ 400 CAA 0 issue "other.example"
www 600 A 192.0.2.1
a.ent 600 TXT "x"
*.w 600 CAA 0 issue "wild.example"
sub.host.w 600 A 192.0.2.1
*.star 600 CNAME www
*.alias 80 CNAME caa
caa 70 CAA 0 issue "caa.example"
away 600 CNAME www.example.org.
dead 600 CNAME nowhere
chain1 50 CNAME chain2
chain2 60 CNAME caa
loop1 600 CNAME LOOP2
loop2 600 CNAME loop1
self 600 CNAME self
deep 600 CNAME x.deep
child 600 NS ns.child
ns.child 600 A 192.0.2.1
child 600 CAA 0 issue "occluded.example"
below.child 600 CAA 0 issue "occluded.example"
dn 40 DNAME target
dn 600 CAA 0 issue "owner.example"
host.target 600 CAA 0 issue "target.example"
*.dnw 600 DNAME target
long 600 DNAME LONG.long.very.LABELS
two 600 CNAME www
two 600 CNAME caa
both 600 CNAME caa
both 600 CAA 0 issue "hidden.example"
generic 600 TYPE5 \\# 17 03636161076578616D706C6503636F6D00
bad 600 CAA 0 issue
badalias 600 CNAME
typo 600 CCA 0 issue "ca"
esc\\046aped 600 CAA 0 issue "escaped.example"
""".replace("LONG", "x" * 63).replace("LABELS", ".".join(("y" * 60, "z" * 60))),
    None,
)


def issuers(found: Lookup) -> list[str]:
    return [record.value.decode() for record in found.records]


@pytest.mark.parametrize(
    ("name", "found", "ttl", "aliases"),
    [
        ("example.com", ["apex.example", "other.example"], 200, ()),
        ("EXAMPLE.Com.", ["apex.example", "other.example"], 200, ()),
        ("x.w.example.com", ["wild.example"], 600, ()),
        ("y.x.w.example.com", ["wild.example"], 600, ()),
        ("*.w.example.com", ["wild.example"], 600, ()),
        ("foo.alias.example.com", ["caa.example"], 70, ("caa.example.com",)),
        ("chain1.example.com", ["caa.example"], 50, ("chain2.example.com", "caa.example.com")),
        ("both.example.com", ["caa.example"], 70, ("caa.example.com",)),
        ("dn.example.com", ["owner.example"], 600, ()),
        ("host.dn.example.com", ["target.example"], 40, ("host.target.example.com",)),
        ("esc\\.aped.example.com", ["escaped.example"], 600, ()),
    ],
)
def test_records(name: str, found: list[str], ttl: int, aliases: tuple[str, ...]) -> None:
    """The least TTL of the set and its aliases counts, and no record counts twice."""
    answer = zone_look_up(ZONE, name)
    assert answer.outcome is Outcome.RECORDS
    assert (issuers(answer), answer.ttl, answer.aliases) == (found, ttl, aliases)
    assert (answer.rcode, answer.server, answer.transport) == (
        "NOERROR",
        "zone example.com",
        "file",
    )


@pytest.mark.parametrize(
    ("name", "outcome", "ttl"),
    [
        ("www.example.com", Outcome.NO_DATA, 90),
        ("ent.example.com", Outcome.NO_DATA, 90),
        ("w.example.com", Outcome.NO_DATA, 90),
        # RFC 4592 section 2.2.2: the wildcard covers no empty non-terminal, nor what is below one.
        ("host.w.example.com", Outcome.NO_DATA, 90),
        ("x.host.w.example.com", Outcome.NO_SUCH_NAME, 90),
        ("x.star.example.com", Outcome.NO_DATA, 90),
        ("none.example.com", Outcome.NO_SUCH_NAME, 90),
        ("x.none.example.com", Outcome.NO_SUCH_NAME, 90),
        ("x.www.example.com", Outcome.NO_SUCH_NAME, 90),
        ("dead.example.com", Outcome.NO_SUCH_NAME, 90),
        ("deep.example.com", Outcome.NO_SUCH_NAME, 90),
        ("other.dn.example.com", Outcome.NO_SUCH_NAME, 40),
        # RFC 6672 does not let a synthesised DNAME redirect the name it was made for.
        ("x.dnw.example.com", Outcome.NO_DATA, 90),
    ],
)
def test_absences(name: str, outcome: Outcome, ttl: int) -> None:
    answer = zone_look_up(ZONE, name)
    assert (answer.outcome, answer.ttl, answer.failure) == (outcome, ttl, None)
    assert answer.rcode == ("NOERROR" if outcome is Outcome.NO_DATA else "NXDOMAIN")


@pytest.mark.parametrize(
    ("name", "failure", "problem"),
    [
        ("com", Failure.UNREACHABLE, "name 'com' is outside the zone file"),
        ("example.org", Failure.UNREACHABLE, "name 'example.org' is outside the zone file"),
        ("notexample.com", Failure.UNREACHABLE, "'notexample.com' is outside"),
        ("away.example.com", Failure.UNREACHABLE, "'www.example.org' is outside"),
        ("child.example.com", Failure.UNREACHABLE, "'child.example.com' is delegated"),
        ("below.child.example.com", Failure.UNREACHABLE, "'child.example.com' is delegated"),
        (
            "loop1.example.com",
            Failure.ALIAS_LOOP,
            "aliases of 'loop1.example.com' lead in a circle",
        ),
        ("self.example.com", Failure.ALIAS_LOOP, "lead in a circle"),
        ("h" * 60 + ".long.example.com", Failure.OTHER_RCODE, "becomes too long"),
        ("two.example.com", Failure.MALFORMED, "has several CNAME records"),
        ("badalias.example.com", Failure.MALFORMED, "CNAME record: has 0 words"),
        ("typo.example.com", Failure.MALFORMED, "'CCA' is no record type"),
    ],
)
def test_what_a_zone_file_cannot_know_is_a_failure(
    name: str, failure: Failure, problem: str
) -> None:
    """Silence about it would be taken for permission."""
    answer = zone_look_up(ZONE, name)
    assert (answer.outcome, answer.failure) == (Outcome.FAILED, failure)
    assert problem in answer.problem
    assert answer.problem.isprintable()
    assert answer.ttl is None


def test_an_alias_in_generic_form_is_followed() -> None:
    assert issuers(zone_look_up(ZONE, "generic.example.com")) == ["caa.example"]


def test_a_record_that_cannot_be_read_is_a_broken_one() -> None:
    answer = zone_look_up(ZONE, "bad.example.com")
    assert (answer.outcome, answer.records) == (Outcome.RECORDS, ())
    assert "has no value" in answer.broken[0].problem


def test_several_zones_answer_together() -> None:
    """The one whose apex is nearest answers, and aliases lead from one into another."""
    org = parse_zone('www 5 CAA 0 issue "org.example"', "example.org")
    child = parse_zone('below 5 CAA 0 issue "child.example"', "child.example.com")
    zones = (ZONE, org, child)
    assert issuers(zone_look_up(zones, "away.example.com")) == ["org.example"]
    assert issuers(zone_look_up(zones, "below.child.example.com")) == ["child.example"]
    answer = zone_look_up(zones, "child.example.com")
    assert (answer.outcome, answer.server) == (Outcome.NO_DATA, "zone child.example.com")


def test_a_chain_of_aliases_is_no_loop_for_its_length() -> None:
    links = "".join(f"n{each} CNAME n{each + 1}\n" for each in range(500))
    zone = parse_zone(f'{links}n500 CAA 0 issue "end.example"', "example.com")
    assert issuers(zone_look_up(zone, "n0.example.com")) == ["end.example"]


@pytest.mark.parametrize("name", ["", "a..b", "\\999", "x" * 64, "a." * 128])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        zone_look_up(ZONE, name)


def test_the_root_is_a_zone() -> None:
    zone = parse_zone('test. CAA 0 issue "tld.example"\n*.x. CAA 0 issue "w.example"', ".")
    assert issuers(zone_look_up(zone, "test")) == ["tld.example"]
    assert issuers(zone_look_up(zone, "a.x")) == ["w.example"]
    assert zone_look_up(zone, "other").outcome is Outcome.NO_SUCH_NAME
    assert zone_look_up(zone, "other").server == "zone ."


LABELS = st.sampled_from(["a", "b", "*", "w"])
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
ENTRIES = st.one_of(
    NAMES.map(lambda name: f'{name} CAA 0 issue "{name.replace("*", "star")}"'),
    st.builds("{} {} {}".format, NAMES, st.sampled_from(["CNAME", "DNAME", "NS"]), NAMES),
    NAMES.map(lambda name: f"{name} A 192.0.2.1"),
)


@given(st.lists(ENTRIES, max_size=8), NAMES)
def test_every_question_is_answered(lines: list[str], name: str) -> None:
    """Whatever the aliases do, the answer is one of the four, and says what it must."""
    zone = parse_zone("\n".join(lines), ".")
    answer = zone_look_up(zone, name)
    assert (answer.outcome is Outcome.FAILED) is (answer.failure is not None)
    assert bool(answer.problem) is (answer.outcome is Outcome.FAILED)
    assert bool(answer.records) is (answer.outcome is Outcome.RECORDS)
    if not any("NAME" in line or " NS " in line for line in lines):
        assert issuers(answer) == list(map(issuer_of, _without_aliases(lines, name)))


def issuer_of(owner: str) -> str:
    return owner.replace("*", "star")


def _without_aliases(lines: list[str], name: str) -> list[str]:
    """The owner whose CAA set answers, by RFC 4592 section 3.3.1 read literally."""
    owners = {line.split()[0] for line in lines}
    nodes = {owner.split(".", skip)[-1] for owner in owners for skip in range(owner.count(".") + 1)}
    source = name
    if name not in nodes:
        parents = [name.split(".", skip)[-1] for skip in range(1, name.count(".") + 1)]
        encloser = next((each for each in parents if each in nodes), "")
        source = f"*.{encloser}" if encloser else "*"
    return [source] if any(line.startswith(f"{source} CAA") for line in lines) else []


def cases() -> list[Any]:
    return [
        pytest.param(case, id=case["id"])
        for case in json.loads(VECTORS.read_text())
        if all(each["type"] in ("A", "CAA", "CNAME", "DNAME") for each in case["zone"])
        and "repeat" not in str(case["zone"])
        and case["expect"]["reason"] not in ("lookup-failure", "not-applicable")
    ]


@pytest.mark.parametrize("case", cases())
def test_the_search_of_the_vectors_ends_where_they_say(case: dict[str, Any]) -> None:
    """RFC 8659 section 3, climbed here by hand over one authoritative tree."""
    lines = [f"{each['owner']}. 60 {each['type']} {each['rdata']}" for each in case["zone"]]
    zone = parse_zone("\n".join(lines), ".")
    assert zone.problems == ()
    name = case["query"]["domain"].lower().removesuffix(".")
    relevant = None
    while name and relevant is None:
        answer = zone_look_up(zone, name)
        assert answer.outcome is not Outcome.FAILED
        relevant = name if answer.outcome is Outcome.RECORDS else None
        name = name.partition(".")[2]
    assert relevant == case["expect"]["relevant_name"]
    assert all(isinstance(each, CAARecord) for each in answer.records)
