"""A folder with a pin set and signers' keys, for tests of the commands about bundles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pinwarden.cli.main import run
from pinwarden.pinning.minisign_secret import SecretKey
from support.pin_bundles import CHEAP, pin_of

PHRASE = "correct horse battery staple"


class Desk:
    """Where somebody signs."""

    def __init__(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every command runs in the folder."""
        monkeypatch.chdir(folder)
        self.folder = folder
        self._capsys = capsys
        self.out = self.err = ""
        self.pins()
        self.path("phrase").write_text(f"{PHRASE}\r\nsecond line\n")

    def path(self, name: str) -> Path:
        return self.folder / name

    def pins(self, active: str = "active key", host: str = "api.example.com") -> None:
        self.path("pins.toml").write_text(
            f'[[policy]]\nhost = "{host}"\nmode = "enforce"\ncomment = "äöü"\n'
            f'ca_pins = ["{pin_of(active)}"]\nbackup_pins = ["{pin_of("backup key")}"]\n'
        )

    def key(self, name: str, key: SecretKey, *, sealed: bool = False) -> None:
        text = key.file_text(PHRASE if sealed else None, salt=bytes(32), cost=CHEAP)
        self.path(f"{name}.key").write_text(text)
        self.path(f"{name}.pub").write_text(key.public.file_text)

    def run(self, *arguments: str, code: int = 0) -> str:
        """What a command answers."""
        found = run(["pin", *arguments])
        self.out, self.err = self._capsys.readouterr()
        assert found == code, self.err + self.out
        assert "Traceback" not in self.err
        return self.out

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """The same for a command that speaks JSON."""
        document: dict[str, Any] = json.loads(self.run(*arguments, "--json", code=code))
        return document

    def refusal(self, *arguments: str) -> str:
        """The one line of an error of usage."""
        assert self.run(*arguments, code=2) == ""
        errors = [line for line in self.err.splitlines() if "error: " in line]
        assert len(errors) == 1, self.err
        return errors[0]
