"""`pinwarden sightings` and `pinwarden alerts`, over what a real run of `watch` left."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cli.watching import Home, log_id, names_of, read_alerts
from pinwarden.ct.leaf import EntryType, Extra, encode_leaf
from pinwarden.ct.log import LogKind
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA, Issued
from pinwarden.lab.hostile import hostile_certificate
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer

_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Seen:
    """A home in which `watch` has run, and what there was to see."""

    home: Home
    logs: tuple[LabLog, LabLog]
    issued: Issued
    precertified: Issued
    noise: bytes

    def run(self, *arguments: str, code: int = 0) -> str:
        """What a command says about the store, on stdout."""
        config = ("-c", str(self.home.config))
        return self.home.run_here(*arguments, *config).checked(code).out


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Four sightings: an issuance in two logs, a precertificate, an odd name, and noise."""
    home = Home(tmp_path_factory.mktemp("seen"))
    first, second = LabLog("first"), LabLog("second", kinds=(LogKind.STATIC,))
    ca = CA("Some CA")
    with LabServer([first, second]):
        fill(first, 5)
        issued = ca.issue(["www.shop.example", "shop.example"], logs=[first])
        second.add_certificate(issued.certificate_chain)
        precertified = ca.issue(["exact.example", "pay.shop.example"])
        first.add_precertificate(precertified.precertificate_chain)
        odd = hostile_certificate(ca, "odd.shop.example", "control")
        first.add_certificate(odd.issued.certificate_chain)
        noise = encode_leaf(first.now_ms(), EntryType.X509, b"\x1b[31mnoise", None, b"")
        first.add_leaf(noise, Extra(None))
        home.configure(watch=[".shop.example", "exact.example"], start="beginning")
        home.list_logs(first, second)
        home.configured_once().checked(1)
        yield Seen(home, (first, second), issued, precertified, noise)


# Sightings.


def test_list_gives_one_object_a_line(seen: Seen) -> None:
    """Every documented key is there, and the values are those of the certificate."""
    lines = [json.loads(line) for line in seen.run("sightings", "list", "--json").splitlines()]
    assert len(lines) == 4
    [issuance] = [each for each in lines if "www.shop.example" in each["names"]]
    certificate = x509.load_der_x509_certificate(seen.issued.certificate)
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    expected = {
        "tbs_sha256": hashlib.sha256(seen.issued.tbs).hexdigest(),
        "names": ["shop.example", "www.shop.example"],
        "matched": [".shop.example"],
        "issuer": certificate.issuer.rfc4514_string(),
        "not_before": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
        "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "spki_sha256": b64encode(hashlib.sha256(spki).digest()).decode(),
        "verdict": "unknown",
    }
    assert {key: issuance[key] for key in expected} == expected
    assert issuance["reasons"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", issuance["first_seen"])
    assert sorted((each["log_id"], each["index"]) for each in issuance["logs"]) == sorted(
        [(log_id(seen.logs[0]), 5), (log_id(seen.logs[1]), 0)]
    )


def test_list_for_people(seen: Seen) -> None:
    """One plain line a certificate, oldest first, whatever characters its names hold."""
    out = seen.run("sightings", "list")
    assert len(out.splitlines()) == 4
    assert [line.split()[0] for line in out.splitlines()] == ["1", "2", "3", "4"]
    assert "www.shop.example" in out
    assert "Some CA" in out
    assert "(unreadable)" in out
    assert not _CONTROLS.search(out)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--matched", ".shop.example"], 3),
        (["--matched", "exact.example"], 1),
        (["--matched", "nowhere.example"], 0),
        (["--verdict", "unknown"], 4),
        (["--verdict", "authorized"], 0),
        (["--since", "2020-01-01"], 4),
        (["--since", "2999-01-01T00:00Z"], 0),
        (["--limit", "3"], 3),
        (["--limit", "3", "--matched", ".shop.example", "--since", "2020-01-01"], 3),
    ],
)
def test_list_filters(seen: Seen, options: list[str], count: int) -> None:
    """Conditions are joined, and where nothing meets them the answer is empty."""
    assert len(seen.run("sightings", "list", "--json", *options).splitlines()) == count
    assert len(seen.run("sightings", "list", *options).splitlines()) == count


def test_show_gives_the_certificate(seen: Seen) -> None:
    """By number or by hash, as text with a PEM block that other programs read, or as JSON."""
    key = hashlib.sha256(seen.issued.tbs).hexdigest()
    shown = json.loads(seen.run("sightings", "show", key, "--json"))
    assert b64decode(shown["der"]["base64"]) == seen.issued.certificate
    assert shown["certificate_sha256"] == seen.issued.fingerprint.hex()
    text = seen.run("sightings", "show", str(shown["id"]))
    assert text == seen.run("sightings", "show", key.upper())
    assert x509.load_pem_x509_certificate(text.encode()) == x509.load_der_x509_certificate(
        seen.issued.certificate
    )
    assert "www.shop.example" in text
    assert text.count("proven by a signed tree head") == 2


def test_show_what_is_no_certificate(seen: Seen) -> None:
    """An entry that cannot be read is shown as what it is, without its control characters."""
    [noise] = [
        each
        for each in map(json.loads, seen.run("sightings", "list", "--json").splitlines())
        if each["kind"] == "unreadable"
    ]
    text = seen.run("sightings", "show", noise["key"])
    assert "BEGIN CERTIFICATE" not in text
    assert not _CONTROLS.search(text)
    assert noise["problems"][0] in text
    shown = json.loads(seen.run("sightings", "show", noise["key"], "--json"))
    assert b64decode(shown["der"]["base64"]) == seen.noise


@pytest.mark.parametrize("key", ["999", "ab" * 32, "nonsense", "-1"])
def test_show_what_is_not_there(seen: Seen, key: str) -> None:
    """One line, and an exit code that is not success."""
    ran = seen.home.run_here("sightings", "show", "-c", str(seen.home.config), key).checked(2)
    assert ran.out == ""
    assert ran.err.startswith("pinwarden: error: ")


def test_export_writes_what_was_logged(seen: Seen, tmp_path: Path) -> None:
    """Two files a sighting, named by its hash; a second export changes nothing."""
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        assert json.loads(seen.run("sightings", "export", str(folder), "--json")) == {
            "folder": str(folder),
            "sightings": 4,
        }
    assert len(list(folder.iterdir())) == 8
    key = hashlib.sha256(seen.issued.tbs).hexdigest()
    assert (folder / f"{key}.der").read_bytes() == seen.issued.certificate
    assert json.loads((folder / f"{key}.json").read_text())["tbs_sha256"] == key
    key = hashlib.sha256(seen.precertified.tbs).hexdigest()
    assert (folder / f"{key}.der").read_bytes() == seen.precertified.precertificate
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        arguments = ("-c", str(seen.home.config), str(place))
        ran = seen.home.run_here("sightings", "export", *arguments).checked(2)
        assert str(place) in ran.err


@pytest.mark.parametrize("options", [["--since", "soon"], ["--limit", "0"], ["--verdict", "good"]])
def test_bad_options(seen: Seen, options: list[str]) -> None:
    """Exit code 2, and a line that names what was typed."""
    ran = seen.home.run_here("sightings", "list", *options).checked(2)
    assert ran.out == ""
    assert options[1] in ran.err


def test_the_program_itself(seen: Seen) -> None:
    """As a process of its own it says the same, with the store named in any of three ways."""
    config = ("-c", str(seen.home.config))
    listed = seen.run("sightings", "list", "--json")
    store = f"sqlite:///{seen.home.store}"
    assert seen.home.run("sightings", "list", "--json", *config).checked(0).out == listed
    named = seen.home.run_here("sightings", "list", "--json", "--store", store)
    assert named.checked(0).out == listed
    named = seen.home.run_here("sightings", "list", "--json", extra={"PINWARDEN_STORE": store})
    assert named.checked(0).out == listed
    assert seen.home.run_here("sightings", "list").checked(2).out == ""


# Alerts.


def test_an_alert_from_the_first_line_to_the_last_note(seen: Seen) -> None:
    """What waits is listed and exit code 1; what somebody took note of waits no more."""
    told = seen.home.alerts()
    listed = [
        json.loads(line) for line in seen.run("alerts", "list", "--json", code=1).splitlines()
    ]
    # Told in the order of what matters, listed in the order of the log.
    assert {each["key"] for each in listed} == {each["key"] for each in told}
    for each in listed:
        [delivery] = each["deliveries"]
        assert (delivery["channel"], delivery["state"]) == ("file", "sent")
        assert each["acknowledged"] is None
    text = seen.run("alerts", "list", code=1)
    assert len(text.splitlines()) == len(told) == 4
    assert not _CONTROLS.search(text)

    for each in listed[:-1]:
        seen.run("alerts", "ack", str(each["alert"]), "--why", "ours", "--who", "Ann")
    assert len(seen.run("alerts", "list", code=1).splitlines()) == 1
    last = str(listed[-1]["alert"])
    noted = json.loads(seen.run("alerts", "ack", last, "--why", "n\x1boise", "--json"))
    assert noted["first"] is True
    again = json.loads(seen.run("alerts", "ack", last, "--why", "again", "--who", "Bob", "--json"))
    assert again["first"] is False
    assert seen.run("alerts", "list") == ""
    everything = seen.run("alerts", "list", "--all")
    assert everything.count("noted by Ann: ours") == 3
    assert "again" not in everything
    assert not _CONTROLS.search(everything)
    noted = json.loads(seen.run("alerts", "list", "--all", "--json").splitlines()[-1])
    assert noted["acknowledged"]["why"] == "n\x1boise"


@pytest.mark.parametrize("arguments", [["999", "--why", "x"], ["0", "--why", "x"], ["1"], ["x"]])
def test_notes_that_cannot_be_taken(seen: Seen, arguments: list[str]) -> None:
    """An alert that is not there, or no reason: one line says so."""
    ran = seen.home.run_here("alerts", "ack", "-c", str(seen.home.config), *arguments)
    ran.checked(2)
    error, *hint = ran.err.splitlines()
    assert error.startswith("pinwarden: error: ")
    assert all(line.startswith("pinwarden: hint: ") for line in hint)


def test_testing_the_channels(tmp_path: Path) -> None:
    """Each channel gets an alert that says it is a test, and a channel out of order is named."""
    home = Home(tmp_path)
    script = tmp_path / "tell"
    script.write_text(f"#!/bin/sh\ncat > {tmp_path}/told; echo $PINWARDEN_FINDING >&2\n")
    script.chmod(0o755)
    good = [
        {"type": "file", "path": str(home.alerts_file)},
        {"type": "command", "command": [str(script)]},
        {"type": "stdout", "format": "json"},
    ]
    home.configure(channels=good)
    ran = home.run("alerts", "test", "-c", str(home.config)).checked(0)
    assert [line for line in ran.err.splitlines() if line.startswith("pinwarden: channel ")] == [
        f"pinwarden: channel {name}: delivered" for name in ("file", "command", "stdout")
    ]
    documents = [json.loads(ran.out), *home.alerts(), json.loads((tmp_path / "told").read_text())]
    assert [each["finding"]["id"] for each in documents] == ["PW-TEST"] * 3
    assert names_of(documents) == []

    home.configure(
        channels=[
            {"type": "file", "path": str(tmp_path / "no" / "such" / "folder")},
            {"type": "command", "command": ["/nowhere/program"]},
            {"type": "file", "name": "good", "path": str(home.alerts_file)},
        ]
    )
    ran = home.run("alerts", "test", "-c", str(home.config), "--json").checked(1)
    results = {each["channel"]: each for each in ran.lines}
    assert {name: each["delivered"] for name, each in results.items()} == {
        "file": False,
        "command": False,
        "good": True,
    }
    assert "/nowhere/program" in results["command"]["error"]
    assert len(read_alerts(home.alerts_file)) == 2
    assert not home.store.exists()
