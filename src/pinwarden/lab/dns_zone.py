"""One zone of the lab's DNS server: what master file text holds, whatever octets that are.

CAA RDATA is kept as octets: dnspython refuses tags and lengths that are out of order,
which are just what a test wants to publish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.tokenizer
import dns.zone

IN = dns.rdataclass.IN
CAA = dns.rdatatype.CAA
_APEX = """
@ 60 IN SOA ns.lab.invalid. hostmaster.lab.invalid. 1 3600 600 86400 60
@ 60 IN NS ns.lab.invalid.
"""
# CAA travels through dnspython's reader of master files as a type of private use (RFC 6895
# section 3.1), about whose octets it has no opinion.
_DISGUISE = dns.rdatatype.RdataType.make(65280)
_CAA_LINE = re.compile(
    r"^(?P<head>[^\s;]*[ \t](?:[ \t]*(?:\d+|IN)[ \t])*[ \t]*)(?:CAA|TYPE257)[ \t]+(?P<rdata>.*)$",
    re.IGNORECASE | re.MULTILINE,
)

Node = Mapping[dns.rdatatype.RdataType, dns.rdataset.Rdataset]
_EMPTY: Node = {}


class Zone:
    r"""The records of one zone by owner; SOA and NS are made up where the text has none.

    A CAA record is one line, in presentation form or as `\# length hex` (RFC 3597).
    """

    def __init__(self, origin: str, text: str) -> None:
        self.origin = dns.name.from_text(origin)
        read = dns.zone.from_text(
            generic_caa(text, _DISGUISE),
            origin=self.origin,
            relativize=False,
            check_origin=False,
        )
        apex = dns.zone.from_text(_APEX, origin=self.origin, relativize=False)
        for each in apex.nodes[self.origin]:
            if read.get_rdataset(self.origin, each.rdtype) is None:
                read.find_node(self.origin, create=True).replace_rdataset(each)
        self._nodes: dict[dns.name.Name, Node] = {
            owner: {shown.rdtype: shown for each in node for shown in [_undisguised(each)]}
            for owner, node in read.nodes.items()
        }
        # RFC 4592 section 2.2.2: a name exists if it, or one below it, has records.
        self._existing = {
            name for owner in self._nodes for name in _lineage(owner, down_to=self.origin)
        }
        self._cuts = {
            owner
            for owner, node in self._nodes.items()
            if owner != self.origin and dns.rdatatype.NS in node
        }
        self._renamed = {o for o, node in self._nodes.items() if dns.rdatatype.DNAME in node}

    @property
    def soa(self) -> dns.rdataset.Rdataset:
        """The record that negative answers carry (RFC 2308 section 3)."""
        return self._nodes[self.origin][dns.rdatatype.SOA]

    def node(self, name: dns.name.Name) -> Node | None:
        """What answers for a name: its own records, none, a wildcard's; None if it is not there."""
        if name in self._existing:
            return self._nodes.get(name, _EMPTY)
        # RFC 4592 section 3.3.1: only the wildcard below the closest name that exists.
        for parent in _lineage(name, down_to=self.origin):
            if parent in self._existing:
                return self._nodes.get(dns.name.Name((b"*", *parent.labels)))
        return None

    def cut(self, name: dns.name.Name) -> tuple[dns.name.Name, dns.rdataset.Rdataset] | None:
        """The delegation at or above a name (RFC 1034 section 4.2.1), if there is one."""
        return self._highest(self._cuts, name, dns.rdatatype.NS)

    def dname(self, name: dns.name.Name) -> tuple[dns.name.Name, dns.rdataset.Rdataset] | None:
        """The DNAME that redirects a name: one above it (RFC 6672 section 2.3)."""
        return self._highest(self._renamed - {name}, name, dns.rdatatype.DNAME)

    def _highest(
        self, owners: set[dns.name.Name], name: dns.name.Name, rdtype: dns.rdatatype.RdataType
    ) -> tuple[dns.name.Name, dns.rdataset.Rdataset] | None:
        if not owners:
            return None
        found = [each for each in _lineage(name, down_to=self.origin) if each in owners]
        return (found[-1], self._nodes[found[-1]][rdtype]) if found else None


def caa_rdata(text: str) -> bytes:
    """The octets of a CAA record given as text, in either form; nothing in them is judged."""
    words = dns.tokenizer.Tokenizer(text)
    first = words.get()
    if first.value == r"\#":
        return _generic(words)
    tag, value = (words.get().unescape_to_bytes().value for _ in range(2))
    words.get_eol()
    octets = [each if isinstance(each, bytes) else each.encode() for each in (tag, value)]
    return bytes([int(first.value), len(octets[0])]) + octets[0] + octets[1]


def generic_caa(text: str, rdtype: dns.rdatatype.RdataType = CAA) -> str:
    """Master file text with its CAA records, one a line, in the form of RFC 3597 section 5."""

    def generic(line: re.Match[str]) -> str:
        rdata = caa_rdata(line["rdata"])
        return rf"{line['head']}TYPE{int(rdtype)} \# {len(rdata)} {rdata.hex()}"

    return _CAA_LINE.sub(generic, text)


def _generic(words: dns.tokenizer.Tokenizer) -> bytes:
    """RFC 3597 section 5: the length, and as many octets in hexadecimal."""
    length = words.get_int()
    octets = bytes.fromhex("".join(each.value for each in words.get_remaining()))
    assert len(octets) == length, "the length of RDATA must be the true one"
    return octets


def _undisguised(rdataset: dns.rdataset.Rdataset) -> dns.rdataset.Rdataset:
    if rdataset.rdtype != _DISGUISE:
        return rdataset
    records = [dns.rdata.GenericRdata(IN, CAA, each.data) for each in rdataset]
    return dns.rdataset.from_rdata_list(rdataset.ttl, records)


def _lineage(name: dns.name.Name, *, down_to: dns.name.Name) -> Iterator[dns.name.Name]:
    """A name and its parents, as far as the given one."""
    while True:
        yield name
        if name == down_to:
            return
        name = name.parent()
