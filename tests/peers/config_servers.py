"""nginx, Apache, Caddy and HAProxy on loopback, with a configuration exactly as it is linted."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from peers.programs import eventually, free_port, program, running, words_of
from pinwarden.headers.serverconfig.caddy_json import is_caddy_json
from pinwarden.headers.serverconfig.configured import Style
from pinwarden.headers.serverconfig.retired_names import retired_name

Fields = list[tuple[str, str]]
# What configurations name, and a test puts its own in place of.
_PORT, _FOLDER = ":8080", "/srv/site"
_MODULES = {Style.NGINX: "/usr/lib/nginx/modules", Style.APACHE: "/usr/lib/apache2/modules"}
_UNPACKED = Path(__file__).parents[2] / ".peers" / "debian"
# RFC 9112, section 5.2: what a receiver makes of a field over several lines.
_FOLD = re.compile(r"\r?\n[ \t]+")


class ConfigServer:
    """A server that runs; `text` is its configuration as the program read it."""

    def __init__(self, text: str, port: int) -> None:
        self.text = text
        self._port = port

    def retired(self, path: str, host: str = "localhost") -> Fields:
        """The retired headers of the answer to a path, in order."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        assert answer.status == 200, (path, answer.status)
        named = [(retired_name(name), value) for name, value in answer.getheaders()]
        return [(name, _FOLD.sub(" ", value).strip()) for name, value in named if name]


@contextmanager
def serving(style: Style, written: str, folder: Path) -> Iterator[ConfigServer]:
    """The style's own server with a configuration; skips where it, or a module, is not here.

    Port 8080 becomes a free port, `/srv/site` the folder, and Debian's folder of modules
    the one in which they are.
    """
    config = folder / _name(style, written)
    command = _command(style, config)
    port = free_port()
    text = written.replace(_PORT, f":{port}").replace(_FOLDER, str(folder))
    if _MODULES.get(style, "\0") in text:
        text = text.replace(_MODULES[style], str(_modules(style)))
    config.write_text(text, newline="")
    with running(command, folder) as child:

        def answers() -> bool:
            assert child.poll() is None, words_of(folder)
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                ConfigServer(text, port).retired("/up")
            except (OSError, HTTPException, AssertionError):
                return False
            return True

        assert eventually(answers), words_of(folder)
        yield ConfigServer(text, port)


def _name(style: Style, written: str) -> str:
    # Caddy tells by the name whether it is a Caddyfile.
    return "Caddyfile" if style is Style.CADDY and not is_caddy_json(written) else f"{style}.cfg"


def _command(style: Style, config: Path) -> list[str | Path]:
    folder = config.parent
    if style is Style.NGINX:
        return [program("nginx"), "-p", folder, "-e", "stderr", "-c", config]
    if style is Style.APACHE:
        return [program("apache2"), "-D", "FOREGROUND", "-f", config]
    if style is Style.CADDY:
        # It saves what it runs, and would do so in somebody's home.
        homes = [f"XDG_CONFIG_HOME={folder}", f"XDG_DATA_HOME={folder}"]
        return ["/usr/bin/env", *homes, program("caddy"), "run", "--config", config]
    return [program("haproxy"), "-db", "-f", config]


def refused(style: Style, written: str, folder: Path) -> bool:
    """Whether the style's own program calls a configuration wrong."""
    config = folder / _name(style, written)
    command = [*_command(style, config), "-c" if style is Style.HAPROXY else "-t"]
    if _MODULES.get(style, "\0") in written:
        written = written.replace(_MODULES[style], str(_modules(style)))
    config.write_text(written.replace(_FOLDER, str(folder)), newline="")
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode != 0


def _modules(style: Style) -> Path:
    installed = Path(_MODULES[style])
    for each in (_UNPACKED / installed.relative_to("/"), installed):
        if any(each.glob("*headers*.so")):
            return each
    pytest.skip(f"modules for {style} are not here: `make peers` installs them, or says why not")
