"""`pinwarden pin lint`: files alone, live hosts, and everything in between."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.pin.conftest import Pin, Served
from pinwarden.pinning import PinSet
from support.pin_world import HOST, pin_set, policy, world
from support.ran import Ran

TRUST = ("--cafile", world().cafile)


def _ids(ran: Ran, number: int = 0) -> set[str]:
    return {each["id"].removeprefix("PW-PIN-") for each in ran.lines[number]["findings"]}


def _write(path: Path, pins: PinSet) -> Path:
    path.write_text(pins.to_toml(), encoding="utf-8")
    return path


def test_a_file_alone(pin: Pin, files: Path) -> None:
    ran = pin("lint", files / "good.toml", "--json")
    assert ran.code == 0
    assert ran.line["file"] == str(files / "good.toml")
    assert ran.line["hosts"] == [HOST]
    assert ran.line["live"] is False
    assert ran.line["not_checked"] == []
    assert _ids(ran) == {"NO-EXPIRY", "UNPINNED-ALLOWED"}
    for each in ran.line["findings"]:
        assert each.keys() == {"id", "severity", "host", "message", "where", "advice"}
    spoken = pin("lint", files / "good.toml")
    assert "[PW-PIN-NO-EXPIRY]" in spoken.out
    assert "do: " in spoken.out


def test_ignored_and_strict(pin: Pin, files: Path) -> None:
    good = files / "good.toml"
    assert pin("lint", good, "--strict").code == 1
    ignored = ("--ignore", "PW-PIN-NO-EXPIRY", "--ignore", "pw-pin-unpinned-allowed")
    ran = pin("lint", good, "--strict", *ignored)
    assert ran.code == 0
    assert "nothing to report (its host was not asked)" in ran.out
    assert pin("lint", good, "--ignore", "PW-PIN-NONSENSE").code == 2


def test_a_set_that_clients_refuse(pin: Pin, tmp_path: Path) -> None:
    """Everything that is wrong is told, where loading stops at the first."""
    file = tmp_path / "bad.toml"
    file.write_text(
        'colour = 1\n[[policy]]\nhost = "co.uk"\nmode = "on"\nsize = 1\n'
        f'ca_pins = ["sha1/x", "{"A" * 43}=", "{world().pins["root"]}"]\n',
        encoding="utf-8",
    )
    ran = pin("lint", file, "--json")
    assert ran.code == 1
    wanted = {"SET-REFUSED", "WEAK-HASH", "PLACEHOLDER", "NO-BACKUP", "PUBLIC-SUFFIX"}
    assert wanted <= _ids(ran)
    refused = [each["message"] for each in ran.line["findings"] if each["id"].endswith("REFUSED")]
    assert len(refused) == 3


def test_json_files_and_standard_input(
    pin: Pin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pins.json"
    file.write_text(pin_set("good").to_json(), encoding="utf-8")
    assert _ids(pin("lint", file, "--json")) == {"NO-EXPIRY", "UNPINNED-ALLOWED"}
    for text in (pin_set("good").to_json(), pin_set("good").to_toml()):

        class Stdin:
            buffer = __import__("io").BytesIO(text.encode())

        monkeypatch.setattr("sys.stdin", Stdin)
        assert _ids(pin("lint", "-", "--json")) == {"NO-EXPIRY", "UNPINNED-ALLOWED"}


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"[", b"x = 1", b"policy = 1"])
def test_what_is_no_pin_set(text: bytes, pin: Pin, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(text)
    ran = pin("lint", tmp_path / "x.toml")
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) <= 2


def test_no_file(pin: Pin, tmp_path: Path) -> None:
    assert pin("lint", tmp_path / "absent.toml").code == 2
    assert pin("lint", tmp_path).code == 2


@pytest.mark.parametrize(
    ("name", "chain", "expected", "code"),
    [
        ("good", "genuine", set(), 0),
        ("good", "cross-signed", set(), 0),
        ("good", "rogue", {"LOCKED-OUT", "NOT-SERVED"}, 1),
        ("good", "stuffed", {"LOCKED-OUT", "NOT-SERVED"}, 1),
        ("forbidden", "genuine", {"FORBIDDEN-SERVED"}, 1),
        ("backup", "genuine", {"BACKUP-SERVED", "NOT-SERVED"}, 1),
        ("wrong", "genuine", {"LOCKED-OUT", "NOT-SERVED"}, 1),
        ("good", "expired", set(), 3),
    ],
)
def test_live(
    name: str, chain: str, expected: set[str], code: int, pin: Pin, served: Served, files: Path
) -> None:
    ran = pin("lint", files / f"{name}.toml", "--host", served(chain), *TRUST, "-4", "--json")
    assert _ids(ran) - {"NO-EXPIRY", "UNPINNED-ALLOWED"} == expected
    assert ran.code == code
    assert ran.line["live"] is True
    assert bool(ran.line["not_checked"]) is (code == 3)


def test_two_addresses_that_disagree(pin: Pin, served: Served, files: Path) -> None:
    """One machine of two missed the renewal."""
    places = [f"127.0.0.1:{served(chain).rpartition(':')[2]}" for chain in ("genuine", "rogue")]
    addresses = [each for place in places for each in ("--address", place)]
    ran = pin("lint", files / "good.toml", "--live", *addresses, *TRUST, "--json")
    assert "ADDRESSES-DISAGREE" in _ids(ran)
    assert ran.code == 1


def test_a_trust_store_that_hides_a_root(pin: Pin, served: Served, tmp_path: Path) -> None:
    """On any Python: what other clients would see is worked out."""
    store = tmp_path / "store.pem"
    store.write_text(world().bundle_of("a", "intermediate"))
    file = _write(tmp_path / "root.toml", PinSet([policy(HOST, ca="root")]))
    ran = pin("lint", file, "--host", served("genuine"), "--cafile", store, "-4", "--json")
    assert "ROOT-UNREACHABLE" in _ids(ran)
    assert ran.code == 1
    unasked = pin("lint", file, "--cafile", store, "--json")
    assert "ROOT-UNREACHABLE" in _ids(unasked)
    assert "ROOT-UNREACHABLE" not in _ids(pin("lint", file, *TRUST, "--json"))
    assert pin("lint", file, "--cafile", file).code == 2


def test_a_host_that_is_away(pin: Pin, files: Path) -> None:
    """Not asked is not passed: exit code 3, and it is said."""
    ran = pin("lint", files / "good.toml", "--host", f"{HOST}:1", *TRUST, "-4")
    assert ran.code == 3
    assert "not checked: " in ran.out


def test_a_host_below_a_policy(pin: Pin, served: Served, tmp_path: Path) -> None:
    pins = PinSet([policy("example", ca="intermediate", include_subdomains=True)])
    file = _write(tmp_path / "below.toml", pins)
    port = served("genuine").rpartition(":")[2]
    asked = ("--host", f"www.shop.example:{port}", "--address", f"127.0.0.1:{port}")
    ran = pin("lint", file, *asked, *TRUST, "--json")
    assert ran.code == 0
    assert pin("lint", file, "--host", "elsewhere.test", *TRUST).code == 2


def test_several_files(pin: Pin, files: Path) -> None:
    """All are read before anybody is asked; one JSON line for each; the worst decides."""
    ran = pin("lint", files / "good.toml", files / "expired-closed.toml", "--json")
    assert [each["file"].rpartition("/")[2] for each in ran.lines] == [
        "good.toml",
        "expired-closed.toml",
    ]
    assert ran.code == 1
    assert "EXPIRED" in _ids(ran, 1)


def test_as_of_a_date(pin: Pin, files: Path) -> None:
    today = datetime.now(UTC).date()
    before = today.replace(year=today.year - 1)
    ran = pin("lint", files / "expired-closed.toml", "--at", before.isoformat(), "--json")
    assert "EXPIRED" not in _ids(ran)
    assert pin("lint", files / "good.toml", "--at", "soon").code == 2
    ran = pin("lint", files / "expired-closed.toml", "--at", str(before), "--soon", "400", "--json")
    assert "EXPIRING" in _ids(ran)


def test_whose_hosts(pin: Pin, files: Path) -> None:
    assert "FOREIGN-HOST" in _ids(pin("lint", files / "good.toml", "--own", "a.example", "--json"))
    own = ("--own", "a.example", "--own", "LOCALHOST.")
    assert "FOREIGN-HOST" not in _ids(pin("lint", files / "good.toml", *own, "--json"))
    assert pin("lint", files / "good.toml", "--own", "a b").code == 2


def test_many_of_a_kind_are_counted(pin: Pin, tmp_path: Path) -> None:
    file = tmp_path / "many.json"
    bad = [f"bad {number}" for number in range(50)]
    file.write_text(
        json.dumps({"policy": [{"host": "a.example", "mode": "enforce", "ca_pins": bad}]})
    )
    ran = pin("lint", file)
    assert "and 40 more [PW-PIN-MALFORMED]" in ran.out
    assert len(pin("lint", file, "--json").line["findings"]) > 50


def test_hostile_text_does_not_reach_the_terminal(pin: Pin, tmp_path: Path) -> None:
    """The fixture refuses anything that does not print."""
    file = tmp_path / "hostile.json"
    nasty = "\x1b[2J\u202e\x00"
    table = {"host": nasty, "mode": nasty, nasty: 1, "ca_pins": [nasty], "report_uri": nasty}
    file.write_text(json.dumps({"policy": [table], nasty: 1}))
    assert pin("lint", file).code == 1
    assert pin("lint", file, "--live").code == 1


def test_the_file_of_another_program(pin: Pin, tmp_path: Path) -> None:
    """Whoever has pins elsewhere is told how they become a set."""
    file = tmp_path / "network_security_config.xml"
    file.write_text("<network-security-config/>")
    ran = pin("lint", file)
    assert ran.code == 2
    assert "hint: `pinwarden pin import`" in ran.err


def test_json_by_any_name(pin: Pin, tmp_path: Path) -> None:
    """As clients read it: the case of a file's name says nothing."""
    file = tmp_path / "PINS.JSON"
    file.write_text(pin_set("good").to_json())
    assert pin("lint", file).code == 0
