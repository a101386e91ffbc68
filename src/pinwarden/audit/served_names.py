"""The names that clients find in a certificate, and whether one of them covers a host.

Strictly as clients read it (RFC 9525 section 6): subjectAltName alone, a wildcard for
exactly one whole label at the left, and addresses by their octets. The generous reading of
`x509.identifiers` is for monitors, which must not miss; here a name too many would be a pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from pinwarden.errors import MalformedError
from pinwarden.names import display
from pinwarden.x509.certificate import CertificateView
from pinwarden.x509.der import SEQUENCE, children, octets, read_tlv
from pinwarden.x509.extensions import SUBJECT_ALT_NAME

__all__ = ["ServedNames", "covers", "served_names"]

_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_ADDRESS_SIZES = (4, 16)
_MOST = 10_000
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class ServedNames:
    """The DNS names, in lower case and without a final dot, and the addresses, each once.

    `unreadable` says what could not be read, one line each.
    """

    dns: tuple[str, ...] = ()
    ips: tuple[IPv4Address | IPv6Address, ...] = ()
    unreadable: tuple[str, ...] = ()


def served_names(certificate: CertificateView) -> ServedNames:
    """What subjectAltName holds, in its order; never raises."""
    dns: dict[str, None] = {}
    ips: dict[IPv4Address | IPv6Address, None] = {}
    unreadable: list[str] = []
    try:
        for tag, content in _general_names(certificate):
            if tag == _DNS_NAME:
                name = content.decode("ascii", "backslashreplace").lower().removesuffix(".")
                if len(name) <= _LONGEST:
                    dns[name] = None
                else:
                    unreadable.append(f"a name of {len(name)} characters")
            elif tag == _IP_ADDRESS and len(content) in _ADDRESS_SIZES:
                ips[ip_address(content)] = None
    except MalformedError as error:
        unreadable.append(str(error))
    return ServedNames(tuple(dns), tuple(ips), tuple(unreadable))


def _general_names(certificate: CertificateView) -> Iterator[tuple[int, bytes]]:
    extension = certificate.extension(SUBJECT_ALT_NAME)
    if extension is None:
        return
    value = extension.value
    outer = read_tlv(value, 0, len(value))
    if outer.tag != SEQUENCE or outer.end != len(value):
        raise MalformedError("subjectAltName: is not one SEQUENCE")
    for number, each in enumerate(children(value, outer.start, outer.end)):
        if number == _MOST:
            raise MalformedError(f"subjectAltName: has more than {_MOST:,} names")
        if each.tag in (_DNS_NAME, _IP_ADDRESS):
            yield each.tag, octets(value, each)


def covers(names: ServedNames, host: str) -> str | None:
    """The name that makes the certificate good for a host, itself before a wildcard.

    `host` is normalised, as `Endpoint.host`. None if there is none.
    """
    try:
        address = ip_address(host)
    except ValueError:
        parent = host.partition(".")[2]
        # A wildcard for a whole top level is refused by clients (RFC 9525 section 6.3).
        wildcard = f"*.{parent}" if "." in parent else ""
        return next((each for each in (host, wildcard) if each and each in names.dns), None)
    return str(address) if address in names.ips else None


def shown_names(names: ServedNames, most: int = 3) -> str:
    """The first few of them, for a message."""
    every = [*names.dns, *map(str, names.ips)]
    if not every:
        return "no name at all"
    words = ", ".join(display(each, 80) for each in every[:most])
    return words if len(every) <= most else f"{words} and {len(every) - most} more"
