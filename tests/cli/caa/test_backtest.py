"""`pinwarden caa backtest` over folders of certificates, as a person and as a script use it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.caa.issuer_map import current_issuers
from pinwarden.cli.main import run
from pinwarden.lab.ca import CA
from pinwarden.lab.dns import LabDNS
from support.caa_own_map import DOMAIN, tables_knowing
from support.certificate_folders import write_chain
from support.history_services import Answer, HistoryServices, crtsh_row, spotter_issuance

NOW = datetime.now(UTC).replace(microsecond=0)
NAME = "shop.example"
# Who issued, for whom, and how many days ago; each for 90 days.
HISTORY: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("known", (NAME, f"www.{NAME}"), 500),
    ("known", (NAME, f"www.{NAME}"), 300),
    ("known", (f"*.{NAME}",), 150),
    ("known", (NAME, f"www.{NAME}"), 60),
    ("known", ("other.example",), 50),
)
ZONE = f"""$ORIGIN {NAME}.
@    3600 IN SOA ns host 1 3600 600 86400 300
@    3600 IN CAA 0 issue "letsencrypt.org"
www  3600 IN CAA 0 issue "{DOMAIN}"
"""


def day(ago: int) -> str:
    return (NOW - timedelta(days=ago)).date().isoformat()


class World:
    """A folder of certificates by a CA that is mapped, and the command over it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.certificates = folder / "certificates"
        self.cas = {"known": CA("Known CA"), "unknown": CA("Unknown CA")}
        self.source = ("--source", f"folder={self.certificates}")
        self._capsys = capsys
        owners, keys = tables_knowing(self.cas["known"])
        kept = folder / "pinwarden" / "caa-issuers.json"
        kept.parent.mkdir()
        kept.write_text(json.dumps({"owners": owners, "keys": keys}))
        for number, (ca, names, ago) in enumerate(HISTORY):
            self.issue(ca, names, ago, f"{number}")

    def issue(self, ca: str, names: Sequence[str], ago: int, file: str) -> None:
        issued = self.cas[ca].issue(names, not_before=NOW - timedelta(days=ago))
        write_chain(self.certificates, file, issued.certificate_chain)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = run(["caa", "backtest", *arguments, *self.source])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def document(self, *arguments: str, code: int) -> dict[str, Any]:
        """What `--json` answers, with the exit code expected."""
        ended, out, err = self(*arguments, "--json")
        assert ended == code, err
        document = json.loads(out)
        assert isinstance(document, dict)
        return document


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[World]:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    current_issuers.cache_clear()
    yield World(tmp_path, capsys)
    current_issuers.cache_clear()


def test_a_policy_that_fits(world: World) -> None:
    """One line says so, and the exit code too."""
    code, out, err = world(NAME, "--ca", DOMAIN)
    assert (code, err) == (0, "")
    first, *_ = out.splitlines()
    assert first == (
        "the policy that is meant would have allowed all 3 certificates of the last 365 days "
        f"for {NAME}"
    )


def test_a_policy_that_forgets_wildcards(world: World) -> None:
    """Which CA, on which day, for which name, and what to add."""
    code, out, _ = world(NAME, "--ca", DOMAIN, "--wildcard", "none")
    first, second, *_ = out.splitlines()
    assert code == 1
    assert first == (
        "the policy that is meant would have refused 1 of 3 certificates of the last 365 days "
        f"for {NAME}: 1 of Lab CA ({day(150)})"
    )
    assert second == f'  to allow Lab CA there must be a record such as 0 issuewild "{DOMAIN}"'
    assert f"  *.{NAME}" in out


def test_the_policy_of_a_zone_file(world: World, tmp_path: Path) -> None:
    """Without NAME for its whole zone; a set below the apex decides for itself."""
    zone = tmp_path / "shop.zone"
    zone.write_text(ZONE)
    document = world.document("--zone", str(zone), code=1)
    assert document["names"] == [NAME]
    assert document["verdict"] == "refused"
    assert (document["certificates"], document["refused"]) == (3, 3)
    by_name = {each["name"]: (each["refused"], each["allowed"]) for each in document["by_name"]}
    assert by_name == {NAME: (2, 0), f"*.{NAME}": (1, 0), f"www.{NAME}": (0, 2)}
    assert document["policy"] == {
        "from": "zone",
        "sets": [
            {"name": NAME, "records": ['0 issue "letsencrypt.org"'], "problem": None},
            {"name": f"www.{NAME}", "records": [f'0 issue "{DOMAIN}"'], "problem": None},
        ],
    }
    assert document["failing_renewals"] == 1
    assert document["first_renewal_due"].startswith(day(60 - 90))


def test_the_policy_in_force(world: World) -> None:
    """Without a policy of its own the command asks DNS, once for each name."""
    records = f'@ 300 IN CAA 0 issue "letsencrypt.org"\nwww 300 IN CAA 0 issue "{DOMAIN}"\n'
    with LabDNS({NAME: records}, "resolver") as server:
        document = world.document(NAME, "--resolver", f"127.0.0.1:{server.port}", code=1)
    assert document["policy"]["from"] == "dns"
    assert document["refused"] == 3
    reasons = {
        name["name"]: name["reason"] for each in document["issuances"] for name in each["names"]
    }
    assert reasons == {
        NAME: "issuer-not-listed",
        f"*.{NAME}": "issuer-not-listed",
        f"www.{NAME}": "issuer-authorized",
    }


def test_dns_that_does_not_answer(world: World) -> None:
    """A policy that could not be seen has not let anybody through."""
    with LabDNS({NAME: "@ 300 IN A 192.0.2.1\n"}, "resolver") as server:
        server.faults[NAME] = "servfail"
        document = world.document(NAME, "--resolver", f"127.0.0.1:{server.port}", code=1)
    assert (document["verdict"], document["unknown"]) == ("unknown", 3)


@pytest.mark.parametrize(
    ("reach", "certificates"),
    [(("--days", "100"), 1), (("--since", day(501)), 4), (("--days", "2"), 0)],
    ids=["days", "since", "none"],
)
def test_how_far_back(world: World, reach: Sequence[str], certificates: int) -> None:
    """A year unless told otherwise; a history without certificates proves nothing."""
    document = world.document(NAME, "--ca", DOMAIN, *reach, code=0 if certificates else 1)
    assert document["certificates"] == certificates


def test_tried_on_nothing(world: World) -> None:
    """No certificate is no pass, and the first line says so."""
    code, out, _ = world("nothing.example", "--ca", DOMAIN)
    assert code == 1
    assert out.startswith("the policy that is meant was tried on nothing: ")


def test_a_ca_that_is_not_mapped(world: World) -> None:
    """It cannot be told, and that is not a pass."""
    world.issue("unknown", [f"pay.{NAME}"], 40, "unknown")
    code, out, _ = world(NAME, "--ca", DOMAIN)
    assert code == 1
    assert "would have refused none for certain of 4 certificates" in out
    assert "; of 1 it cannot be told" in out
    assert "[issuer-not-mapped]" in out


def test_a_history_with_gaps(world: World) -> None:
    """What could be read is answered; the exit code says that it is not all."""
    (world.certificates / "broken.pem").write_bytes(b"\x30\x82 no certificate")
    code, out, err = world(NAME, "--ca", DOMAIN)
    assert code == 3
    assert "would have allowed all 3 certificates" in out
    assert "the history could not be read in full, so there may be more" in out
    assert "broken.pem" in err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("192.0.2.1", "--ca", DOMAIN),
        (NAME, "--ca", DOMAIN, "--resolver", "127.0.0.1:5300"),
        (NAME, "--zone", "any.zone", "--ca", DOMAIN),
        (NAME, "--resolver", "127.0.0.1:1", "--resolver", "127.0.0.1:2"),
        (NAME, "--ca", "no domain"),
        (NAME, "--ca", DOMAIN, "--json", "--format", "html"),
        (NAME, "--ca", DOMAIN, "--days", "3", "--since", "2026-01-01"),
    ],
    ids=["nothing", "address", "two", "zone", "resolvers", "ca", "form", "time"],
)
def test_orders_that_make_no_sense(world: World, arguments: Sequence[str]) -> None:
    """Refused in one line before anything is asked."""
    code, out, err = world(*arguments)
    assert (code, out) == (2, "")
    assert "error" in err.lower()


def test_a_source_must_be_named(world: World) -> None:
    """Nobody is asked without being named."""
    world.source = ("--days", "30")
    code, out, err = world(NAME, "--ca", DOMAIN)
    assert (code, out) == (2, "")
    assert "--source" in err


def test_what_cert_spotter_tells(world: World) -> None:
    """The issuer's key tells the CA, and the domains that the service lists tell of others."""
    known, odd = world.cas["known"], world.cas["unknown"]
    issued = [
        ca.issue([NAME], not_before=NOW - timedelta(days=ago))
        for ca, ago in ((known, 50), (odd, 20))
    ]
    told = [
        spotter_issuance(1, issued[0], known, der=False),
        spotter_issuance(2, issued[1], odd, der=False, domains=["odd-ca.example"]),
    ]
    with HistoryServices(issuances=told) as services:
        url = services.url
        world.source = ("--source", f"certspotter={url}", "--contact", "ops@example.com")
        document = world.document(NAME, "--ca", "odd-ca.example", code=1)
    assert [(each["ca"], each["ca_known"], each["verdict"]) for each in document["issuances"]] == [
        ("Lab CA", "by-owner", "refused"),
        ("odd-ca.example", "by-key", "allowed"),
    ]


def test_what_crt_sh_tells(world: World) -> None:
    """Names and dates only: a CA is told by its name, and the answer says so."""
    ca = CA("Let's Encrypt")
    issued = ca.issue([NAME], not_before=NOW - timedelta(days=50))
    current_issuers.cache_clear()
    (world.certificates.parent / "pinwarden" / "caa-issuers.json").unlink()
    with HistoryServices(rows=[crtsh_row(1, issued, NOW - timedelta(days=50))]) as services:
        world.source = ("--source", f"crtsh={services.url}", "--contact", "ops@example.com")
        document = world.document(NAME, "--ca", "letsencrypt.org", code=0)
        assert document["issuances"][0]["ca_known"] == "by-name"
        _, out, _ = world(NAME, "--ca", "letsencrypt.org")
        assert "1 allowed (told by its name alone)" in out


def test_real_rows_of_crt_sh(world: World, corpus: Path) -> None:
    """Twenty years of one company: old brands belong to the CA that took them over."""
    rows = gzip.decompress((corpus / "feeds" / "crtsh_paypal_inc_2020.json.gz").read_bytes())
    current_issuers.cache_clear()
    (world.certificates.parent / "pinwarden" / "caa-issuers.json").unlink()
    with HistoryServices(raw=rows) as services:
        world.source = ("--source", f"crtsh={services.url}", "--contact", "ops@example.com")
        arguments = ("paypal.com", "--ca", "digicert.com", "--since", "2000-01-01")
        document = world.document(*arguments, code=1)
    assert (document["refused"], document["unknown"], document["allowed"]) == (0, 5, 121)
    unmapped = [each["ca"] for each in document["by_ca"] if each["unknown"]]
    assert unmapped == ["VeriSign Trust Network", "Akamai Technologies Inc"]


def test_a_service_that_refuses(world: World) -> None:
    """Silence of a source is no history, and no pass."""
    with HistoryServices(faults=[Answer(403, b"go away")]) as services:
        world.source = ("--source", f"crtsh={services.url}", "--contact", "ops@example.com")
        code, out, err = world(NAME, "--ca", DOMAIN)
    assert code == 3
    assert "was tried on nothing" in out
    assert "error" in err


class _Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_with_a_picture(world: World) -> None:
    """Nothing fetched, no script; the same answer, and a row in time for each CA."""
    world.issue("unknown", [f"pay.{NAME}"], 40, "unknown")
    code, out, _ = world(NAME, "--ca", DOMAIN, "--wildcard", "none", "--format", "html")
    assert code == 1
    page = _Read()
    page.feed(out)
    assert page.tags.count("svg") == 2
    assert {"script", "img", "link", "iframe"} & set(page.tags) == set()
    assert f"1 of Lab CA ({day(150)})" in page.text
    assert f"Lab CA: 1 refused ({day(150)}), 2 allowed" in page.text
    assert "Unknown CA: 1 cannot be told" in page.text
    assert f"tried {day(0)}" in page.text


def test_a_page_of_nothing(world: World) -> None:
    """Nothing to draw is no fault."""
    code, out, _ = world("nothing.example", "--ca", DOMAIN, "--format", "html")
    assert code == 1
    assert "<svg" not in out
    assert "was tried on nothing" in out


def test_a_hostile_certificate(world: World) -> None:
    """What a certificate calls its CA does not reach the terminal or the page as it is."""
    world.cas["odd"] = CA("<script>\x1b[31m&CA")
    world.issue("odd", [NAME], 30, "odd")
    for form in ("text", "html"):
        code, out, err = world(NAME, "--ca", DOMAIN, "--format", form)
        assert code == 1
        assert "\x1b" not in out + err
        assert ("<script>" in out) is (form == "text")
