"""A resolver for a lab server, impatient where a test waits for silence."""

from __future__ import annotations

from pinwarden.lab.dns import LabDNS
from pinwarden.net.dns.resolver import DNSResolver, open_resolver
from pinwarden.net.dns.server import parse_server

IMPATIENT = 0.2
PATIENT = 20.0

ZONE = r"""
$TTL 300
@        CAA 0 issue "ca.example"
www  200 CNAME a
a    100 CNAME b
b        CAA 0 issue "ca.example.net"
loop     CNAME pool
pool     CNAME loop
out      CNAME x.example.net.
empty    A 192.0.2.1
odd      CAA 0 a-b "kept"
odd      CAA \# 1 00
sub      NS ns.sub
ns.sub   A 127.0.0.2
away     CNAME www.sub
"""
ZONES = {"example.com": ZONE}


def resolver(
    lab: LabDNS, *, scheme: str = "udp", timeout: float = PATIENT, attempts: int = 2
) -> DNSResolver:
    """Asks the lab server over UDP or TCP."""
    server = parse_server(f"{scheme}://127.0.0.1:{lab.port}")
    return open_resolver(server, timeout=timeout, attempts=attempts)
