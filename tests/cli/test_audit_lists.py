"""Lists of hosts and where reports go: what users write by mistake, and what they read last."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinwarden.cli.main import run
from pinwarden.lab.tls import LabTLS
from support.audit_world import HOST, audit_world

Audit = Callable[..., tuple[int, str, str]]


@pytest.fixture
def audit(capsys: pytest.CaptureFixture[str]) -> Audit:
    """Runs `pinwarden audit` at a server, without DNS: exit code, stdout and stderr."""

    def call(port: int, *arguments: str) -> tuple[int, str, str]:
        world = audit_world()
        where = ("--address", f"127.0.0.1:{port}", "--cafile", world.cafile)
        code = run(["audit", *where, "--log-list", world.log_list, "--no-dns", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="module")
def good() -> Iterator[LabTLS]:
    """A server at which all is well."""
    with LabTLS(audit_world().chain()) as server:
        yield server


@pytest.fixture
def names(tmp_path: Path) -> Callable[[bytes], str]:
    """Writes a list of hosts, and gives its path."""

    def write(content: bytes) -> str:
        file = tmp_path / "hosts"
        file.write_bytes(content)
        return str(file)

    return write


def test_a_host_is_audited_once_however_it_is_written(
    audit: Audit, good: LabTLS, names: Callable[[bytes], str]
) -> None:
    """With the mark of Windows' editors, CRLF, comments, capitals, final dots and URLs."""
    written = (
        f"\ufeff# ours\r\n\r\n{HOST}\r\n{HOST.upper()}.\r\nhttps://{HOST}/a?b # c\r\n{HOST}:443"
    )
    code, out, _ = audit(good.port, "--names", names(written.encode()), HOST, "--json")
    assert code == 0
    assert [json.loads(line)["target"] for line in out.splitlines()] == [HOST]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"a.example\n\n# c\nnot a host\n", "line 4: name 'not a host'"),
        (b"a.example\nhttp://b.example\n", "line 2: host 'http://b.example'"),
        (b"*.a.example\na b\na.example\n10.0.0.0/8\n", "line 1: host '*.a.example'"),
        (b"ok.example\n" + b"a b\n" * 40, "lines 3, 4, 5, 6, 7, 8, 9, 10, 11 and 30 more"),
        (b"a b\na b\n", "also wrong: line 2"),
    ],
    ids=["words", "http", "several", "many", "two"],
)
def test_a_line_that_is_no_host_is_named_with_its_number(
    written: bytes, said: str, audit: Audit, good: LabTLS, names: Callable[[bytes], str]
) -> None:
    """Before anybody is asked: a list without one of its hosts would look all right."""
    before = len(good.visits)
    code, out, err = audit(good.port, "--names", names(written), "--json")
    assert code == 2
    assert out == ""
    assert said in err.splitlines()[-2 if "hint" in err else -1]
    assert len(good.visits) == before


def test_a_dash_is_no_host(audit: Audit, good: LabTLS) -> None:
    """Who writes it means stdin."""
    code, _, err = audit(good.port, "-")
    assert code == 2
    assert "--names -" in err


def test_text_of_several_hosts_ends_with_what_they_came_to(audit: Audit, good: LabTLS) -> None:
    """Which ones are not in order is the last that is read; of one host it is the first line."""
    _, alone, _ = audit(good.port, HOST)
    _, out, _ = audit(good.port, HOST, "other.example", "third.example")
    assert "1 host" not in alone
    assert out.splitlines()[-3:] == [
        "3 hosts: 2 with problems, 1 with nothing wrong found",
        "  ✗ other.example: PW-TLS-WRONG-NAME",
        "  ✗ third.example: PW-TLS-WRONG-NAME",
    ]


def test_a_file_has_the_end_too(audit: Audit, good: LabTLS, tmp_path: Path) -> None:
    """As stdout has it."""
    file = tmp_path / "report.txt"
    audit(good.port, HOST, "other.example", "-o", str(file))
    assert file.read_text("utf-8").endswith("  ✗ other.example: PW-TLS-WRONG-NAME\n")


def test_a_dash_as_output_is_stdout(audit: Audit, good: LabTLS) -> None:
    """And no file of that name."""
    code, out, _ = audit(good.port, HOST, "-o", "-", "--format", "html")
    assert code == 0
    assert out.startswith("<!doctype html>")
    assert not Path("-").exists()


@pytest.mark.parametrize("form", ["html", "sarif", "markdown"])
@pytest.mark.parametrize("place", ["none/report", "."])
def test_a_file_that_cannot_be_written_is_told_before_hosts_are_asked(
    place: str, form: str, audit: Audit, good: LabTLS, tmp_path: Path
) -> None:
    """An hour of audits would be lost otherwise."""
    before = len(good.visits)
    code, out, err = audit(good.port, HOST, "--format", form, "-o", str(tmp_path / place))
    assert code == 2
    assert out == ""
    assert "cannot be written" in err
    assert len(good.visits) == before
