import pytest
from clients.matrix import columns
from clients.matrix.harness import BEHAVIOURS
from clients.matrix.other_rows import OTHER_ROWS
from support.pin_world import world

@pytest.mark.parametrize("column", BEHAVIOURS)
@pytest.mark.parametrize("client", OTHER_ROWS, ids=lambda c: c.name)
def test_cell(client, column):
    if column in client.skips:
        pytest.skip(f"{client.name}: {client.skips[column]}")
    BEHAVIOURS[column](client, world())
