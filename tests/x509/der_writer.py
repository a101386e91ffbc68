"""A DER writer that writes what it is told, for certificates no CA library would make."""

from __future__ import annotations

from dataclasses import dataclass, replace

UTF8, PRINTABLE, TELETEX, IA5 = 0x0C, 0x13, 0x14, 0x16
UNIVERSAL, BMP = 0x1C, 0x1E
SAN = "2.5.29.17"
POISON = "1.3.6.1.4.1.11129.2.4.3"
SCT_LIST = "1.3.6.1.4.1.11129.2.4.2"
FALSE, TRUE = b"\x01\x01\x00", b"\x01\x01\xff"


def tlv(tag: int, *parts: bytes, padding: int = 0) -> bytes:
    """One element; `padding` puts that many zero octets before its long-form length."""
    content = b"".join(parts)
    size = (len(content).bit_length() + 7) // 8
    if len(content) < 0x80 and not padding:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes(size + padding, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def seq(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return tlv(0x30, *parts)


def indefinite(tag: int, *parts: bytes) -> bytes:
    """One element of indefinite length (BER only)."""
    return bytes((tag, 0x80)) + b"".join(parts) + b"\0\0"


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *arcs = map(int, dotted.split("."))
    content = b""
    for arc in (40 * first + second, *arcs):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(septets))
    return tlv(0x06, content)


def attribute(text: str | bytes, tag: int = UTF8, kind: str = "2.5.4.3") -> bytes:
    """An AttributeTypeAndValue, a commonName unless told otherwise."""
    content = text.encode() if isinstance(text, str) else text
    return seq(oid(kind), tlv(tag, content))


def name(*rdns: bytes) -> bytes:
    """A Name of RDNs; each is given as its attributes, joined."""
    return seq(*(tlv(0x31, rdn) for rdn in rdns))


def dns(*values: str | bytes) -> bytes:
    """The value of a subjectAltName extension with these DNS names."""
    return seq(*(tlv(0x82, v.encode() if isinstance(v, str) else v) for v in values))


def extension(kind: str, value: bytes, critical: bytes = b"") -> bytes:
    """An Extension; `critical` is the encoded BOOLEAN, if there shall be one."""
    return seq(oid(kind), critical, tlv(0x04, value))


def san(*values: str | bytes) -> bytes:
    """A subjectAltName extension with these DNS names."""
    return extension(SAN, dns(*values))


_ALGORITHM = seq(oid("1.2.840.10045.4.3.2"))
_KEY = seq(
    seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")),
    tlv(0x03, b"\0\x04", bytes(range(64))),
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The fields of a certificate, each as encoded; change one with `but`."""

    version: bytes = tlv(0xA0, b"\x02\x01\x02")
    serial: bytes = b"\x02\x01\x05"
    algorithm: bytes = _ALGORITHM
    issuer: bytes = name(attribute("Example Issuing CA"))
    validity: bytes = seq(tlv(0x17, b"250101000000Z"), tlv(0x17, b"250401000000Z"))
    subject: bytes = name()
    key: bytes = _KEY
    extensions: tuple[bytes, ...] = ()
    tail: bytes = b""

    def but(self, **changes: bytes | tuple[bytes, ...]) -> Certificate:
        """The same certificate with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def tbs(self) -> bytes:
        """The TBSCertificate."""
        held = tlv(0xA3, seq(*self.extensions)) if self.extensions else b""
        return seq(
            self.version,
            self.serial,
            self.algorithm,
            self.issuer,
            self.validity,
            self.subject,
            self.key,
            held,
            self.tail,
        )

    def der(self) -> bytes:
        """The certificate, with a signature that verifies nothing."""
        return seq(self.tbs(), _ALGORITHM, tlv(0x03, b"\0\x30\x00"))
