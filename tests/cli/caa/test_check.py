"""`pinwarden caa check` against a server on loopback, as a person and as a script use it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.main import run
from pinwarden.lab.dns import LabDNS

ACCOUNT = "https://ca.example.net/acct/1"
ZONE = f"""
@        300 IN CAA 0 issue "letsencrypt.org"
@        300 IN CAA 0 issuewild ";"
bound    300 IN CAA 0 issue "ca.example.net; accounturi={ACCOUNT}; validationmethods=dns-01"
old      300 IN CAA 0 issue "comodoca.com"
mail     300 IN CAA 0 issuemail "ca.example.net"
contact  300 IN CAA 128 contactemail "a@example.com"
cdn      300 IN CNAME edge.example.org.
down     300 IN A 192.0.2.1
"""
ELSEWHERE = 'edge 300 IN CAA 0 issue "other.example.net"\n'


@pytest.fixture
def server() -> Iterator[LabDNS]:
    zones = {"example.com": ZONE, "example.org": ELSEWHERE}
    with LabDNS(zones, "resolver") as running:
        running.faults["down.example.com"] = "servfail"
        running.extended_errors["down.example.com"] = [(22, "no\x1b[31m authority")]
        yield running


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


class Check:
    """Runs the command against the server of the test."""

    def __init__(self, server: LabDNS, capsys: pytest.CaptureFixture[str]) -> None:
        self.where = ("--resolver", f"127.0.0.1:{server.port}")
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = run(["caa", "check", *arguments, *self.where])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def lines(self, *arguments: str) -> list[dict[str, Any]]:
        """What `--json` answers."""
        _, out, _ = self(*arguments, "--json")
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def check(server: LabDNS, capsys: pytest.CaptureFixture[str]) -> Check:
    return Check(server, capsys)


def test_one_name_is_told_at_length(check: Check) -> None:
    code, out, err = check("www.example.com", "--issuer", "letsencrypt.org")
    assert code == 0
    assert err == ""
    assert out.startswith("www.example.com: letsencrypt.org may issue (issuer-authorized)\n")
    for part in ('0 issue "letsencrypt.org"', "records at example.com (TTL 300 s", "no such name"):
        assert part in out


def test_several_names_are_a_line_each(check: Check) -> None:
    code, out, _ = check("example.com", "*.example.com", "192.0.2.1", "--issuer=letsencrypt.org")
    assert code == 1
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["allowed", "example.com"],
        ["denied", "*.example.com"],
        ["allowed", "192.0.2.1"],
    ]


def test_quiet_leaves_the_exit_code(check: Check) -> None:
    assert check("example.com", "--issuer=letsencrypt.org", "--quiet") == (0, "", "")
    assert check("example.com", "--issuer=ca.example.net", "--quiet") == (1, "", "")


def test_json_has_what_is_documented(check: Check) -> None:
    (line,) = check.lines("WWW.Example.com.", "--issuer=letsencrypt.org", "--at=2026-11-24")
    step = line["steps"][0]
    assert line.keys() == {
        *("name", "wildcard", "issuer", "verdict", "reason", "relevant_name", "records"),
        *("dnssec", "why", "profile", "at", "steps", "resolvers", "findings"),
    }
    assert step.keys() == {
        *("name", "server", "transport", "outcome", "rcode", "extended_errors", "aliases"),
        *("ttl", "dnssec", "failure", "problem", "attempts"),
    }
    assert (line["name"], line["relevant_name"]) == ("www.example.com", "example.com")
    assert line["at"] == "2026-11-24T00:00:00Z"
    assert sorted(line["records"]) == ['0 issue "letsencrypt.org"', '0 issuewild ";"']
    assert [each["name"] for each in line["steps"]] == ["www.example.com", "example.com"]


def test_names_come_from_a_file_and_from_stdin(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "names"
    listed.write_text("# ours\nexample.com\n*.example.com\n")
    told = check.lines("a.example.com", "--names", str(listed), "--issuer=letsencrypt.org")
    assert [(each["name"], each["wildcard"]) for each in told] == [
        ("a.example.com", False),
        ("example.com", False),
        ("example.com", True),
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("b.example.com\n"))
    (line,) = check.lines("--names", "-", "--issuer=letsencrypt.org")
    assert line["name"] == "b.example.com"


def test_a_line_that_is_no_name_costs_no_other_its_answer(check: Check, tmp_path: Path) -> None:
    listed = tmp_path / "names"
    listed.write_bytes(
        b"\xef\xbb\xbf# ours\na.example.com\nb..\x1b[31m\n\n*.b.example.com\r\nc d\n"
    )
    told = check.lines("--names", str(listed), "--issuer=letsencrypt.org")
    assert [(each["name"], each["verdict"], each["reason"]) for each in told] == [
        ("a.example.com", "allowed", "issuer-authorized"),
        (r"b..\x1b[31m", "unknown", "name-unreadable"),
        ("b.example.com", "denied", "empty-issuer"),
        ("c d", "unknown", "name-unreadable"),
    ]
    assert told[1]["why"] == [r"line 3: name 'b..\x1b[31m': has an empty label"]
    code, out, err = check("--names", str(listed), "--issuer=letsencrypt.org", "--wildcard")
    assert code == 1
    assert err == ""
    words = " ".join(out.splitlines()[1].split())
    assert words.startswith(r"unknown b..\x1b[31m line 3: name ")
    listed.write_text("..\n")
    assert check("--names", str(listed), "--issuer=letsencrypt.org", "--quiet") == (1, "", "")
    assert check("..", "--issuer=letsencrypt.org")[0] == 2


@pytest.mark.parametrize("text", ["", "\ufeff", "# nothing\n\n"])
def test_a_list_without_a_name_is_said(check: Check, tmp_path: Path, text: str) -> None:
    listed = tmp_path / "names"
    listed.write_text(text, encoding="utf-8")
    code, out, err = check("--names", str(listed), "--issuer=letsencrypt.org")
    assert (code, out) == (2, "")
    assert err.startswith(f"pinwarden: error: --names {listed}: holds no name\n")


def test_many_names_keep_their_order_and_share_their_questions(
    check: Check, server: LabDNS, tmp_path: Path
) -> None:
    names = [f"h{number}.example.com" for number in range(400)]
    (tmp_path / "names").write_text("\n".join(names))
    told = check.lines("--names", str(tmp_path / "names"), "--issuer=letsencrypt.org")
    assert [each["name"] for each in told] == names
    assert sum(query.name == "example.com" for query in server.queries) <= 1


def test_an_alias_hands_the_policy_to_somebody_else(check: Check) -> None:
    (line,) = check.lines("cdn.example.com", "--issuer=letsencrypt.org")
    assert (line["verdict"], line["relevant_name"]) == ("denied", "cdn.example.com")
    assert line["steps"][0]["aliases"] == ["edge.example.org"]


def test_a_failure_is_explained_in_clean_words(check: Check) -> None:
    code, out, _ = check("down.example.com", "--issuer=letsencrypt.org", "--timeout=1")
    assert code == 1
    assert "it cannot be told whether letsencrypt.org may issue (lookup-failure)" in out
    assert "no reachable authority" in out
    assert "\x1b" not in out
    assert r"\x1b[31m authority" in out


def test_a_failure_can_be_permission_by_the_baseline_requirements(check: Check) -> None:
    given = ("--failure-outside-ca", "--retried", "--zone-insecure")
    name = ("down.example.com", "--issuer=letsencrypt.org", "--profile=br")
    assert check.lines(*name)[0]["reason"] == "lookup-failure"
    assert check.lines(*name, *given)[0]["reason"] == "lookup-failure-permitted"
    assert check.lines(*name, *given, "--zone-signed")[0]["verdict"] == "unknown"


def test_the_other_domains_of_a_ca_count(check: Check) -> None:
    (line,) = check.lines("old.example.com", "--issuer=sectigo.com")
    assert line["verdict"] == "allowed"
    assert "another name of this CA" in line["why"][0]
    told = check.lines("old.example.com", "--issuer=sectigo.com", "--issuer=usertrust.com")
    assert told[0]["verdict"] == "denied"


def test_an_unknown_ca_is_remarked_upon(check: Check) -> None:
    code, out, err = check("example.com", "--issuer=letsecrypt.org", "--json")
    (finding,) = json.loads(out)["findings"]
    assert code == 1
    assert finding["id"] == "PW-CAA-UNKNOWN-CA"
    assert "letsencrypt.org" in finding["message"]
    assert err == f"pinwarden: note: {finding['message']}\n"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--issuer", " "), "--issuer: is empty"),
        (("--issuer=a.example", "--issuer="), "--issuer: is empty"),
        (("--known-tags=issue;iodef",), "--known-tags 'issue;iodef': is not made of letters"),
        (("--known-tags=issue iodef",), "--known-tags 'issue iodef': is not made of letters"),
        (("--at=0001-01-01T00:00+12:00",), "--at '0001-01-01T00:00+12:00': not a date or time"),
        (("--at=9999-12-31T23:59-12:00",), "--at '9999-12-31T23:59-12:00': not a date or time"),
    ],
)
def test_options_that_mean_nothing(check: Check, options: tuple[str, ...], problem: str) -> None:
    issuer = () if "issuer" in problem else ("--issuer=letsencrypt.org",)
    code, out, err = check("example.com", *issuer, *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"pinwarden: error: {problem}")


def test_options_are_read_as_they_are_meant(check: Check) -> None:
    name = ("contact.example.com", "--issuer= LetsEncrypt.org ")
    (line,) = check.lines(*name, "--known-tags= Issue, CONTACTEMAIL,,")
    assert (line["verdict"], line["issuer"]) == ("allowed", "LetsEncrypt.org")
    (line,) = check.lines(*name, "--known-tags=")
    assert line["reason"] == "unknown-critical"


@pytest.mark.parametrize("issuer", ["-ca.example.net", "Let's\x1b[31m Encrypt", "%"])
def test_an_issuer_may_be_anything(check: Check, issuer: str) -> None:
    code, out, err = check("example.com", "--issuer", issuer)
    assert code == 1
    assert "\x1b" not in out + err


def test_bindings_ask_for_what_they_bind_to(check: Check) -> None:
    name = ("bound.example.com", "--issuer=ca.example.net")
    code, out, _ = check(*name)
    assert code == 1
    assert "--account-uri" in out
    assert "--method" in out
    account = f"--account-uri={ACCOUNT}"
    assert check.lines(*name, account, "--method=dns-01")[0]["verdict"] == "allowed"
    assert check.lines(*name, account, "--method=http-01")[0]["reason"] == "method-mismatch"
    assert check.lines(*name, "--no-supports-rfc8657")[0]["verdict"] == "allowed"


@pytest.mark.parametrize(("at", "verdict"), [("2027-03-14", "allowed"), ("2027-03-15", "unknown")])
def test_the_rules_are_those_of_a_date(check: Check, at: str, verdict: str) -> None:
    name = ("bound.example.com", "--issuer=ca.example.net", "--profile=br")
    assert check.lines(*name, "--at", at)[0]["verdict"] == verdict


def test_purposes_and_known_tags(check: Check) -> None:
    mail = ("mail.example.com", "--issuer=letsencrypt.org")
    assert check.lines(*mail)[0]["reason"] == "no-restricting-property"
    assert check.lines(*mail, "--purpose=smime")[0]["reason"] == "issuer-not-listed"
    contact = ("contact.example.com", "--issuer=letsencrypt.org")
    assert check.lines(*contact)[0]["reason"] == "unknown-critical"
    known = "--known-tags=issue,issuewild,iodef,contactemail"
    assert check.lines(*contact, known)[0]["verdict"] == "allowed"


def test_the_least_favourable_resolver_counts(check: Check, server: LabDNS) -> None:
    with LabDNS({"example.com": '@ 300 IN CAA 0 issue ";"\n'}, "resolver") as other:
        where = f"127.0.0.1:{other.port}"
        (line,) = check.lines("example.com", "--issuer=letsencrypt.org", "--resolver", where)
    assert line["verdict"] == "denied"
    assert [each["verdict"] for each in line["resolvers"]] == ["denied", "allowed"]
    assert [each["id"] for each in line["findings"]] == ["PW-CAA-RESOLVERS-DISAGREE"]


def test_resolvers_that_agree_are_not_remarked_upon(check: Check) -> None:
    (line,) = check.lines("example.com", "--issuer=letsencrypt.org", *check.where)
    assert len(line["resolvers"]) == 2
    assert line["findings"] == []


def test_a_zone_file_answers_without_dns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "zone").write_text(ZONE)
    zone = ("--zone", str(tmp_path / "zone"), "--origin", "example.com")
    ask = ["caa", "check", "--issuer=letsencrypt.org", *zone]
    assert run([*ask, "www.example.com"]) == 0
    assert run([*ask, "www.example.net"]) == 1
    assert "outside the zone file" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--issuer=letsencrypt.org",),
        ("a b", "--issuer=letsencrypt.org"),
        ("example.com",),
        ("example.com", "--issuer="),
        ("example.com", "--issuer=letsencrypt.org", "--resolver", "gopher://a"),
        ("example.com", "--issuer=letsencrypt.org", "--names", "/nowhere"),
        ("example.com", "--issuer=letsencrypt.org", "--origin", "example.com"),
        ("example.com", "--issuer=letsencrypt.org", "--zone", "/nowhere"),
        ("example.com", "--issuer=letsencrypt.org", "--zone", "/z", "--resolver", "127.0.0.1"),
        ("example.com", "--issuer=letsencrypt.org", "--at", "yesterday"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["caa", "check", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("pinwarden: error: ")


def test_what_is_left_open_is_asked_for_once(check: Check) -> None:
    code, out, _ = check("bound.example.com", "--issuer=ca.example.net")
    assert code == 1
    assert "and only by method 'dns-01': say which are used with --account-uri and --method" in out
    assert out.count("say which") == 2


def test_names_of_a_list_stand_in_a_column(check: Check) -> None:
    _, out, _ = check("example.com", "a.b.example.com", "--issuer=letsencrypt.org")
    assert len({line.index("  example.com: ") for line in out.splitlines()}) == 1
