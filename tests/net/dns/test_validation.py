"""What AD is worth: only a server that validates, and says so when asked, is believed."""

from __future__ import annotations

import asyncio

import dns.flags
import dns.message
import pytest

from net.dns.asking import ZONES, resolver
from net.dns.forger import answer_to, forging
from pinwarden.caa.lookup import DNSSECState, Failure, Lookup, Outcome
from pinwarden.lab.dns import Fault, LabDNS
from pinwarden.net.dns.resolver import open_resolver
from pinwarden.net.dns.server import parse_server

RECORD = 'example.com 60 CAA 0 issue "ca.example"'


async def looked_up(lab: LabDNS, name: str = "example.com") -> Lookup:
    async with lab, resolver(lab) as asking:
        return await asking.look_up(name)


async def test_flags_that_come_back_as_they_were_sent() -> None:
    """A simple forwarder copies the flags of the question, AD among them: nothing is secure."""

    def echo(query: bytes) -> list[bytes]:
        flags = dns.flags.to_text(dns.message.from_wire(query).flags)
        return [answer_to(query, RECORD, flags=f"QR RA {flags}")]

    async with forging(echo) as (server, _), open_resolver(parse_server(server)) as asking:
        lookup = await asking.look_up("example.com")
    assert (lookup.outcome, lookup.dnssec) == (Outcome.RECORDS, DNSSECState.INDETERMINATE)


async def test_ad_on_everything() -> None:
    """Who vouches without being asked to has not understood what AD is."""
    lab = LabDNS(ZONES, "resolver")
    lab.rewrite = lambda _, wire: wire[:3] + bytes((wire[3] | 0x20,)) + wire[4:]
    async with lab, resolver(lab) as asking:
        names = ["example.com", "missing.example.com", "empty.example.com"]
        lookups = await asyncio.gather(*map(asking.look_up, names))
    assert {each.dnssec for each in lookups} == {DNSSECState.INDETERMINATE}


@pytest.mark.parametrize("flags", ["QR AA RD AD", "QR RD AD", "QR AA RD RA AD"])
async def test_an_authority_vouches_for_nothing(flags: str) -> None:
    """RFC 4035 section 3.1.6."""

    def vouching(query: bytes) -> list[bytes]:
        return [answer_to(query, RECORD, flags=flags)]

    async with forging(vouching) as (server, _), open_resolver(parse_server(server)) as asking:
        lookup = await asking.look_up("example.com")
    assert (lookup.outcome, lookup.dnssec) == (Outcome.RECORDS, DNSSECState.INDETERMINATE)


async def test_a_validating_server_asked_without_edns() -> None:
    """It was not told that DNSSEC is understood here, so its silence says nothing."""
    lab = LabDNS(ZONES, "validating")
    lab.faults["example.com"] = ["formerr"]
    lookup = await looked_up(lab)
    assert (lookup.outcome, lookup.dnssec) == (Outcome.RECORDS, DNSSECState.INDETERMINATE)
    assert [each.payload for each in lab.queries if each.type == "CAA"] == [1232, 0]


@pytest.mark.parametrize("code", [6, 7, 8])
async def test_an_answer_in_spite_of_what_is_wrong_with_it(code: int) -> None:
    """A resolver that only remarks that validation failed: a CA's would not have answered."""
    lab = LabDNS(ZONES, "validating")
    lab.extended_errors["example.com"] = [(code, "")]
    lookup = await looked_up(lab)
    assert (lookup.outcome, lookup.failure) == (Outcome.FAILED, Failure.BOGUS)
    assert (lookup.dnssec, lookup.records) == (DNSSECState.BOGUS, ())
    assert lookup.problem.endswith("finds the DNSSEC signatures wrong, and answers anyway")


@pytest.mark.parametrize(
    ("code", "secure", "state"),
    [
        # Some resolvers remark on a spare key that signs nothing, and vouch all the same.
        (10, True, DNSSECState.SECURE),
        (6, True, DNSSECState.SECURE),
        (10, False, DNSSECState.INDETERMINATE),
        (5, False, DNSSECState.INDETERMINATE),
        # Unknown algorithms make a zone as good as unsigned (RFC 4035 section 5.2).
        (1, False, DNSSECState.INSECURE),
        (2, False, DNSSECState.INSECURE),
        (27, False, DNSSECState.INSECURE),
        (3, False, DNSSECState.INSECURE),
    ],
)
async def test_remarks_beside_an_answer(code: int, secure: bool, state: DNSSECState) -> None:
    lab = LabDNS(ZONES, "validating", secure=["."] if secure else [])
    lab.extended_errors["example.com"] = [(code, "")]
    lookup = await looked_up(lab)
    assert (lookup.outcome, lookup.dnssec) == (Outcome.RECORDS, state)


async def test_a_bad_moment_is_not_bogus() -> None:
    """SERVFAIL, then an answer to the question with CD: and one without, once it is asked again."""
    lab = LabDNS(ZONES, "validating")
    lab.faults["example.com"] = ["servfail", "servfail"]
    lookup = await looked_up(lab)
    assert (lookup.outcome, lookup.dnssec) == (Outcome.RECORDS, DNSSECState.INSECURE)
    assert (lookup.attempts, lookup.rcode) == (4, "NOERROR")


async def test_bogus_without_a_word() -> None:
    """With CD always, without CD never: that is what a validator without extended errors does."""
    lab = LabDNS(ZONES, "validating")

    def spoil(name: str, wire: bytes) -> bytes:
        query = lab.queries[-1]
        if query.type != "CAA" or query.checking_disabled:
            return wire
        end = 12 + len("example.com") + 2 + 4
        return wire[:2] + b"\x81\x82\x00\x01" + bytes(6) + wire[12:end]

    lab.rewrite = spoil
    lookup = await looked_up(lab)
    assert (lookup.failure, lookup.dnssec) == (Failure.BOGUS, DNSSECState.BOGUS)
    assert (lookup.rcode, lookup.attempts) == ("SERVFAIL", 5)


async def test_one_answer_in_three() -> None:
    """A resolver that mostly fails is not one that finds signatures wrong."""
    lab = LabDNS(ZONES, "validating")
    async with lab, resolver(lab) as asking:
        for skipped in range(3):
            names = [f"n{skipped}-{n}.example.com" for n in range(20)]
            turns: list[Fault | None] = ["servfail", "servfail", None]
            for name in names:
                lab.faults[name] = (turns * 4)[skipped:]
            lookups = await asyncio.gather(*map(asking.look_up, names))
            expected = Failure.SERVFAIL if skipped == 0 else None
            assert {each.failure for each in lookups} == {expected}
