"""Fuzzes the entries of a log, in both protocols: a value or one of our errors.

`fuzz/target.py` says how it runs.
"""

from target import run

from pinwarden.ct.entry import RawBatch, parse_data_tile, parse_get_entries
from pinwarden.ct.merkle import Frontier
from pinwarden.errors import PinwardenError


def check(data: bytes) -> None:
    width = data[0] + 1 if data else 1
    for read in (
        lambda: parse_data_tile(data[1:], 0, width),
        lambda: parse_get_entries(data[1:], 0),
    ):
        try:
            batch = read()
        except PinwardenError:
            continue
        check_batch(batch)


def check_batch(batch: RawBatch) -> None:
    hashes = batch.leaf_hashes()
    assert Frontier().extend(hashes).size == len(batch)
    for index in range(len(batch)):
        try:
            entry = batch.entry(index)
        except PinwardenError:
            continue
        assert entry.leaf == batch.leaves[index]
        assert (entry.certificate is None) != (entry.tbs is None)


if __name__ == "__main__":
    run(check)
