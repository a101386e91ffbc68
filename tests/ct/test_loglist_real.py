"""The real log lists of four years and five publishers."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from pinwarden.ct.known_logs import chrome_list_key, listed_logs, mimic_logs
from pinwarden.ct.loglist import (
    LogKind,
    LogState,
    Program,
    is_older,
    logs_to_follow,
    merge_log_lists,
    parse_log_list,
    verify_log_list,
)
from pinwarden.errors import BadSignatureError
from support.log_lists import (
    AT,
)

CRTSH = "ct-loglists/crtsh-ctloglists"
GOOGLE = f"{CRTSH}/gstatic/v3/all_logs_list.json"
APPLE = f"{CRTSH}/apple/current_log_list.json"
MOZILLA = f"{CRTSH}/mozilla/v3/known_logs_list.json"


def _real_lists(corpus: Path) -> list[Path]:
    folder = corpus / "ct-loglists"
    return sorted([*folder.glob("**/*.json"), *folder.glob("**/*.json.gz")])


def _signed_lists(corpus: Path) -> list[Path]:
    return [path for path in _real_lists(corpus) if _signature_of(path).is_file()]


def _signature_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".json") + ".sig")


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def _program(path: Path) -> Program:
    for word, program in (
        ("gstatic", Program.CHROME),
        ("chrome", Program.CHROME),
        ("apple", Program.APPLE),
        ("mozilla", Program.MOZILLA),
    ):
        if word in str(path.parent):
            return program
    return Program.USER


def test_no_real_list_loses_a_log_silently(corpus: Path) -> None:
    """Every log of every real list is read, or named in a problem."""
    seen = 0
    for path in _real_lists(corpus):
        data = _read(path)
        read = parse_log_list(data, path.name, _program(path))
        told = "\n".join(read.problems)
        for operator in json.loads(data)["operators"]:
            for raw in [*operator["logs"], *operator.get("tiled_logs", [])]:
                seen += 1
                ids = {b64encode(log.log_id).decode() for log in read.logs}
                shown = raw["description"].replace("'", "\\'")
                assert raw["log_id"] in ids or f"log '{shown}'" in told, path
    assert seen > 5000


def test_real_problems_are_few_and_named(corpus: Path) -> None:
    """In all real lists, what is refused is one key, one URL without TLS and the mimics."""
    problems: Counter[str] = Counter()
    for path in _real_lists(corpus):
        problems.update(parse_log_list(_read(path), path.name, _program(path)).problems)
    assert {
        (
            "log 'SHECA CT log 1': 'http://ctlog.sheca.com/' is not https and not on this machine; "
            "it cannot be followed"
        ),
        "log 'SHECA (Old)': 'http://ctlog.sheca.com' is not https and not on this machine",
        "log 'Google \\'Racketeer\\' log': log key is not a public key in DER",
        "log 'Mimic 1': is a mimic log, whose private key is public",
        "log 'Mimic 2': is a mimic log, whose private key is public",
    } == set(problems)


def test_chromes_present_list(corpus: Path) -> None:
    """The list of 2026-08-20 has the logs, kinds and states that were counted by hand."""
    read = parse_log_list(_read(corpus / GOOGLE), "chrome", Program.CHROME)
    assert (read.version, len(read.logs)) == ("89.25", 117)
    assert read.timestamp == datetime(2026, 8, 20, 13, 34, 57, tzinfo=UTC)
    counted = Counter((str(log.kind), str(log.state)) for log in read.logs)
    assert counted["rfc6962", "usable"] == 21
    assert counted["rfc6962", "readonly"] == 2
    assert counted["static-ct", "usable"] == 16
    assert counted["static-ct", "qualified"] == 6
    assert counted["static-ct", "pending"] == 16
    assert sum(count for (_, state), count in counted.items() if state == "retired") == 3
    assert sum(count for (_, state), count in counted.items() if state == "unknown") == 39


def test_a_read_only_log_knows_its_last_tree_head(corpus: Path) -> None:
    """The final size and root are there, so that a log can be followed to its very end."""
    read = parse_log_list(_read(corpus / GOOGLE), "chrome", Program.CHROME)
    [log] = [log for log in read.logs if log.description == "Sectigo 'Mammoth2026h2'"]
    assert log.state is LogState.READONLY
    assert log.final_size == 57634084
    assert log.final_root is not None
    assert b64encode(log.final_root) == b"vJHecZC18lG3qp9lV2jZoi+7nkPHQx2SmM4VWglNsIk="


def test_a_static_log_has_both_prefixes_and_its_origin(corpus: Path) -> None:
    """It is read at the monitoring prefix and signs with the submission prefix's name."""
    read = parse_log_list(_read(corpus / GOOGLE), "chrome", Program.CHROME)
    [log] = [log for log in read.logs if "Sycamore2027h1" in log.description]
    assert log.kind is LogKind.STATIC
    assert log.url == "https://mon.sycamore.ct.letsencrypt.org/2027h1/"
    assert log.submission_url == "https://log.sycamore.ct.letsencrypt.org/2027h1/"
    assert log.origin == "log.sycamore.ct.letsencrypt.org/2027h1"
    assert log.mmd == timedelta(minutes=1)


def test_what_is_followed_of_chromes_and_apples_lists(corpus: Path) -> None:
    """All 49 approved and unexpired logs of the two programs, and the 16 pending ones."""
    lists = [
        parse_log_list(_read(corpus / GOOGLE), "chrome", Program.CHROME),
        parse_log_list(_read(corpus / APPLE), "apple", Program.APPLE),
    ]
    followed = logs_to_follow(merge_log_lists(lists), AT)
    counted = Counter(str(log.state) for log in followed)
    assert counted.pop("pending") == 16
    assert counted.total() == 49
    assert not [log for log in followed if log.log_type == "test"]
    assert len({log.log_id for log in followed}) == len({log.url for log in followed})


def test_mozillas_latest_state_is_in_force(corpus: Path) -> None:
    """Mozilla keeps the states a log went through, leaves URLs out and gives no merge delay."""
    read = parse_log_list(_read(corpus / MOZILLA), "mozilla", Program.MOZILLA)
    log = read.logs[0]
    assert log.description == "Google 'Argon2026h2' log"
    assert log.state is LogState.USABLE
    assert log.state_since == datetime(2025, 9, 22, 11, 29, 18, tzinfo=UTC)
    assert (log.url, log.mmd) == ("", timedelta(days=1))
    assert logs_to_follow(read, AT) == ()


def test_every_signed_list_verifies(corpus: Path) -> None:
    """Chrome's key, which is part of Pinwarden, verifies every list of four years."""
    signed = _signed_lists(corpus)
    assert len(signed) >= 39
    for path in signed:
        verify_log_list(_read(path), _signature_of(path).read_bytes(), chrome_list_key())


def test_one_flipped_byte_breaks_every_signature(corpus: Path) -> None:
    """Neither a byte of a list nor one of its signature can be changed."""
    for number, path in enumerate(_signed_lists(corpus)):
        data, signature = bytearray(_read(path)), _signature_of(path).read_bytes()
        data[(number * 7919) % len(data)] ^= 1
        with pytest.raises(BadSignatureError):
            verify_log_list(bytes(data), signature, chrome_list_key())
        damaged = bytearray(signature)
        damaged[number % len(damaged)] ^= 0x80
        with pytest.raises(BadSignatureError):
            verify_log_list(_read(path), bytes(damaged), chrome_list_key())


def test_mimic_logs_are_refused_in_every_list(corpus: Path) -> None:
    """Whoever may list them as usable: anybody can sign with their keys."""
    data = _read(corpus / CRTSH / "mimics/log_mimics_list.json")
    for program in Program:
        read = parse_log_list(data, "test", program)
        assert read.logs == ()
        assert len(read.problems) == 2
    assert sorted(mimic_logs().values()) == ["Mimic 1", "Mimic 2"]


def test_every_real_list_is_newer_than_the_one_before(corpus: Path) -> None:
    """No list that was really served would have been taken for a roll-back."""
    for folder in ("gstatic_all_logs", "chrome_log_list_monthly"):
        paths = (corpus / "ct-loglists/history" / folder).glob("*.json.gz")
        lists = [parse_log_list(_read(path), path.name, Program.CHROME) for path in paths]
        dates = [each.timestamp for each in lists if each.timestamp is not None]
        lists.sort(key=lambda each: each.timestamp or AT)
        assert len(dates) == len(lists)
        for before, after in pairwise(lists):
            assert is_older(before, after)
            assert not is_older(after, before)


def test_the_shipped_lists_are_the_programs_newest(corpus: Path) -> None:
    """What ships follows the same logs as the newest list of each program."""
    for name, program in ((GOOGLE, Program.CHROME), (APPLE, Program.APPLE)):
        real = parse_log_list(_read(corpus / name), "real", program)
        shipped = listed_logs(program)
        ours = {log.log_id: (log.url, log.state, log.kind, log.origin, log.interval, log.mmd)
                for log in logs_to_follow(shipped, AT)}  # fmt: skip
        theirs = {log.log_id: (log.url, log.state, log.kind, log.origin, log.interval, log.mmd)
                  for log in logs_to_follow(real, AT)}  # fmt: skip
        assert set(ours) == set(theirs)
        if program is Program.CHROME:
            assert ours == theirs
