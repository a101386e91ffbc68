"""The channels of the configuration file: one `[[channels]]` table each.

    [[channels]]
    type = "mail"
    host = "mail.example.com"
    from = "pinwarden@example.com"
    to = ["security@example.com"]

Secrets never stand in the configuration: a key ending in `_file` names a file
that holds one, a key ending in `_env` an environment variable. What is wrong
is raised as ValueError while converting, so that msgspec adds where it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from pinwarden.errors import ConfigError, quoted
from pinwarden.names import display

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
# RFC 5322 section 3.4.1 with a dot-atom on both sides; nothing that could end a header or a list.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset(
    {"content-type", "content-length", "host", "user-agent", "idempotency-key",
     "pinwarden-signature", "authorization", "transfer-encoding", "connection"}
)  # fmt: skip

Seconds: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=600)]
Group: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=500)]
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class _Named(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all channels have: a name of their own (by default the type)."""

    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            msgspec.structs.force_setattr(self, "name", str(self.__struct_config__.tag))
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"channel name {quoted(self.name)} is not lower-case letters, digits, - and _"
            )
        self._check()

    def _check(self) -> None:
        """Raise ValueError if the keys do not go together."""


class StdoutConfig(_Named, frozen=True, kw_only=True, tag="stdout"):
    """Alerts to standard output, for a terminal or the journal, or as JSON lines."""

    format: Literal["text", "json"] = "text"
    group: Group = 20
    timeout: Seconds = 30.0


class FileConfig(_Named, frozen=True, kw_only=True, tag="file"):
    """Alerts as JSON lines appended to a file, each exactly once."""

    path: Annotated[str, msgspec.Meta(min_length=1)]
    group: Group = 50
    timeout: Seconds = 30.0


class MailConfig(_Named, frozen=True, kw_only=True, tag="mail"):
    """Alerts by SMTP.

    `security` is "starttls" (never without), "tls" (from the first byte) or
    "none" (then without a login). `ca_file` trusts these authorities instead of
    the system's.
    """

    host: str
    port: Port | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password_file: str | None = None
    password_env: str | None = None
    ca_file: str | None = None
    sender: str = msgspec.field(name="from")
    to: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=100)]
    group: Group = 20
    timeout: Seconds = 60.0

    def _check(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise ValueError(f"mail host {quoted(self.host)} is no host name or address")
        for address in (self.sender, *self.to):
            if not _ADDRESS.fullmatch(address) or address.startswith("-"):
                raise ValueError(f"{quoted(address)} is no plain mail address")
        _at_most_one("password", self.password_file, self.password_env)
        has_password = bool(self.password_file or self.password_env)
        if has_password != (self.username is not None):
            raise ValueError("`username` needs `password_file` or `password_env`, and they it")
        if self.username is not None and self.security == "none":
            raise ValueError('a login needs `security` "starttls" or "tls"')


class WebhookConfig(_Named, frozen=True, kw_only=True, tag="webhook"):
    """Alerts as a JSON document POSTed to a URL, signed if a secret is given.

    A URL that is itself secret stands in `url_file` or `url_env`. `token_file`
    or `token_env` gives a bearer token for the Authorization header.
    """

    url: str | None = None
    url_file: str | None = None
    url_env: str | None = None
    secret_file: str | None = None
    secret_env: str | None = None
    token_file: str | None = None
    token_env: str | None = None
    headers: dict[str, str] = {}
    ca_file: str | None = None
    group: Group = 20
    timeout: Seconds = 30.0

    def _check(self) -> None:
        _exactly_one("url", self.url, self.url_file, self.url_env)
        _at_most_one("secret", self.secret_file, self.secret_env)
        _at_most_one("token", self.token_file, self.token_env)
        for header, value in self.headers.items():
            if not _TOKEN.fullmatch(header) or header.lower() in _OURS:
                raise ValueError(f"header {quoted(header)} may not be set")
            if not value.isascii() or not value.isprintable():
                raise ValueError(f"header {quoted(header)} has a value that is no printable ASCII")


class CommandConfig(_Named, frozen=True, kw_only=True, tag="command"):
    """A program started for each alert, without a shell.

    It gets the alert as JSON on standard input and in environment variables;
    of our own environment only the usual few and those named in `env`.
    """

    command: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    env: tuple[str, ...] = ()
    timeout: Seconds = 60.0

    def _check(self) -> None:
        if not self.command[0] or any("\0" in word for word in self.command):
            raise ValueError("`command` is a program and its arguments")
        for variable in self.env:
            if not _VARIABLE.fullmatch(variable):
                raise ValueError(f"{quoted(variable)} is no name of an environment variable")


class AppriseConfig(_Named, frozen=True, kw_only=True, tag="apprise"):
    """Alerts to one of the services of the Apprise library, by its URL.

    The URL holds the service's secret, so it stands in a file or an environment
    variable. One service is one channel: each then has its own retries.
    """

    url_file: str | None = None
    url_env: str | None = None
    format: Literal["text", "markdown"] = "text"
    group: Group = 5
    timeout: Seconds = 60.0

    def _check(self) -> None:
        _exactly_one("url", self.url_file, self.url_env)


ChannelConfig: TypeAlias = (
    StdoutConfig | FileConfig | MailConfig | WebhookConfig | CommandConfig | AppriseConfig
)


def parse_channels(tables: Sequence[Any]) -> tuple[ChannelConfig, ...]:
    """The channels of a configuration's `channels` list, already read from TOML.

    Raises ConfigError saying which key of which table is wrong.
    """
    try:
        channels = msgspec.convert(tables, type=tuple[ChannelConfig, ...])
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"channels: {display(str(error), 300)}",
            hint="docs/alerts.md lists the keys of every channel",
        ) from None
    verify_channel_names(channels)
    return channels


def verify_channel_names(channels: Sequence[ChannelConfig]) -> None:
    """Raise ConfigError if two channels have one name: deliveries are owed by name."""
    seen: set[str] = set()
    for channel in channels:
        if channel.name in seen:
            raise ConfigError(
                f"channels: two are named {quoted(channel.name)}",
                hint="give each channel a `name` of its own",
            )
        seen.add(channel.name)


def _exactly_one(key: str, *values: str | None) -> None:
    if sum(bool(value) for value in values) != 1:
        raise ValueError(f"exactly one key must say the {key} (see docs/alerts.md)")


def _at_most_one(key: str, *values: str | None) -> None:
    if sum(bool(value) for value in values) > 1:
        raise ValueError(f"only one key may say the {key}")
