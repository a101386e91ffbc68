"""Pin set files that are changed in place: comments stay, and nothing else moves."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinwarden.cli.pin.editing import PinFile, diff_of
from pinwarden.errors import ConfigError, PinwardenError
from pinwarden.pinning import PinSet
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import PinPolicy, PinRole
from pinwarden.pinning.rotation import steps
from pinwarden.pinning.rotation.edits import Edit, NewKey, after
from pinwarden.pinning.rotation.steps import Change
from support.pin_samples import policies

# Longer than what `policies` makes pins of.
A, B, C, D = (Pin.of_spki(b"the key " + name) for name in (b"a", b"b", b"c", b"d"))
TODAY = date(2026, 11, 24)

LONG = f"""# What we pin. Ask Ada.
unpinned_hosts = "refuse" # nothing else

[[policy]]
host = "other.example"
mode = "report-only"   # for now
ca_pins = ["{D}"]

# the shop
[[policy]]
host = "Shop.Example."
mode = "enforce"
leaf_pins = [
    # in the HSM
    {{ pin = "{A}", comment = "old" }}, # until June
]
backup_pins = ["{B}"] # in the safe
exclude = [] # none
"""
LAYOUTS = {
    "long": LONG,
    "inline": (
        f'policy = [{{host="shop.example",mode="enforce",leaf_pins=["{A}"],backup_pins=["{B}"]}}]\n'
    ),
    "tables": (
        f'[[policy]]\nhost="shop.example"\nmode="enforce"\n[[policy.leaf_pins]]\npin="{A}"\n'
        f'[[policy.backup_pins]]\npin = "{B}" # safe\ncomment = "x"\n'
    ),
    "other-forms": (
        f'[[policy]]\nhost="shop.example"\nmode="enforce"\nleaf_pins=["{A.hex}"]\n'
        f"backup_pins=['{B.hpkp}']\n[[policy]]\nhost='z.example'\nmode='report-only'\nca_pins=['{C}']\n"
    ),
    "json": json.dumps(
        {
            "policy": [
                {
                    "host": "shop.example",
                    "mode": "enforce",
                    "leaf_pins": [{"pin": str(A), "comment": "ä"}],
                    "backup_pins": [str(B)],
                }
            ]
        }
    ),
    "crlf": LONG.replace("\n", "\r\n"),
}


def _file(tmp_path: Path, layout: str) -> Path:
    path = tmp_path / ("pins.json" if layout == "json" else "pins.toml")
    path.write_bytes(LAYOUTS[layout].encode())
    return path


def _prepared(file: PinFile) -> Change:
    new = NewKey(pin=C, kind="leaf", comment='the "new" one\u202e', expires=date(2027, 1, 1))
    return steps.prepare(
        file.policy("shop.example"), [A], new, [NewKey(pin=D)], client_lag=30, today=TODAY
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_there_and_back(layout: str, tmp_path: Path) -> None:
    """Whatever the layout: the pins that were meant, and the rotation as it is."""
    file = PinFile(_file(tmp_path, layout))
    change = _prepared(file)
    file.take(file.changed(file.policy("shop.example"), change))
    file.save()
    again = PinFile(file.path)
    policy = again.policy("SHOP.example")
    assert set(policy.keys) == set(change.policy.keys)
    assert again.rotation(policy) == change.rotation
    assert PinSet.load(str(file.path)) == again.pins
    edits = (
        Edit(key=NewKey(pin=C), source=PinRole.BACKUP, target=PinRole.LEAF),
        Edit(key=NewKey(pin=A), source=PinRole.LEAF, target=PinRole.FORBIDDEN),
    )
    end = Change(edits=edits, policy=after(policy, edits), rotation=None)
    again.take(again.changed(policy, end))
    again.save()
    last = PinFile(file.path)
    policy = last.policy("shop.example")
    assert last.rotation(policy) is None
    assert policy.pins(PinRole.LEAF) == {C}
    assert policy.pins(PinRole.FORBIDDEN) == {A}
    assert policy.pins(PinRole.BACKUP) == {B, D}
    others = [each for each in last.pins.policies if each.host != "shop.example"]
    assert others == [each for each in file.pins.policies if each.host != "shop.example"]


def test_comments_and_layout_stay(tmp_path: Path) -> None:
    file = PinFile(_file(tmp_path, "long"))
    text = file.changed(file.policy("shop.example"), _prepared(file))
    for line in LONG.splitlines():
        if "backup_pins" not in line:
            assert line in text
    assert "# in the safe" in text
    removed = [line for line in diff_of(LONG, text, "x").splitlines() if line.startswith("-")]
    assert [line for line in removed if not line.startswith("---")] == [
        f'-backup_pins = ["{B}"] # in the safe'
    ]


def test_who_may_read_it_stays(tmp_path: Path) -> None:
    path = _file(tmp_path, "long")
    path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    file = PinFile(link)
    file.take(file.changed(file.policy("shop.example"), _prepared(file)))
    file.save()
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert "[policy.rotation]" in path.read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.toml", "pins.toml"]


def test_a_file_changed_by_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = _file(tmp_path, "long")
    file = PinFile(path)
    file.take(file.changed(file.policy("shop.example"), _prepared(file)))
    path.write_text(LONG + "# and a thought\n")
    with pytest.raises(ConfigError, match="changed by somebody else"):
        file.save()
    assert path.read_text().endswith("# and a thought\n")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_of_windows_stay(mark: bytes, tmp_path: Path) -> None:
    """Every line ends as the others do, and a byte order mark stays."""
    path = tmp_path / "pins.toml"
    path.write_bytes(mark + LONG.replace("\n", "\r\n").encode())
    file = PinFile(path)
    file.take(file.changed(file.policy("shop.example"), _prepared(file)))
    file.save()
    data = path.read_bytes()
    assert data.startswith(mark + b"# What")
    assert data.count(b"\r\n") == data.count(b"\n") > LONG.count("\n")
    assert PinFile(path).rotation(PinFile(path).policy("shop.example")) is not None
    assert PinSet.load(path).policy_for("shop.example") is not None


def test_of_two_at_once_one_is_refused(tmp_path: Path) -> None:
    """Whoever comes second has read a text that is there no longer, however close they are."""
    path = _file(tmp_path, "long")
    both = [PinFile(path) for _ in range(8)]
    for number, file in enumerate(both):
        file.take(file.changed(file.policy("shop.example"), _prepared(file)) + f"# {number}\n")
    done: list[int] = []

    def save(number: int) -> None:
        with suppress(ConfigError):
            both[number].save()
            done.append(number)

    threads = [Thread(target=save, args=(number,)) for number in range(len(both))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = done
    assert path.read_text().endswith(f"# {winner}\n")


def test_a_layout_that_cannot_be_edited_is_refused(tmp_path: Path) -> None:
    """A change that the text does not then say is never written."""
    file = PinFile(_file(tmp_path, "long"))
    policy = file.policy("shop.example")
    change = _prepared(file)
    lying = Change(edits=change.edits[:1], policy=change.policy, rotation=change.rotation)
    with pytest.raises(ConfigError, match="cannot be edited"):
        file.changed(policy, lying)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no"),
        ("[[policy]]\nhost = 'a'\n", "mode"),
        (f"[[policy]]\nhost='a'\nmode='enforce'\nca_pins=['{A}']\n", "backup"),
    ],
)
def test_a_set_that_clients_refuse_is_not_edited(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(PinwardenError, match=words):
        PinFile(path)


def test_which_policy(tmp_path: Path) -> None:
    file = PinFile(_file(tmp_path, "long"))
    with pytest.raises(ConfigError, match="has 2 policies"):
        file.policy(None)
    with pytest.raises(ConfigError, match="falls under no policy"):
        file.policy("www.shop.example")
    with pytest.raises(ConfigError, match="--host"):
        file.policy("a b")


def test_a_broken_rotation_is_named(tmp_path: Path) -> None:
    path = _file(tmp_path, "long")
    path.write_text(LONG + "[policy.rotation]\nstage = 'x'\n")
    file = PinFile(path)
    with pytest.raises(ConfigError, match="no stage 'x'"):
        file.rotation(file.policy("shop.example"))


@given(
    st.lists(policies(), min_size=1, max_size=3, unique_by=lambda each: each.host), st.booleans()
)
@settings(deadline=None, max_examples=60)
def test_any_set_that_we_write_can_be_edited(found: list[PinPolicy], as_json: bool) -> None:
    """Whatever stands in comments: the pins, and those of other policies, are as meant."""
    pins = PinSet(found)
    with TemporaryDirectory() as folder:
        path = Path(folder) / ("pins.json" if as_json else "pins.toml")
        path.write_text(pins.to_json() if as_json else pins.to_toml(), "utf-8", newline="")
        file = PinFile(path)
        policy = found[0]
        old = next(iter(policy.pins(PinRole.LEAF, PinRole.CA)))
        change = steps.prepare(
            policy, [old], NewKey(pin=C), [NewKey(pin=D)], client_lag=30, today=TODAY
        )
        file.take(file.changed(policy, change))
        file.save()
        again = PinFile(path)
        assert again.rotation(again.policy(policy.host)) == change.rotation
        meant = {each.host: set(each.keys) for each in [change.policy, *found[1:]]}
        assert {each.host: set(each.keys) for each in again.pins.policies} == meant
