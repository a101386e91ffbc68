"""`pinwarden caa show`: the set in force, in words and in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinwarden.cli.main import run
from pinwarden.lab.dns import LabDNS

ZONE = r"""
@     300 IN CAA 0 issue "letsencrypt.org; accounturi=https://a.example/1; validationmethods=dns-01"
@     300 IN CAA 0 issuewild ";"
@     300 IN CAA 128 tbs "\027[31m"
open  300 IN CAA 0 iodef "mailto:a@example.com"
open  300 IN CAA 0 issuemail "%%%"
cdn   300 IN CNAME open
bad   300 IN CAA \# 3 000569
down  300 IN A 192.0.2.1
words 300 IN CAA 0 iodef "a@example.com"
words 300 IN CAA 0 issuewld ";"
words 300 IN CAA 0 issuewild ";"
words 300 IN CAA 0 issue "letsencrypt.org;accounturi=12345"
words 300 IN CAA 0 contactemail "a@example.com"
"""


@pytest.fixture
def server() -> Iterator[LabDNS]:
    with LabDNS({"example.com": ZONE}, "resolver") as running:
        running.faults["down.example.com"] = "refused"
        yield running


@pytest.fixture
def where(server: LabDNS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return ["caa", "show", "--resolver", f"127.0.0.1:{server.port}"]


def test_a_set_in_words(where: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*where, "www.example.com"]) == 0
    out = capsys.readouterr().out
    for part in (
        "policy at example.com (TTL 300 s",
        "authorises letsencrypt.org (Let's Encrypt)",
        "only for the account https://a.example/1",
        "only by dns-01",
        "plain names:       no CA",
        "www.example.com  no such name",
    ):
        assert part in out
    assert "\x1b" not in out


def test_what_a_set_leaves_open(where: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*where, "cdn.example.com"]) == 0
    out = capsys.readouterr().out
    assert "alias of open.example.com" in out
    assert "plain names:       any CA" in out
    assert "S/MIME:            no CA" in out
    assert "authorises nobody" in out


def test_records_that_cannot_be_read(where: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*where, "bad.example.com", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["broken"] == [r"\# 3 000569"]
    assert line["may_issue"] == {"whom": "unknown", "issuers": []}
    assert run([*where, "bad.example.com"]) == 0
    assert "cannot be read" in capsys.readouterr().out


def test_json_has_what_is_documented(where: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*where, "www.example.com", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line.keys() == {
        *("name", "relevant_name", "failed", "problem", "properties", "broken", "may_issue"),
        *("may_issue_wildcard", "smime", "vmc", "ttl", "aliases", "dnssec", "steps", "resolvers"),
    }
    by_tag = {each["tag"]: each for each in line["properties"]}
    first = by_tag["issue"]
    assert first.keys() == {
        *("flags", "critical", "tag", "value", "presentation", "issuer", "parameters")
    }
    assert first["issuer"] == {"domain": "letsencrypt.org", "owner": "Let's Encrypt"}
    assert first["parameters"][1] == {"tag": "validationmethods", "value": "dns-01"}
    assert by_tag["tbs"]["presentation"] == r'128 tbs "\027[31m"'


def test_nothing_found_and_nothing_known(
    where: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*where, "www.example.net"]) == 0
    assert "any CA may issue" in capsys.readouterr().out
    assert run([*where, "down.example.com"]) == 1
    assert "no CA has permission" in capsys.readouterr().out


def test_addresses_are_not_asked_about(
    where: list[str], server: LabDNS, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*where, "192.0.2.1"]) == 0
    assert "CAA is not consulted for IP addresses" in capsys.readouterr().out
    assert len(server.queries) == 0


def test_resolvers_that_disagree_are_remarked_upon(
    where: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with LabDNS({"example.com": '@ 300 IN CAA 0 issue ";"\n'}, "resolver") as other:
        more = ["--resolver", f"127.0.0.1:{other.port}"]
        assert run([*where, *more, "example.com"]) == 0
        assert "the resolvers do not agree" in capsys.readouterr().err
        assert run([*where, *more, "example.com", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert [each["may_issue"]["whom"] for each in line["resolvers"]] == ["nobody", "nobody"]


def test_each_record_in_words_and_in_one_order(
    where: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Servers turn a set around; what no request can satisfy authorises nobody."""
    assert run([*where, "words.example.com"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[2:15] == [
        '0 issue "letsencrypt.org;accounturi=12345"',
        "authorises letsencrypt.org (Let's Encrypt)",
        "only for the account 12345",
        "no request can satisfy this, so the record authorises nobody",
        '0 issuewild ";"',
        "authorises nobody, for wildcard names",
        '0 iodef "a@example.com"',
        "a CA cannot report a refused request: iodef value 'a@example.com': is no URL",
        '0 contactemail "a@example.com"',
        "a contact for validation by mail",
        '0 issuewld ";"',
        "no known property, so CAs ignore it",
        "",
    ]
    assert lines[15] == "plain names:       no CA"


def test_a_critical_property_in_words(where: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*where, "example.com"]) == 0
    assert "critical: a CA that does not know this property must refuse" in capsys.readouterr().out
