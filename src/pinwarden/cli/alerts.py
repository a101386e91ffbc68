"""`pinwarden alerts`: what people were told, and whether they took note."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import click

from pinwarden.cli.output import ExitCode, answer, answer_json, say
from pinwarden.cli.reading import (
    config_option,
    json_option,
    read_store,
    store_option,
    store_url,
)
from pinwarden.errors import ConfigError
from pinwarden.names import display
from pinwarden.render import alert_json, describe_alert
from pinwarden.store.contract import Store, StoredAlert

_PAGE = 500


@click.group()
def alerts() -> None:
    """What people were told, and whether they took note."""


@alerts.command("list")
@store_option
@config_option
@json_option
@click.option("--all", "everything", is_flag=True, help="Also those acknowledged.")
def list_(store: str | None, config_file: Path | None, as_json: bool, everything: bool) -> int:
    """One line an alert, oldest first. Exit code 1 if any waits for a person."""

    async def read(opened: Store) -> tuple[int, int]:
        waiting = shown = 0
        after: int | None = None
        while page := await opened.alerts(
            acknowledged=None if everything else False, limit=_PAGE, after=after
        ):
            for stored in page:
                shown += 1
                waiting += stored.acknowledgement is None
                if as_json:
                    answer_json(_document(stored))
                else:
                    answer(_line(stored))
            after = page[-1].alert.id
        return waiting, shown

    waiting, shown = read_store(store_url(store, config_file), read)
    if not shown:
        say("no alerts")
    return ExitCode.FINDINGS if waiting else ExitCode.OK


@alerts.command("ack")
@click.argument("number", type=click.IntRange(1, 2**63 - 1))
@click.option("--why", required=True, help="Why it needs no more attention.")
@click.option("--who", help="Your name [default: the user's].")
@store_option
@config_option
@json_option
def ack(
    number: int,
    why: str,
    who: str | None,
    store: str | None,
    config_file: Path | None,
    as_json: bool,
) -> int:
    """Take note of one alert, with the reason."""
    from pinwarden.monitor.worker import utc_now

    name = who or getpass.getuser()

    async def read(opened: Store) -> bool:
        if await opened.alert(number) is None:
            hint = "`pinwarden alerts list --all` shows what there is"
            raise ConfigError(f"alert {number}: there is none", hint=hint)
        return await opened.ack(number, who=name, why=why, at=utc_now())

    first = read_store(store_url(store, config_file), read)
    if as_json:
        answer_json({"alert": number, "who": name, "why": why, "first": first})
    else:
        said = f"noted by {display(name)}" if first else "somebody already had taken note"
        say(f"alert {number}: {said}")
    return ExitCode.OK


@alerts.command("test")
@config_option
@json_option
def test(config_file: Path | None, as_json: bool) -> int:
    """Send a test alert through every configured channel, past the store."""
    import asyncio

    from pinwarden.cli.channel_test import send_test

    errors = asyncio.run(send_test(config_file, as_json=as_json))
    for channel, error in errors.items():
        if as_json:
            answer_json({"channel": channel, "delivered": error is None, "error": error})
        else:
            say(f"channel {channel}: {error or 'delivered'}")
    return ExitCode.FINDINGS if any(errors.values()) else ExitCode.OK


def _document(stored: StoredAlert) -> dict[str, Any]:
    acknowledged = stored.acknowledgement
    return {
        **alert_json(stored.alert),
        "deliveries": [
            {
                "channel": each.channel,
                "state": str(each.state),
                "attempts": each.attempts,
                "at": each.at.isoformat().replace("+00:00", "Z"),
                "error": each.error,
            }
            for each in stored.deliveries
        ],
        "acknowledged": None
        if acknowledged is None
        else {
            "who": acknowledged.who,
            "why": acknowledged.why,
            "at": acknowledged.at.isoformat().replace("+00:00", "Z"),
        },
    }


def _line(stored: StoredAlert) -> str:
    sent = ", ".join(f"{display(each.channel)} {each.state}" for each in stored.deliveries)
    noted = stored.acknowledgement
    state = (
        f"noted by {display(noted.who)}: {display(noted.why)}" if noted else sent or "no channel"
    )
    title = display(describe_alert(stored.alert).title)
    return f"{stored.alert.id:>6}  {stored.alert.created:%Y-%m-%d %H:%M}  {title}  ({state})"
