"""The channel tables of the configuration: read strictly, refused clearly, secrets kept out."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pinwarden.config_channels import (
    AppriseConfig,
    CommandConfig,
    FileConfig,
    MailConfig,
    StdoutConfig,
    WebhookConfig,
    parse_channels,
)
from pinwarden.errors import ConfigError

_PAGE = Path(__file__).parents[1] / "docs" / "alerts.md"

_MAIL = {"type": "mail", "host": "h", "from": "a@example.com", "to": ["b@example.com"]}


def test_the_documented_configuration_is_one() -> None:
    """The example in the documentation reads, and has every type of channel."""
    example = _PAGE.read_text(encoding="utf-8").split("```toml\n", 1)[1].split("```", 1)[0]
    channels = parse_channels(tomllib.loads(example)["channels"])
    assert [type(channel) for channel in channels] == [
        StdoutConfig,
        FileConfig,
        MailConfig,
        WebhookConfig,
        CommandConfig,
        AppriseConfig,
    ]
    assert [channel.name for channel in channels] == [
        "stdout",
        "file",
        "mail",
        "webhook",
        "command",
        "chat",
    ]


def test_every_key_is_documented() -> None:
    """No key of any channel is missing from the page about them."""
    page = _PAGE.read_text(encoding="utf-8")
    for config in (
        StdoutConfig,
        FileConfig,
        MailConfig,
        WebhookConfig,
        CommandConfig,
        AppriseConfig,
    ):
        for key in config.__struct_encode_fields__:
            stem = key.removesuffix("_file").removesuffix("_env")
            assert stem in page, key


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ([{"type": "smoke"}], r"Invalid value 'smoke' - at `\$\[0\]\.type`"),
        ([{"path": "x"}], "missing required field `type`"),
        ([{"type": "file"}], "missing required field `path`"),
        ([{"type": "file", "path": "x", "pth": 1}], "unknown field `pth`"),
        ([{"type": "file", "path": ""}], "length >= 1"),
        ([{"type": "file", "path": "x", "group": 0}], ">= 1"),
        ([{"type": "file", "path": "x", "timeout": 1e9}], "<= 600"),
        ([{"type": "file", "path": "x", "name": "A b"}], "'A b' is not lower-case"),
        ([{"type": "stdout"}, {"type": "stdout"}], "two are named 'stdout'"),
        ([{**_MAIL, "to": []}], "length >= 1"),
        ([{**_MAIL, "to": ["b@example.com>, <c@example.com"]}], "no plain mail address"),
        ([{**_MAIL, "from": "a@example.com\r\nBcc: c@example.com"}], "no plain mail address"),
        ([{**_MAIL, "host": "a b"}], "no host name"),
        ([{**_MAIL, "username": "u"}], "`username` needs"),
        ([{**_MAIL, "password_env": "P"}], "`username` needs"),
        (
            [{**_MAIL, "username": "u", "password_env": "P", "security": "none"}],
            "a login needs",
        ),
        (
            [{**_MAIL, "username": "u", "password_env": "P", "password_file": "f"}],
            "only one key may say the password",
        ),
        ([{"type": "webhook"}], "exactly one key must say the url"),
        ([{"type": "webhook", "url": "https://a/", "url_env": "U"}], "exactly one key"),
        (
            [{"type": "webhook", "url": "https://a/", "headers": {"Host": "b"}}],
            "'Host' may not be set",
        ),
        (
            [{"type": "webhook", "url": "https://a/", "headers": {"X-A": "b\r\nc: d"}}],
            "no printable ASCII",
        ),
        ([{"type": "command", "command": []}], "length >= 1"),
        ([{"type": "command", "command": "ls -l"}], "Expected `array`"),
        ([{"type": "command", "command": ["a\0b"]}], "a program and its arguments"),
        ([{"type": "command", "command": ["a"], "env": ["A=B"]}], "no name of an environment"),
        ([{"type": "apprise"}], "exactly one key must say the url"),
        ([{"type": "apprise", "url": "json://host"}], "unknown field `url`"),
        (["stdout"], "Expected `object`"),
        ("stdout", "Expected `array`"),
    ],
)
def test_faults_are_named(tables: Any, reason: str) -> None:
    """What is wrong is said with its place, as one line and one of our errors."""
    with pytest.raises(ConfigError, match=reason) as caught:
        parse_channels(tables)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("key", ["password", "secret", "token"])
def test_secrets_cannot_stand_in_the_configuration(key: str) -> None:
    """There is no key for a secret itself."""
    for table in (_MAIL, {"type": "webhook", "url": "https://a/"}):
        with pytest.raises(ConfigError, match=f"unknown field `{key}`"):
            parse_channels([{**table, key: "x"}])


def _run(program: str) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=60)


def test_only_what_is_used_is_imported() -> None:
    """Opening a file channel loads no mail, web or notification library."""
    _run(
        "import sys\n"
        "from pinwarden.config_channels import FileConfig\n"
        "from pinwarden.net.channels import open_channel\n"
        "open_channel(FileConfig(path='x'))\n"
        "assert not {'aiohttp', 'aiosmtplib', 'apprise', 'sqlalchemy'} & set(sys.modules)\n"
    )


def test_missing_library_says_how_to_install_it() -> None:
    """Without the optional library the channel names the extra that brings it."""
    _run(
        "import sys\n"
        "sys.modules['apprise'] = None\n"
        "from pinwarden.config_channels import AppriseConfig\n"
        "from pinwarden.errors import ConfigError\n"
        "from pinwarden.net.channels import open_channel\n"
        "try:\n"
        "    open_channel(AppriseConfig(url_env='U'))\n"
        "except ConfigError as error:\n"
        "    assert error.hint == \"pip install 'pinwarden[notify]'\"\n"
        "else:\n"
        "    raise SystemExit('opened')\n"
    )
