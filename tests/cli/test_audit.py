"""`pinwarden audit`: forms, exit codes, lists of hosts, and what users get wrong."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.main import run
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.tls import LabTLS
from pinwarden.net.audit_asker import speaks_http
from pinwarden.net.endpoint import parse_endpoint
from pinwarden.pinning.pin import Pin
from pinwarden.x509.certificate import SPKIHash
from support.audit_world import FORBIDDEN, HOST, audit_world
from support.broken_servers import closed_port


@dataclass(frozen=True)
class Ran:
    """What one command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines of the answer."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def found(self) -> list[list[str]]:
        """The ids of what was found, host by host."""
        return [[each["id"] for each in line["found"]] for line in self.lines]


Audit = Callable[..., Ran]


@pytest.fixture
def audit(capsys: pytest.CaptureFixture[str]) -> Audit:
    """Runs a command; never a traceback."""

    def call(*arguments: str) -> Ran:
        code = run(arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="module")
def dns() -> Iterator[LabDNS]:
    """A resolver that validates; CAA permits the CA."""
    with audit_world().dns() as server:
        yield server


@pytest.fixture(scope="module")
def good() -> Iterator[LabTLS]:
    """A server at which all is well."""
    with LabTLS(audit_world().chain()) as server:
        yield server


@pytest.fixture(scope="module")
def soon() -> Iterator[LabTLS]:
    """A server with a medium finding."""
    with LabTLS(audit_world().chain("ends-soon")) as server:
        yield server


def test_a_good_host_is_told_in_text_and_exits_with_nothing(
    audit: Audit, good: LabTLS, dns: LabDNS
) -> None:
    """The line first read says what it came to."""
    ran = audit(*audit_world().arguments(good.port, dns))
    assert ran.code == 0
    assert ran.out.startswith(f"✓ {HOST}: nothing wrong found")
    assert "not checked" in ran.out
    assert "\x1b" not in ran.out


def test_json_has_the_three_lists(audit: Audit, good: LabTLS, dns: LabDNS) -> None:
    """One object, with the keys that scripts rely on."""
    ran = audit(*audit_world().arguments(good.port, dns, "--json"))
    (line,) = ran.lines
    assert line["target"] == HOST
    assert line["found"] == []
    assert line["passed"]
    assert {each["area"] for each in line["not_checked"]} == {"chain", "pins", "history"}
    assert line["caa"]["verdict"] == "allowed"
    assert [each["compliant"] for each in line["policies"]] == [True, True, True]


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [("info", 1), ("low", 1), ("medium", 1), ("high", 0), ("critical", 0), ("never", 0)],
)
def test_the_exit_code_follows_the_threshold(
    fail_on: str, code: int, audit: Audit, soon: LabTLS, dns: LabDNS
) -> None:
    """A medium finding fails a pipeline that asks for medium or less."""
    arguments = audit_world().arguments(soon.port, dns, "--fail-on", fail_on, "--quiet")
    assert audit(*arguments) == Ran(code, "", "")


def test_an_ignored_finding_does_not_count(audit: Audit, soon: LabTLS, dns: LabDNS) -> None:
    """It is told among what was not checked."""
    ignored = ("--ignore", "pw-tls-expires-soon", "--json")
    ran = audit(*audit_world().arguments(soon.port, dns, *ignored))
    assert ran.code == 0
    assert ran.found == [[]]
    assert "PW-TLS-EXPIRES-SOON" in {each["check"] for each in ran.lines[0]["not_checked"]}


def test_a_closed_port_could_not_be_checked(audit: Audit, dns: LabDNS) -> None:
    """Nothing is known of the host, which is neither good nor bad: 3."""
    ran = audit(*audit_world().arguments(closed_port(), dns, "--json"))
    assert ran.code == 3
    assert ran.found == [["PW-TLS-UNREACHABLE"]]


def test_a_resolver_that_is_down_could_not_be_asked(audit: Audit, good: LabTLS) -> None:
    """Everything else is checked, and the exit code says that it is not all."""
    ran = audit(*audit_world().arguments(good.port, closed_port(), "--json", "--timeout", "1"))
    assert ran.code == 3
    assert ran.found == [["PW-AUDIT-RESOLVER-DOWN"]]


def test_a_finding_comes_before_what_could_not_be_checked(audit: Audit, soon: LabTLS) -> None:
    """Exit code 1, not 3."""
    assert audit(*audit_world().arguments(soon.port, closed_port(), "--timeout", "1")).code == 1


def test_without_dns_and_http_nothing_is_asked(audit: Audit) -> None:
    """What nobody asked for does not keep an audit from being finished."""
    with LabTLS(audit_world().chain()) as server:
        asked = audit(*audit_world().arguments(server.port, 1, "--no-dns", "--no-http", "--json"))
        said = b"".join(bytes(each.said) for each in server.visits)
    assert asked.code == 0
    assert said == b""
    areas = {each["area"] for each in asked.lines[0]["not_checked"]}
    assert areas >= {"caa", "dnssec", "headers"}


def test_hosts_come_from_a_list_too(
    audit: Audit, good: LabTLS, dns: LabDNS, tmp_path: Path
) -> None:
    """Comments and empty lines mean nothing, and each host is audited once."""
    names = tmp_path / "hosts"
    names.write_text(f"# ours\n\n{HOST}\nother.example # not covered\n")
    ran = audit(*audit_world().arguments(good.port, dns, "--names", str(names), "--json"))
    assert [line["target"] for line in ran.lines] == [HOST, "other.example"]
    assert ran.found == [[], ["PW-TLS-WRONG-NAME"]]
    assert ran.code == 1


def test_hosts_come_from_stdin(
    audit: Audit, good: LabTLS, dns: LabDNS, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--names -` stands in a pipeline."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"other.example\n")))
    ran = audit(*audit_world().arguments(good.port, dns, "--names", "-", "--json"))
    assert [line["target"] for line in ran.lines] == [HOST, "other.example"]


@pytest.mark.parametrize("form", ["text", "json", "markdown", "sarif", "html"])
def test_every_form_goes_to_a_file_and_names_what_was_found(
    form: str, audit: Audit, soon: LabTLS, dns: LabDNS, tmp_path: Path
) -> None:
    """Stdout is empty then, and an older report is replaced."""
    file = tmp_path / "report"
    file.write_text("older")
    options = ("--format", form, "-o", str(file))
    ran = audit(*audit_world().arguments(soon.port, dns, *options))
    assert ran == Ran(1, "", "")
    text = file.read_text("utf-8")
    assert "PW-TLS-EXPIRES-SOON" in text
    assert "older" not in text


@pytest.mark.parametrize("form", ["markdown", "sarif", "html"])
def test_documents_go_to_stdout_as_well(form: str, audit: Audit, good: LabTLS, dns: LabDNS) -> None:
    """Each is one document, however many hosts there are."""
    ran = audit(*audit_world().arguments(good.port, dns, "other.example", "--format", form))
    assert ran.code == 1
    assert ran.out.count("<!doctype html>") == (form == "html")
    if form == "sarif":
        assert json.loads(ran.out)["version"] == "2.1.0"


def test_pins_are_compared(audit: Audit, good: LabTLS, dns: LabDNS, tmp_path: Path) -> None:
    """A pin set that matches passes; one that does not locks clients out."""
    shown = audit(*audit_world().arguments(good.port, dns, "--json")).lines[0]
    pin = shown["chains"][0]["certificates"][1]["pin"]
    stray, spare = (Pin(SPKIHash(sha256(each).digest())).curl for each in (b"stray", b"spare"))
    for name, pinned in (("good.toml", pin), ("wrong.toml", stray)):
        (tmp_path / name).write_text(
            f'[[policy]]\nhost = "{HOST}"\nmode = "enforce"\n'
            f'ca_pins = ["{pinned}"]\nbackup_pins = ["{spare}"]\n'
        )
    pins = ("--json", "--pins")
    matching = audit(*audit_world().arguments(good.port, dns, *pins, str(tmp_path / "good.toml")))
    wrong = audit(*audit_world().arguments(good.port, dns, *pins, str(tmp_path / "wrong.toml")))
    assert matching.found == [[]]
    assert "pins" in {each["area"] for each in matching.lines[0]["passed"]}
    assert wrong.found == [["PW-PIN-LOCKED-OUT"]]


def test_clients_that_only_report_are_not_said_to_refuse(
    audit: Audit, good: LabTLS, dns: LabDNS, tmp_path: Path
) -> None:
    """The mode of the policy is told with what it does to clients."""
    pins = [Pin(SPKIHash(sha256(each).digest())).curl for each in (b"stray", b"spare")]
    (tmp_path / "pins.toml").write_text(
        f'[[policy]]\nhost = "{HOST}"\nmode = "report-only"\n'
        f'ca_pins = ["{pins[0]}"]\nbackup_pins = ["{pins[1]}"]\n'
    )
    options = ("--json", "--pins", str(tmp_path / "pins.toml"))
    ran = audit(*audit_world().arguments(good.port, dns, *options))
    assert ran.found == [["PW-PIN-LOCKED-OUT"]]
    assert ran.lines[0]["found"][0]["message"].endswith("clients tell of it, and connect")


def test_public_only_does_not_go_to_loopback(audit: Audit, dns: LabDNS) -> None:
    """The address is judged before anybody connects to it."""
    with LabTLS(audit_world().chain()) as server:
        ran = audit(*audit_world().arguments(server.port, dns, "--public-only", "--json"))
        assert server.visits == []
    assert ran.code == 3
    assert ran.found == [["PW-TLS-FORBIDDEN"]]


def test_a_progress_bar_is_on_a_terminal_that_shows_no_answers(
    good: LabTLS, dns: LabDNS, tmp_path: Path
) -> None:
    """The answers go to a pipe, and stay clean."""
    names = tmp_path / "hosts"
    names.write_text("".join(f"h{number}.audit.example\n" for number in range(12)))
    arguments = audit_world().arguments(good.port, dns, "--names", str(names), "--json")
    master, slave = pty.openpty()
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "pinwarden", *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            env=os.environ | {"TERM": "xterm"},
            timeout=60,
        )
        shown = os.read(master, 65536).decode()
    finally:
        os.close(master)
        os.close(slave)
    assert ran.returncode == 1
    assert len([json.loads(line) for line in ran.stdout.splitlines()]) == 13
    assert "hosts" in shown


def test_few_open_files_are_no_unreachable_hosts(dns: LabDNS, good: LabTLS) -> None:
    """However many hosts are to be in work at the same time."""
    arguments = audit_world().arguments(good.port, dns, "--json", "--parallel", "1000", "--no-dns")
    hosts = [f"h{number}.audit.example" for number in range(150)]
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); "
        "from pinwarden.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments, *hosts],
        check=False,
        capture_output=True,
        timeout=60,
    )
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    found = [each["id"] for line in lines for each in line["found"]]
    assert found == ["PW-TLS-WRONG-NAME"] * 150


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.com", True),
        ("example.com:8443", True),
        ("https://example.com/", True),
        ("imaps://example.com", False),
        ("smtp://example.com", False),
        ("example.com:636", False),
    ],
)
def test_http_is_not_spoken_to_other_services(host: str, expected: bool) -> None:
    """A mail server would be sent nonsense."""
    assert speaks_http(parse_endpoint(host)) is expected


def test_a_store_that_is_not_there_is_the_users_to_mend(
    audit: Audit, good: LabTLS, dns: LabDNS, tmp_path: Path
) -> None:
    """Exit code 2; none is made."""
    store = tmp_path / "none.db"
    ran = audit(*audit_world().arguments(good.port, dns, "--store", f"sqlite:///{store}"))
    assert ran.code == 2
    assert not store.exists()


def test_caa_that_forbids_the_ca_fails(audit: Audit, good: LabTLS) -> None:
    """A high finding."""
    with audit_world().dns(FORBIDDEN) as dns:
        ran = audit(*audit_world().arguments(good.port, dns, "--json"))
    assert ran.code == 1
    assert ran.found == [["PW-AUDIT-RENEWAL-REFUSED"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no hosts given"),
        (("--names", "/does/not/exist"), "/does/not/exist"),
        (("*.example.com",), "wildcard"),
        (("example.com:0",), "port"),
        (("example.com", "--ignore", "PW-NO-SUCH"), "no such finding"),
        (("example.com", "--pins", "/does/not/exist.toml"), "exist.toml"),
        (("example.com", "--log-list", "/does/not/exist.json"), "exist.json"),
        (("example.com", "--json", "--format", "html"), "choose one"),
        (("example.com", "--ca", "not a domain"), "--ca"),
        (("example.com", "--cafile", "/does/not/exist.pem"), "exist.pem"),
        (("example.com", "--resolver", "ftp://x"), "ftp"),
        (("example.com", "--fail-on", "sometimes"), "sometimes"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else None,
)
def test_what_the_user_gets_wrong_is_said_in_one_line(
    arguments: tuple[str, ...], said: str, audit: Audit
) -> None:
    """Exit code 2, before anybody is asked."""
    ran = audit("audit", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""


def test_a_file_that_cannot_be_written_is_an_error(
    audit: Audit, good: LabTLS, dns: LabDNS, tmp_path: Path
) -> None:
    """Of the user's: exit code 2."""
    for form in ("text", "html"):
        options = ("--format", form, "-o", str(tmp_path / "no" / "report"))
        ran = audit(*audit_world().arguments(good.port, dns, *options))
        assert ran.code == 2
        assert "report" in ran.err
