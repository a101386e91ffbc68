"""The search for the relevant set (RFC 8659 section 3): the name, then its parents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from ipaddress import ip_address

from pinwarden.caa.lookup import DNSSECState, Lookup, Outcome
from pinwarden.errors import MalformedError
from pinwarden.names import display, normalise_name

_LONGEST_ADDRESS = 45
_LONGEST_SHOWN = 253
# A chain is as good as its weakest link: an empty answer on the way may be the forged one.
_WEAKEST_FIRST = (
    DNSSECState.BOGUS,
    DNSSECState.INDETERMINATE,
    DNSSECState.INSECURE,
    DNSSECState.SECURE,
)


@dataclass(frozen=True, slots=True)
class CAAName:
    """A name as a certificate would carry it.

    `text` is what was given; `name` is what CAA is asked for: lower case, A-labels,
    no final dot, and without the `*.` of a wildcard name (RFC 8659 section 3).
    `problem` says why this is no name at all; `name` is then as messages show the text.
    """

    text: str
    name: str
    wildcard: bool = False
    is_ip: bool = False
    problem: str = ""


def parse_caa_name(text: str) -> CAAName:
    """A DNS name, a wildcard name or an IP address, as a person writes it.

    Raises `MalformedError` for anything else.
    """
    name = text.strip()
    address = _address(name)
    if address is not None:
        return CAAName(text, address, is_ip=True)
    wildcard = name.startswith("*.")
    return CAAName(text, normalise_name(name[2:] if wildcard else name), wildcard)


def _address(text: str) -> str | None:
    if ":" not in text and not text[-1:].isdigit():
        return None
    bare = text.removeprefix("[").removesuffix("]")
    if len(bare) > _LONGEST_ADDRESS:
        return None
    try:
        return str(ip_address(bare))
    except ValueError:
        return None


def why_not_applicable(name: str) -> str | None:
    """Why CAA says nothing about a name at all; None for a name that it governs.

    IP addresses have no place in DNS where CAA could stand, and the Baseline
    Requirements (section 3.2.2.8) leave onion names out, as resolvers must (RFC 7686).
    """
    if name.endswith(".onion") or name == "onion":
        return "names under .onion are not in DNS, and CAA is not consulted for them"
    if _address(name) is not None:
        return "CAA is not consulted for IP addresses"
    return None


@dataclass(frozen=True, slots=True)
class RelevantSet:
    """Where the search ended: at a set, at a failure, or above the top without either.

    `relevant_name` is the question that ended it, not the target of an alias, and
    `lookup` what came of that question; both are None when nothing was found. `steps`
    are all questions in the order in which they were asked.
    """

    name: str
    relevant_name: str | None = None
    lookup: Lookup | None = None
    steps: tuple[Lookup, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a question that had to be answered was not."""
        return self.lookup is not None and self.lookup.outcome is Outcome.FAILED

    @property
    def dnssec(self) -> DNSSECState:
        """The weakest state among the answers; indeterminate where nothing was asked."""
        states = {step.dnssec for step in self.steps}
        for state in _WEAKEST_FIRST:
            if state in states:
                return state
        return DNSSECState.INDETERMINATE


def climb(name: str) -> Generator[str, Lookup, RelevantSet]:
    """The search as a conversation: yields a name to ask for, is sent the `Lookup`.

    A set ends it even if nothing in it restricts, or nothing in it can be read. So does
    a failure, since what could not be asked may hold a set; above a set nothing is asked.
    """
    steps: tuple[Lookup, ...] = ()
    asked = name
    while asked:
        lookup = yield asked
        steps = (*steps, lookup)
        if lookup.outcome is Outcome.RECORDS or lookup.outcome is Outcome.FAILED:
            return RelevantSet(name, asked, lookup, steps)
        asked = asked.partition(".")[2]
    return RelevantSet(name, steps=steps)


def climb_with(name: str, look_up: Callable[[str], Lookup]) -> RelevantSet:
    """The search, with a function that answers at once (a zone file, a test)."""
    search = climb(name)
    asked = next(search)
    while True:
        try:
            asked = search.send(look_up(asked))
        except StopIteration as end:
            found: RelevantSet = end.value
            return found


async def climb_asking(name: str, look_up: Callable[[str], Awaitable[Lookup]]) -> RelevantSet:
    """The search, with a function whose answers are waited for (a resolver)."""
    search = climb(name)
    asked = next(search)
    while True:
        lookup = await look_up(asked)
        try:
            asked = search.send(lookup)
        except StopIteration as end:
            found: RelevantSet = end.value
            return found


def parse_names(lines: str) -> tuple[CAAName, ...]:
    """Names from a list: one a line, `#` starts a comment, empty lines mean nothing.

    Raises `MalformedError` naming the line.
    """
    names = read_names(lines)
    for name in names:
        if name.problem:
            raise MalformedError(name.problem)
    return names


def read_names(lines: str) -> tuple[CAAName, ...]:
    """As `parse_names`, but what is no name comes back with its `problem`; never raises."""
    names = []
    for number, line in enumerate(lines.removeprefix("\ufeff").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            names.append(parse_caa_name(text))
        except MalformedError as error:
            shown = display(text, _LONGEST_SHOWN)
            names.append(CAAName(text, shown, problem=f"line {number}: {error}"))
    return tuple(names)
