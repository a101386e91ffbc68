"""`pinwarden log-list`, called as a person or a script calls it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pinwarden.cli.log_list_view import render_lists
from pinwarden.cli.main import run
from pinwarden.ct.known_logs import known_logs
from pinwarden.net.loglists.known import load_log_list
from pinwarden.net.loglists.sources import list_source
from support.log_lists import entry, list_json, tiled_entry

TODAY = datetime.now(UTC)
YESTERDAY = (TODAY - timedelta(days=1)).isoformat()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, so that nothing of the user's is read or written."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PINWARDEN_CONTACT", raising=False)
    return tmp_path


@dataclass
class Served:
    """A list on loopback; without a body, 404."""

    url: str = ""
    body: bytes | None = None
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def served() -> Iterator[Served]:
    state = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            self.send_response(200 if state.body is not None else 404)
            self.send_header("Content-Length", str(len(state.body or b"")))
            self.end_headers()
            self.wfile.write(state.body or b"")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/list.json"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def write(home: Path, *logs: dict[str, object], **top: object) -> str:
    path = home / "logs.json"
    path.write_bytes(list_json(*logs, **top))
    return str(path)


def test_show_says_which_logs_of_a_file_are_followed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Plain lines when piped: the list, each followed log, and the sum."""
    file = write(
        home,
        entry("Here", url="http://127.0.0.1:8080/", state=None),
        entry("Gone", state={"rejected": {"timestamp": YESTERDAY}}),
        tiled=(tiled_entry("Tiled"),),
        log_list_timestamp=YESTERDAY,
        version="3.1",
    )
    assert run(["log-list", "show", "--log-list", file]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert lines[0].startswith(f"{file}  version 3.1  {YESTERDAY[:10]} (1 day old)  3 logs")
    assert lines[0].endswith("not signed  file")
    assert re.fullmatch(
        r"unknown +rfc6962 +Operator  Here  http://127.0.0.1:8080/  followed", lines[1]
    )
    assert lines[2].endswith("https://mon.tiled.example.net/  followed")
    assert lines[3:] == ["3 logs, 2 followed"]
    assert "\x1b" not in out


def test_show_all_says_why_a_log_is_not_followed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left out without a reason."""
    file = write(home, entry("A"), entry("Gone", state={"rejected": {}}))
    run(["log-list", "show", "--all", "--log-list", file])
    assert (
        "Gone  https://gone.example.net/  not followed: it is rejected" in capsys.readouterr().out
    )


def test_show_json_is_one_versioned_document(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scripts find age, signature, logs and findings under fixed keys."""
    file = write(home, entry("A"), entry("Gone", state={"rejected": {}}), version="7")
    assert run(["log-list", "show", "--json", "--log-list", file]) == 0
    [line] = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert (document["type"], document["version"]) == ("log-lists", 1)
    [shown] = document["lists"]
    assert (shown["source"], shown["origin"], shown["signature"]) == (file, "file", "none")
    assert (shown["list_version"], shown["date"], shown["stale"]) == ("7", None, None)
    assert (shown["logs"], shown["followed"], shown["problems"]) == (2, 1, [])
    [log] = document["logs"]
    assert (log["description"], log["kind"], log["state"]) == ("A", "rfc6962", "usable")
    assert (log["followed"], log["why_not"]) == (True, None)
    assert log["programs"]["user"]["since"] == "2025-01-01T00:00:00Z"
    run(["log-list", "show", "--json", "--all", "--log-list", file])
    assert len(json.loads(capsys.readouterr().out)["logs"]) == 2


def test_show_without_any_network_or_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The lists of this version of Pinwarden are shown as what they are."""
    code = run(["log-list", "show", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert [each["program"] for each in document["lists"]] == ["chrome", "apple"]
    assert {each["origin"] for each in document["lists"]} == {"shipped"}
    stale = [each for each in document["lists"] if each["stale"]]
    assert code == (1 if stale else 0)
    assert len(document["findings"]) == len(stale)
    known = {log.url for log in known_logs().logs}
    assert {log["url"] for log in document["logs"]} <= known


def test_a_stale_list_is_a_finding(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and a line that says how old it is."""
    old = (TODAY - timedelta(days=71)).isoformat()
    file = write(home, entry("A"), log_list_timestamp=old)
    assert run(["log-list", "show", "--log-list", file]) == 1
    assert f"medium: PW-LOG-LIST-STALE: log list '{file}'" in capsys.readouterr().out
    assert run(["log-list", "show", "--json", "--log-list", file]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["lists"][0]["stale"]
    assert document["findings"][0]["id"] == "PW-LOG-LIST-STALE"


def test_a_refused_log_is_a_finding(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log without TLS outside costs exit code 1, and all of them exit code 2, in one line."""
    file = write(home, entry("A"), entry("B", url="http://example.com/"))
    assert run(["log-list", "show", "--log-list", file]) == 1
    assert "log 'B': 'http://example.com/' is not https" in capsys.readouterr().out
    write(home, entry("B", url="http://example.com/"))
    assert run(["log-list", "show", "--log-list", file]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"pinwarden: error: log list '{file}': log 'B': 'http://example.com/' "
        "is not https and not on this machine\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "--log-list", "/nowhere/logs.json"],
        ["show", "--log-list", ""],
        ["show", "--nonsense"],
        ["show", "surplus"],
        ["update", "--log-list", "http://example.com/list.json"],
        ["update"],
        ["update", "--contact", "nobody"],
        ["nonsense"],
    ],
)
def test_usage_and_configuration_errors(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, nothing on stdout, and lines that say what is wrong."""
    assert run(["log-list", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pinwarden: error: ")
    assert len(err.splitlines()) <= 2


def test_the_configured_lists_are_used(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --log-list, the configuration file says which lists."""
    file = write(home, entry("A"))
    config = home / "p.toml"
    config.write_text(f"[logs]\nlists = [{json.dumps(file)}]\n")
    assert run(["log-list", "show", "--json", "-c", str(config)]) == 0
    assert json.loads(capsys.readouterr().out)["lists"][0]["source"] == file


def test_update_says_what_changed(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """New logs, gone logs and changed states, one line each; then it is in use."""
    served.body = list_json(entry("A"), entry("B"), log_list_timestamp=YESTERDAY)
    assert run(["log-list", "update", "--log-list", served.url]) == 0
    out = capsys.readouterr().out
    assert "  new: usable  A  https://a.example.net/" in out
    assert "  new: usable  B  https://b.example.net/" in out
    served.body = list_json(
        entry("B", state={"readonly": {}}), entry("C"), log_list_timestamp=TODAY.isoformat()
    )
    assert run(["log-list", "update", "--log-list", served.url]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines == [
        "  new: usable  C  https://c.example.net/",
        "  gone: usable  A  https://a.example.net/",
        "  usable before: readonly  B  https://b.example.net/",
    ]
    assert run(["log-list", "update", "--log-list", served.url]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  no log changed"]
    assert run(["log-list", "show", "--log-list", served.url]) == 0
    assert "2 logs, 2 followed" in capsys.readouterr().out


def test_update_json(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for scripts."""
    served.body = list_json(entry("A"), log_list_timestamp=YESTERDAY)
    run(["log-list", "update", "--json", "--log-list", served.url])
    first = json.loads(capsys.readouterr().out)
    served.body = list_json(entry("A", state=None), log_list_timestamp=YESTERDAY)
    run(["log-list", "update", "--json", "--log-list", served.url])
    second = json.loads(capsys.readouterr().out)
    assert (first["type"], first["version"]) == ("log-list-update", 1)
    assert [log["description"] for log in first["lists"][0]["added"]] == ["A"]
    assert first["lists"][0]["origin"] == "network"
    [moved] = second["lists"][0]["moved"]
    assert (moved["before"], moved["state"]) == ("usable", "unknown")
    assert second["lists"][0]["added"] == second["lists"][0]["removed"] == []


def test_an_older_list_changes_nothing(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """A roll-back is exit code 1 and a finding."""
    served.body = list_json(entry("A"), entry("B"), log_list_timestamp=TODAY.isoformat())
    run(["log-list", "update", "--log-list", served.url])
    served.body = list_json(entry("A"), log_list_timestamp=YESTERDAY)
    capsys.readouterr()
    assert run(["log-list", "update", "--log-list", served.url]) == 1
    out = capsys.readouterr().out
    assert "  no log changed\n" in out
    assert "high: PW-LOG-LIST-ROLLED-BACK: " in out


def test_an_update_that_cannot_be_had(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, with or without a copy that stays in use."""
    assert run(["log-list", "update", "--log-list", served.url]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pinwarden: error: ")
    assert run(["log-list", "show", "--log-list", served.url]) == 3
    assert "hint: `pinwarden log-list update` fetches it" in capsys.readouterr().err
    served.body = list_json(entry("A"), log_list_timestamp=YESTERDAY)
    assert run(["log-list", "update", "--log-list", served.url]) == 0
    served.body = None
    capsys.readouterr()
    assert run(["log-list", "update", "--log-list", served.url]) == 3
    assert "low: PW-LOG-LIST-UNREACHABLE: " in capsys.readouterr().out


HOSTILE = "\x1b[31mred\u202e [bold red]bold[/] \x9b \n\r next"


def test_hostile_names_do_not_reach_the_terminal(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither escape sequences nor the markup of our own tables."""
    file = write(home, entry("A", description=HOSTILE), operator=HOSTILE, version=HOSTILE)
    run(["log-list", "show", "--log-list", file])
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 3
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)
    assert "[bold red]" in out


def test_tables_on_a_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows under heads, foreign text still escaped, without colour where unwanted."""
    file = write(home, entry("A", description=HOSTILE))
    used = load_log_list(list_source(file), None, at=TODAY)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "400")
    text = render_lists([used], used.log_list, TODAY, everything=True, rich=True)
    heads = [line.split() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]
    assert heads[0] == ["list", "version", "date", "logs", "signature", "from"]
    assert ["state", "protocol", "operator", "log", "read", "at"] in heads
    assert "\\x1b[31mred\\u202e [bold red]bold[/]" in text
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", text)
