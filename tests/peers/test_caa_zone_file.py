"""Answers out of a zone file beside those of BIND serving the same file: wildcards, aliases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from peers.programs import eventually, free_port, program, running
from pinwarden.caa.lookup import Failure, Lookup
from pinwarden.caa.zone.zonefile import parse_zone, zone_look_up

pytestmark = pytest.mark.peer

# Few labels, so that names meet; a seed, so that what fails today fails tomorrow.
_LABELS = ("a", "b", "*", "w")
_ZONES = 120
_QUESTIONS = 15
_NUMBER = random.Random(8659)

OPTIONS = """\
options {{
  directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  pid-file none; session-keyfile "{folder}/session.key"; recursion no; notify no;
  check-integrity no; dnssec-validation no; minimal-responses no;
}};
controls {{}};
"""


def _name() -> str:
    return ".".join(_NUMBER.choices(_LABELS, weights=[3, 3, 2, 1], k=_NUMBER.randint(1, 4)))


def _zone(origin: str) -> str:
    lines = [f"$ORIGIN {origin}.", "$TTL 60", "@ SOA ns h 1 2 3 4 5", "@ NS ns", "ns A 127.0.0.1"]
    kinds: dict[str, str] = {}
    for _ in range(_NUMBER.randint(1, 8)):
        name = _name()
        kind = _NUMBER.choices(["CAA", "A", "CNAME", "DNAME", "NS"], weights=[5, 3, 3, 2, 1])[0]
        alone = kind in ("CNAME", "DNAME", "NS")
        if kinds.get(name) in ("CNAME", "DNAME", "NS") or (alone and name in kinds):
            continue
        kinds[name] = kind
        data = {"CAA": f'0 issue "{name.replace("*", "star")}"', "A": "192.0.2.1"}
        lines.append(f"{name} {kind} {data.get(kind) or _name()}")
    return "\n".join(lines) + "\n"


ZONES = {origin: _zone(origin) for origin in (f"z{number}.test" for number in range(_ZONES))}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """BIND with all the zones, those apart that it refuses."""
    named, folder, port = program("named"), tmp_path_factory.mktemp("named"), free_port()
    configuration = OPTIONS.format(folder=folder, port=port)
    for origin, text in ZONES.items():
        (folder / f"{origin}.zone").write_text(text)
        configuration += (
            f'zone "{origin}" {{ type primary; file "{origin}.zone"; check-names ignore; }};\n'
        )
    (folder / "named.conf").write_text(configuration)
    command: list[str | Path] = [named, "-g", "-n", "1", "-c", folder / "named.conf"]
    with running(command, folder) as child:

        def answers() -> bool:
            assert child.poll() is None, (folder / "named.words").read_text()
            return _ask(port, next(iter(ZONES)), "SOA") is not None

        assert eventually(answers), (folder / "named.words").read_text()
        yield port


def _ask(port: int, name: str, rdtype: str) -> dns.message.Message | None:
    question = dns.message.make_query(name, rdtype, flags=0)
    try:
        return dns.query.udp(question, "127.0.0.1", port=port, timeout=2)
    except (dns.exception.Timeout, OSError):
        return None


def _theirs(answer: dns.message.Message) -> tuple[str, list[str]]:
    """How BIND answers, in the words of our outcomes."""
    records = [rdata for rrset in answer.answer for rdata in rrset if rdata.rdtype == 257]
    authority = {rrset.rdtype for rrset in answer.authority}
    if records:
        return "records", sorted(rdata.value.decode() for rdata in records)
    if answer.rcode() == dns.rcode.NXDOMAIN:
        return "nxdomain", []
    if answer.rcode() == dns.rcode.NOERROR and dns.rdatatype.SOA in authority:
        return "no-data", []
    return "referral" if dns.rdatatype.NS in authority else "stopped", []


def _ours(found: Lookup) -> tuple[str, list[str]]:
    if found.failure is Failure.UNREACHABLE:
        return "referral", []
    if found.failure is not None:
        return "stopped", []
    return found.outcome.value, sorted(record.value.decode() for record in found.records)


def test_bind_answers_as_the_zone_file_does(port: int) -> None:
    """What BIND serves and what is read out of its file are the same, name by name."""
    outcomes = set()
    for origin, text in ZONES.items():
        zone = parse_zone(text, None)
        assert zone.problems == ()
        loaded = _ask(port, origin, "SOA")
        assert loaded is not None
        if loaded.rcode() != dns.rcode.NOERROR:
            continue
        for name in (f"{_name()}.{origin}" for _ in range(_QUESTIONS)):
            answer = _ask(port, name, "CAA")
            assert answer is not None
            ours = _ours(zone_look_up(zone, name))
            # BIND gives up chains of aliases after some links, in an answer cut short.
            if answer.flags & dns.flags.TC or answer.rcode() == dns.rcode.SERVFAIL:
                assert ours[0] == "stopped"
                continue
            assert (name, ours) == (name, _theirs(answer)), text
            outcomes.add(ours[0])
    assert outcomes >= {"records", "no-data", "nxdomain", "referral"}
