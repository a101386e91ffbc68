"""`pinwarden ct policy` on certificates in files and on a server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from cli.ct.conftest import CT
from pinwarden.cli.ct.policy import policy
from pinwarden.ct.policy import BrowserPolicy
from pinwarden.lab.ca import CA, Issued, pem
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.tls import Credentials, LabTLS
from support.ct_world import HOST, CTWorld, written
from support.handing_servers import encoded_list, handing_server, ocsp_answer

BROWSERS = ["chrome", "apple", "firefox"]


def asking(port: int, cafile: Path) -> tuple[str | Path, ...]:
    """How a server on loopback is asked."""
    return f"{HOST}:{port}", "--address", "127.0.0.1", "--cafile", cafile


def chain_file(folder: Path, issued: Issued) -> Path:
    """The certificate and the chain above it."""
    return written(folder / "chain.pem", pem(issued.certificate_chain))


def test_a_certificate_with_enough_scts_is_accepted_everywhere(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """Two logs of two operators, one of them an RFC 6962 log, are enough for ninety days."""
    file = chain_file(tmp_path, ct_world.issue())
    ran = ct("policy", file, "--log-list", log_list, "--json")
    assert ran.code == 0
    answer = ran.line
    assert [each["policy"] for each in answer["policies"]] == BROWSERS
    for each in answer["policies"]:
        assert each["compliant"] is True
        assert each["way"] == "embedded"
        assert all(rule["passed"] for rule in each["rules"])
        assert all(rule["source"] and rule["reason"] for rule in each["rules"])
    assert answer["forecasts"] == []
    assert answer["findings"] == []
    assert answer["notes"] == []


def test_one_finding_tells_of_all_browsers(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """With one SCT every policy fails, for one cause."""
    file = chain_file(tmp_path, ct_world.issue(logs=[ct_world.classic]))
    ran = ct("policy", file, "--log-list", log_list, "--json")
    assert ran.code == 1
    (finding,) = ran.line["findings"]
    assert finding["id"] == "PW-CT-TOO-FEW-SCTS"
    assert "Chrome, Apple and Firefox" in finding["message"]
    assert any("--sct-list" in note for note in ran.line["notes"])


def test_two_logs_of_one_operator_are_not_enough(ct: CT, tmp_path: Path) -> None:
    """Apple calls it a limit for each operator, the others a lack of operators."""
    logs = [LabLog(name, operator="The Only Operator") for name in ("one", "two")]
    file = chain_file(tmp_path, CA("A CA").issue(["www.example.com"], logs=logs))
    named = written(tmp_path / "logs.json", log_list_json(logs))
    ran = ct("policy", file, "--log-list", named, "--json")
    assert ran.code == 1
    assert [each["id"] for each in ran.line["findings"]] == ["PW-CT-TOO-FEW-OPERATORS"]
    assert "The Only Operator" in ran.line["findings"][0]["message"]


def test_a_certificate_without_scts_may_be_a_private_one(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """No policy is met, and a note says for whom that does not matter."""
    file = chain_file(tmp_path, ct_world.issue(logs=()))
    ran = ct("policy", file, "--log-list", log_list, "--json")
    assert ran.code == 1
    assert [each["id"] for each in ran.line["findings"]] == ["PW-CT-NO-SCTS"]
    assert any("private CA" in note for note in ran.line["notes"])


def test_an_sct_that_cannot_be_checked_is_never_a_pass(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """Without the issuer nothing is known, and nothing is found."""
    file = written(tmp_path / "leaf.pem", pem([ct_world.issue().certificate]))
    ran = ct("policy", file, "--log-list", log_list, "--json")
    assert ran.code == 1
    assert [each["compliant"] for each in ran.line["policies"]] == [None] * 3
    assert ran.line["findings"] == []
    assert any("not checked" in reason for reason in ran.line["policies"][0]["reasons"])


def test_a_retirement_that_is_announced_is_forecast(ct: CT, tmp_path: Path) -> None:
    """When the last approved log goes, the answer changes, and not before."""
    logs = [LabLog(name, operator=f"Operator {name}") for name in ("first", "second")]
    file = chain_file(tmp_path, CA("A CA").issue(["www.example.com"], logs=logs))
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    for going, forecasts in ((1, []), (2, BROWSERS)):
        listed = json.loads(log_list_json(logs))
        for operator in listed["operators"][:going]:
            (log,) = operator["logs"]
            log["state"] = {"retired": {"timestamp": f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}"}}
        named = written(tmp_path / "logs.json", json.dumps(listed).encode())
        ran = ct("policy", file, "--log-list", named, "--json")
        assert ran.code == 0
        assert [each["policy"] for each in ran.line["forecasts"]] == forecasts
    for each in ran.line["forecasts"]:
        assert each["compliant"] is False
        assert each["at"] == f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}"
        assert "retired" in each["because"]
    (finding,) = ran.line["findings"]
    assert finding["id"] == "PW-CT-POLICY-WILL-FAIL"
    assert f"{tomorrow:%Y-%m-%d}" in finding["message"]
    text = ct("policy", file, "--log-list", named)
    assert f"from {tomorrow:%Y-%m-%d} on not compliant" in text.out


def test_the_answer_for_a_person_has_words_beside_the_marks(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """One block for each browser: the verdict, every rule, and where it is written."""
    file = chain_file(tmp_path, ct_world.issue())
    ran = ct("policy", file, "--log-list", log_list, "--policy", "firefox", "--policy", "chrome")
    assert ran.code == 0
    assert "compliant for Chrome and Firefox" in ran.out
    assert "✓ Chrome: compliant" in ran.out
    assert "✓ passed" in ran.out
    assert "source: Mozilla wiki" in ran.out
    assert "Apple" not in ran.out


def test_the_rules_of_another_day(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """Before it asked for anything, a browser accepted everything."""
    file = chain_file(tmp_path, ct_world.issue())
    ran = ct("policy", file, "--log-list", log_list, "--at", "2014-01-01", "--json")
    assert [each["rules"][0]["rule"] for each in ran.line["policies"]] == ["asked"] * 3
    assert ran.line["at"] == "2014-01-01T00:00:00Z"


def test_a_host_is_asked(ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path) -> None:
    """What a server serves is judged like what a file holds."""
    issued = ct_world.issue()
    credentials = Credentials(issued.served_chain, issued.private_key)
    with LabTLS(credentials) as server:
        ran = ct("policy", *asking(server.port, cafile), "--log-list", log_list, "--json")
    assert ran.code == 0, ran.out
    assert ran.line["verified"] is True
    assert all(each["compliant"] for each in ran.line["policies"])


@pytest.mark.parametrize("way", ["tls", "ocsp"])
def test_what_a_server_hands_over_counts(
    ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path, way: str
) -> None:
    """Two SCTs beside a certificate without any; Chrome takes none by OCSP any more."""
    issued = ct_world.issue(logs=())
    scts = encoded_list([log.add_chain(issued.certificate_chain) for log in ct_world.listed])
    ocsp = ocsp_answer(ct_world.ca, issued.certificate, sct_list=scts)
    handed = {"sct_list": scts} if way == "tls" else {"ocsp": ocsp}
    with handing_server(Credentials.of(issued), **handed) as port:
        ran = ct("policy", *asking(port, cafile), "--log-list", log_list, "--json")
    chrome, *others = ran.line["policies"]
    for each in others:
        assert each["compliant"] is True
        assert each["way"] == "tls-or-ocsp"
    takes_it = way == "tls" or chrome["edition"] < "chrome 2026-05-05"
    assert chrome["compliant"] is takes_it
    assert ran.code == (0 if takes_it else 1)


def test_what_may_have_come_beside_is_asked_again(
    ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path
) -> None:
    """Where the second handshake fails nothing is too little, and enough is enough."""

    class Fickle(LabTLS):
        def _treat(self, visitor: object, visit: object) -> None:
            self.manner = "tls" if len(self.visits) == 1 else "closed"
            super()._treat(visitor, visit)  # type: ignore[arg-type]

    for logs, code in (((), 3), (ct_world.listed, 0)):
        credentials = Credentials.of(ct_world.issue(logs=logs))
        with Fickle(credentials) as server:
            ran = ct("policy", *asking(server.port, cafile), "--log-list", log_list, "--json")
        assert ran.code == code
        assert {each["compliant"] for each in ran.line["policies"]} == {None if code else True}
        assert ran.line["findings"] == []


def test_a_host_that_cannot_be_asked_is_not_judged(ct: CT, log_list: Path) -> None:
    """There is no answer, and the exit code says so."""
    ran = ct("policy", "localhost:1", "--address", "127.0.0.1:1", "--log-list", log_list, "--json")
    assert ran.code == 3
    assert ran.line["policies"] == []
    assert ran.line["problem"]


@pytest.mark.parametrize("arguments", [["--policy", "opera"], ["--at", "yesterday"], []])
def test_what_cannot_be_meant_is_refused(ct: CT, arguments: list[str], tmp_path: Path) -> None:
    """An unknown browser, no date, no target."""
    target = [tmp_path] if arguments else []
    assert ct("policy", *target, *arguments).code == 2


def test_every_policy_can_be_chosen() -> None:
    """The words of --policy are those of the library."""
    (choice,) = (each.type for each in policy.params if each.name == "policies")
    assert isinstance(choice, click.Choice)
    assert list(choice.choices) == list(BrowserPolicy)


def test_names_in_lists_cannot_break_out(ct: CT, ct_world: CTWorld, tmp_path: Path) -> None:
    """Operators and logs are called what a list calls them, harmlessly."""
    listed = json.loads(ct_world.list_json())
    for operator in listed["operators"]:
        operator["name"] = "evil\x1b[31m\n\u202eoperator" * 50
        for log in (*operator["logs"], *operator["tiled_logs"]):
            log["description"] = "\x1b]0;evil\x07\u2066log" * 50
    named = written(tmp_path / "logs.json", json.dumps(listed).encode())
    file = chain_file(tmp_path, ct_world.issue())
    for arguments in ((), ("--json",)):
        ran = ct("policy", file, "--log-list", named, *arguments)
        assert ran.code == 1
        assert "\x1b" not in ran.out
