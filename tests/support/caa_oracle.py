"""CAA a second time, straight from the texts, to hold ours against.

Nothing of `pinwarden.caa` is used, and nothing is done in the same manner: the grammar of
RFC 8659 is one regular expression put together as its ABNF is, names are tuples of labels
from the root down, DNS answers come from the definitions of RFC 4592 instead of a walk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Name = tuple[bytes, ...]

_WSP = rb"[ \t]*"
_LABEL = rb"[A-Za-z0-9](?:-*[A-Za-z0-9])*"
_ISSUER = rb"%b(?:\.%b)*" % (_LABEL, _LABEL)
_PARAMETER = rb"%b%b=%b[\x21-\x3a\x3c-\x7e]*" % (_LABEL, _WSP, _WSP)
_PARAMETERS = rb"%b(?:%b;%b%b)*" % (_PARAMETER, _WSP, _WSP, _PARAMETER)
ISSUE_VALUE = re.compile(
    rb"%b(?:(?P<issuer>%b)%b)?(?:;%b(?:(?P<parameters>%b)%b)?)?"
    % (_WSP, _ISSUER, _WSP, _WSP, _PARAMETERS, _WSP),
    re.DOTALL,
)
_URI = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:[^ ]*")
_METHODS = re.compile(rb"(?:[A-Za-z0-9-]+(?:,[A-Za-z0-9-]+)*)?")


@dataclass(frozen=True)
class Query:
    """What is asked, and the switches of the CA's profile."""

    issuers: tuple[bytes, ...]
    wildcard: bool = False
    account: bytes | None = None
    method: bytes | None = None
    tag: bytes = b"issue"
    known: frozenset[bytes] = frozenset((b"issue", b"issuewild", b"iodef"))
    parameters: bool = True
    same_methods: tuple[frozenset[bytes], ...] = ()


@dataclass
class World:
    """One tree of names: CAA RDATA, aliases and other things at names."""

    caa: dict[Name, list[bytes]] = field(default_factory=dict)
    cname: dict[Name, Name] = field(default_factory=dict)
    dname: dict[Name, Name] = field(default_factory=dict)
    other: set[Name] = field(default_factory=set)

    def exists(self, name: Name) -> bool:
        """RFC 4592 section 2.2.2: a name exists if it, or a name below it, has records."""
        owners: Iterable[Name] = (*self.caa, *self.cname, *self.dname, *self.other)
        return any(owner[: len(name)] == name for owner in owners)

    def answer(self, name: Name) -> list[bytes] | None:
        """The CAA RDATA that a question comes to, none of it for an empty answer; None: a loop."""
        seen = set()
        while name not in seen:
            seen.add(name)
            above = [name[:depth] for depth in range(len(name)) if name[:depth] in self.dname]
            if above:
                name = self.dname[above[0]] + name[len(above[0]) :]
                if sum(map(len, name)) + len(name) + 1 > 255:
                    return None
                continue
            node = name
            if not self.exists(node):
                encloser = max(
                    (name[:depth] for depth in range(len(name)) if self.exists(name[:depth])),
                    key=len,
                    default=(),
                )
                node = (*encloser, b"*")
            if node in self.cname:
                name = self.cname[node]
                continue
            return self.caa.get(node, [])
        return None


def decide(world: World, name: Name, query: Query) -> tuple[bool, str, Name | None]:
    """Whether issuance is permitted, why, and where the search ended (RFC 8659 section 3)."""
    for depth in range(len(name), 0, -1):
        answer = world.answer(name[:depth])
        if answer is None:
            return False, "lookup-failure", name[:depth]
        if answer:
            return *_judge(set(answer), query), name[:depth]
    return True, "no-rrset", None


def _judge(rdata: set[bytes], query: Query) -> tuple[bool, str]:
    whole = {each for each in rdata if len(each) >= 2 and 0 < each[1] <= len(each) - 2}
    records = [
        (each[0], each[2 : 2 + each[1]].lower(), each[2 + each[1] :]) for each in sorted(whole)
    ]
    if any(flags >= 128 and not _known(tag, query) for flags, tag, _ in records):
        return False, "unknown-critical"
    tag = query.tag
    if query.wildcard and tag == b"issue" and b"issuewild" in {tag for _, tag, _ in records}:
        tag = b"issuewild"
    outcomes = [_property(value, query) for _, each, value in records if each == tag]
    if not outcomes:
        allowed, reason = True, "no-restricting-property"
    elif "issuer-authorized" in outcomes:
        allowed, reason = True, "issuer-authorized"
    else:
        last = ("issuer-not-listed", "malformed-value", "empty-issuer")
        first = [each for each in outcomes if each not in last]
        allowed, reason = False, (first or [each for each in last if each in outcomes])[0]
    if allowed and len(whole) < len(rdata):
        return False, "lookup-failure"
    return allowed, reason


def _known(tag: bytes, query: Query) -> bool:
    return re.fullmatch(rb"[a-z0-9]+", tag) is not None and tag in query.known


def _property(value: bytes, query: Query) -> str:
    match = ISSUE_VALUE.fullmatch(value)
    if match is None:
        return "malformed-value"
    if match["issuer"] is None:
        return "empty-issuer"
    if match["issuer"].lower() not in [issuer.lower() for issuer in query.issuers]:
        return "issuer-not-listed"
    if not query.parameters:
        return "issuer-authorized"
    named: dict[bytes, list[bytes]] = {}
    for piece in (match["parameters"] or b"").split(b";"):
        tag, _, content = piece.partition(b"=")
        named.setdefault(tag.strip(b" \t").lower(), []).append(content.strip(b" \t"))
    return (
        _account(named.get(b"accounturi", []), query)
        or _method(named.get(b"validationmethods", []), query)
        or "issuer-authorized"
    )


def _account(uris: Sequence[bytes], query: Query) -> str:
    if not uris:
        return ""
    if len(uris) > 1 or not _URI.fullmatch(uris[0]):
        return "account-unsatisfiable"
    return "" if uris[0] == query.account else "account-mismatch"


def _method(lists: Sequence[bytes], query: Query) -> str:
    if not lists:
        return ""
    if len(lists) > 1 or not _METHODS.fullmatch(lists[0]):
        return "method-unsatisfiable"
    labels = set(lists[0].split(b",")) - {b""}
    for same in query.same_methods:
        labels |= same if same & {label.lower() for label in labels} else set()
    return "" if query.method in labels else "method-mismatch"


def text_of(name: Name) -> str:
    """A name as people write it."""
    return ".".join(label.decode("ascii") for label in reversed(name))


def zone_text(world: World) -> str:
    """Master file text, CAA records in generic form (RFC 3597)."""
    aliases: tuple[tuple[str, Mapping[Name, Name]], ...]
    aliases = (("CNAME", world.cname), ("DNAME", world.dname))
    lines = [
        f"{text_of(owner)}. 60 IN CAA \\# {len(rdata)} {rdata.hex()}"
        for owner, set_ in world.caa.items()
        for rdata in set_
    ]
    lines += [
        f"{text_of(owner)}. 60 IN {kind} {text_of(target)}."
        for kind, at in aliases
        for owner, target in at.items()
    ]
    lines += [f"{text_of(owner)}. 60 IN A 192.0.2.1" for owner in world.other]
    return "".join(f"{line}\n" for line in sorted(lines))
