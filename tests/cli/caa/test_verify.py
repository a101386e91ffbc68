"""`pinwarden caa verify`: real servers on loopback that serve what was meant, or do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.cli.main import run
from pinwarden.lab.dns import LabDNS

VALUE = "letsencrypt.org;accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1"
ZONE = f"""
@    300 IN CAA 0 issue "{VALUE}"
@    300 IN CAA 0 issuewild ";"
www  300 IN CAA 0 issue ";"
cdn  300 IN CNAME cdn.example.net.
"""
AS_MEANT = (f'--record=0 issue "{VALUE}"', '--record=0 issuewild ";"')


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    current_issuers.cache_clear()
    yield
    current_issuers.cache_clear()


@pytest.fixture
def good() -> Iterator[LabDNS]:
    with LabDNS({"example.com": ZONE}) as running:
        yield running


def where(*servers: LabDNS) -> list[str]:
    return [f"--server={server.host}:{server.port}" for server in servers]


def verified(
    capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0
) -> list[dict[str, Any]]:
    assert run(["caa", "verify", *arguments, "--json"]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_as_meant(good: LabDNS, capsys: pytest.CaptureFixture[str]) -> None:
    """The order of a set and its TTL mean nothing, and the servers were asked themselves."""
    (report,) = verified(capsys, "example.com", *reversed(AS_MEANT), *where(good))
    assert report["verdict"] == "as-meant"
    (server,) = report["servers"]
    assert (server["as_meant"], server["ttl"], server["differences"]) == (True, 300, [])
    assert report["findings"] == []


def test_the_options_of_make_say_what_is_meant(
    good: LabDNS, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever made the records with options verifies them with the same options."""
    account = VALUE.partition("accounturi=")[2]
    meant = ("--ca", "letsencrypt.org", "--account-uri", account, "--wildcard", "none")
    assert verified(capsys, "example.com", *meant, *where(good))[0]["verdict"] == "as-meant"
    (report,) = verified(capsys, "example.com", "--ca", "pki.goog", *where(good), code=1)
    assert report["verdict"] == "not-as-meant"


def test_a_zone_file_says_what_is_meant(
    good: LabDNS, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every name with CAA in the file is asked for, or the named ones."""
    file = tmp_path / "zone"
    file.write_text(ZONE)
    zone = ("--zone", str(file), "--origin", "example.com")
    reports = verified(capsys, *zone, *where(good))
    assert [each["name"] for each in reports] == ["example.com", "www.example.com"]
    (report,) = verified(capsys, "nothing.example.com", *zone, *where(good))
    assert report["meant"] == []


def test_servers_that_disagree(good: LabDNS, capsys: pytest.CaptureFixture[str]) -> None:
    """A secondary that serves a cut value is named, with what it lost."""
    cut = ZONE.replace(VALUE, "letsencrypt.org;")
    with LabDNS({"example.com": cut}) as bad:
        (report,) = verified(capsys, "example.com", *AS_MEANT, *where(good, bad), code=1)
        assert run(["caa", "verify", "example.com", *AS_MEANT, *where(good, bad)]) == 1
    first, second = report["servers"]
    assert first["as_meant"]
    (difference,) = second["differences"]
    assert difference["damage"] == "cut"
    assert difference["served"] == '0 issue "letsencrypt.org;"'
    assert {each["id"] for each in report["findings"]} == {
        "PW-CAA-PARAMETERS-LOST",
        "PW-CAA-SERVERS-DISAGREE",
    }
    text = capsys.readouterr().out
    assert text.startswith("example.com: served as meant by 1 of 2 servers\n")
    assert "cut at a semicolon" in text
    assert "[PW-CAA-SERVERS-DISAGREE]" in text


@pytest.mark.parametrize("fault", ["servfail", "refused", "garbage", "silent"])
def test_a_server_that_says_nothing_is_no_agreement(
    fault: Any, good: LabDNS, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3: what was said is as meant, but not everybody could be asked."""
    with LabDNS({"example.com": ZONE}) as bad:
        bad.faults["*"] = fault
        (report,) = verified(
            capsys, "example.com", *AS_MEANT, *where(good, bad), "--timeout=0.3", code=3
        )
    assert report["verdict"] == "unknown"
    assert report["servers"][1]["problem"]


def test_a_difference_weighs_more_than_a_silence(
    good: LabDNS, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where one server is wrong and another silent, wrong is the answer."""
    with LabDNS({"example.com": ZONE}) as bad:
        bad.faults["*"] = "refused"
        (report,) = verified(capsys, "example.com", "--ca=none", *where(good, bad), code=1)
    assert report["verdict"] == "not-as-meant"


def test_an_alias_has_no_records_of_its_own(
    good: LabDNS, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the target has, the records were not published at the name."""
    (report,) = verified(capsys, "cdn.example.com", "--ca=none", *where(good), code=1)
    assert report["servers"][0]["aliases"] == ["cdn.example.net"]
    assert "alias of cdn.example.net" in report["findings"][0]["message"]


def test_hostile_records_are_shown_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences and broken RDATA of a server reach the terminal as text."""
    zone = '@ 60 IN CAA 0 issue "\\027[31m\\\\226\\128\\174"\n@ 60 IN CAA \\# 2 0000\n'
    with LabDNS({"example.com": zone}) as hostile:
        (report,) = verified(capsys, "example.com", "--ca=none", *where(hostile), code=1)
        assert run(["caa", "verify", "example.com", "--ca=none", *where(hostile)]) == 1
    out = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in out)
    damages = {each["damage"] for each in report["servers"][0]["differences"]}
    assert damages == {"missing", "unexpected", "broken"}


def test_the_servers_are_found_through_the_zone(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --server every name server of the zone is asked, one address after another."""
    zone = ZONE + "@ 300 IN NS ns1\n@ 300 IN NS ns2\n"
    zone += "ns1 300 IN A 127.0.0.1\nns2 300 IN A 127.0.0.2\n"
    with LabDNS({"example.com": zone}) as dns:
        asked = f"--resolver=127.0.0.1:{dns.port}"
        port = f"--port={dns.port}"
        (report,) = verified(capsys, "example.com", *AS_MEANT, asked, port, "--timeout=0.5", code=3)
    assert report["zone"] == "example.com"
    found = {each["server"]: each["as_meant"] for each in report["servers"]}
    assert found[f"ns1.example.com (127.0.0.1:{dns.port})"]
    assert not found[f"ns2.example.com (127.0.0.2:{dns.port})"]


def test_an_address_without_a_way_to_it_is_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    """Without IPv6 here the IPv4 address speaks for the server; one with no other is unknown."""
    # No socket can be connected to the broadcast address.
    zone = ZONE + "@ 300 IN NS ns1\nns1 300 IN A 127.0.0.1\nns1 300 IN A 255.255.255.255\n"
    with LabDNS({"example.com": zone}) as dns:
        asked = (f"--resolver=127.0.0.1:{dns.port}", f"--port={dns.port}", "--timeout=0.5")
        (report,) = verified(capsys, "example.com", *AS_MEANT, *asked)
        assert report["verdict"] == "as-meant"
        assert report["skipped"] == [f"ns1.example.com (255.255.255.255:{dns.port})"]
        assert run(["caa", "verify", "example.com", *AS_MEANT, *asked]) == 0
        assert "not asked: ns1.example.com (255.255.255.255" in capsys.readouterr().out
    alone = zone.replace("ns1 300 IN A 127.0.0.1\n", "ns2 300 IN A 127.0.0.1\n@ 300 IN NS ns2\n")
    with LabDNS({"example.com": alone}) as dns:
        asked = (f"--resolver=127.0.0.1:{dns.port}", f"--port={dns.port}", "--timeout=0.5")
        (report,) = verified(capsys, "example.com", *AS_MEANT, *asked, code=3)
    assert report["skipped"] == []


def test_a_resolver_that_cannot_say_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Without name servers there is nobody to verify with: exit code 3 and why."""
    with LabDNS({"example.com": ZONE}) as dns:
        dns.faults["*"] = "servfail"
        asked = f"--resolver=127.0.0.1:{dns.port}"
        (report,) = verified(capsys, "example.com", "--ca=none", asked, code=3)
    assert report["servers"] == []
    assert "SERVFAIL" in report["problems"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["example.com"], "no policy to compare with"),
        (["example.com", "--ca=none", "--record=0 issue ;"], "or more than one"),
        (["--ca=none"], "no names given"),
        (["example.com", "--record=nonsense"], "nonsense"),
        (["example.com", "--ca=none", "--origin=example.com"], "--zone only"),
        (["example.com", "--ca=none", "--server=not a server"], "not a server"),
        (["example.com", "--zone=/nowhere/zone"], "/nowhere/zone"),
    ],
)
def test_what_is_meant_must_be_clear(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Usage errors are one line, exit with 2 and ask nobody."""
    assert run(["caa", "verify", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("line", ["@ CAA 0 issue ca extra words", "@ CAA \\# 2 0000"])
def test_a_zone_file_that_cannot_be_read_means_nothing(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record that nobody can read is no intent."""
    file = tmp_path / "zone"
    file.write_text(f"{line}\n")
    assert run(["caa", "verify", "--zone", str(file), "--origin", "example.com"]) == 2
    assert "--zone" in capsys.readouterr().err
