"""Public-Key-Pins: what of a field clients would have read, and why they ignore others."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.headers.fault import FaultKind, HeaderError
from pinwarden.headers.hpkp import HPKPPolicy, parse_public_key_pins
from pinwarden.pinning.pin import Pin

A, B, C = (Pin.of_spki(each) for each in (b"a", b"b", b"c"))
PINS = f"{A.hpkp}; {B.hpkp}"


def faults(value: str, report_only: bool = False) -> list[FaultKind]:
    """What is wrong with a field."""
    with pytest.raises(HeaderError) as raised:
        parse_public_key_pins(value, report_only)
    assert str(raised.value).isprintable()
    return [each.kind for each in raised.value.faults]


def test_the_first_example_of_the_rfc() -> None:
    """RFC 7469 section 2.1.5."""
    assert parse_public_key_pins(f"max-age=3000; {PINS}") == HPKPPolicy(
        report_only=False,
        pins=(A.base64, B.base64),
        max_age=3000,
        include_subdomains=False,
        report_uri=None,
    )


@pytest.mark.parametrize(
    ("value", "max_age"),
    [
        ("max-age=0", 0),
        ("max-age=00012", 12),
        ('max-age="12"', 12),
        (r'max-age="\1\2"', 12),
        ("max-age=99999999999999999999", 99_999_999_999_999_999_999),
        ("max-age=" + "9" * 5_000, int("9" * 100)),
        ("max-age=" + "0" * 5_000 + "7", 7),
    ],
    ids=lambda each: str(each)[:30],
)
def test_max_age(value: str, max_age: int) -> None:
    """Any number of digits, after unescaping (section 2.1.2)."""
    assert parse_public_key_pins(f"{value}; {PINS}").max_age == max_age


@pytest.mark.parametrize(
    "value",
    [
        *("max-age", 'max-age=""', "max-age=+1", "max-age=-1", "max-age=1.5", "max-age=1e3"),
        *('max-age="1 "', "max-age='1'", "max-age=0x1", "max-age=１", 'max-age="１"'),
        *("includeSubDomains=", "includeSubDomains=1", 'includeSubDomains=""'),
        *("report-uri", 'report-uri=""', 'report-uri="/r"', 'report-uri="//a.example/r"'),
        *("report-uri=https://a.example/r", 'report-uri="https://a.example/r#x"'),
        *('report-uri="https://"', 'report-uri="https:///r"', 'report-uri="ht tp://a/"'),
        *('report-uri="http://a.example/%zz"', 'report-uri="http://a.example/<"', "report-uri=a"),
        *(f"pin-sha256={C.base64}", f"pin-sha256='{C.base64}'", "pin-sha256", "pin-sha256=abc"),
        *(f'pin-sha256 ="{C.base64}"', f'pin-sha256= "{C.base64}"', ";", ", max-age=1", "a=b=c"),
    ],
    ids=ascii,
)
def test_malformed(value: str) -> None:
    """Each of these has clients ignore the whole field."""
    other = "" if value.startswith(("max-age", ", max-age")) else "max-age=1; "
    assert set(faults(f"{other}{PINS}; {value}")) <= {
        FaultKind.MALFORMED,
        FaultKind.MISSING_MAX_AGE,
    }


@pytest.mark.parametrize(
    "twice",
    ["max-age=1", "includeSubDomains", 'report-uri="https://a.example/"', "unknown", "unknown=1"],
)
def test_a_directive_that_stands_twice(twice: str) -> None:
    """Rule 2 of section 2.1 holds for unknown directives too; case does not matter."""
    first = "max-age=1; " if not twice.startswith("max-age") else ""
    assert faults(f"{first}{twice}; {PINS}; {twice.upper()}") == [FaultKind.DUPLICATE_DIRECTIVE]


def test_pins_may_stand_twice() -> None:
    """Pins are excepted from that rule, even the same pin, and are kept as they are."""
    policy = parse_public_key_pins(f"max-age=1; {A.hpkp}; {B.hpkp}; {A.hpkp}")
    assert policy.pins == (A.base64, B.base64, A.base64)
    assert policy.hashes == {A.spki_sha256, B.spki_sha256}


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        ("preload", ("preload",)),
        ("x=y; z", ("x", "z")),
        ('pin-sha1="AAAA"', ("pin-sha1",)),
        ('pin-sha512="!"; pin-SHA512="?"', ("pin-sha512",)),
        ("pin-md5=abc", ("pin-md5",)),
        ('pin-="x"', ("pin-",)),
        ("max-age-x=1", ("max-age-x",)),
    ],
)
def test_what_clients_skip(value: str, unknown: tuple[str, ...]) -> None:
    """Directives that they do not know (rule 5), and pins of other hashes (section 2.1.1)."""
    policy = parse_public_key_pins(f"max-age=1; {PINS}; {value}")
    assert (policy.pins, policy.unknown) == ((A.base64, B.base64), unknown)


@pytest.mark.parametrize("value", ["max-age=1", 'max-age=1; pin-sha1="AAAA"'])
def test_no_pins(value: str) -> None:
    """Section 2.1.1: whoever is left without pins no longer pins, which is no fault of grammar."""
    assert parse_public_key_pins(value).pins == ()


@pytest.mark.parametrize(
    ("pin", "is_base64"),
    [
        ("AAAA", True),
        ("", True),
        (A.base64 + "AAAA", False),
        (A.base64[:-1], False),
        (A.base64.rstrip("=") + "==", False),
        ("not base64!", False),
        (" " + A.base64, False),
        (A.base64[:10] + " " + A.base64[10:], False),
        (base64.urlsafe_b64encode(b"\xff" * 32).decode(), False),
        (A.hex, True),
        (base64.b64encode(hashlib.sha1(b"a", usedforsecurity=False).digest()).decode(), True),
    ],
    ids=ascii,
)
def test_bad_pins(pin: str, is_base64: bool) -> None:
    """What is not base64 makes a field malformed; what is no SHA-256 matches no key."""
    value = f'max-age=1; pin-sha256="{pin}"; {PINS}'
    if is_base64:
        policy = parse_public_key_pins(value)
        assert (policy.pins, policy.bad_pins) == ((pin, A.base64, B.base64), (pin,))
    else:
        assert faults(value) == [FaultKind.BAD_PIN]


def test_bad_pins_are_hashes_of_nothing() -> None:
    """They are kept for who wants to see them, and count for nothing."""
    policy = parse_public_key_pins(f'max-age=1; {A.hpkp}; pin-sha256="AAAA"')
    assert policy.hashes == {A.spki_sha256}


def test_report_only_needs_no_max_age() -> None:
    """Section 2.1.2: there it is ignored, whatever it says."""
    for value in (PINS, f"{PINS}; max-age=5", f"{PINS}; max-age=x", f"{PINS}; max-age"):
        assert parse_public_key_pins(value, report_only=True).max_age is None
    twice = f"{PINS}; max-age=1; max-age=1"
    assert faults(twice, report_only=True) == [FaultKind.DUPLICATE_DIRECTIVE]


def test_every_fault_is_told() -> None:
    """In one go, so that nobody repairs them one by one."""
    value = 'a; a; includeSubDomains=1; pin-sha256="?"'
    assert set(faults(value)) == set(FaultKind)


@given(st.text())
def test_anything(value: str) -> None:
    """A policy, or faults in printable words."""
    for report_only in (False, True):
        words = ""
        try:
            parse_public_key_pins(value, report_only)
        except HeaderError as error:
            words = str(error)
        assert words.isprintable()


@given(
    st.permutations(
        [A.hpkp, B.hpkp, "max-age=60", "includeSubDomains", 'report-uri="urn:x"', "u=1"]
    )
)
def test_order_does_not_matter(parts: list[str]) -> None:
    """Rule 1 of section 2.1, except that pins keep theirs."""
    policy = parse_public_key_pins("; ".join(parts))
    assert set(policy.pins) == {A.base64, B.base64}
    assert (policy.max_age, policy.include_subdomains, policy.report_uri) == (60, True, "urn:x")
