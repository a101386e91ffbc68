"""`pinwarden caa lint` against a DNS server on loopback, and on zone files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.main import run
from pinwarden.lab.dns import LabDNS
from support.caa_lint import STRICT

ZONE = "".join(f"@ 300 IN CAA {text}\n" for text in STRICT) + (
    "www 300 IN A 192.0.2.1\n"
    'open 300 IN CAA 0 iodef "mailto:a@example.com"\n'
    'typo 300 IN CAA 0 issue "letsecrypt.org"\n'
    'loose 300 IN CAA 0 issue "letsencrypt.org"\n'
    "cdn 300 IN CNAME x.cdn.example.net.\n"
    'esc 300 IN CAA 0 issue "\\027[31m"\n'
    "bad 300 IN A 192.0.2.1\n"
)
CDN = 'x.cdn 300 IN CAA 0 issue "digicert.com"\n'

Linting = Callable[..., tuple[int, dict[str, dict[str, Any]]]]


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture(scope="module")
def server() -> Iterator[LabDNS]:
    with LabDNS({"example.com": ZONE, "example.net": CDN}, "resolver") as running:
        running.faults["bad.example.com"] = "servfail"
        yield running


@pytest.fixture
def lint(server: LabDNS, capsys: pytest.CaptureFixture[str]) -> Linting:
    """Runs the command; its exit code, and its JSON by name."""

    def call(*arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        where = f"127.0.0.1:{server.port}"
        code = run(["caa", "lint", *arguments, "--resolver", where, "--json"])
        lines = map(json.loads, capsys.readouterr().out.splitlines())
        return code, {line["name"]: line for line in lines}

    return call


def ids(line: dict[str, Any]) -> set[str]:
    return {each["id"].removeprefix("PW-CAA-") for each in line["findings"]}


def test_a_strict_policy_in_force(lint: Linting) -> None:
    """Nothing to say, exit code 0, and where the policy stands."""
    code, found = lint("example.com", "*.www.example.com")
    assert code == 0
    assert found["example.com"]["findings"] == []
    assert sorted(found["example.com"]["records"]) == sorted(STRICT)
    assert found["www.example.com"]["relevant_name"] == "example.com"


def test_a_child_opens_its_parent(lint: Linting) -> None:
    """The set above the one in force is asked for as well."""
    code, found = lint("open.example.com")
    assert code == 1
    (told,) = [e for e in found["open.example.com"]["findings"] if e["severity"] == "high"]
    assert told["id"] == "PW-CAA-CHILD-OPENS-PARENT"
    assert told["where"] == "open.example.com"
    assert told["advice"].startswith("Repeat in this set")


def test_other_findings_of_answers(lint: Linting) -> None:
    """An alias, a failure, a slip, no policy at all."""
    code, found = lint("cdn.example.com", "bad.example.com", "typo.example.com", "a.example.org")
    assert code == 1
    assert "THIRD-PARTY" in ids(found["cdn.example.com"])
    assert ids(found["bad.example.com"]) == {"LOOKUP-FAILED"}
    assert "UNKNOWN-CA" in ids(found["typo.example.com"])
    assert ids(found["a.example.org"]) == {"NO-POLICY"}


def test_low_findings_do_not_fail_unless_strict(lint: Linting) -> None:
    """`--strict` and `--ignore` decide what the exit code is about."""
    assert lint("loose.example.com")[0] == 0
    assert lint("loose.example.com", "--strict")[0] == 1
    code, found = lint("typo.example.com", "--ignore", "pw-caa-unknown-ca")
    assert code == 0
    assert "UNKNOWN-CA" not in ids(found["typo.example.com"])


def test_unknown_id_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt id would ignore nothing, so it is refused."""
    assert run(["caa", "lint", "example.com", "--ignore", "PW-CAA-X\x1b"]) == 2
    assert "no such finding" in capsys.readouterr().err


def test_rules_of_a_date(lint: Linting, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bindings are mandatory from a day on."""
    zone = tmp_path / "zone"
    zone.write_text('@ 60 SOA a b 1 2 3 4 5\n@ 60 CAA 0 issue "ssl.com;validationmethods=dns-01"\n')
    told = []
    for day in ("2026-11-24", "2027-03-15"):
        run(["caa", "lint", "--zone", str(zone), "--origin", "example.com", "--at", day, "--json"])
        told.append("BINDING-NOT-MANDATORY" in ids(json.loads(capsys.readouterr().out)))
    assert told == [True, False]


def test_two_resolvers_disagree(server: LabDNS, capsys: pytest.CaptureFixture[str]) -> None:
    """Each resolver's policy is read, and that they differ is a finding."""
    with LabDNS({"example.com": '@ 60 IN CAA 0 issue ";"\n'}, "resolver") as other:
        where = [f"127.0.0.1:{each.port}" for each in (server, other)]
        asked = [part for each in where for part in ("--resolver", each)]
        assert run(["caa", "lint", "example.com", *asked, "--json"]) == 1
    told = ids(json.loads(capsys.readouterr().out))
    assert {"RESOLVERS-DISAGREE", "SMIME-OPEN"} <= told


def test_text_tells_about_a_set_once(server: LabDNS, capsys: pytest.CaptureFixture[str]) -> None:
    """People read what to do under each finding, and no set twice; octets stay harmless."""
    where = ["--resolver", f"127.0.0.1:{server.port}"]
    names = ("loose.example.com", "a.loose.example.com", "www.example.com", "esc.example.com")
    assert run(["caa", "lint", *names, *where]) == 1
    text = capsys.readouterr().out
    assert text.count("[PW-CAA-NO-ISSUEWILD]") == 1
    assert "a.loose.example.com (policy at loose.example.com)\n  4 findings, as for" in text
    assert "www.example.com (policy at example.com)\n  nothing to report\n" in text
    assert "      do: Correct the value" in text
    assert "\x1b" not in text


def test_many_faults_of_a_kind_are_counted(
    zone_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A thousand bad records do not bury the rest of the report; JSON keeps them all."""
    with zone_file.open("a") as file:
        file.writelines(f'many 300 IN CAA 0 tag{number} "x"\n' for number in range(1000))
    arguments = ["caa", "lint", "--zone", str(zone_file), "many.example.com"]
    assert run(arguments) == 1
    text = capsys.readouterr().out
    assert text.count("restricts nothing [") == 10
    assert "  and 990 more [PW-CAA-UNKNOWN-TAG]\n" in text
    assert run([*arguments, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert sum(each["id"] == "PW-CAA-UNKNOWN-TAG" for each in found) == 1000


@pytest.fixture
def zone_file(tmp_path: Path) -> Path:
    path = tmp_path / "example.com.zone"
    path.write_text(f"$ORIGIN example.com.\n@ 300 IN SOA ns root 1 2 3 4 5\n{ZONE}")
    return path


def test_a_zone_file(zone_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every set is read, without asking anybody, and each finding leads to its line."""
    assert run(["caa", "lint", "--zone", str(zone_file), "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_name = {line["name"]: line for line in lines}
    assert set(by_name) >= {"example.com", "open.example.com", "typo.example.com"}
    assert by_name["example.com"]["findings"] == []
    (typo,) = [e for e in by_name["typo.example.com"]["findings"] if e["severity"] == "medium"]
    assert typo["where"] == 'line 10: 0 issue "letsecrypt.org"'


def test_names_of_a_zone_file(zone_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With names, only what would be in force for them."""
    arguments = ["caa", "lint", "--zone", str(zone_file), "--json", "www.example.com"]
    assert run(arguments) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["relevant_name"] == "example.com"
    assert line["records"] == list(STRICT)


def test_entries_of_a_zone_file_that_cannot_be_read(
    zone_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of CAA are findings, the others are noted on stderr."""
    with zone_file.open("a") as file:
        file.write("x 300 IN CAA 0 issue\ny 300 IN NOTYPE 1\n")
    assert run(["caa", "lint", "--zone", str(zone_file)]) == 1
    captured = capsys.readouterr()
    assert "[PW-CAA-BROKEN-RECORD]" in captured.out
    assert "NOTYPE" in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--zone", "no-such-file"],
        ["a..b"],
        ["example.com", "--zone", "x", "--resolver", "127.0.0.1:1"],
        ["example.com", "--at", "yesterday"],
    ],
)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One clear line, exit code 2."""
    assert run(["caa", "lint", *arguments]) == 2
    assert capsys.readouterr().err.startswith("pinwarden: error: ")


def test_names_that_a_zone_file_does_not_cover(
    zone_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are never among those of which there is nothing to report."""
    assert run(["caa", "lint", "--zone", str(zone_file), "www.example.org"]) == 2
    assert "www.example.org is not in the zone example.com" in capsys.readouterr().err
    with zone_file.open("a") as file:
        file.write("sub 300 IN NS ns.example.net.\n")
    assert run(["caa", "lint", "--zone", str(zone_file), "www.sub.example.com"]) == 0
    assert "www.sub.example.com: cannot be told from the file" in capsys.readouterr().err


def test_many_names_under_one_policy_are_counted(
    server: LabDNS, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten thousand names of one zone are no ten thousand paragraphs."""
    names = [f"h{number}.loose.example.com" for number in range(40)]
    (tmp_path / "names").write_text("\n".join(names))
    where = ["--resolver", f"127.0.0.1:{server.port}"]
    assert run(["caa", "lint", "--names", str(tmp_path / "names"), *where]) == 0
    text = capsys.readouterr().out
    assert text.count("(policy at loose.example.com)\n") == 11
    assert "29 more names: 4 findings, as for h0.loose.example.com\n" in text
