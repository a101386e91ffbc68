"""The pages that describe options and keys describe all of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from pinwarden.cli.main import cli
from pinwarden.config import CAAConfig, Config, LogsConfig

DOCS = Path(__file__).parents[2] / "docs"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_option_is_on_the_page() -> None:
    """Whatever `--help` offers, its page explains."""
    pages = {
        "audit": (DOCS / "command-line-audit.md").read_text("utf-8"),
        "ct": (DOCS / "command-line-ct.md").read_text("utf-8"),
        "header": (DOCS / "command-line-audit.md").read_text("utf-8"),
        "pin": (DOCS / "command-line-pin.md").read_text("utf-8"),
        "": (DOCS / "command-line.md").read_text("utf-8"),
    }
    for name, command in commands(cli):
        page = pages.get(name.split()[0], pages[""])
        assert f"pinwarden {name}" in page or name.split()[0] in page
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--"):
                    assert option in page, f"{name} {option}"


def test_every_command_speaks_json() -> None:
    """A script can use every command."""
    for name, command in commands(cli):
        assert "--json" in {option for each in command.params for option in each.opts}, name


def test_the_configuration_page_has_every_key_and_no_other() -> None:
    """The table of keys and the Structs say the same."""
    page = (DOCS / "configuration.md").read_text("utf-8")
    table = page.split("| key |")[1].split("\n\n")[0]
    named = set(re.findall(r"^\| `([a-z._]+)`", table, re.MULTILINE))
    keys = set(Config.__struct_fields__) - {"logs", "caa"}
    keys |= {f"logs.{key}" for key in LogsConfig.__struct_fields__}
    assert named == keys | {f"caa.{key}" for key in CAAConfig.__struct_fields__}


def test_the_configuration_example_is_one() -> None:
    """The example on the page can be copied."""
    page = (DOCS / "configuration.md").read_text("utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    config = msgspec.convert(tomllib.loads(example), Config)
    assert config.logs == LogsConfig()
    assert config.caa is not None
    assert msgspec.structs.replace(config.caa, names=(), resolvers=()) == CAAConfig()


@pytest.mark.parametrize("page", ["README.md"])
def test_the_configuration_in_the_readme_is_one(page: str) -> None:
    """What a new user copies first works."""
    text = (DOCS.parent / page).read_text("utf-8")
    config = msgspec.convert(tomllib.loads(text.split("```toml\n")[1].split("```")[0]), Config)
    assert config.channels
