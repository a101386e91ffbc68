"""Random policies, zones and requests, decided by ours and by `support.caa_oracle`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pinwarden.caa.climb import climb_with
from pinwarden.caa.evaluate import Purpose, Request, evaluate_caa
from pinwarden.caa.profiles import Profile
from pinwarden.caa.value import parse_issue_value
from pinwarden.caa.zone.zonefile import parse_zone, zone_look_up
from pinwarden.errors import MalformedError
from support.caa_oracle import ISSUE_VALUE, Name, Query, World, decide, text_of, zone_text

ACCOUNT, OTHER = b"https://ca1.example/acct/1", b"acct:ops@ca1.example"
# Pieces that values are made of, and what is near them.
PIECES = (
    *(b" ", b"\t", b";", b"=", b",", b".", b"-", b"_", b"a", b"Z", b"0", b'"', b"%", b"\\", b":"),
    *(b"\n", b"\r", b"\x00", b"\x7f", b"\x80", b"\xc3\xa9", b"\xa0", b"\x0b", b"\xb2", b"\x1c"),
    *(b"ca1.example", b"CA1.Example", b"ca2.example", b"; ", b" ; ", b"accounturi", b"AccountURI"),
    *(b"validationmethods", b"http-01", b"dns-01", b"ca-tbr-19", b"HTTP-01", b"foo=bar"),
    *(
        b"accounturi=" + ACCOUNT,
        b"accounturi=" + OTHER,
        b"validationmethods=dns-01,http-01",
        ACCOUNT,
    ),
)
VALUES = st.lists(st.sampled_from(PIECES), max_size=9).map(b"".join)
# Mostly well formed, since few random values are.
PARAMETERS = st.lists(
    st.sampled_from(
        (
            b"accounturi=" + ACCOUNT,
            b"accounturi=" + OTHER,
            b"AccountUri = " + ACCOUNT,
            b"accounturi=1",
            b"accounturi=",
            b"validationmethods=http-01",
            b"validationmethods=dns-01,ca-tbr-19",
            b"ValidationMethods=dns-01",
            b"validationmethods=",
            b"validationmethods=dns-01,",
            b"x-y=z",
            b"",
            b"x_y=z",
        )
    ),
    max_size=3,
)
LIKELY = st.builds(
    lambda issuer, parameters, blank: (b";" + blank).join((issuer, *parameters)),
    st.sampled_from(
        (b"ca1.example",) * 4 + (b"", b"CA1.example", b" ca2.example ", b"ca1.example.")
    ),
    PARAMETERS,
    st.sampled_from((b"", b" ", b"\t")),
)
TAGS = st.sampled_from(
    (b"issue",) * 8
    + (b"ISSUE", b"issuewild", b"IssueWild", b"issuemail", b"iodef", b"tbs")
    + (b"is-sue", b"issue\x00", b"\xe9", b"issuewild ")
)
FLAGS = st.sampled_from((0,) * 8 + (128, 1, 127, 255))
WHOLE = st.builds(
    lambda flags, tag, value: bytes((flags, len(tag))) + tag + value,
    FLAGS,
    TAGS,
    st.one_of(LIKELY, LIKELY, VALUES),
)
RDATA = st.one_of(
    WHOLE,
    WHOLE,
    WHOLE,
    st.sampled_from(
        (b"", b"\x00", b"\x00\x00", b"\x80\x00issue", b"\x00\x05issu", b"\x00\x05issue")
    ),
)
SETS = st.lists(RDATA, min_size=1, max_size=4, unique=True)
TOPS = ((b"example", b"a"), (b"example", b"b"), (b"test",))
NAMES: st.SearchStrategy[Name] = st.builds(
    lambda top, rest: (*top, *rest),
    st.sampled_from(TOPS),
    st.lists(st.sampled_from((b"a", b"b", b"c")), max_size=3),
)
QUERIES = st.builds(
    Query,
    issuers=st.sampled_from(((b"ca1.example",), (b"CA1.EXAMPLE",), (b"x.example", b"ca1.example"))),
    wildcard=st.booleans(),
    account=st.sampled_from((None, ACCOUNT, OTHER)),
    method=st.sampled_from((None, b"http-01", b"dns-01", b"ca-tbr-19")),
    tag=st.sampled_from((b"issue", b"issue", b"issuemail")),
    known=st.sampled_from(
        (
            frozenset((b"issue", b"issuewild", b"iodef")),
            frozenset((b"issue", b"issuewild", b"iodef", b"issuemail")),
            frozenset((b"issue", b"issuewild", b"tbs")),
        )
    ),
    parameters=st.sampled_from((True, True, False)),
    same_methods=st.sampled_from(
        (
            (),
            (
                frozenset((b"http-01", b"ca-tbr-19")),
                frozenset((b"dns-01", b"ca-tbr-7")),
            ),
        )
    ),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, Name]:
    """Small trees with everything that a tree of CAA may have in it, and a name to ask about."""
    world = World()
    owners = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    for owner in owners:
        kind = draw(st.sampled_from(("caa", "caa", "caa", "cname", "dname", "other")))
        wild = draw(st.booleans()) and kind != "dname"
        name = (*owner, b"*") if wild else owner
        if kind == "caa":
            world.caa[name] = draw(SETS)
        elif kind == "cname":
            world.cname[name] = draw(NAMES)
        elif kind == "dname":
            world.dname[name] = draw(NAMES)
            if draw(st.booleans()):
                world.caa[name] = draw(SETS)
        else:
            world.other.add(name)
    below = draw(st.lists(st.sampled_from((b"a", b"b")), max_size=2))
    return world, (*draw(st.sampled_from(owners)), *below)


def profile_of(query: Query) -> Profile:
    return Profile(
        name="random",
        source="",
        known_tags=frozenset(tag.decode() for tag in query.known),
        supports_rfc8657=query.parameters,
        br_label_aliases=bool(query.same_methods),
    )


def request_of(name: Name, query: Query) -> Request:
    return Request(
        name=text_of(name),
        issuers=tuple(issuer.decode() for issuer in query.issuers),
        wildcard=query.wildcard,
        account_uri=None if query.account is None else query.account.decode(),
        method=None if query.method is None else query.method.decode(),
        purpose=Purpose.SMIME if query.tag == b"issuemail" else Purpose.TLS,
    )


@given(VALUES)
def test_values_are_what_the_grammar_says(value: bytes) -> None:
    match = ISSUE_VALUE.fullmatch(value)
    try:
        parsed = parse_issue_value(value)
    except MalformedError:
        assert match is None
        return
    assert match is not None
    assert parsed.issuer == (match["issuer"] and match["issuer"].decode())
    pieces = match["parameters"].split(b";") if match["parameters"] else []
    assert [each.tag.encode() for each in parsed.parameters] == [
        piece.partition(b"=")[0].strip(b" \t") for piece in pieces
    ]
    assert [each.value.encode() for each in parsed.parameters] == [
        piece.partition(b"=")[2].strip(b" \t") for piece in pieces
    ]


def agree(world: World, name: Name, query: Query) -> None:
    zone = parse_zone(zone_text(world), ".")
    assert zone.problems == ()
    found = climb_with(text_of(name), lambda asked: zone_look_up(zone, asked))
    decision = evaluate_caa(found, request_of(name, query), profile_of(query))
    told = decision.allowed, str(decision.reason), decision.relevant_name
    allowed, reason, where = decide(world, name, query)
    assert told == (allowed, reason, where and text_of(where))


@settings(max_examples=300)
@given(worlds(), QUERIES)
def test_searches_end_where_those_of_the_oracle_do(asked: tuple[World, Name], query: Query) -> None:
    agree(*asked, query)


@settings(max_examples=300)
@given(SETS, QUERIES)
def test_sets_are_judged_as_by_the_oracle(rdata: list[bytes], query: Query) -> None:
    name = (b"example", b"a")
    agree(World(caa={name: rdata}), name, query)
