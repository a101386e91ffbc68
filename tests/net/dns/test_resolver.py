"""Looking up, against the lab's DNS server over real sockets."""

from __future__ import annotations

import asyncio

import dns.message
import dns.rcode
import dns.rrset
import pytest

from net.dns.asking import IMPATIENT, ZONES, resolver
from pinwarden.caa.lookup import DNSSECState, ExtendedError, Failure, Lookup, Outcome
from pinwarden.caa.record import CAARecord
from pinwarden.lab.dns import Fault, LabDNS, Role


async def looked_up(lab: LabDNS, name: str, **wishes: float) -> Lookup:
    async with lab, resolver(lab, **wishes) as asking:
        return await asking.look_up(name)


async def test_records() -> None:
    lab = LabDNS(ZONES)
    lookup = await looked_up(lab, "example.com")
    assert lookup == Lookup(
        name="example.com",
        outcome=Outcome.RECORDS,
        records=(CAARecord(0, b"issue", b"ca.example"),),
        ttl=300,
        rcode="NOERROR",
        server=f"127.0.0.1:{lab.port}",
        transport="udp",
    )
    (query,) = lab.queries
    assert query.wants_dnssec
    assert not query.wants_ad
    assert query.payload == 1232


async def test_records_at_the_end_of_aliases() -> None:
    """The question keeps its name; the TTL is the least on the way."""
    lookup = await looked_up(LabDNS(ZONES), "www.example.com")
    assert lookup.name == "www.example.com"
    assert lookup.aliases == ("a.example.com", "b.example.com")
    assert lookup.records == (CAARecord(0, b"issue", b"ca.example.net"),)
    assert lookup.ttl == 100


@pytest.mark.parametrize(
    ("name", "outcome", "rcode"),
    [
        ("empty.example.com", Outcome.NO_DATA, "NOERROR"),
        ("missing.example.com", Outcome.NO_SUCH_NAME, "NXDOMAIN"),
    ],
)
async def test_nothing_there(name: str, outcome: Outcome, rcode: str) -> None:
    lookup = await looked_up(LabDNS(ZONES), name)
    assert (lookup.outcome, lookup.rcode, lookup.ttl) == (outcome, rcode, 60)


async def test_one_broken_record_hides_no_other() -> None:
    lookup = await looked_up(LabDNS(ZONES), "odd.example.com")
    assert lookup.outcome == Outcome.RECORDS
    assert [each.tag for each in lookup.records] == [b"a-b"]
    assert [each.rdata for each in lookup.broken] == [b"\0"]


@pytest.mark.parametrize(
    ("fault", "failure", "rcode", "attempts"),
    [
        ("servfail", Failure.SERVFAIL, "SERVFAIL", 3),
        ("refused", Failure.REFUSED, "REFUSED", 1),
        ("notimp", Failure.NOT_IMPLEMENTED, "NOTIMP", 1),
        ("formerr", Failure.OTHER_RCODE, "FORMERR", 1),
        ("truncate-always", Failure.MALFORMED, "NOERROR", 1),
        ("garbage", Failure.MALFORMED, None, 2),
        ("cut", Failure.MALFORMED, None, 2),
        ("wrong-question", Failure.MALFORMED, None, 2),
    ],
)
async def test_a_failure_says_which(
    fault: Fault, failure: Failure, rcode: str | None, attempts: int
) -> None:
    """Never an empty answer, which would be permission."""
    lab = LabDNS(ZONES)
    lab.faults["*"] = fault
    lookup = await looked_up(lab, "example.com")
    assert (lookup.outcome, lookup.failure) == (Outcome.FAILED, failure)
    assert (lookup.rcode, lookup.attempts) == (rcode, attempts)
    assert lookup.problem.startswith(f"127.0.0.1:{lab.port} ")
    assert lookup.records == ()


async def test_silence() -> None:
    lab = LabDNS(ZONES)
    lab.faults["*"] = "silent"
    lookup = await looked_up(lab, "example.com", timeout=IMPATIENT)
    assert (lookup.failure, lookup.attempts) == (Failure.TIMEOUT, 2)
    assert lookup.problem == f"127.0.0.1:{lab.port} sent no answer within 0.2 s"


async def test_silence_for_ever() -> None:
    """A list of names is not waited for name by name, when nobody is there; until somebody is."""
    lab = LabDNS(ZONES)
    lab.faults["*"] = "silent"
    async with lab, resolver(lab, timeout=0.5) as asking:
        names = [f"n{n}.example.com" for n in range(3000)]
        lookups = await asyncio.gather(*map(asking.look_up, names))
        assert {each.failure for each in lookups} == {Failure.TIMEOUT}
        assert len(lab.queries) < 1000
        lab.faults.clear()
        assert (await asking.look_up("example.com")).records
        lookups = await asyncio.gather(*map(asking.look_up, [f"m{n}.test" for n in range(100)]))
    assert {each.failure for each in lookups} == {Failure.REFUSED}


async def test_answers_with_another_id() -> None:
    """A forger's guess is not taken; TCP, where nobody can guess, shows that it is the server."""
    lab = LabDNS(ZONES)
    lab.faults["*"] = "wrong-id"
    lookup = await looked_up(lab, "example.com", timeout=IMPATIENT)
    assert lookup.failure == Failure.MALFORMED
    assert "with an id that was not asked" in lookup.problem
    assert {query.transport for query in lab.queries} == {"udp", "tcp"}


@pytest.mark.parametrize("fault", ["silent", "servfail"])
async def test_asked_again(fault: Fault) -> None:
    """One lost packet or one bad moment is no failure."""
    lab = LabDNS(ZONES)
    lab.faults["example.com"] = [fault]
    lookup = await looked_up(lab, "example.com", timeout=0.5)
    assert (lookup.outcome, lookup.attempts) == (Outcome.RECORDS, 2)


async def test_what_does_not_fit_comes_over_tcp() -> None:
    zone = "\n".join(f'@ 60 IN CAA 0 issue "ca{n}.example"' for n in range(1001))
    lookup = await looked_up(LabDNS({"example.com": zone}), "example.com")
    assert (len(lookup.records), lookup.transport) == (1001, "tcp")


async def test_a_forged_question_is_settled_over_tcp() -> None:
    """Who changes UDP answers cannot make the look-up fail."""
    lab = LabDNS(ZONES)
    lab.faults["example.com"] = ["wrong-question"]
    lookup = await looked_up(lab, "example.com")
    assert (lookup.outcome, lookup.transport, lookup.attempts) == (Outcome.RECORDS, "tcp", 1)


async def test_a_server_older_than_edns() -> None:
    """RFC 6891 section 7: FORMERR without an OPT record is answered by asking without one."""
    lab = LabDNS(ZONES)

    def without_edns(name: str, wire: bytes) -> bytes:
        if lab.queries[-1].payload:
            return wire[:2] + b"\x80\x01" + bytes(8)
        return wire

    lab.rewrite = without_edns
    lookup = await looked_up(lab, "example.com")
    assert lookup.outcome == Outcome.RECORDS
    assert [query.payload for query in lab.queries] == [1232, 0]


async def test_nobody_listens() -> None:
    async with LabDNS(ZONES) as lab:
        pass
    async with resolver(lab) as asking:
        lookup = await asking.look_up("example.com")
    assert lookup.failure == Failure.UNREACHABLE
    assert "Connection refused" in lookup.problem


async def test_aliases_that_go_in_a_circle() -> None:
    lookup = await looked_up(LabDNS(ZONES), "loop.example.com")
    assert (lookup.outcome, lookup.failure) == (Outcome.FAILED, Failure.ALIAS_LOOP)


async def test_a_circle_over_several_answers() -> None:
    """Each answer knows one link only, so that none of them shows the circle."""
    lab = LabDNS(ZONES)
    lab.rewrite = only_first_alias
    lookup = await looked_up(lab, "loop.example.com")
    assert lookup.failure == Failure.ALIAS_LOOP
    assert "go in a circle" in lookup.problem
    assert lab.asked("loop.example.com") == lab.asked("pool.example.com") == 1


async def test_no_end_of_aliases() -> None:
    zone = "\n".join(f"n{n} 60 IN CNAME n{n + 1}" for n in range(100))
    lab = LabDNS({"example.com": zone})
    lab.rewrite = only_first_alias
    lookup = await looked_up(lab, "n0.example.com")
    assert lookup.failure == Failure.ALIAS_LOOP
    assert "more than 16 aliases" in lookup.problem
    assert len(lab.queries) == 17


def only_first_alias(name: str, wire: bytes) -> bytes:
    """The answer as a server with nothing but the first CNAME gives it."""
    message = dns.message.from_wire(wire)
    del message.answer[1:]
    message.authority.clear()
    return message.to_wire()


async def test_the_target_of_an_alias_is_asked_for() -> None:
    """An authority tells what is in its own zones, and a refusal there is a failure."""
    lab = LabDNS(ZONES)
    lookup = await looked_up(lab, "out.example.com")
    assert (lookup.failure, lookup.aliases) == (Failure.REFUSED, ("x.example.net",))
    assert lab.asked("x.example.net") == 1


@pytest.mark.parametrize("name", ["sub.example.com", "www.sub.example.com", "away.example.com"])
async def test_a_referral_is_no_answer(name: str) -> None:
    """What is delegated away is not for this server to say, least of all that it is empty."""
    lookup = await looked_up(LabDNS(ZONES), name)
    assert (lookup.outcome, lookup.failure) == (Outcome.FAILED, Failure.UNREACHABLE)
    assert "refers to the servers of 'sub.example.com'" in lookup.problem


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN"])
async def test_an_alias_denied_by_its_own_zone(rcode: str) -> None:
    """Servers add the SOA of the alias's zone; what is at the target is for others to say."""
    lab = LabDNS(ZONES)

    def with_soa(name: str, wire: bytes) -> bytes:
        message = dns.message.from_wire(wire)
        if name == "out.example.com":
            soa = "ns.example.com. h.example.com. 1 2 3 4 5"
            message.authority = [dns.rrset.from_text("example.com.", 60, "IN", "SOA", soa)]
            message.set_rcode(dns.rcode.from_text(rcode))
        return message.to_wire()

    lab.rewrite = with_soa
    lookup = await looked_up(lab, "out.example.com")
    assert (lookup.failure, lookup.aliases) == (Failure.REFUSED, ("x.example.net",))


@pytest.mark.parametrize(("rcode", "outcome"), [(0, Outcome.NO_DATA), (3, Outcome.NO_SUCH_NAME)])
async def test_a_small_forwarder_sets_no_flags(rcode: int, outcome: Outcome) -> None:
    """No AA, no RA, no SOA: the user named it, and RFC 2308 section 2 lets the SOA be left out."""
    lab = LabDNS(ZONES)
    lab.rewrite = lambda _, wire: (
        wire[:2] + bytes((0x81, rcode, 0, 1)) + bytes(6) + wire[12 : 12 + 13 + 4]
    )
    lookup = await looked_up(lab, "example.com")
    assert (lookup.outcome, lookup.dnssec) == (outcome, DNSSECState.INDETERMINATE)


@pytest.mark.parametrize("name", ["example.com", "empty.example.com", "missing.example.com"])
@pytest.mark.parametrize("code", [4, 15, 16, 17, 18])
async def test_an_answer_made_up_for_us(name: str, code: int) -> None:
    """A filter says so (RFC 8914): that what it filters has no CAA would be permission."""
    lab = LabDNS(ZONES, "resolver")
    lab.extended_errors[name] = [(code, "")]
    lookup = await looked_up(lab, name)
    assert (lookup.outcome, lookup.failure) == (Outcome.FAILED, Failure.REFUSED)
    assert lookup.problem.endswith(
        f"does not say what the zone says: {ExtendedError(code).meaning}"
    )


@pytest.mark.parametrize("name", ["", "a..b", "a" * 64, "ä.example"])
async def test_what_is_no_name(name: str) -> None:
    lookup = await looked_up(LabDNS(ZONES), name)
    assert lookup.failure == Failure.MALFORMED


async def test_each_name_is_asked_for_once() -> None:
    """By however many at the same time, failures included."""
    lab = LabDNS(ZONES)
    lab.faults["down.example.com"] = "refused"
    async with lab, resolver(lab) as asking:
        names = ["example.com", "empty.example.com", "down.example.com"] * 50
        lookups = await asyncio.gather(*map(asking.look_up, names))
        again = await asking.look_up("example.com")
    assert len({id(each) for each in [*lookups, again]}) == 3
    assert len(lab.queries) == 3


async def test_who_leaves_takes_nobody_along() -> None:
    """The one who asked first is cancelled; the others get their answer all the same."""
    lab = LabDNS(ZONES)
    lab.delays["example.com"] = 0.05
    async with lab, resolver(lab) as asking:
        first, second = [asyncio.create_task(asking.look_up("example.com")) for _ in range(2)]
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).outcome == Outcome.RECORDS
        await asyncio.gather(first, return_exceptions=True)
    assert first.cancelled()


async def test_ten_times_more_names_than_slots() -> None:
    """Everybody is answered, from several ports, and no question is lost in between."""
    zone = "\n".join(f'n{n} 60 IN CAA 0 issue "ca{n}.example"' for n in range(1000))
    lab = LabDNS({"example.com": zone})
    async with lab, resolver(lab) as asking:
        names = [f"n{n}.example.com" for n in range(1000)]
        lookups = await asyncio.gather(*map(asking.look_up, names))
    assert [each.records[0].value for each in lookups] == [b"ca%d.example" % n for n in range(1000)]
    assert len({query.port for query in lab.queries}) >= 4
    assert len({query.id for query in lab.queries}) > 900


@pytest.mark.parametrize(
    ("role", "name", "state"),
    [
        ("validating", "b.example.com", DNSSECState.SECURE),
        ("validating", "example.com", DNSSECState.INSECURE),
        ("validating", "nothing.b.example.com", DNSSECState.SECURE),
        ("resolver", "b.example.com", DNSSECState.INDETERMINATE),
        ("authoritative", "b.example.com", DNSSECState.INDETERMINATE),
    ],
)
async def test_the_state_of_dnssec(role: Role, name: str, state: DNSSECState) -> None:
    """`insecure` is what a server says that is known to validate, by what it says of the root.

    Which it is asked with DO, where it must vouch, and without, where it must not.
    """
    lab = LabDNS(ZONES, role, secure=["b.example.com"])
    assert (await looked_up(lab, name)).dnssec == state
    assert lab.asked(".", "SOA") == (0 if role == "authoritative" else 2)


async def test_whether_it_validates_is_asked_once() -> None:
    lab = LabDNS(ZONES, "validating")
    async with lab, resolver(lab) as asking:
        names = [f"n{n}.example.com" for n in range(50)]
        lookups = await asyncio.gather(*map(asking.look_up, names))
    assert {each.dnssec for each in lookups} == {DNSSECState.INSECURE}
    assert lab.asked(".", "SOA") == 2


async def test_a_probe_without_an_answer() -> None:
    lab = LabDNS(ZONES, "validating")
    lab.faults["."] = "refused"
    assert (await looked_up(lab, "example.com")).dnssec == DNSSECState.INDETERMINATE


async def test_bogus() -> None:
    lab = LabDNS(ZONES, "validating", secure=["."])
    lab.faults["example.com"] = "bogus"
    lookup = await looked_up(lab, "example.com")
    assert (lookup.outcome, lookup.failure) == (Outcome.FAILED, Failure.BOGUS)
    assert lookup.dnssec == DNSSECState.BOGUS
    assert lookup.extended_errors == (ExtendedError(6),)
    assert lookup.records == ()


async def test_bogus_for_a_reason_given_in_words() -> None:
    lab = LabDNS(ZONES, "validating")
    lab.faults["example.com"] = "servfail"
    lab.extended_errors["example.com"] = [(7, "signature expired"), (22, "no \x1b")]
    lookup = await looked_up(lab, "example.com")
    assert lookup.failure == Failure.BOGUS
    assert lookup.extended_errors == (
        ExtendedError(7, "signature expired"),
        ExtendedError(22, "no \x1b"),
    )


async def test_servfail_for_another_reason() -> None:
    """EDE 22: no reachable authority. Nothing is known of the signatures."""
    lab = LabDNS(ZONES, "validating")
    lab.faults["example.com"] = "servfail"
    lab.extended_errors["example.com"] = [(22, "")]
    lookup = await looked_up(lab, "example.com")
    assert (lookup.failure, lookup.dnssec) == (Failure.SERVFAIL, DNSSECState.INDETERMINATE)


async def test_one_answer_may_be_any_octets() -> None:
    """Whatever 64 KiB a server makes up: a failure in one printable line."""
    lab = LabDNS(ZONES)
    bodies = [b"", b"\xff", bytes(65533), b"\xc0\x0c" * 30000, b"\x81\x80" + b"\xff" * 60000]
    for body in bodies:
        lab.rewrite = lambda name, wire, body=body: wire[:2] + body
        async with lab, resolver(lab, scheme="tcp") as asking:
            lookup = await asking.look_up("example.com")
        assert lookup.failure == Failure.MALFORMED
        assert lookup.problem.isprintable()


async def test_description() -> None:
    lab = LabDNS(ZONES)
    lab.port = 53
    assert resolver(lab).description == "127.0.0.1:53 (udp)"
