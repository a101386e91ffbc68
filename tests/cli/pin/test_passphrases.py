"""Passphrases at a terminal: asked for without an echo, and shown where a person sees it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from cli.pin.bundle_files import PHRASE, Desk
from pinwarden.cli.pin.passphrases import generate
from support.pin_bundles import BERT

_PATIENCE = 120


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    return Desk(tmp_path, capsys, monkeypatch)


def at_terminal(desk: Desk, *arguments: str, typed: str = "") -> tuple[int, bytes, str]:
    """Run a command at a terminal; only stdout goes elsewhere: code, stdout, what is seen."""
    master, slave = pty.openpty()
    seen = bytearray()
    with subprocess.Popen(
        [sys.executable, "-m", "pinwarden", "pin", *arguments],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        cwd=desk.folder,
        start_new_session=True,
    ) as process:
        os.close(slave)

        def read() -> None:
            # The end of a terminal is an error on Linux.
            while True:
                try:
                    data = os.read(master, 4096)
                except OSError:
                    return
                if not data:
                    return
                seen.extend(data)
                if typed and seen.endswith(b": "):
                    os.write(master, f"{typed}\n".encode())

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        out, _ = process.communicate(timeout=_PATIENCE)
        reader.join(_PATIENCE)
    os.close(master)
    return process.returncode, out, seen.decode()


def test_a_backup_key_shows_its_passphrase_once(desk: Desk) -> None:
    code, out, seen = at_terminal(desk, "backup", "a.key", "b.key")
    assert code == 0
    (phrase,) = re.findall(r"^ +([a-z0-9-]{35})\r?$", seen, re.MULTILINE)
    assert phrase.encode() not in out
    assert seen.count(phrase) == 1
    for name in ("a.key", "b.key"):
        serialization.load_pem_private_key(desk.path(name).read_bytes(), phrase.encode())


def test_a_signer_is_asked_for_the_passphrase(desk: Desk) -> None:
    desk.key("bert", BERT, sealed=True)
    words = ("sign", "pins.toml", "--name", "shop", "--version", "1", "--expires", "9d")
    code, out, seen = at_terminal(desk, *words, "--key", "bert.key", typed=PHRASE)
    assert code == 0, seen
    assert BERT.public.shown_id.encode() in out
    assert PHRASE not in seen
    assert seen.index("version 1") < seen.index("passphrase of"), "what is signed comes first"
    code, out, seen = at_terminal(desk, *words, "--key", "bert.key", typed="another")
    assert (code, out) == (2, b"")


def test_passphrases_are_not_made_twice() -> None:
    assert len({generate() for _ in range(100)}) == 100
