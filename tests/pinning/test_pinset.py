"""Which policy a host falls under, and what a set says where none does."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pinwarden.errors import MalformedError
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import PinSetError, UnpinnedHosts
from support.pin_samples import AT, policy

PINS = PinSet(
    [
        policy("example.com", include_subdomains=True, exclude=("old.example.com",)),
        policy("api.example.com"),
        policy("eu.example.com", include_subdomains=True),
        policy("kept.old.example.com"),
        policy("192.0.2.1"),
        policy("2001:db8::1"),
    ]
)


@pytest.mark.parametrize(
    ("host", "decides"),
    [
        ("example.com", "example.com"),
        ("www.example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("WWW.Example.com.", "example.com"),
        ("api.example.com", "api.example.com"),
        # api.example.com is only about itself.
        ("v1.api.example.com", "example.com"),
        ("eu.example.com", "eu.example.com"),
        ("x.y.eu.example.com", "eu.example.com"),
        ("old.example.com", None),
        ("very.old.example.com", None),
        ("kept.old.example.com", "kept.old.example.com"),
        ("below.kept.old.example.com", None),
        ("veryold.example.com", "example.com"),
        ("notexample.com", None),
        ("example.com.example", None),
        ("com", None),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("192.0.2.11", None),
        ("2001:db8::11", None),
    ],
)
def test_the_most_specific_policy_decides(host: str, decides: str | None) -> None:
    for _ in range(2):
        found = PINS.policy_for(host)
        assert (found.host if found else None) == decides


def test_what_is_no_host_goes_nowhere() -> None:
    for pins in (PINS, PinSet()):
        for host in ("", "*.example.com", "a..example.com", "fe80::1%lo", "x" * 5000):
            result = pins.check((), host, at=AT)
            assert (result.verdict, result.reason) == ("unknown", "host-unreadable")
            assert result.allowed is False
            assert str(result).isprintable()
        with pytest.raises(MalformedError):
            pins.policy_for("*.example.com")


@pytest.mark.parametrize("others", UnpinnedHosts)
def test_a_host_without_a_policy_is_as_the_set_says(others: UnpinnedHosts) -> None:
    pins = PinSet([policy()], unpinned_hosts=others)
    result = pins.check((), "www.example.net", at=AT)
    assert (result.verdict, result.reason) == ("unknown", "host-not-pinned")
    assert result.allowed is (others is UnpinnedHosts.ALLOW)
    assert not result.failed
    assert result.expected == ()


def test_words_are_looked_at() -> None:
    assert PinSet(unpinned_hosts="refuse").unpinned_hosts is UnpinnedHosts.REFUSE  # type: ignore[arg-type]
    with pytest.raises(PinSetError, match="'Refuse': is not one of 'allow', 'refuse'"):
        PinSet(unpinned_hosts="Refuse")  # type: ignore[arg-type]


def test_one_host_has_one_policy() -> None:
    with pytest.raises(PinSetError, match=r"policy 'api\.example\.com': stands twice"):
        PinSet([policy("api.example.com"), policy("API.example.com.")])


def test_many_hosts_do_not_fill_the_memory() -> None:
    pins = PinSet([policy("example.com", include_subdomains=True)])
    for number in range(3000):
        assert pins.policy_for(f"h{number}.example.com") is not None
        assert pins.policy_for(f"h{number}.example.net") is None
    assert len(pins._found) <= 1024


def test_many_threads_get_one_answer() -> None:
    pins = PinSet([policy("example.com", include_subdomains=True)])
    hosts = [f"h{number % 1500}.example.{('com', 'net')[number % 2]}" for number in range(6000)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(pins.policy_for, hosts))
    assert [each is not None for each in found] == [host.endswith("com") for host in hosts]


def test_sets_are_values() -> None:
    same, other = PinSet(PINS.policies), PinSet(PINS.policies, comment="of ours")
    same.policy_for("www.example.com")
    assert same == PINS
    assert hash(same) == hash(PINS)
    assert other != PINS
    assert PINS != "a set"
    assert "api.example.com" in repr(PINS)


def test_files_are_read_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "pins.toml").write_text(PINS.to_toml())
    (tmp_path / "pins.JSON").write_text("\ufeff" + PINS.to_json())
    assert PinSet.load(tmp_path / "pins.toml") == PINS
    assert PinSet.load(str(tmp_path / "pins.JSON")) == PINS
    assert json.loads(PINS.to_json())["policy"][0]["host"] == "example.com"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"#" * ((4 << 20) + 1), "is larger than 4 MiB"),
        (b"a = ", "is not TOML: "),
        (b"", "holds no [[policy]]"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(
    tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "pins\n.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PinSetError) as caught:
        PinSet.load(path)
    assert told in str(caught.value)
    assert "pins\\n.toml" in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_folder_and_an_impossible_name_say_so(tmp_path: Path) -> None:
    with pytest.raises(PinSetError, match="cannot be read: Is a directory"):
        PinSet.load(tmp_path)
    with pytest.raises(PinSetError, match="is no file name"):
        PinSet.load("a\0b")
