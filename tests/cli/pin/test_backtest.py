"""`pinwarden pin backtest`: a story of a host with the right dates, and every kind of source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli.pin.conftest import Pin
from pinwarden.lab.ca import CA, Issued, new_key, pem, spki_of
from pinwarden.pinning import Pin as PinnedPin
from pinwarden.pinning import PinPolicy, PinSet
from pinwarden.pinning.policy import OnExpiry
from support.history_services import HistoryServices, crtsh_row, spotter_issuance

HOST = "api.example.com"
CHANGES = {"first": 300, "renewed": 220, "backup": 140, "surprise": 60}


@dataclass(frozen=True)
class Story:
    """300 days of a host: a renewal, then the backup key, then a key that nobody had planned.

    Its certificates are in `folder`, one file each with the chain, and `issued` by name.
    """

    folder: Path
    ca: CA
    other: CA
    issued: dict[str, Issued]

    def day(self, name: str) -> date:
        """The day of one of the certificates."""
        return datetime.now(UTC).date() - timedelta(days=CHANGES[name])

    def pins(self, name: str) -> PinnedPin:
        """The pin of a certificate's key, or of a CA's: `int`, `root`, `other-root`."""
        authorities = {"int": self.ca.key, "root": self.ca.root_key, "other": self.other.root_key}
        key = authorities.get(name) or self.issued[name].private_key
        return PinnedPin.of_spki(spki_of(key))

    def write(self, file: Path, *, host: str = HOST, **said: object) -> Path:
        """A pin set in a file; pins by name."""
        named = {
            role: [self.pins(each) for each in str(names).split()]
            for role, names in said.items()
            if role.endswith("_pins")
        }
        others = {word: value for word, value in said.items() if word not in named}
        mode = str(others.pop("mode", "enforce"))
        policy = PinPolicy.of(host, mode, **named, **others)  # type: ignore[arg-type]
        file.write_text(PinSet([policy]).to_toml())
        return file


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("history")
    ca, other = CA("Example CA"), CA("Other CA")
    keys = {"first": new_key(), "backup": new_key(), "surprise": new_key()}
    keys["renewed"] = keys["first"]
    # From midnight on, so that each change of a key is one of days.
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    issued = {}
    for name, ago in CHANGES.items():
        begins = today - timedelta(days=ago)
        issued[name] = ca.issue([HOST], key=keys[name], not_before=begins, days=90)
        (folder / f"{name}.pem").write_bytes(pem(issued[name].certificate_chain))
    return Story(folder, ca, other, issued)


def test_a_set_that_would_have_locked_out_is_caught(pin: Pin, story: Story, tmp_path: Path) -> None:
    """The days, the first one, who was served, and what the backup was good for."""
    file = story.write(tmp_path / "pins.toml", leaf_pins="first", backup_pins="backup")
    ran = pin("backtest", file, "--source", f"folder={story.folder}", "--json")
    assert ran.code == 1
    line = ran.line
    assert (line["target"], line["verdict"], line["outcome"]) == (HOST, "mismatch", "locked-out")
    assert line["first_locked_out"] == story.day("surprise").isoformat()
    assert line["days"] == {
        "locked-out": 61,
        "unknown": 0,
        "no-certificate": 0,
        "not-pinned": 0,
        "backup-alone": 80,
        "match": 160,
    }
    assert line["total_days"] == 301
    assert [each["outcome"] for each in line["stretches"]] == [
        *("match", "match", "backup-alone", "locked-out")
    ]
    last = line["stretches"][-1]
    assert last["certificate"]["reference"] == "surprise.pem"
    assert last["certificate"]["pin"] == story.pins("surprise").curl
    assert last["way_back"]["reference"] == "backup.pem"
    assert [each[:10] for each in line["key_changes"]] == [
        story.day("backup").isoformat(),
        story.day("surprise").isoformat(),
    ]
    assert line["issuer_key_changes"] == []


def test_the_answer_for_a_person(pin: Pin, story: Story, tmp_path: Path) -> None:
    """The first line is the answer, with the number of days and the first of them."""
    file = story.write(tmp_path / "pins.toml", leaf_pins="first", backup_pins="backup")
    ran = pin("backtest", file, "--source", f"folder={story.folder}")
    answer, *others = ran.out.splitlines()
    first = story.day("surprise").isoformat()
    assert answer == (f"{HOST}: would have locked clients out on 61 of 301 days, first on {first}")
    text = "\n".join(others)
    assert "the backup pin alone let clients in on 80 days" in text
    assert "your key changed 2 times in 301 days" in text
    assert f"going back to the older certificate helps until {_end(story, 'backup')}" in text
    reported = story.write(
        tmp_path / "reported.toml", mode="report-only", leaf_pins="first", backup_pins="backup"
    )
    ran = pin("backtest", reported, "--source", f"folder={story.folder}")
    assert ran.code == 1
    assert ran.out.startswith(f"{HOST}: would have reported a mismatch on 61 of 301 days")
    assert "nothing would have been refused" in ran.out


def _end(story: Story, name: str) -> date:
    return story.day(name) + timedelta(days=89)


@pytest.mark.parametrize("pinned", ["int", "root"])
def test_a_ca_pin_holds_over_changes_of_the_key(
    pinned: str, pin: Pin, story: Story, tmp_path: Path
) -> None:
    """The CAs' certificates that lie beside the others tell the keys above."""
    file = story.write(tmp_path / "pins.toml", ca_pins=pinned, backup_pins="other")
    ran = pin("backtest", file, "--source", f"folder={story.folder}")
    assert ran.code == 0
    assert ran.out.startswith(f"{HOST}: would have let clients in on every one of 301 days\n")


def test_a_forbidden_key(pin: Pin, story: Story, tmp_path: Path) -> None:
    """A forbidden key locks out, whatever else matches."""
    file = story.write(
        tmp_path / "pins.toml", ca_pins="root", backup_pins="other", forbidden_pins="backup"
    )
    line = pin("backtest", file, "--source", f"folder={story.folder}", "--json").line
    assert line["days"]["locked-out"] == 80
    assert line["first_locked_out"] == story.day("backup").isoformat()
    assert {each["reason"] for each in line["stretches"]} == {"pin-matched", "forbidden-key"}


def test_a_policy_that_has_ended(pin: Pin, story: Story, tmp_path: Path) -> None:
    """A closed end is a lock-out from the day after the last one."""
    last = datetime.now(UTC).date() - timedelta(days=10)
    file = story.write(
        tmp_path / "pins.toml",
        ca_pins="root",
        backup_pins="other",
        expires=last,
        on_expiry=OnExpiry.CLOSED,
    )
    line = pin("backtest", file, "--source", f"folder={story.folder}", "--json").line
    assert line["first_locked_out"] == (last + timedelta(days=1)).isoformat()
    assert line["days"]["locked-out"] == 10


def test_only_the_days_that_are_asked_for(pin: Pin, story: Story, tmp_path: Path) -> None:
    """As many days as said, with certificates that are older and were valid then."""
    file = story.write(tmp_path / "pins.toml", leaf_pins="first", backup_pins="backup")
    source = ("--source", f"folder={story.folder}", "--json")
    assert pin("backtest", file, *source, "--days", "30").line["total_days"] == 30
    since = story.day("backup").isoformat()
    line = pin("backtest", file, *source, "--since", since).line
    assert line["days"]["match"] == 0
    assert line["days"]["backup-alone"] == 80
    assert pin("backtest", file, *source, "--days", "3", "--since", since).code == 2


def test_crtsh_tells_no_keys(pin: Pin, story: Story, tmp_path: Path) -> None:
    """Days of which nobody tells the key are not days on which clients got in."""
    file = story.write(tmp_path / "pins.toml", ca_pins="root", backup_pins="other")
    seen = datetime.now(UTC)
    with HistoryServices() as services:
        services.rows = [
            crtsh_row(number, each, seen) for number, each in enumerate(story.issued.values(), 1)
        ]
        ran = pin("backtest", file, "--source", f"crtsh={services.url}", "--contact", "a@b.example")
    assert ran.code == 1
    assert ran.out.startswith(f"{HOST}: not known whether clients would have got in on 301 of 301")
    assert "--source certspotter" in ran.out


def test_cert_spotter_tells_the_keys(pin: Pin, story: Story, tmp_path: Path) -> None:
    """With the hash of the issuing key and the CA's certificates a root's pin can be judged."""
    file = story.write(tmp_path / "pins.toml", ca_pins="root", backup_pins="other")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pem(story.ca.chain))
    with HistoryServices() as services:
        services.issuances = [
            spotter_issuance(number, each, story.ca, der=False)
            for number, each in enumerate(story.issued.values(), 1)
        ]
        asked = ("--source", f"certspotter={services.url}", "--contact", "a@b.example")
        bare = pin("backtest", file, *asked)
        known = pin("backtest", file, *asked, "--chain", chain)
    assert bare.code == 1
    assert "--chain FILE" in bare.out
    assert known.code == 0


def test_history_that_cannot_be_read(pin: Pin, story: Story, tmp_path: Path) -> None:
    """Exit code 3 where something was not told; 1 if what was told locks out already."""
    folder = tmp_path / "history"
    folder.mkdir()
    (folder / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    good = story.write(tmp_path / "good.toml", ca_pins="root", backup_pins="other")
    bad = story.write(tmp_path / "bad.toml", leaf_pins="first", backup_pins="backup")
    sources = ("--source", f"folder={folder}", "--source", f"folder={story.folder}")
    ran = pin("backtest", good, *sources)
    assert ran.code == 3
    assert "broken.pem" in ran.err
    assert pin("backtest", bad, *sources).code == 1
    (folder / "broken.pem").unlink()
    empty = pin("backtest", good, "--source", f"folder={folder}")
    assert empty.code == 3
    assert "no certificate for it in this history" in empty.out


def test_hosts_below(pin: Pin, story: Story, tmp_path: Path) -> None:
    """With include_subdomains the hosts that certificates name are tried; --host names one."""
    file = story.write(
        tmp_path / "pins.toml",
        host="example.com",
        include_subdomains=True,
        exclude=("no.example.com",),
        ca_pins="root",
        backup_pins="other",
    )
    folder = tmp_path / "history"
    folder.mkdir()
    names = ["www.example.com", "no.example.com", "*.example.com", "example.com", "example.org"]
    (folder / "a.pem").write_bytes(pem(story.ca.issue(names).certificate_chain))
    lines = pin("backtest", file, "--source", f"folder={folder}", "--json").lines
    assert [each["target"] for each in lines] == ["example.com", "www.example.com"]
    source = ("--source", f"folder={folder}", "--json")
    one = pin("backtest", file, *source, "--host", "anything.example.com")
    assert (one.line["target"], one.code) == ("anything.example.com", 0)
    assert pin("backtest", file, *source, "--host", "no.example.com").code == 2
    assert pin("backtest", file, *source, "--host", "*.example.com").code == 2


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_page_with_a_chart(pin: Pin, story: Story, tmp_path: Path) -> None:
    """The chart says in words what it shows, and nothing in the page is fetched or run."""
    file = story.write(tmp_path / "pins.toml", leaf_pins="first", backup_pins="backup")
    page = tmp_path / "page.html"
    source = ("--source", f"folder={story.folder}", "--format", "html")
    ran = pin("backtest", file, *source, "-o", page)
    assert ran.code == 1
    assert ran.out == ""
    read = _Page()
    read.feed(page.read_text())
    assert read.names.count("svg") == 2
    assert {"script", "img", "link", "iframe"}.isdisjoint(read.names)
    words = " ".join(read.text)
    first = story.day("surprise").isoformat()
    assert f"would have locked clients out on 61 of 301 days, first on {first}" in words
    assert f"locked out {first} to" in words
    assert pin("backtest", file, *source, "--json").code == 2


def test_hostile_names_of_issuers(pin: Pin, story: Story, tmp_path: Path) -> None:
    """What a certificate says of its issuer stays text in a page and on a terminal."""
    evil = CA("<script>alert(1)</script>\u202e\x1b[31m")
    folder = tmp_path / "history"
    folder.mkdir()
    (folder / "a.pem").write_bytes(pem(evil.issue([HOST]).certificate_chain))
    file = story.write(tmp_path / "pins.toml", leaf_pins="first", backup_pins="backup")
    for form in ("text", "html"):
        ran = pin("backtest", file, "--source", f"folder={folder}", "--format", form)
        assert ran.code == 1
        assert "<script" not in ran.out or form == "text"
        assert "\u202e" not in ran.out
        assert "\x1b" not in ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--source", "folder=/nowhere/at/all"),
        ("--source", "nobody"),
        ("--source", "store", "--chain", "/nowhere.pem"),
    ],
    ids=["no-source", "no-folder", "unknown", "no-chain"],
)
def test_what_cannot_be_meant(
    arguments: tuple[str, ...], pin: Pin, story: Story, tmp_path: Path
) -> None:
    """One line, and exit code 2."""
    file = story.write(tmp_path / "pins.toml", leaf_pins="first", backup_pins="backup")
    ran = pin("backtest", file, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("pinwarden: error: ")
