"""The matrix: every client in every behaviour, against a server that counts bytes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clients.matrix import columns, composition_columns, install_columns, proxy_columns
from clients.matrix.async_rows import ASYNC_ROWS
from clients.matrix.botocore_row import BOTOCORE_ROWS
from clients.matrix.harness import BEHAVIOURS, Client
from clients.matrix.http_rows import HTTP_ROWS
from clients.matrix.other_rows import OTHER_ROWS
from support.pin_world import world

ROWS: tuple[Client, ...] = (*HTTP_ROWS, *ASYNC_ROWS, *BOTOCORE_ROWS, *OTHER_ROWS)

# Importing them enters the columns.
assert columns
assert composition_columns
assert install_columns
assert proxy_columns


# Who has not the one cannot have the other, for the same reason.
NEEDS = {
    "proxy-with-pins": "https-proxy",
    "https-proxy": "http-proxy",
    "address": "unpinned",
}


def why_not(client: Client, column: str) -> str | None:
    """Why a client has no such cell, if it has none."""
    if column in client.skips:
        return client.skips[column]
    return why_not(client, NEEDS[column]) if column in NEEDS else None


@pytest.mark.parametrize("column", BEHAVIOURS)
@pytest.mark.parametrize("client", ROWS, ids=lambda client: client.name)
def test_cell(client: Client, column: str) -> None:
    """The client behaves so; where it has no such thing, it says why."""
    if (why := why_not(client, column)) is not None:
        pytest.skip(f"{client.name}: {why}")
    BEHAVIOURS[column](client, world())


def test_rows_and_columns_are_known() -> None:
    """No row skips or hides a column that is not there, and no two have one name."""
    names = [client.name for client in ROWS]
    assert len(names) == len(set(names))
    for client in ROWS:
        assert {*client.skips, *client.hides} <= BEHAVIOURS.keys(), client.name
        assert all(client.skips.values())
        assert all(client.hides.values())


def test_the_page_has_every_column() -> None:
    """The page about clients explains each column, and no other."""
    page = (Path(__file__).parents[3] / "docs" / "pinning-clients.md").read_text("utf-8")
    table = page.split("| column |")[1].split("\n\n")[0]
    named = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    assert {each.strip("`") for cell in named for each in cell.split(", ")} == BEHAVIOURS.keys()
