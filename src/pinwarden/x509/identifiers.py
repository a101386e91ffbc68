"""The names in a certificate: subjectAltName and every commonName.

The rules here decide what a monitor can miss:

1. Every subjectAltName extension counts, if there are several.
2. Every commonName counts: in any RDN, at any position in it, of any string type.
3. A name that stands before damage still counts, and the damage is recorded in
   `Identifiers.unreadable`, so that the certificate concerns everybody.
4. Only damage that could hide a name from us and show it to a client is
   recorded: a bad organisation name or a bad key usage is not.

References: RFC 5280 section 4.2.1.6, RFC 6125 section 6.4.4, X.680 section 41.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from pinwarden import names
from pinwarden.errors import MalformedError, quoted
from pinwarden.x509 import der, fields
from pinwarden.x509.extensions import SUBJECT_ALT_NAME, Extension, ExtensionProblem

_CONSTRUCTED = 0x20
_RFC822_NAME = 0x81
_DNS_NAME = 0x82
_URI = 0x86
_IP_ADDRESS = 0x87
# The string types are DNS names whose context tag was forgotten.
_READ_KINDS = frozenset(
    (_RFC822_NAME, _DNS_NAME, _URI, _IP_ADDRESS, fields.UTF8_STRING, *fields.OCTET_STRINGS)
)
# Names that are not plainly DNS names cost time to read. An issuer puts a few
# into a certificate; thousands are an attack on whoever reads them.
_ODD_BUDGET = 16_384
_PROBLEM_LIMIT = 16
_NAME_LIMIT = 65_536
_WIDE_STRINGS = {fields.BMP_STRING: "utf-16-be", fields.UNIVERSAL_STRING: "utf-32-be"}
_CN, _SAN = "commonName", "subjectAltName"
_COMMON_NAME = "2.5.4.3"
_COMMON_NAME_OCTETS = bytes.fromhex("550403")


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What a certificate is for, as anybody could read it; sorted, each once.

    `dns` holds every reading of every DNS name and commonName (see
    `names.readings`), address literals included. `unreadable` says which
    fields could hold a name that we could not read: a certificate with any
    must be taken to match every watched name.
    """

    dns: tuple[str, ...] = ()
    ips: tuple[IPv4Address | IPv6Address, ...] = ()
    emails: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    unreadable: tuple[MalformedError, ...] = ()


def read_identifiers(
    tbs: bytes,
    subject: der.TLV,
    extensions: Iterable[Extension],
    problems: Iterable[ExtensionProblem],
) -> Identifiers:
    """The names in a subject and in extensions; never raises."""
    collected = _Collected()
    collected.subject(tbs, subject)
    for extension in extensions:
        if extension.oid == SUBJECT_ALT_NAME:
            collected.alternative_names(extension.value)
    for problem in problems:
        if problem.oid in (None, SUBJECT_ALT_NAME):
            collected.problem("certificate", problem.error)
    return collected.result()


@dataclass(slots=True)
class _Collected:
    dns: set[str] = field(default_factory=set)
    ips: set[IPv4Address | IPv6Address] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    uris: set[str] = field(default_factory=set)
    unreadable: list[MalformedError] = field(default_factory=list)
    budget: int = _ODD_BUDGET
    names_left: int = _NAME_LIMIT

    def result(self) -> Identifiers:
        return Identifiers(
            dns=tuple(sorted(self.dns)),
            ips=tuple(sorted(self.ips, key=lambda ip: (ip.version, int(ip)))),
            emails=tuple(sorted(self.emails)),
            uris=tuple(sorted(self.uris)),
            unreadable=tuple(self.unreadable),
        )

    def problem(self, where: str, what: object) -> None:
        if len(self.unreadable) < _PROBLEM_LIMIT:
            self.unreadable.append(MalformedError(f"{where}: {what}"))

    def subject(self, tbs: bytes, subject: der.TLV) -> None:
        if subject.tag != der.SEQUENCE:
            self.problem("subject", "is not a SEQUENCE")
            return
        try:
            for rdn in der.children(tbs, subject.start, subject.end):
                if rdn.tag != der.SET:
                    self.problem("subject", f"element at offset {rdn.header_start}: is not a SET")
                    continue
                for attribute in der.children(tbs, rdn.start, rdn.end):
                    self.attribute(tbs, attribute)
        except MalformedError as error:
            self.problem("subject", error)

    def attribute(self, tbs: bytes, attribute: der.TLV) -> None:
        try:
            if attribute.tag != der.SEQUENCE:
                raise MalformedError(
                    f"element at offset {attribute.header_start}: is not a SEQUENCE"
                )
            kind = der.read_tlv(tbs, attribute.start, attribute.end)
            if kind.tag != der.OID:
                raise MalformedError(f"attribute at offset {attribute.header_start}: has no type")
            content = tbs[kind.start : kind.end]
            if content != _COMMON_NAME_OCTETS and der.oid_text(content) != _COMMON_NAME:
                return
            for value in der.children(tbs, kind.end, attribute.end):
                self.common_name(value.tag & ~_CONSTRUCTED, der.octets(tbs, value))
        except MalformedError as error:
            self.problem("subject", error)

    def common_name(self, kind: int, content: bytes) -> None:
        if kind in _WIDE_STRINGS:
            try:
                self.name(_CN, content.decode(_WIDE_STRINGS[kind]))
            except UnicodeDecodeError:
                self.problem(_CN, "is not in the encoding of its string type")
            # Mbed TLS compares the octets of a commonName whatever its type.
            if names.is_plain_name(content):
                self.name(_CN, content)
            return
        self.name(_CN, content)
        if content and kind != fields.UTF8_STRING and kind not in fields.OCTET_STRINGS:
            self.problem(_CN, f"has type {kind:#04x}, which is no string")

    def name(self, where: str, raw: bytes | str) -> None:
        if isinstance(raw, str) or not names.is_plain_name(raw):
            if len(raw) > self.budget:
                self.problem("certificate", "has too many odd names to read them all")
                return
            self.budget -= len(raw)
        found = names.readings(raw)
        if where == _CN and _is_phrase(raw, found):
            return
        self.dns |= found
        for name in found:
            if name == names.UNREADABLE_LABEL:
                self.problem(where, f"holds a name that cannot be read: {quoted(raw)}")
            elif name[-1].isdigit() or ":" in name:
                self.address(names.ip_reading(name))

    def address(self, address: IPv4Address | IPv6Address | None) -> None:
        if address is not None:
            self.ips.add(address)

    def alternative_names(self, value: bytes) -> None:
        try:
            outer = der.read_tlv(value, 0, len(value))
            if outer.tag != der.SEQUENCE:
                raise MalformedError("is not a SEQUENCE")
            for name in der.children(value, outer.start, outer.end):
                self.names_left -= 1
                if self.names_left < 0:
                    raise MalformedError(f"has more than {_NAME_LIMIT} names")
                self.general_name(value, name)
            # Some CAs appended one zero octet, and every client took it.
            if value[outer.end :] not in (b"", b"\0"):
                raise MalformedError("has trailing bytes")
        except MalformedError as error:
            self.problem(_SAN, error)
            # A bare name where the SEQUENCE of names belongs.
            if names.is_plain_name(value):
                self.name(_SAN, value)

    def general_name(self, value: bytes, tlv: der.TLV) -> None:
        kind = tlv.tag & ~_CONSTRUCTED
        if kind not in _READ_KINDS:
            return
        try:
            content = der.octets(value, tlv)
        except MalformedError as error:
            self.problem(_SAN, error)
            return
        if kind == _IP_ADDRESS:
            self.ip_address(content)
        elif kind == _RFC822_NAME:
            self.emails.add(_text(content))
        elif kind == _URI:
            self.uris.add(_text(content))
        else:
            self.name(_SAN, content)

    def ip_address(self, content: bytes) -> None:
        if len(content) in (4, 8):
            # Eight and thirty-two octets are an address and its netmask.
            self.ips.add(IPv4Address(content[:4]))
        elif len(content) in (16, 32):
            self.ips.add(IPv6Address(content[:16]))
        elif names.is_plain_name(content) or names.ip_reading(content) is not None:
            self.name(_SAN, content)
        else:
            self.problem(_SAN, f"has an iPAddress of {len(content)} octets")


def _is_phrase(raw: bytes | str, found: frozenset[str]) -> bool:
    """Whether a commonName is a person's or product's name, such as `Example CA 2`.

    White space around a name does not make it a phrase: it would hide the name.
    """
    if len(raw) > names.VALUE_LIMIT or len(raw.split(None, 1)) < 2:
        return False
    return not any("." in name for name in found)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
