"""Mistakes of the user end in one clear line; and what a terminal sees, and a pipe does not."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.watching import WATCHED, Home
from pinwarden.lab.log import LabLog
from pinwarden.lab.loglist import log_list_json

STDOUT = '[[channels]]\ntype = "stdout"\n'
WATCH = 'watch = [".shop.example"]\n'


@pytest.fixture(scope="module")
def lists() -> bytes:
    """The list of one log, of which nothing is ever asked."""
    return log_list_json([LabLog("log")])


@pytest.fixture
def home(tmp_path: Path, lists: bytes) -> Home:
    home = Home(tmp_path)
    home.lists.write_bytes(lists)
    return home


def files(home: Home) -> dict[str, bytes]:
    return {
        str(each.relative_to(home.folder)): each.read_bytes()
        for each in home.folder.rglob("*")
        if each.is_file()
    }


def refused(home: Home, *arguments: str, code: int = 2) -> str:
    """Run a command that is to be refused; returns the line that says why, and its hint."""
    before = files(home)
    ran = home.run_here(*arguments).checked(code)
    assert ran.out == ""
    lines = ran.err.splitlines()
    assert lines[0].startswith("pinwarden: error: ")
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("pinwarden: hint: "))
    assert files(home) == before, "nothing is written"
    return ran.err


@pytest.mark.parametrize(
    "arguments",
    [("no name",), ("-c", "nowhere.toml"), ("--log-list", "nowhere.json", ".x.example")],
    ids=str,
)
def test_the_program_itself(home: Home, arguments: tuple[str, ...]) -> None:
    """As a process of its own it ends with the same line and exit code; and without `--once`."""
    ran = home.run("watch", *arguments).checked(2)
    here = home.run_here("watch", "--once", *arguments)
    assert (ran.code, ran.out, ran.err) == (here.code, here.out, here.err)
    assert len(ran.err.splitlines()) == 1


def refused_configuration(home: Home, text: str) -> str:
    home.config.write_text(f'{text}\n[logs]\nlists = ["{home.lists}"]\n')
    return refused(home, "watch", "-c", str(home.config), "--once")


# Mistakes in the configuration file.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'wacth = ["x.example"]\n{STDOUT}', "unknown key 'wacth'\npinwarden: hint: .*'watch'"),
        (f'{WATCH}{STDOUT}pth = "x"\n', "unknown key 'pth' in channels"),
        (f'{WATCH}[[channels]]\ntype = "file"\npaht = "x"\n', "unknown key 'paht'.*channels"),
        (f'{WATCH}[[channels]]\ntype = "pigeon"\n', "'pigeon'"),
        (f'{WATCH}[[channels]]\nname = "x"\n', "channels.*type|type.*channels"),
        (f'{WATCH}[[channels]]\ntype = "file"\n', "`path`.*"),
        (f'{WATCH}[[channels]]\ntype = "file"\npath = 7\n', "path"),
        (f"{WATCH}{STDOUT}{STDOUT}", "two are named 'stdout'"),
        (f'{WATCH}[[channels]]\ntype = "webhook"\nurl_file = "/nowhere"\n', "/nowhere"),
        (WATCH, "no channel.*\npinwarden: hint: add one"),
        (STDOUT, "nothing to watch\npinwarden: hint: "),
        (f'watch = ["not a name"]\n{STDOUT}', "'not a name'"),
        (f'watch = ["ex\\u0007ample.com"]\n{STDOUT}', r"ex\\x07ample"),
        (f'watch = [".."]\n{STDOUT}', r"'\.\.'"),
        (f'watch = ["192.0.2.0/99"]\n{STDOUT}', "192.0.2.0/99"),
        (f'watch = "shop.example"\n{STDOUT}', "watch: expected `array`"),
        (f'{WATCH}start = "yesterday"\n{STDOUT}', "start: .*'yesterday'"),
        (f'{WATCH}store = "redis://x"\n{STDOUT}', "redis://x"),
        (f'{WATCH}store = "postgresql://x"\n{STDOUT}', "PostgreSQL"),
        (f'{WATCH}watchlist = "nowhere.txt"\n{STDOUT}', "nowhere.txt.*[Nn]o such file"),
        (f'{WATCH}contact = "nobody"\n{STDOUT}', "contact 'nobody'"),
        ("watch = [", "not TOML"),
    ],
)
def test_a_bad_configuration_file(home: Home, text: str, says: str) -> None:
    """Exit code 2, one line that names the file or the key, and nothing written."""
    assert re.search(says, refused_configuration(home, text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lsits = []", "unknown key 'lsits' in logs\npinwarden: hint: did you mean 'lists'"),
        ("poll_seconds = 0", "logs.poll_seconds"),
        ("timeout_seconds = -1", "logs.timeout_seconds"),
        ("poll_seconds = nan", "logs.poll_seconds"),
        ("timeout_seconds = inf", "logs.timeout_seconds"),
        ('parallel = "many"', "logs.parallel"),
        ("parallel = 1.5", "logs.parallel"),
        ("lists = []", "no log to follow"),
        ('lists = ["nowhere.json"]', "log list 'nowhere.json': no such file"),
        ('lists = ["http://example.com/list.json"]', "not https"),
        ('lists = ["ftp://example.com/list.json"]', "ftp://"),
        ('lists = ["https://example.com/list.json"]', "no contact is set\npinwarden: hint: "),
        ('lists = ["chrome"]', "no contact is set\npinwarden: hint: "),
    ],
)
def test_a_bad_table_of_logs(home: Home, text: str, says: str) -> None:
    """The same for the `[logs]` table."""
    home.config.write_text(f"{WATCH}[logs]\n{text}\n{STDOUT}")
    assert re.search(says, refused(home, "watch", "-c", str(home.config), "--once"))


def test_files_that_are_not_there_or_not_text(home: Home) -> None:
    """Configuration, watch list and log list are named when they cannot be read."""
    lists = ("--log-list", str(home.lists))
    assert "'nowhere.toml'" in refused(home, "watch", "-c", "nowhere.toml")
    assert "nowhere.txt" in refused(home, "watch", "--watchlist", "nowhere.txt", *lists)
    binary = home.folder / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in refused(home, "watch", "-c", "binary")
    assert "not UTF-8" in refused(home, "watch", "--watchlist", "binary", *lists)
    assert "not JSON" in refused(home, "watch", WATCHED, "--once", "--log-list", "binary")
    assert "directory" in refused(home, "watch", "-c", ".").lower()
    (home.folder / "names.txt").write_text("good.example\nbad name\n")
    error = refused(home, "watch", "--watchlist", "names.txt", *lists)
    assert "names.txt" in error
    assert "line 2" in error


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "nothing to watch"),
        (("bad name",), "'bad name'"),
        (("--start", "yesterday", WATCHED), "yesterday"),
        (("--nonsense", WATCHED), "nonsense"),
        (("--store", "nonsense", WATCHED), "'nonsense' is not the URL of a store"),
        (("--contact", "nobody", WATCHED), "contact 'nobody'"),
        (("--log-list", "", WATCHED), "log list"),
    ],
)
def test_a_bad_command_line(home: Home, arguments: tuple[str, ...], says: str) -> None:
    """The same for what is typed."""
    lists = () if "--log-list" in arguments else ("--log-list", str(home.lists))
    assert says in refused(home, "watch", "--once", *lists, *arguments)


def test_logs_that_may_not_be_asked(home: Home, lists: bytes) -> None:
    """No plain HTTP outside this machine, and no log of the world without a contact."""
    text = lists.decode("ascii").replace("http://127.0.0.1/", "http://ct.example.com/")
    home.lists.write_text(text)
    arguments = ("watch", WATCHED, "--once", "--log-list", str(home.lists))
    assert "'http://ct.example.com/log/' is not https" in refused(home, *arguments)
    home.lists.write_text(text.replace("http://", "https://"))
    error = refused(home, *arguments)
    assert "'https://ct.example.com/log/': no contact is set" in error
    assert "--contact" in error.splitlines()[1]
    rejected = text.replace('"usable"', '"rejected"').replace("http://", "https://")
    home.lists.write_text(rejected)
    assert "no log to follow" in refused(home, *arguments)


def test_log_lists_that_are_none(home: Home) -> None:
    """Any file that is no log list is refused with its name."""
    for text in ("", "[]", "{}", '{"operators": 7}', "null", "[" * 100_000, '{"operators": [7]}'):
        home.lists.write_text(text)
        error = refused(home, "watch", WATCHED, "--once", "--log-list", str(home.lists))
        assert "logs.json" in error


# The store.


def _directory(store: Path) -> None:
    store.mkdir()


def _text(store: Path) -> None:
    store.write_text("this is no database, however long one looks at it. " * 100)


def _other_database(store: Path) -> None:
    with sqlite3.connect(store) as database:
        database.execute("create table alert (x)")
    database.close()


def _cut_off(store: Path) -> None:
    with sqlite3.connect(store) as database:
        database.execute("create table t (x)")
        database.executemany("insert into t values (?)", [("x" * 1000,)] * 100)
    database.close()
    store.write_bytes(store.read_bytes()[:5000])


def _pipe(store: Path) -> None:
    os.mkfifo(store)


@pytest.mark.parametrize("spoil", [_directory, _text, _other_database, _cut_off])
def test_a_store_that_is_none(home: Home, spoil: Callable[[Path], None]) -> None:
    """What is not ours is refused in one line, and left as it was."""
    spoil(home.store)
    store = f"sqlite:///{home.store}"
    lists = ("--log-list", str(home.lists))
    error = refused(home, "watch", WATCHED, "--once", *lists, "--store", store, code=2)
    assert str(home.store) in error
    for command in (("sightings", "list"), ("alerts", "list")):
        assert str(home.store) in refused(home, *command, "--store", store, code=2)


def test_a_store_in_a_place_that_cannot_be(home: Home) -> None:
    """A pipe, or a file where a folder should be, is refused, and nothing waits for it."""
    os.mkfifo(home.store)
    (home.folder / "file").write_text("")
    for place in (home.store, home.folder / "file" / "x.db", Path("/proc/nowhere/x.db")):
        lists = ("--log-list", str(home.lists))
        ran = home.run("watch", WATCHED, "--once", *lists, "--store", f"sqlite:///{place}")
        ran.checked(2)
        assert ran.err.startswith(f"pinwarden: error: store '{place}': ")


def test_reading_before_anything_was_watched(home: Home) -> None:
    """The readers of a store create none."""
    for command in (("sightings", "list"), ("alerts", "list"), ("sightings", "export", "out")):
        ran = home.run(*command)
        assert ran.code == 2, ran.err
        assert "`pinwarden watch` creates it" in ran.err
        assert not (home.folder / "state").exists()
