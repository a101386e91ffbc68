"""Addresses for reports: iodef URLs, and the contacts of the Baseline Requirements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.caa.contact import parse_contact_email, parse_contact_phone, parse_iodef
from pinwarden.errors import MalformedError


@pytest.mark.parametrize(
    "value",
    [
        "mailto:security@example.com",
        "MAILTO:security@example.com",
        "mailto:a@example.com,b@example.com?subject=CAA",
        "mailto:%22a%20b%22@example.com",
        "mailto:caf%C3%A9@example.com",
        "https://iodef.example.com/report?x=y",
        "http://iodef.example.com/",
        "https://[2001:db8::1]/",
    ],
)
def test_iodef_urls(value: str) -> None:
    assert parse_iodef(value.encode()) == value


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (b"", "write a URL"),
        (b"security@example.com", "write mailto:security@example.com"),
        (b"example.com", "write a URL"),
        (b"mailto:", "local-part@domain"),
        (b"mailto:security", "local-part@domain"),
        (b"mailto:?subject=x", "local-part@domain"),
        (b"mailto:a@example.com,", "local-part@domain"),
        (b"mailto:%ff@example.com", ""),
        (b"mailto: a@example.com", "write a URL"),
        (b"ftp://example.com/", "write a URL"),
        (b"tel:+1", "write a URL"),
        (b"https:", "write a URL"),
        (b"https:///x", "write a URL"),
        (b'"https://example.com/"', "write a URL"),
        ("https://bücher.example/".encode(), "%XX"),
        (b"https://example.com/\n", "write a URL"),
        (b"\x1b@b", ""),
    ],
)
def test_what_is_no_iodef_url(value: bytes, hint: str) -> None:
    """RFC 8659 section 4.4 knows three schemes."""
    with pytest.raises(MalformedError, match="iodef value") as caught:
        parse_iodef(value)
    assert hint in (caught.value.hint or "")
    assert f"{caught.value}{caught.value.hint or ''}".isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "admin@example.com",
        "a.b+c=d@sub.example.com",
        "o'neil@example.com",
        '"a b"@example.com',
        '"a\\"b"@example.com',
        "jörg@bücher.example",
        "admin@localhost",
        "admin@[192.0.2.1]",
        "admin@[IPv6:2001:db8::1]",
    ],
)
def test_contact_addresses(text: str) -> None:
    assert parse_contact_email(text.encode()) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "local-part@domain"),
        ("admin", "local-part@domain"),
        ("@example.com", ""),
        ("admin@", ""),
        ("a..b@example.com", ""),
        (".a@example.com", ""),
        ("a@b@example.com", ""),
        ("admin@-example.com", ""),
        ("admin@example..com", ""),
        ("admin@[192.0.2.256]", ""),
        ("admin@[fe80::1%eth0]", ""),
        ("admin@[IPv6:fe80::1%eth0]", ""),
        (" admin@example.com", "without blanks"),
        ("admin@example.com ", "without blanks"),
        ("a@example.com,b@example.com", "publish one record for each"),
        ("mailto:admin@example.com", "leave out mailto:"),
        ("Admin <admin@example.com>", "without a name and without brackets"),
        ("<admin@example.com>", "without brackets"),
        ("admin@example.com\n", ""),
        ("ad\u202emin@example.com", ""),
        ("x" * 250 + "@example.com", ""),
    ],
)
def test_what_is_no_contact_address(text: str, hint: str) -> None:
    """TLS Baseline Requirements A.1.1: one address, no padding, no structure."""
    with pytest.raises(MalformedError, match="contactemail value") as caught:
        parse_contact_email(text.encode())
    assert hint in (caught.value.hint or "")
    assert str(caught.value).isprintable()


def test_a_contact_address_is_utf_8() -> None:
    with pytest.raises(MalformedError, match="is not UTF-8"):
        parse_contact_email(b"\xff@example.com")


@pytest.mark.parametrize(
    "text",
    [
        "+15551234567",
        "+1 555 123 4567",
        "+1 (555) 123-4567",
        "+1-555-123-4567",
        "+1(555)123.4567",
        "+(1)5",
        "+1;ext=3;x=%41;y",
    ],
)
def test_contact_numbers(text: str) -> None:
    """Blanks as well: the Baseline Requirements have them in both their examples."""
    assert parse_contact_phone(text.encode()) == text


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (b"", "country code"),
        (b"5551234567", "country code"),
        (b"+", "country code"),
        (b"+-()", "country code"),
        (b"+1  555 123 4567", "all but one between digits"),
        (b" +1 555 123 4567", "leave out blanks at the ends"),
        (b"+1 555 123 4567 ", "leave out blanks at the ends"),
        (b"+ 1 555 123 4567", "leave out blanks"),
        (b"+1\t555", "country code"),
        (b"tel:+15551234567", "leave out tel:"),
        (b"+1555-CALL-ME", "country code"),
        (b"+1555;", ""),
        (b"+1555;a=b=c", ""),
        (b"+1555;ext=\x00", ""),
        ("+١".encode(), ""),
        (b"+1555\n", "country code"),
    ],
)
def test_what_is_no_contact_number(value: bytes, hint: str) -> None:
    """RFC 3966 section 5.1.4, with no additional padding or structure."""
    with pytest.raises(MalformedError, match="contactphone value") as caught:
        parse_contact_phone(value)
    assert hint in (caught.value.hint or "")


@given(st.binary(max_size=60))
def test_any_value_is_a_contact_or_malformed(value: bytes) -> None:
    for parse in (parse_iodef, parse_contact_email, parse_contact_phone):
        try:
            text = parse(value)
        except MalformedError as error:
            text = str(error)
        assert text.replace("\t", " ").isprintable()


@pytest.mark.parametrize("value", [b"a" * 99_000 + b"@", b'"' + b"a" * 99_000, b"a." * 50_000])
def test_long_hostile_values_are_answered(value: bytes) -> None:
    for parse in (parse_iodef, parse_contact_email, parse_contact_phone):
        with pytest.raises(MalformedError):
            parse(value + b"^@^")
