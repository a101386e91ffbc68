"""Pins in Android's XML and in property lists, and the files that are no such thing."""

from __future__ import annotations

import plistlib
from datetime import date

import pytest

from pinwarden.errors import MalformedError
from pinwarden.pinning import OnExpiry, PinRole
from pinwarden.pinning.formats.reading.table import source_of
from pinwarden.pinning.policy import Mode
from support.pin_reading import A, B, C, only, read


def android(inside: str) -> str:
    return f"<network-security-config>{inside}</network-security-config>"


def pins_xml(*pins: object, attributes: str = "") -> str:
    found = "".join(f'<pin digest="SHA-256"> {each.base64} </pin>' for each in pins)
    return f"<pin-set {attributes}>{found}</pin-set>"


def test_android() -> None:
    """Domains, inheritance, names without pins, the last day, and TrustKit's tags."""
    text = android(
        '<domain-config><domain includeSubdomains="true">Example.com</domain>'
        "<domain>other.example</domain>"
        + pins_xml(A, B, attributes='expiration="2027-01-01"')
        + "<trustkit-config enforcePinning='true'><report-uri>https://r.example/</report-uri>"
        "</trustkit-config>"
        "<domain-config><domain>in.example.com</domain></domain-config></domain-config>"
        '<domain-config><domain includeSubdomains="true">free.example.com</domain>'
        "</domain-config>"
        "<domain-config><domain>own.example.com</domain>" + pins_xml(C) + "</domain-config>"
    )
    policies, notes = read(text, "android")
    found = {each.host: each for each in policies}
    assert list(found) == ["example.com", "other.example", "in.example.com", "own.example.com"]
    wide = found["example.com"]
    assert (wide.include_subdomains, wide.exclude) == (True, ("free.example.com",))
    assert (wide.expires, wide.on_expiry) == (date(2026, 12, 31), OnExpiry.OPEN)
    assert wide.report_uri == "https://r.example/"
    assert set(found["in.example.com"].pins()) == {A, B}
    assert set(found["own.example.com"].pins()) == {C}
    assert notes == ""


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "&a{n - 1 or ""};&a{n - 1 or ""};">' for n in range(1, 30))
    + "]>"
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB + android("&a29;"),
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><network-security-config/>',
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + android("&e;"),
        android("<domain-config>" * 60 + "</domain-config>" * 60),
        android(f"<domain-config><domain>{'a' * 5000}</domain></domain-config>"),
        android(""),
        "<resources/>",
        "no xml",
        android("<domain-config>"),
    ],
)
def test_android_files_that_are_refused(text: str) -> None:
    """Entities, document types, depth, and whatever holds no pins: one line each."""
    with pytest.raises(MalformedError) as caught:
        read(text, "android")
    assert "\n" not in str(caught.value)


def apple(**domains: object) -> dict[str, object]:
    return {"NSAppTransportSecurity": {"NSPinnedDomains": domains}}


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_apple(form: plistlib.PlistFormat) -> None:
    """Leaf and CA identities keep their place."""
    domain = {
        "NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": A.base64}],
        "NSPinnedCAIdentities": [{"SPKI-SHA256-BASE64": B.base64}],
        "NSIncludesSubdomains": True,
    }
    data = plistlib.dumps({"CFBundleName": "x", **apple(**{"a.example": domain})}, fmt=form)
    assert source_of(data) == "plist"
    policy, notes = only(data, "plist")
    assert (policy.pins(PinRole.LEAF), policy.pins(PinRole.CA)) == ((A,), (B,))
    assert "one label down" in notes


def test_trustkit() -> None:
    """Modes, exclusions by the library's own value, and the last day."""
    domains = {
        "example.com": {
            "TSKPublicKeyHashes": [A.base64, B.base64],
            "TSKIncludeSubdomains": True,
            "TSKEnforcePinning": False,
            "TSKExpirationDate": "2027-01-01",
            "TSKReportUris": ["https://r.example/"],
        },
        "old.example.com": {"kSKExcludeSubdomainFromParentPolicy": True},
    }
    policy, notes = only(plistlib.dumps({"TSKPinnedDomains": domains}), "plist")
    assert (policy.mode, policy.exclude) == (Mode.REPORT_ONLY, ("old.example.com",))
    assert (policy.expires, policy.on_expiry) == (date(2026, 12, 31), OnExpiry.OPEN)
    assert notes == ""


@pytest.mark.parametrize(
    "data",
    [
        BOMB.encode() + b"<plist><string>&a29;</string></plist>",
        b"bplist00" + b"\xff" * 40,
        plistlib.dumps({"x": 1}),
        plistlib.dumps([1]),
        plistlib.dumps(apple()),
        b"",
    ],
)
def test_property_lists_that_are_refused(data: bytes) -> None:
    """Bombs, damage, and lists without pins: one line each."""
    with pytest.raises(MalformedError):
        read(data, "plist")


def test_property_lists_with_odd_values() -> None:
    """Values of the wrong type are told of, and end nothing."""
    odd = {
        "a.example": [1],
        "b.example": {"NSPinnedCAIdentities": [1, {"x": 2}, {"SPKI-SHA256-BASE64": A.base64}]},
    }
    policy, notes = only(plistlib.dumps(apple(**odd)), "plist")
    assert policy.host == "b.example"
    assert set(policy.pins()) == {A}
    assert len(policy.keys) == 3
    assert "'a.example'" in notes


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("<debug-overrides>{}</debug-overrides>", "in debug builds"),
        ("<base-config>{}</base-config>", "refused by it"),
        (
            "<domain-config><domain-config>{}</domain-config></domain-config>",
            "refused by it",
        ),
    ],
)
def test_anchors_that_override_pins(place: str, words: str) -> None:
    """Wherever they stand; those of debug builds are another matter."""
    anchors = '<trust-anchors><certificates src="user" overridePins="true"/></trust-anchors>'
    pinned = f"<domain-config><domain>a.example</domain>{pins_xml(A, B)}</domain-config>"
    _, notes = only(android(place.format(anchors) + pinned), "android")
    assert words in notes


def test_an_android_domain_that_stands_twice() -> None:
    twice = f"<domain-config><domain>a.example</domain>{pins_xml(A)}</domain-config>"
    assert "stands twice" in only(android(twice + twice), "android")[1]


def test_what_a_pin_set_says_otherwise_than_apple() -> None:
    """Two lists that may both have to be met, and reports to several places."""
    lists = {
        name: [{"SPKI-SHA256-BASE64": each.base64}]
        for name, each in (("NSPinnedLeafIdentities", A), ("NSPinnedCAIdentities", B))
    }
    _, notes = only(plistlib.dumps({"NSPinnedDomains": {"a.example": lists}}), "plist")
    assert "either is enough" in notes
    domain = {
        "TSKPublicKeyHashes": [A.base64, B.base64],
        "TSKReportUris": ["https://r.example/1", "https://r.example/2"],
        "TSKEnforcePinning": 0,
    }
    policy, notes = only(plistlib.dumps({"TSKPinnedDomains": {"a.example": domain}}), "plist")
    assert "of 2 report addresses the first is taken" in notes
    assert policy.mode is Mode.REPORT_ONLY
