"""nginx, Apache, Caddy and HAProxy send what we read in the configurations that they run.

Each server runs with a configuration, answers, and its answer is compared with what the reader
found in the very same text.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from peers.config_servers import ConfigServer, Fields, refused, serving
from peers.programs import program
from peers.server_config_cases import (
    KNOWN,
    NEWER_CADDY,
    REFUSED,
    UNKNOWN,
    WHOLE,
    around,
    path_of,
)
from pinwarden.headers.serverconfig.configured import Action, Style
from pinwarden.headers.serverconfig.reading import read_config

pytestmark = pytest.mark.peer

_VECTORS = Path(__file__).parents[1] / "vectors" / "serverconfig"
_EXPECTED = json.loads((_VECTORS / "expected.json").read_text())

_CASES = [(style, number) for style in Style for number in range(len(KNOWN[style]))]
_OTHERS = [(style, number) for style in Style for number in range(len(UNKNOWN[style]))]
_WRONG = [(style, written) for style in REFUSED for written in REFUSED[style]]
_RUN = [name for name, each in _EXPECTED.items() if "answers" in each]


ServerOf = Callable[[Style], ConfigServer]


@pytest.fixture(scope="module")
def server_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerOf]:
    """The server of a style, with all its cases; it starts when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def server(style: Style) -> ConfigServer:
            folder = tmp_path_factory.mktemp(style)
            _files_for(style, folder, len(WHOLE[style]))
            return stack.enter_context(serving(style, around(style, WHOLE[style]), folder))

        yield server


def _files_for(style: Style, folder: Path, count: int) -> None:
    if style is Style.APACHE:
        pages = folder / "www"
        pages.mkdir()
        for name in ("up", "api", "cond", "clean", *(path_of(each)[1:] for each in range(count))):
            (pages / name).write_text("a page\n")


def _found(server: ConfigServer, style: Style, number: int) -> list[tuple[str, str | None]]:
    place = path_of(number).lstrip("/")
    return [
        (each.name, each.value)
        for each in read_config(server.text, style).headers
        if each.action is not Action.REMOVE
        and place in (word.strip("/,") for word in each.context.split())
    ]


@pytest.mark.parametrize(
    ("style", "number"), _CASES, ids=[f"{style}-{number}" for style, number in _CASES]
)
def test_a_value_is_the_one_that_is_sent(style: Style, number: int, server_of: ServerOf) -> None:
    """Of every way to write a value, the reader finds what the server sends."""
    sent = server_of(style).retired(path_of(number))
    assert _found(server_of(style), style, number) == sent, KNOWN[style][number]


@pytest.mark.parametrize(
    ("style", "number"), _OTHERS, ids=[f"{style}-{number}" for style, number in _OTHERS]
)
def test_what_only_the_server_knows_has_no_value(
    style: Style, number: int, server_of: ServerOf
) -> None:
    """A value of variables is sent, and found without a value."""
    place = len(KNOWN[style]) + number
    (found,) = _found(server_of(style), style, place)
    ((name, _),) = server_of(style).retired(path_of(place))
    assert found == (name, None), UNKNOWN[style][number]


@pytest.mark.parametrize(
    ("style", "written"),
    _WRONG,
    ids=[f"{style}-{number}" for number, (style, _) in enumerate(_WRONG)],
)
def test_what_a_server_refuses_is_found_and_said(
    style: Style, written: str, tmp_path: Path
) -> None:
    """A line that the program itself refuses is found, without a value and with that problem."""
    text = around(style, [written])
    assert refused(style, text, tmp_path)
    (found,) = read_config(text, style).headers
    assert found.value is None
    assert found.problem.endswith("refuses the line")


@pytest.mark.parametrize("number", range(len(NEWER_CADDY)))
def test_newer_caddyfiles(number: int, tmp_path: Path) -> None:
    """Heredocs and deferred values, which Caddy has since 2.7."""
    words = subprocess.run(
        [program("caddy"), "version"], capture_output=True, text=True, check=True
    )
    # One that somebody built may not know its version, and is no old one.
    version = re.match(r"v?(\d+)\.(\d+)", words.stdout)
    if version and (int(version[1]), int(version[2])) < (2, 7):
        pytest.skip(f"caddy {version[0]} is older than 2.7")
    text = around(Style.CADDY, [NEWER_CADDY[number]])
    with serving(Style.CADDY, text, tmp_path) as server:
        assert _found(server, Style.CADDY, 0) == server.retired(path_of(0))


@pytest.mark.parametrize("name", _RUN)
def test_whole_configurations(name: str, tmp_path: Path) -> None:
    """Real servers take our sample configurations, and send what is expected and found."""
    style = Style(_EXPECTED[name]["style"])
    _files_for(style, tmp_path, 0)
    with serving(style, (_VECTORS / name).read_text(), tmp_path) as server:
        found = {(each.name, each.value) for each in read_config(server.text, style).headers}
        for request, answer in _EXPECTED[name]["answers"].items():
            host, _, path = request.partition("/")
            sent: Fields = server.retired(f"/{path}", host or "localhost")
            assert sent == [tuple(each) for each in answer], request
            for name_sent, value in sent:
                assert (name_sent, value) in found or (name_sent, None) in found, request


_INNER = [
    'add_header X-Frame-Options "DENY";',
    'add_header Expect-CT "max-age=2";',
    'add_header X-Empty "";',
    "expires 1h;",
    "proxy_hide_header X-A;",
]


def test_what_nginx_does_not_inherit(tmp_path: Path) -> None:
    """A location has the header of its server, unless it is said to hide it."""
    text = around(Style.NGINX, _INNER)
    text = text.replace("location /", 'add_header Expect-CT "max-age=1";\nlocation /', 1)
    hiding = {each.line: each.text for each in read_config(text, Style.NGINX).hiding}
    places = [f"location {path_of(number)}" for number in range(len(_INNER))]
    with serving(Style.NGINX, text, tmp_path) as server:
        for number, place in enumerate(places):
            inherits = ("Expect-CT", "max-age=1") in server.retired(path_of(number))
            hides = any(f", {place})" in words for words in hiding.values())
            own = "Expect-CT" in _INNER[number]
            assert inherits is not (hides or own), _INNER[number]
