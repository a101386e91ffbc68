"""The matrix: every client in every behaviour, against a server that counts bytes."""

from __future__ import annotations

import pytest

from clients.matrix import columns, install_columns, proxy_columns
from clients.matrix.async_rows import ASYNC_ROWS
from clients.matrix.botocore_row import BOTOCORE_ROWS
from clients.matrix.harness import BEHAVIOURS, Client
from clients.matrix.http_rows import HTTP_ROWS
from clients.matrix.other_rows import OTHER_ROWS
from support.pin_world import world

ROWS: tuple[Client, ...] = (*HTTP_ROWS, *ASYNC_ROWS, *BOTOCORE_ROWS, *OTHER_ROWS)

# Importing them enters the columns.
assert columns
assert install_columns
assert proxy_columns


@pytest.mark.parametrize("column", BEHAVIOURS)
@pytest.mark.parametrize("client", ROWS, ids=lambda client: client.name)
def test_cell(client: Client, column: str) -> None:
    """The client behaves so; where it has no such thing, it says why."""
    if column in client.skips:
        pytest.skip(f"{client.name}: {client.skips[column]}")
    BEHAVIOURS[column](client, world())


def test_rows_and_columns_are_known() -> None:
    """No row skips or hides a column that is not there, and no two have one name."""
    names = [client.name for client in ROWS]
    assert len(names) == len(set(names))
    for client in ROWS:
        assert {*client.skips, *client.hides} <= BEHAVIOURS.keys(), client.name
        assert all(client.skips.values())
        assert all(client.hides.values())
