"""Record sets that the tests of forms share."""

from __future__ import annotations

from pinwarden.caa.formats.form import RecordSet
from pinwarden.caa.record import CAARecord

ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/27"
BOUND = f"letsencrypt.org;accounturi={ACCOUNT};validationmethods=dns-01,http-01".encode()


def record(tag: str, value: bytes, flags: int = 0) -> CAARecord:
    """One record, its tag as text."""
    return CAARecord(flags, tag.encode("ascii"), value)


# What `make` writes for an ordinary wish.
ORDINARY = (
    record("issue", BOUND),
    record("issuewild", b";"),
    record("issuemail", b";"),
    record("iodef", b"mailto:security@example.com"),
)
# What every form can hold.
BARE = tuple(each for each in ORDINARY if each.tag != b"issuemail")
# Characters that mean something in one medium or another, in a value that is legal.
SPECIAL = (
    record("issue", b"ca.example;a=${x}%{y}$${z};b='q'`id`;c=<!--{{t}}|^~,@", 128),
    record("issuewild", b"ca.example"),
)


def record_set(
    records: tuple[CAARecord, ...], name: str = "example.com", zone: str = "example.com"
) -> RecordSet:
    """A set with a TTL of an hour."""
    return RecordSet(name=name, zone=zone, ttl=3600, records=records)
