"""What is kept, and what is forgotten."""

from __future__ import annotations

from pinwarden.caa.lookup import Lookup, Outcome
from pinwarden.caa.record import CAARecord
from pinwarden.net.dns.memory import Memory


def lookup(name: str, size: int = 0) -> Lookup:
    records = (CAARecord(0, b"issue", b"x" * size),) if size else ()
    return Lookup(name=name, outcome=Outcome.RECORDS, records=records)


def test_the_parent_of_many_is_not_forgotten() -> None:
    """What is asked for again and again outlives any number of names asked once."""
    memory = Memory(10 * 1024)
    parent = lookup("example.com")
    memory.keep("example.com", parent)
    for number in range(1000):
        memory.keep(f"n{number}.example.com", lookup(f"n{number}.example.com"))
        assert memory.recall("example.com") is parent
    assert memory.recall("n0.example.com") is None
    assert memory.recall("n999.example.com") is not None


def test_large_answers_take_more_room() -> None:
    memory = Memory(100 * 1024)
    memory.keep("small", lookup("small"))
    memory.keep("large", lookup("large", 90 * 1024))
    assert memory.recall("small") is not None
    memory.keep("larger", lookup("larger", 99 * 1024))
    assert memory.recall("large") is None
    assert memory.recall("small") is None
