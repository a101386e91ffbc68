"""Which addresses are of the public Internet, and what the others are.

Whoever lets others say which hosts to ask (a service, a dashboard, a redirect) must not
be led into its own network. Only what the registries of IANA (RFC 6890, as of 2026) give
to everybody is public; addresses that carry another one inside are what that one is.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

__all__ = ["why_not_public"]

# Metadata services and the like, to which a machine in a cloud may tell its secrets.
_CLOUD = {
    IPv4Address("169.254.169.254"): "the metadata service of a cloud",
    IPv4Address("169.254.170.2"): "the metadata service of a cloud",
    IPv4Address("100.100.100.200"): "the metadata service of a cloud",
    IPv4Address("192.0.0.192"): "the metadata service of a cloud",
    # Looks public, and is the host of each virtual machine of Azure.
    IPv4Address("168.63.129.16"): "the platform service of a cloud",
}
_IPV4 = {
    IPv4Network("0.0.0.0/8"): "this host, without an address",
    IPv4Network("10.0.0.0/8"): "of a private network",
    IPv4Network("100.64.0.0/10"): "of a provider's inner network",
    IPv4Network("127.0.0.0/8"): "this machine itself",
    IPv4Network("169.254.0.0/16"): "of the local link",
    IPv4Network("172.16.0.0/12"): "of a private network",
    IPv4Network("192.0.0.0/24"): "reserved for protocols",
    IPv4Network("192.0.2.0/24"): "for documentation",
    IPv4Network("192.88.99.0/24"): "a relay of 6to4",
    IPv4Network("192.168.0.0/16"): "of a private network",
    IPv4Network("198.18.0.0/15"): "for measurements",
    IPv4Network("198.51.100.0/24"): "for documentation",
    IPv4Network("203.0.113.0/24"): "for documentation",
    IPv4Network("224.0.0.0/4"): "a group of hosts (multicast)",
    IPv4Network("255.255.255.255/32"): "everybody on the link (broadcast)",
    IPv4Network("240.0.0.0/4"): "reserved",
}
_IPV6 = {
    IPv6Network("::/128"): "this host, without an address",
    IPv6Network("::1/128"): "this machine itself",
    IPv6Network("64:ff9b:1::/48"): "of a local translation to IPv4",
    IPv6Network("100::/64"): "discarded by everybody",
    IPv6Network("2001::/32"): "of a Teredo tunnel",
    IPv6Network("2001:2::/48"): "for measurements",
    IPv6Network("2001:db8::/32"): "for documentation",
    IPv6Network("2001::/23"): "reserved for protocols",
    IPv6Network("3fff::/20"): "for documentation",
    IPv6Network("5f00::/16"): "of segment routing",
    IPv6Network("fc00::/7"): "of a private network",
    IPv6Network("fe80::/10"): "of the local link",
    IPv6Network("fec0::/10"): "of a site's inner network",
    IPv6Network("ff00::/8"): "a group of hosts (multicast)",
}
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_6TO4 = IPv6Network("2002::/16")
# The last 32 bits of these are the IPv4 address that is meant: mapped (RFC 4291 section
# 2.5.5.2) and the well-known prefix of NAT64 (RFC 6052).
_MEAN_IPV4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
# Here too, but nobody has them any more: compatible (2.5.5.1), translated (RFC 2765).
_CARRY_IPV4 = (*_MEAN_IPV4, IPv6Network("::/96"), IPv6Network("::ffff:0:0:0/96"))
# RFC 5214 section 6.1: the interface identifiers of ISATAP, in any prefix.
_ISATAP = (0x00005EFE, 0x02005EFE)


def why_not_public(address: str) -> str | None:
    """What an IP address is instead of a public one, in words; None if it is public.

    `address` is one as the system gives it, such as `192.0.2.1` or `fe80::1%eth0`; what is
    no address is not public.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return "it is no IP address"
    kind = _ipv4(found) if isinstance(found, IPv4Address) else _ipv6(found)
    return None if kind is None else f"it is {kind}"


def _ipv4(address: IPv4Address) -> str | None:
    if address in _CLOUD:
        return _CLOUD[address]
    return next((kind for network, kind in _IPV4.items() if address in network), None)


def _ipv6(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return "of one link of this machine"
    kind = next((kind for network, kind in _IPV6.items() if address in network), None)
    if kind is not None:
        return kind
    inner = _inner(address)
    kind = None if inner is None else _ipv4(inner)
    if kind is not None:
        return f"{kind}, as {inner} inside IPv6"
    public = (_GLOBAL_UNICAST, *_MEAN_IPV4)
    return None if any(address in network for network in public) else "reserved"


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which packets for this one may come in the end."""
    number = int(address)
    if address in _6TO4:
        # RFC 3056 section 2.
        return IPv4Address((number >> 80) & 0xFFFFFFFF)
    isatap = (number >> 32) & 0xFFFFFFFF in _ISATAP
    if isatap or any(address in network for network in _CARRY_IPV4):
        return IPv4Address(number & 0xFFFFFFFF)
    return None
