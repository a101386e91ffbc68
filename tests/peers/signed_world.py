"""A root of our own and zones under it, signed by dnspython: rightly, wrongly, too long ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dns.dnssec
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.dnssectypes import DSDigest
from dns.rdtypes.dnskeybase import Flag

_APEX = """$TTL 300
@ 300 IN SOA ns. hostmaster. 1 3600 600 86400 60
@ 300 IN NS ns.
"""
_DAY = timedelta(days=1)
_TTL = 300


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a zone, which signs all of it."""

    private: ec.EllipticCurvePrivateKey
    public: dns.dnssec.DNSKEY

    @classmethod
    def new(cls) -> Key:
        """A key on P-256 (RFC 6605), with the flag of an entry point."""
        private = ec.generate_private_key(ec.SECP256R1())
        return cls(
            private,
            dns.dnssec.make_dnskey(
                private.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, Flag.ZONE | Flag.SEP
            ),
        )

    def ds(self, name: str) -> str:
        """The DS record for a zone that has this key."""
        digest = dns.dnssec.make_ds(dns.name.from_text(name), self.public, DSDigest.SHA256)
        return f"{name}. {_TTL} IN DS {digest}\n"


def signed(origin: str, text: str, key: Key, *, expired: bool = False) -> str:
    """A zone's text with its signatures, which end tomorrow or ended yesterday."""
    zone = dns.zone.from_text(_APEX + text, origin=origin, relativize=False)
    now = datetime.now(UTC)
    ends = now - _DAY if expired else now + _DAY
    dns.dnssec.sign_zone(
        zone,
        keys=[(key.private, key.public)],
        inception=ends - 2 * _DAY,
        expiration=ends,
        dnskey_ttl=_TTL,
    )
    return zone.to_text()


def world() -> tuple[dict[str, str], str]:
    """Zones (origin to text) from the root down, and the trust anchor, a DS record.

    `secure`, `expired`, `wrong-ds` and `unsigned` have a DS record above them;
    `insecure` has none. Each holds CAA at `caa`, an alias to it in `secure` at `alias`,
    and nothing at `bare`.
    """
    text = (
        'caa 300 IN CAA 0 issue "ca.example"\nalias 300 IN CNAME caa.secure.\nbare 300 IN TXT "x"\n'
    )
    keys = {name: Key.new() for name in ("", "secure", "expired", "wrong-ds", "unsigned")}
    zones = {
        "secure": signed(
            "secure", text + "to-insecure 300 IN CNAME caa.insecure.\n", keys["secure"]
        ),
        "expired": signed("expired", text, keys["expired"], expired=True),
        "wrong-ds": signed("wrong-ds", text, Key.new()),
        "unsigned": _APEX + text,
        "insecure": _APEX + text,
    }
    delegations = "".join(
        f"{name}. 300 IN NS ns.\n" + (keys[name].ds(name) if name in keys else "") for name in zones
    )
    root = signed(".", "ns. 300 IN A 127.0.0.1\n" + delegations, keys[""])
    anchor = f". {_TTL} IN DS {dns.dnssec.make_ds(dns.name.root, keys[''].public, DSDigest.SHA256)}"
    return {".": root, **zones}, anchor
