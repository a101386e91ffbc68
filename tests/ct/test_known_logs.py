"""The table of known logs that ships with Pinwarden, and the script that makes it."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from base64 import b64decode, b64encode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

from pinwarden.ct.head import LogKey
from pinwarden.ct.known_logs import (
    known_logs,
    listed_logs,
    mimic_logs,
    newest_source,
    table_sources,
)
from pinwarden.ct.log import LogKind, LogState, Program
from support.log_lists import entry, list_json, log_id

ROOT = Path(__file__).parents[2]
CRTSH = "ct-loglists/crtsh-ctloglists"


def _script() -> ModuleType:
    path = ROOT / "scripts" / "make_known_logs.py"
    spec = importlib.util.spec_from_file_location("make_known_logs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_known_log_has_a_usable_key_and_its_facts() -> None:
    """Each id is the hash of a key that can verify, and each static log knows its origin."""
    table = known_logs()
    assert len(table.logs) > 240
    assert len(table.by_id) == len(table.logs)
    for log in table.logs:
        assert LogKey(log.key).log_id == log.log_id == sha256(log.key).digest()
        assert log.listings
        assert log.url == "" or (log.url.startswith("https://") and log.url.endswith("/"))
        assert bool(log.origin) == (log.kind is LogKind.STATIC)
        assert "example.com" not in log.url
    assert not set(mimic_logs()) & set(table.by_id)


def test_states_of_the_past_are_kept_in_order() -> None:
    """What a log was at the time of an SCT can be told, and what it is now comes last."""
    [log] = [log for log in known_logs().logs if log.description == "Let's Encrypt 'Oak2026h2'"]
    listing = log.listing(Program.CHROME)
    assert listing is not None
    assert listing.state is LogState.RETIRED
    states = [state for state, _ in listing.earlier]
    assert states == [LogState.QUALIFIED, LogState.USABLE, LogState.READONLY]
    times = [since for _, since in listing.earlier]
    assert times == sorted(time for time in times if time is not None)
    assert log.final_size is not None


def test_a_log_that_no_list_names_any_more_is_kept_for_its_scts() -> None:
    """It is known, says until when it was listed, and is in no program's present list."""
    old = [
        log
        for log in known_logs().logs
        if (listing := log.listing(Program.CHROME)) is not None
        and listing.as_of is not None
        and (newest := newest_source(Program.CHROME)) is not None
        and listing.as_of < newest.date
    ]
    assert len(old) > 100
    present = listed_logs(Program.CHROME).by_id
    assert not [log for log in old if log.log_id in present]


def test_the_sources_are_named_and_dated() -> None:
    """Each list that the table was made from has a name, and the newest a version."""
    assert len(table_sources()) > 40
    newest = newest_source(Program.CHROME)
    assert newest is not None
    assert newest.name == "all_logs_list.json"
    assert newest.version == "89.25"
    assert listed_logs(Program.CHROME).version == newest.version
    assert newest_source(Program.USER) is None
    assert listed_logs(Program.USER).logs == ()


def test_the_table_is_small() -> None:
    """It is in every installation."""
    assert len(files("pinwarden").joinpath("data", "known_logs.json").read_bytes()) < 200_000


def test_every_real_sct_is_of_a_known_log(corpus: Path) -> None:
    """The log of each SCT embedded in the real certificates of 2023 to 2026 is in the table."""
    with gzip.open(corpus / "real-chains/limbo_online_2023-2026.jsonl.gz") as file:
        scts = [sct for line in file for sct in json.loads(line).get("scts", ())]
    seen = {sct["log_id"] for sct in scts}
    assert len(seen) > 40
    assert not seen - {known.hex() for known in known_logs().by_id}


def test_the_script_makes_the_table_again(corpus: Path) -> None:
    """The table in the package is what the script makes of the lists it names."""
    script = _script()
    folder = corpus / CRTSH
    history = corpus / "ct-loglists/history"
    given = {
        Program.CHROME: [
            folder / "gstatic/v3/all_logs_list.json",
            *history.glob("gstatic_all_logs/*.gz"),
            *history.glob("chrome_log_list_monthly/*.gz"),
        ],
        Program.APPLE: [*history.glob("apple_current/*.gz")],
        Program.MOZILLA: [
            folder / "mozilla/v3/known_logs_list.json",
            *history.glob("mozilla_known/*.gz"),
        ],
    }
    lists = [
        script.load_list(program, str(path)) for program, paths in given.items() for path in paths
    ]
    apple = folder / "apple/current_log_list.json"
    lists.append(script.load_list(Program.APPLE, f"{apple}@2026-08-22"))
    mimics = script.load_mimics(folder / "mimics/log_mimics_list.json")
    made = script.make_table(lists, mimics)
    shipped = json.loads(files("pinwarden").joinpath("data", "known_logs.json").read_bytes())
    assert {(each["name"], each["date"]) for each in made["sources"]} == {
        (each["name"], each["date"]) for each in shipped["sources"]
    }
    assert made["mimics"] == shipped["mimics"]
    assert made["logs"] == shipped["logs"]


def test_the_script_needs_a_date_for_an_undated_list(tmp_path: Path) -> None:
    """Facts without a date are worth little, so the maintainer must give one."""
    script = _script()
    undated = tmp_path / "list.json"
    undated.write_bytes(list_json(entry("A")))
    with pytest.raises(ValueError, match="has no date"):
        script.load_list(Program.APPLE, str(undated))
    assert script.load_list(Program.APPLE, f"{undated}@2026-01-02").date.day == 2
    named = undated.rename(tmp_path / "2026-01-03_x.json")
    assert script.load_list(Program.APPLE, str(named)).date.day == 3


def test_the_script_orders_states_and_drops_what_nobody_needs(tmp_path: Path) -> None:
    """Of a log its states by list date are kept; an expired log that never had a state is not."""
    script = _script()
    over = {"start_inclusive": "2020-01-01T00:00:00Z", "end_exclusive": "2021-01-01T00:00:00Z"}
    test_log = entry("Test", state=None, temporal_interval=over)
    lists = []
    for date, state in (("2026-02-01", "rejected"), ("2026-01-01", "usable")):
        path = tmp_path / f"{date}_list.json"
        path.write_bytes(
            list_json(
                entry("A", state={state: {"timestamp": f"{date}T00:00:00Z"}}),
                test_log,
                entry("Example", url="https://ct.example.com/"),
            )
        )
        lists.append(script.load_list(Program.CHROME, str(path)))
    [row] = script.make_table(lists, [])["logs"]
    assert sha256(b64decode(row["key"])).digest() == log_id("A")
    states = row["programs"]["chrome"]["states"]
    assert states == [["usable", "2026-01-01T00Z"], ["rejected", "2026-02-01T00Z"]]
    assert "until" not in row["programs"]["chrome"]


def test_a_mimic_is_no_known_log(tmp_path: Path) -> None:
    """A log in the list of mimics is not taken over from any other list."""
    script = _script()
    path = tmp_path / "2026-01-01_list.json"
    path.write_bytes(list_json(entry("A"), entry("B")))
    mimic = ("B", b64encode(b64decode(entry("B")["key"])).decode())
    table = script.make_table([script.load_list(Program.CHROME, str(path))], [mimic])
    assert [row["name"] for row in table["logs"]] == ["A"]
    assert json.loads(script.render_table(table)) == table
