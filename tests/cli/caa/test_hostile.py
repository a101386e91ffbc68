"""Whatever DNS says, `pinwarden caa` tells it in clean lines, and takes no failure for a yes."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import dns.message
import pytest

from pinwarden.cli.main import run
from pinwarden.lab.dns import Fault, LabDNS

_COLOUR = r"\027[31m"
_TURNED = r"\226\128\174"
_MARKUP = "<script>[red]"
LONGEST = ".".join(("a" * 61, "b" * 61, "c" * 61, "d" * 59, "example"))
RECORDS = 1001
ZONE = rf"""
colour      60 IN CAA 0 issue "ca{_COLOUR}{_TURNED}{_MARKUP}"
tag         60 IN CAA 128 "is{_COLOUR}{_TURNED}" "x"
lines       60 IN CAA 0 issue "a\000\010pinwarden: error: b\013"
broken      60 IN CAA 0 issue "ca.example.net"
broken      60 IN CAA \# 3 000569
empty       60 IN CAA \# 0
alias       60 IN CNAME {_COLOUR}{_TURNED}.away
*.away      60 IN CAA 0 issue "other.example.net"
loop        60 IN CNAME back
back        60 IN CNAME loop
long        60 IN CAA 0 issue "{"x" * 65000}"
grown       60 IN DNAME {"g" * 63}.{"h" * 63}.{"i" * 63}.far
many        60 IN CAA 0 issue "ca.example.net"
{LONGEST}.  60 IN CAA 0 issue ";"
""" + "".join(f'many 60 IN CAA 0 issue "ca{n}.example.net"\n' for n in range(1, RECORDS))


@pytest.fixture(scope="module")
def server() -> Iterator[LabDNS]:
    with LabDNS({"example": ZONE}, "resolver") as running:
        yield running


@pytest.fixture(autouse=True)
def _afresh(server: LabDNS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server.faults.clear()
    server.rewrite = None
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def is_clean(text: str) -> bool:
    """Nothing that moves a cursor, colours a line or turns its direction (but line ends)."""
    return all(
        each == "\n" or unicodedata.category(each) not in {"Cc", "Cf", "Zl", "Zp", "Cs"}
        for each in text
    )


class Asking:
    """Runs `caa check` for a CA in text and in JSON, and `caa show`."""

    def __init__(self, server: LabDNS, capsys: pytest.CaptureFixture[str]) -> None:
        self._where = ("--resolver", f"127.0.0.1:{server.port}")
        self.patience: tuple[str, ...] = ()
        self._capsys = capsys

    def check(self, name: str) -> tuple[str, str]:
        """Verdict and reason, the same in both forms, with clean output everywhere."""
        issuer = ("--issuer", "ca.example.net")
        code, out = self._run("check", name, *issuer, "--json")
        (line,) = out.splitlines()
        said = json.loads(line)
        assert code == (0 if said["verdict"] == "allowed" else 1)
        assert all(is_clean(each) and "\n" not in each for each in said["why"])
        told, text = self._run("check", name, *issuer)
        assert told == code
        assert said["reason"] in text
        self._run("show", name)
        return said["verdict"], said["reason"]

    def _run(self, command: str, *arguments: str) -> tuple[int, str]:
        code = run(["caa", command, *arguments, *self._where, *self.patience])
        said = self._capsys.readouterr()
        assert code in {0, 1}, said.err
        assert is_clean(said.out)
        assert is_clean(said.err)
        assert "Traceback" not in said.err
        return code, said.out


@pytest.fixture
def asking(server: LabDNS, capsys: pytest.CaptureFixture[str]) -> Asking:
    return Asking(server, capsys)


@pytest.mark.parametrize(
    ("name", "verdict", "reason"),
    [
        ("colour", "denied", "malformed-value"),
        ("tag", "denied", "unknown-critical"),
        ("lines", "denied", "malformed-value"),
        # One record allows it, but what the other says cannot be known.
        ("broken", "unknown", "lookup-failure"),
        ("empty", "unknown", "lookup-failure"),
        ("alias", "denied", "issuer-not-listed"),
        ("loop", "unknown", "lookup-failure"),
        ("long", "denied", "issuer-not-listed"),
        ("many", "allowed", "issuer-authorized"),
        (f"{'x' * 60}.grown", "unknown", "lookup-failure"),
        (LONGEST.removesuffix(".example"), "denied", "empty-issuer"),
    ],
)
def test_hostile_records(
    name: str, verdict: str, reason: str, asking: Asking, server: LabDNS
) -> None:
    """Escape sequences, turned text, markup, line ends, lengths: told, but never obeyed."""
    assert asking.check(f"{name}.example") == (verdict, reason)


@pytest.mark.parametrize(
    "fault",
    ["garbage", "cut", "wrong-id", "wrong-question", "truncate-always", "formerr", "notimp"],
)
def test_messages_that_are_no_answer(fault: Fault, asking: Asking, server: LabDNS) -> None:
    """What cannot be read or belongs to another question must be a failure, not an empty set."""
    server.faults["*"] = fault
    asking.patience = ("--timeout", "0.2")
    assert asking.check("many.example") == ("unknown", "lookup-failure")


def test_words_of_a_resolver(asking: Asking, server: LabDNS) -> None:
    """The text of an extended error (RFC 8914) is somebody else's."""
    server.faults["example"] = "servfail"
    server.extended_errors["example"] = [(22, "evil \x1b[31m \u202e <b> [red]\nnext"), (65535, "")]
    assert asking.check("nobody.example") == ("unknown", "lookup-failure")


def test_an_extended_error_that_is_not_utf_8(asking: Asking, server: LabDNS) -> None:
    """Octets that are no text must not end the program."""
    server.faults["example"] = "servfail"
    server.extended_errors["example"] = [(22, "0123456789")]
    server.rewrite = lambda _, wire: wire.replace(b"0123456789", b"\xff\xfe\x1b[2J\x80\xc0\xc0")
    assert asking.check("nobody.example") == ("unknown", "lookup-failure")


def _spoil(server: LabDNS, place: int, octet: bytes) -> None:
    server.rewrite = lambda _, wire: wire[:place] + octet + wire[place + 1 :]


@pytest.mark.parametrize("place", range(4, 12))
def test_counts_that_are_wrong(place: int, asking: Asking, server: LabDNS) -> None:
    """An answer with fewer records than it says must be no answer."""
    _spoil(server, place, b"\xff")
    asking.patience = ("--timeout", "0.2")
    assert asking.check("lines.example")[0] == "unknown"


@pytest.mark.parametrize("octet", [b"\x00", b"\x80", b"\xc0", b"\xff"])
def test_spoilt_octets(octet: bytes, asking: Asking, server: LabDNS) -> None:
    """Whichever octet of an answer is wrong, there must be a verdict."""
    query = dns.message.make_query("lines.example", "CAA", want_dnssec=True)
    asking.patience = ("--timeout", "0.2")
    for place in range(12, len(server.answer(query.to_wire(), "udp") or b""), 7):
        _spoil(server, place, octet)
        asking.check("lines.example")


@pytest.mark.parametrize(
    "name", ["a" * 64 + ".example", "x." * 127 + "example", "\x1b[31m", "a..b"]
)
def test_names_that_are_none(name: str, server: LabDNS, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be asked must be refused in one clean line, before any question."""
    before = len(server.queries)
    code = run(
        ["caa", "check", name, "--issuer", "ca", "--resolver", f"127.0.0.1:{server.port}", "--json"]
    )
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert is_clean(said.err)
    assert said.err.count("error:") == 1
    assert len(server.queries) == before
