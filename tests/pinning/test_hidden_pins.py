"""Pins that a trust store hides are found from the store alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinwarden.pinning import PinSet
from pinwarden.pinning.hidden_pins import hidden_pins
from support.pin_chains import crossed
from support.pin_world import pin_set, policy, world


def anchors(*names: str) -> list[bytes]:
    a = world().authorities.a
    found = {"root": a.root, "intermediate": a.intermediate, "b": world().authorities.b.root}
    return [found[name] for name in names]


def test_what_is_hidden() -> None:
    """The root, by its intermediate; told once for each policy that pins it."""
    pins = PinSet([policy("one.example", ca="root"), policy("two.example", ca=("root", "stray"))])
    found = hidden_pins(pins, anchors("b", "intermediate", "root"))
    assert [(each.policy.host, each.pin) for each in found] == [
        ("one.example", world().pins["root"]),
        ("two.example", world().pins["root"]),
    ]
    assert "Genuine E1" in found[0].below
    assert "Genuine Root" in found[0].above
    assert "\n" not in str(found[0])


def test_a_backup_is_hidden_too() -> None:
    """It would fail on the day on which it is needed."""
    pins = PinSet([policy(ca="stray", backup="root")])
    assert len(hidden_pins(pins, anchors("root", "intermediate"))) == 1


def test_a_root_that_another_signed() -> None:
    """A cross-signed root in the store ends chains as any intermediate does."""
    old = world().authorities.old
    store = [old.root, crossed(world().authorities.a, old)]
    assert len(hidden_pins(PinSet([policy(ca="old-root")]), store)) == 1
    assert hidden_pins(PinSet([policy(ca="root")]), store) == []


def test_what_is_not_hidden() -> None:
    """Leaf pins, what the store does not hold, and what is pinned on both levels."""
    for behaviour in ("good", "leaf", "wrong"):
        assert hidden_pins(pin_set(behaviour), anchors("root", "intermediate")) == []
    assert hidden_pins(pin_set("root"), anchors("root", "b")) == []
    assert hidden_pins(pin_set("root"), anchors("intermediate")) == []
    assert hidden_pins(PinSet(), anchors("root", "intermediate")) == []
    both = PinSet([policy(ca=("root", "intermediate"))])
    assert hidden_pins(both, anchors("root", "intermediate")) == []


@given(st.lists(st.binary(max_size=60)), st.integers(0, 700), st.integers(0, 255))
def test_anchors_that_are_none(junk: list[bytes], position: int, octet: int) -> None:
    """A store may hold anything; what cannot be read hides nothing and breaks nothing."""
    damaged = bytearray(world().authorities.a.intermediate)
    damaged[position % len(damaged)] = octet
    store = [*junk, bytes(damaged), *anchors("root", "intermediate")]
    assert world().pins["root"] in {each.pin for each in hidden_pins(pin_set("root"), store)}
