"""Pins in headers, configuration and code: found where they are, told of where they are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pinwarden.errors import MalformedError
from pinwarden.pinning import PinRole
from pinwarden.pinning.formats.reading.found import Known
from pinwarden.pinning.formats.reading.table import import_pins, source_of
from pinwarden.pinning.pin import BadPin
from pinwarden.pinning.policy import Mode
from support.pin_reading import HOST, A, B, C, only, read


def header(*more: str, name: str = "Public-Key-Pins") -> str:
    return f"{name}: {'; '.join([A.hpkp, B.hpkp, *more])}\r\n"


def test_a_header() -> None:
    """The directives of RFC 7469 section 2.1, whatever their order and case."""
    text = "Server: x\r\n" + header(
        "MAX-age=5184000", "includesubdomains", 'report-uri="https://r.example/?a;b"', "x=y"
    )
    policy, notes = only(text, "hpkp", hosts=HOST)
    assert set(policy.pins(PinRole.CA)) == set(policy.pins(PinRole.LEAF)) == {A, B}
    assert (policy.mode, policy.include_subdomains) == (Mode.ENFORCE, True)
    assert policy.report_uri == "https://r.example/?a;b"
    assert notes == ""


@pytest.mark.parametrize(
    "text",
    [
        header("max-age=1"),
        f'add_header Public-Key-Pins "{A.hpkp}; {B.hpkp}; max-age=1" always;'.replace(
            '="', '=\\"'
        ).replace('=";', '=\\";'),
        f"add_header Public-Key-Pins '{A.hpkp}; {B.hpkp}; max-age=1';",
        f"Header always set Public-Key-Pins '{A.hpkp}; {B.hpkp}; max-age=1'",
        f"{A.hpkp}; {B.hpkp}; max-age=1",
    ],
)
def test_where_headers_stand(text: str) -> None:
    """In a dump of headers, in a server's configuration, or alone."""
    policy, _ = only(text, "hpkp", hosts=HOST)
    assert set(policy.pins()) == {A, B}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (header(), "no max-age"),
        (header("max-age=0"), "forget the pins"),
        (header("max-age=1", "max-age=2"), "stands twice"),
        (header("max-age=1", "==="), "ignore the header"),
        (f"Public-Key-Pins: pin-sha256={A.base64}; max-age=1", "is not in quotes"),
        (header("max-age=1") + header("max-age=2"), "reads the first"),
        (
            header("max-age=1") + header("max-age=1", name="Public-Key-Pins-Report-Only"),
            "is left out",
        ),
    ],
)
def test_headers_that_no_client_keeps(text: str, words: str) -> None:
    """A fault that has clients ignore the header is noted, and its pins are read all the same."""
    policy, notes = only(text, "hpkp", hosts=HOST)
    assert words in notes
    assert policy.keys


def test_a_header_that_only_reports() -> None:
    """The other name of the header is the other mode."""
    policy, notes = only(header(name="public-key-pins-report-only"), "hpkp", hosts=HOST)
    assert (policy.mode, notes) == (Mode.REPORT_ONLY, "")


def test_a_header_has_no_host() -> None:
    """It is the user who knows by whom it was sent."""
    with pytest.raises(MalformedError, match="does not say whose"):
        read(header(), "hpkp")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sha1/2jmj7l5rSw0yVb/vlWAYkK/YBwk=", BadPin.WEAK_HASH),
        ("sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", BadPin.PLACEHOLDER),
        ("sha256/abc", BadPin.MALFORMED),
        ("sha256/" + ":".join(["AB", "CD"] * 16), None),
    ],
)
def test_bad_pins_stay_in_the_draft(text: str, why: BadPin | None) -> None:
    """An old set can be linted although it would be refused."""
    code = f'CertificatePinner.Builder().add("a.example", "{text}", "{A.okhttp}")'
    policy, _ = only(code, "okhttp")
    bad = [key for key in policy.keys if key.pin is None]
    assert len(bad) == 1
    assert bad[0].why is not None
    assert why in (None, bad[0].why)
    dropped, _ = only(code, "okhttp", known=Known(drop_bad_pins=True))
    assert set(dropped.pins()) == {A}
    assert all(key.why is None for key in dropped.keys)


def test_the_chain_tells_places() -> None:
    """What is served has its place; what is not is a backup."""
    code = f'.add("a.example", "{A.okhttp}", "{B.okhttp}", "{C.okhttp}")'
    policy, _ = only(code, "okhttp", known=Known(chain=[A, B]))
    assert policy.pins(PinRole.LEAF) == (A,)
    assert policy.pins(PinRole.CA) == (B,)
    assert policy.pins(PinRole.BACKUP) == (C,)
    assert policy.policy is not None


def test_a_backup_is_said() -> None:
    """Without a chain the user says which pin is the backup; it is in no other role then."""
    code = f'.add("a.example", "{A.okhttp}", "{B.okhttp}")'
    policy, _ = only(code, "okhttp", known=Known(backups={B}))
    assert policy.pins(PinRole.BACKUP) == (B,)
    assert set(policy.pins(PinRole.LEAF, PinRole.CA)) == {A}


def test_a_place_that_the_source_gave_is_kept() -> None:
    """A leaf pin whose key is served as a CA's is not moved there: it would never have matched."""
    text = f'pinnedpubkey = "{A.curl};{B.curl}"\nurl = "https://a.example/"'
    policy, _ = only(text, "curl", known=Known(chain=[A, B]))
    assert policy.pins(PinRole.LEAF) == (A,)
    assert policy.pins(PinRole.BACKUP) == (B,)


def test_curl_ends_its_list_at_a_space() -> None:
    """So the pins after it were never in force."""
    text = f"curl --pinnedpubkey '{A.curl}; {B.curl}' https://user:pw@a.example:8443/x"
    policy, notes = only(text, "curl")
    assert policy.host == "a.example"
    assert policy.pins(PinRole.LEAF) == (A, B)
    assert "ignores every pin after" in notes


def test_curl_with_a_key_file() -> None:
    """A file name is not a pin; a proxy's option and a comment are not the server's."""
    text = f"""
    # pinnedpubkey = "{C.curl}"
    proxy-pinnedpubkey = "{C.curl}"
    pinnedpubkey: key.pem
    pinnedpubkey "{A.curl}"
    """
    policy, notes = only(text, "curl", hosts=HOST)
    assert policy.pins() == (A,)
    assert "'key.pem'" in notes


def test_okhttp_code() -> None:
    """Constants, parts, raw strings and both languages; comments and templates are not read."""
    code = f'''
    // .add("commented.example", "{C.okhttp}")
    /* .add("commented.example", "{C.okhttp}") */
    private const val HOST = "one.example"
    object Hosts {{ val OTHER: String = "two." + "example" }}
    CertificatePinner.Builder()
        .add(HOST, "{A.okhttp}", """{B.okhttp}""")
        .add(Hosts.OTHER, "sha256/" + "{A.base64}")
        .add("**.three.example", "{A.okhttp}")
        .add("*.four.example", "{A.okhttp}")
        .add("$name.example", "{A.okhttp}")
        .add("five.example", PIN)
    list.add("not", "pins")
    url = "https://x/*"
    .add("six.example", "{A.okhttp}")
    '''
    policies, notes = read(code, "okhttp")
    found = {each.host: each for each in policies}
    assert list(found) == [f"{each}.example" for each in ("one", "two", "three", "four", "six")]
    assert set(found["one.example"].pins()) == {A, B}
    assert found["three.example"].include_subdomains
    assert not found["one.example"].include_subdomains
    assert "'*.four.example' is one label below" in notes
    assert "not a text in this file" in notes


def test_okhttp_patterns(corpus: Path) -> None:
    """A pattern that we take covers at least what OkHttp's own tests say that it covers."""
    vectors = json.loads((corpus / "pinning" / "okhttp_pinner_vectors.json").read_text())
    tried = 0
    for each in vectors["host_patterns"]:
        imported = import_pins(f'.add("{each["pattern"]}", "{A.okhttp}")'.encode(), "okhttp")
        (policy,) = imported.draft.policies
        for name in each["match"]:
            if name.startswith(".") or ".." in name:
                continue
            tried += 1
            below = policy.include_subdomains and name.endswith(f".{policy.host}")
            assert name == policy.host or below, (each["pattern"], name)
        for name in each["no_match"]:
            below = policy.include_subdomains and name.endswith(f".{policy.host}")
            wide = each["pattern"].startswith("*.")
            assert wide or not (name == policy.host or below), (each["pattern"], name)
    assert tried > 10


@pytest.mark.parametrize(
    "text",
    [
        "< Public-Key-Pins: {value}",
        'header("Public-Key-Pins: {escaped}");',
        "header('Public-Key-Pins: {value}', true);",
        'setenv.add-response-header = ( "Public-Key-Pins" => "{escaped}" )',
        '<add name="Public-Key-Pins" value="{xml}" />',
        "http-response set-header Public-Key-Pins {haproxy}",
        "res.setHeader('Public-Key-Pins', '{value}');",
        'Header set Public-Key-Pins "{folded}"',
    ],
)
def test_headers_in_what_sends_them(text: str) -> None:
    """Servers and languages quote it each in their way."""
    value = f"{A.hpkp}; {B.hpkp}; max-age=1; includeSubDomains"
    escaped = value.replace('"', '\\"')
    written = text.format(
        value=value,
        escaped=escaped,
        xml=value.replace('"', "&quot;"),
        haproxy=escaped.replace(" ", "\\ "),
        folded=escaped.replace("; ", "; \\\n    "),
    )
    policy, notes = only(f"first line\n{written}\nlast: line", "hpkp", hosts=HOST)
    assert set(policy.pins()) == {A, B}
    assert policy.include_subdomains
    assert notes == ""


@pytest.mark.parametrize("mark", ["#", "//", ";", " # "])
def test_headers_that_are_commented_out(mark: str) -> None:
    """They are sent to nobody."""
    with pytest.raises(MalformedError, match="holds no Public-Key-Pins header") as raised:
        read(f"{mark} {header('max-age=1')}", "hpkp", hosts=HOST)
    assert raised.value.hint == "what is commented out is not read"


@pytest.mark.parametrize(
    "text",
    [
        "curl --pinnedpubkey '{a}' https://a.example/\ncurl --pinnedpubkey '{b}' \\\n {url}",
        'url = "https://a.example/"\npinnedpubkey {a}\nnext\nurl = "{url}"\npinnedpubkey {b}',
        "curl --pinnedpubkey '{a}' https://a.example/ --next --pinnedpubkey '{b}' {url}",
    ],
)
def test_the_pins_of_one_transfer_are_not_those_of_the_next(text: str) -> None:
    """Each host with its own; together they would each accept the other's key."""
    policies, _ = read(text.format(a=A.curl, b=B.curl, url="https://b.example/"), "curl")
    assert {each.host: each.pins() for each in policies} == {"a.example": (A,), "b.example": (B,)}


def test_curl_takes_the_last_option() -> None:
    text = f'url = "https://a.example/"\npinnedpubkey = "{A.curl}"\npinnedpubkey = "{B.curl}"'
    policy, notes = only(text, "curl")
    assert policy.pins() == (B,)
    assert "takes the last" in notes


def test_a_host_whose_pins_are_all_bad() -> None:
    """Dropping bad pins must not stand in the way of the rest of the file."""
    code = f'.add("a.example", "{A.okhttp}").add("b.example", "sha1/DmxUShsZuNiqPQsX2Oi9uv2sCnw=")'
    policy, notes = only(code, "okhttp", known=Known(drop_bad_pins=True))
    assert policy.host == "a.example"
    assert "'b.example': no pin is left" in notes


def test_a_comment_does_not_tell_the_form() -> None:
    """Somebody's note in generated code must not have it read as another program's."""
    code = f'// for pinnedpubkey too\nCertificatePinner.Builder().add("a.example", "{A.okhttp}")'
    assert source_of(code.encode()) == "okhttp"
    assert source_of(b"# CertificatePinner\npinnedpubkey = x") == "curl"
    assert source_of(b"# Public-Key-Pins: x") == "hpkp"
