"""Fuzzes pins, hosts and pin sets: a value that is written and read again, or our error.

`fuzz/target.py` says how it runs.
"""

import random
from datetime import UTC, datetime

from target import run

from pinwarden.errors import PinwardenError
from pinwarden.pinning.host import normalise_host
from pinwarden.pinning.pin import PinError, parse_pin
from pinwarden.pinning.pinset import PinSet

AT = datetime(2026, 11, 24, tzinfo=UTC)
PIN = b"jQJTbIh0grw0/1TkHSumWb+Fs0Ggogr621gT3PvPKG0="
TOML = (
    *(b"[[policy]]\n", b'host = "a.example"\n', b'mode = "enforce"\n', b'mode = "report-only"\n'),
    *(b'ca_pins = ["%b"]\n' % PIN, b'backup_pins = ["sha256//', PIN, b'"]\n', b"leaf_pins = [\n"),
    *(b'{ pin = "', b'", comment = "', b'" }', b"expires = 2027-06-30\n", b'on_expiry = "open"\n'),
    *(b"allow_no_backup = true\n", b"include_subdomains = true\n", b'exclude = ["x.a.example"]\n'),
    *(b'unpinned_hosts = "refuse"\n', b"rotation = 5\n", b"forbidden_pins = []\n", b"#", b"\n"),
)
JSON = (
    *(b'{"policy": [{', b'"host": "a.example"', b'"mode": "enforce"', b'"ca_pins": ["%b"]' % PIN),
    *(b'"allow_no_backup": true', b"}]}", b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\u0000"),
    *(b"\\ud800", b"NaN", b"1e999", b"null", b'"expires": "2027-06-30"', b'"on_expiry": "open"'),
)
TEXT = (
    *(
        PIN,
        b"sha256/",
        b"sha256//",
        b'pin-sha256="',
        b'"',
        b"sha1/",
        b"AB:" * 31 + b"AB",
        b"=",
        b"/",
    ),
    *(
        b"a",
        b".",
        b"example",
        b"xn--",
        b"*",
        b"_",
        b"127.0.0.1",
        b"[::1]",
        b"%lo",
        b":443",
        b"0x7f",
    ),
    *("ß".encode(), "ü".encode(), "\u200d".encode(), "。".encode(), b"\0", b"\x1b[2J", b" "),
)


def check_error(error: PinwardenError) -> None:
    assert str(error).isprintable()


def check(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for json in (False, True):
        check_set(text, json=json)
    check_pin(text)
    check_host(text)


def check_set(text: str, *, json: bool) -> None:
    try:
        pins = PinSet.parse(text, json=json)
    except PinwardenError as error:
        check_error(error)
        return
    assert PinSet.parse(pins.to_toml()) == pins
    assert PinSet.parse(pins.to_json(), json=True) == pins
    for policy in pins.policies:
        result = pins.check((), policy.host, at=AT)
        assert result.policy == policy
        assert result.verdict != "match"


def check_pin(text: str) -> None:
    try:
        pin = parse_pin(text)
    except PinError as error:
        check_error(error)
        return
    for form in (pin.curl, pin.okhttp, pin.hpkp, pin.hex, pin.base64):
        assert parse_pin(form) == pin


def check_host(text: str) -> None:
    try:
        host = normalise_host(text)
    except PinwardenError as error:
        check_error(error)
        return
    assert normalise_host(host) == host
    assert host.isascii()


WHOLE = b'[[policy]]\nhost = "%b"\nmode = "report-only"\nca_pins = ["' + PIN + b'"]\n'
RULES = (
    *(b"allow_no_backup = true\n", b"include_subdomains = true\n", b"expires = 2027-06-30\n"),
    *(b'on_expiry = "closed"\n', b'comment = "\\u0000\\U0001F512 \\" "\n', b'owner = "\xc3\xbc"\n'),
    *(b'exclude = ["x.a.example"]\n', b'report_uri = "https://r.example/"\n', b"leaf_pins = []\n"),
)
HOSTS = (b"a.example", b"x.a.example", b"192.0.2.1", b"[::1]", b"A.example.", b"example", b"*.b")


def made(number: random.Random) -> bytes:
    """A text from the pieces of one of the languages, often enough a whole set."""
    if number.random() < 0.3:
        return b"".join(
            WHOLE.replace(b"%b", number.choice(HOSTS))
            + b"".join(number.sample(RULES, number.randint(0, 5)))
            for _ in range(number.randint(1, 3))
        )
    words = number.choice((TOML, JSON, TEXT))
    return b"".join(number.choices(words, k=number.randint(1, 14)))


if __name__ == "__main__":
    run(check, made)
