"""Fuzzes pins in the forms of other programs: a draft or one of our errors.

`fuzz/target.py` says how it runs.
"""

import plistlib
import random
from collections.abc import Callable
from typing import TypeVar

from target import damaged, run

from pinwarden.errors import PinwardenError
from pinwarden.pinning.formats.reading.table import SOURCES, import_pins, source_of

_T = TypeVar("_T")
_A = "7HIpactkIAq2Y49orFOOQKurWxmmSFZhBCoQYcRhJ3Y="
_B = "fwza0LRMXouZHRC8Ei+4PyuldPDcf3UKgO/04cDM1oE="
_DOMAIN = {"NSPinnedCAIdentities": [{"SPKI-SHA256-BASE64": _A}], "NSIncludesSubdomains": True}
_PLIST = {
    "NSPinnedDomains": {"a.example": _DOMAIN},
    "TSKPinnedDomains": {
        "b.example": {"TSKPublicKeyHashes": [_A, _B], "TSKExpirationDate": "2027"}
    },
}
SEEDS = (
    f'Public-Key-Pins: pin-sha256="{_A}"; pin-sha256="{_B}"; max-age=1; report-uri="x"'.encode(),
    f'pinnedpubkey = "sha256//{_A};sha256//{_B}"\nurl = https://u@a.example:1/'.encode(),
    f'val H = "a" + ".example"\n.add(H, "sha256/{_A}", """sha256/{_B}""") // x /* "y" */'.encode(),
    b'<network-security-config><domain-config><domain includeSubdomains="true">a.example</domain>'
    b'<pin-set expiration="2027-01-01"><pin digest="SHA-256">' + _A.encode() + b"</pin></pin-set>"
    b"</domain-config></network-security-config>",
    plistlib.dumps(_PLIST),
    plistlib.dumps(_PLIST, fmt=plistlib.FMT_BINARY),
)


def check(data: bytes) -> None:
    one_line(lambda: source_of(data))
    for source in SOURCES:
        for hosts in ((), ("api.example.com",)):
            imported = one_line(lambda: import_pins(data, source, hosts=hosts))  # noqa: B023
            if imported is not None:
                assert imported.draft.policies
                assert all(each.isprintable() for each in imported.notes), imported.notes


def one_line(read: Callable[[], _T]) -> _T | None:
    """What a reader gives, or None if it says in one line why it gives nothing."""
    try:
        return read()
    except PinwardenError as error:
        words = str(error)
    assert words.isprintable(), words
    return None


def make(number: random.Random) -> bytes:
    return damaged(number.choice(SEEDS), number)


if __name__ == "__main__":
    run(check, make)
