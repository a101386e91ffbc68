"""Reading log lists that are odd, broken or hostile."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.loglist import (
    Program,
    logs_to_follow,
    parse_log_list,
    verify_log_list,
)
from pinwarden.errors import BadSignatureError, MalformedError, PinwardenError
from support.log_lists import (
    AT,
    JUST_NOW,
    LONG_AGO,
    entry,
    list_json,
    log_id,
    make_key,
    read_list,
    read_log,
    sign_list,
    signer_pem,
    tiled_entry,
)


@pytest.mark.parametrize("signature", [b"", b"\0", b"\xff" * 255, b"\0" * 257])
def test_a_signature_of_another_length_does_not_verify(signature: bytes) -> None:
    """An empty, short or long signature is a bad one, and no crash."""
    with pytest.raises(BadSignatureError):
        verify_log_list(b"list", signature, signer_pem())


def test_a_list_key_must_be_rsa() -> None:
    """A key that is no PEM, or of another kind, is refused before anything is verified."""
    verify_log_list(b"list", sign_list(b"list"), signer_pem())
    elliptic = (
        b"-----BEGIN PUBLIC KEY-----\n" + b64encode(make_key("A")) + b"\n-----END PUBLIC KEY-----\n"
    )
    for key in (b"", b"key", elliptic, signer_pem()[:100]):
        with pytest.raises(MalformedError):
            verify_log_list(b"list", sign_list(b"list"), key)


def test_a_log_whose_id_is_not_the_hash_of_its_key_is_refused() -> None:
    """Otherwise SCTs of one log could be checked with the key of another."""
    read = read_list(entry("A", log_id=b64encode(log_id("B")).decode()))
    assert read.logs == ()
    assert read.problems == ("log 'A': its log_id is not the SHA-256 of its key",)


@pytest.mark.parametrize(
    "fields",
    [
        {"key": None},
        {"log_id": None},
        {"key": "!"},
        {"key": 7},
        {"key": ""},
        {"log_id": "A" * 100_000},
        {"key": "A" * 100_000},
        {"log_id": "\u0661"},
        {"url": 7},
        {"url": ["https://a.example.net/"]},
    ],
)
def test_a_log_that_cannot_be_used_is_a_problem(fields: dict[str, Any]) -> None:
    """A log without key, id or readable URL is named, and costs no other log."""
    read = read_list(entry("A", **fields), entry("B"))
    assert [log.description for log in read.logs] == ["B"]
    assert len(read.problems) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"state": {"suspended": {"timestamp": LONG_AGO}}},
        {"state": "usable"},
        {"state": {}},
        {"state": {"usable": None}},
        {"state": {"unknown": {"timestamp": LONG_AGO}}},
        {"mmd": -1},
        {"mmd": "60"},
        {"mmd": 1e300},
        {"mmd": True},
        {"temporal_interval": "2026"},
        {"temporal_interval": {"start_inclusive": JUST_NOW}},
        {"temporal_interval": {"start_inclusive": JUST_NOW, "end_exclusive": LONG_AGO}},
        {"state": {"readonly": {"timestamp": JUST_NOW, "final_tree_head": 5}}},
        {"previous_operators": [{"name": "B"}]},
        {"previous_operators": "B"},
    ],
)
def test_a_field_that_cannot_be_read_costs_only_the_field(fields: dict[str, Any]) -> None:
    """The log is kept and followed, and the field is named."""
    read = parse_log_list(list_json(entry("A", **fields)), "test", Program.CHROME)
    assert len(read.problems) == 1
    assert logs_to_follow(read, AT) == read.logs


@pytest.mark.parametrize(
    ("size", "kept"),
    [(5, 5), (5.0, 5), (0, 0), (5.5, None), (-1, None), (True, None), (2**63, None), ("5", None)],
)
def test_a_tree_size_is_a_whole_number(size: object, kept: int | None) -> None:
    """A size that some writer made a float is still the size; anything else is a problem."""
    head = {"sha256_root_hash": b64encode(bytes(32)).decode(), "tree_size": size}
    read = read_list(
        entry("A", state={"readonly": {"timestamp": JUST_NOW, "final_tree_head": head}})
    )
    assert read.logs[0].final_size == kept
    assert bool(read.problems) == (kept is None)


def test_a_log_listed_twice_is_kept_once() -> None:
    """The first entry is used, and the second is named."""
    read = read_list(entry("A"), entry("A", url="https://other.example.net/"))
    assert [log.url for log in read.logs] == ["https://a.example.net/"]
    assert read.problems == ("log 'A': is listed twice; its first entry is used",)


def test_a_log_without_a_url_is_kept_and_named() -> None:
    """Its key still checks SCTs."""
    read = read_list(entry("A", url=None))
    assert read.by_id[read.logs[0].log_id].url == ""
    assert read.problems == ("log 'A': has no url, so it cannot be followed",)


def test_a_static_log_without_a_submission_url_is_refused() -> None:
    """The name on its checkpoints would be unknown, so no checkpoint could be verified."""
    read = parse_log_list(list_json(tiled=(tiled_entry("A", submission_url=None),)), "test")
    assert read.logs == ()
    assert read.problems == ("log 'A': has no submission_url",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"operators": {}}',
        b'{"operators": null}',
        b"\xff\xfe",
        b"\x00" * 100,
        b"[" * 100_000,
        b'{"operators":' * 50_000,
        b'{"operators": [' + b"9" * 100_000 + b"]}x",
        b"<html>not found</html>",
    ],
)
def test_what_is_no_log_list_is_malformed(data: bytes) -> None:
    """Any other document is refused as a whole."""
    with pytest.raises(MalformedError, match="log list 'here'"):
        parse_log_list(data, "here")


def test_odd_operators_cost_only_themselves() -> None:
    """An operator that cannot be read is named."""
    raw = {"operators": [7, {"name": 5, "logs": [entry("A")]}, {"name": "B", "logs": 7}, {}]}
    read = parse_log_list(json.dumps(raw).encode(), "test")
    assert [log.operator for log in read.logs] == [""]
    assert len(read.problems) == 2


def test_a_list_of_very_many_logs_is_refused() -> None:
    """A list cannot make us follow, or complain about, any number of logs."""
    with pytest.raises(MalformedError, match="more than 5000 logs"):
        parse_log_list(json.dumps({"operators": [{"logs": [0] * 5001}]}).encode(), "test")
    with pytest.raises(MalformedError, match="more than 5000 operators"):
        parse_log_list(json.dumps({"operators": [0] * 5001}).encode(), "test")


def test_hostile_text_is_bounded_and_escaped() -> None:
    """A name cannot write to the terminal through a problem, and cannot grow."""
    name = "\x1b]0;owned\x07\u202e" + "x" * 1_000_000
    read = read_list(
        entry("A", description=name, url="http://example.com/"), entry("B", description=name)
    )
    [problem] = read.problems
    assert problem.isprintable()
    assert len(problem) < 500
    assert len(read.logs[0].description) <= 1000


def test_text_that_no_store_could_hold_is_replaced() -> None:
    """A lone surrogate or a NUL in a name would fail only when it is written."""
    read = read_list(entry("A", description="a\ud800b\0c"), operator="\udfff")
    assert read.logs[0].description == "a?b\ufffdc"
    assert read.logs[0].operator == "?"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = (
    "description", "log_id", "key", "url", "mmd", "state", "temporal_interval", "log_type",
    "previous_operators", "monitoring_url", "submission_url",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), JSON), st.sampled_from(Program), st.booleans())
def test_any_value_in_any_field_gives_a_list(
    fields: dict[str, Any], program: Program, is_tiled: bool
) -> None:
    """Whatever one log says, it is read or named, and the log beside it is not lost."""
    raw = (tiled_entry if is_tiled else entry)("A") | fields
    logs = {"tiled": (raw,)} if is_tiled else {}
    data = list_json(entry("B"), *(() if is_tiled else (raw,)), **logs)
    read = parse_log_list(data, "test", program)
    assert read.logs[0].log_id == log_id("B")
    assert len(read.logs) == 2 or read.problems
    logs_to_follow(read, AT)


@given(JSON)
def test_any_json_is_a_list_or_malformed(value: Any) -> None:
    """Only our own error comes out of any JSON document."""
    for document in (value, {"operators": value}, {"operators": [{"logs": value}]}):
        try:
            parse_log_list(json.dumps(document).encode(), "test")
        except PinwardenError:
            continue


@given(st.binary())
def test_any_bytes_are_a_list_or_malformed(data: bytes) -> None:
    """Only our own error comes out of any bytes."""
    try:
        parse_log_list(data, "test")
    except PinwardenError:
        return


def test_times_are_utc_and_odd_ones_are_problems() -> None:
    """Offsets are converted; a time at the edge of the calendar is no crash."""
    zoned = {"usable": {"timestamp": "2025-08-11T12:33:27+01:00"}}
    assert read_log(entry("A", state=zoned)).state_since == datetime(
        2025, 8, 11, 11, 33, 27, tzinfo=UTC
    )
    for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "now", 5, "1" * 500):
        read = read_list(entry("A", state={"usable": {"timestamp": text}}))
        assert read.logs[0].state_since is None
        assert read.problems == ("log 'A': its state's date cannot be read",)


def test_previous_operators_are_kept_in_order() -> None:
    """Who ran the log at the time of an SCT decides whose SCT it is."""
    before = [
        {"name": "Second", "end_time": "2022-01-01T00:00:00Z"},
        {"name": "First", "end_time": "2021-01-01T00:00:00Z"},
    ]
    log = read_log(entry("A", previous_operators=before))
    assert [each.name for each in log.previous_operators] == ["First", "Second"]
