"""Fuzzes log lists and the zip file they come in: a list, or one of our errors.

`fuzz/target.py` says how it runs.
"""

from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256

from target import run

from pinwarden.ct.known_logs import chrome_list_key, mimic_logs
from pinwarden.ct.log import LogList, Program
from pinwarden.ct.loglist import (
    logs_to_follow,
    merge_log_lists,
    parse_log_list,
    verify_log_list,
)
from pinwarden.errors import BadSignatureError, MalformedError, PinwardenError
from pinwarden.net.loglists.archive import unpack_list

AT = datetime(2026, 10, 1, tzinfo=UTC)


def check(data: bytes) -> None:
    for program in (Program.USER, Program.CHROME):
        try:
            check_list(parse_log_list(data, "fuzz", program), program)
        except MalformedError:
            continue
    with suppress(PinwardenError):
        unpack_list(data, 10_000)
    try:
        verify_log_list(data, data[:512], chrome_list_key())
    except BadSignatureError:
        return
    raise AssertionError("a made-up list verified")


def check_list(read: LogList, program: Program) -> None:
    for log in read.logs:
        assert log.log_id == sha256(log.key).digest()
        assert log.log_id not in mimic_logs()
        (log.description + log.operator + log.log_type).encode()
        assert log.url == "" or log.url.startswith("https://") or program is Program.USER
    assert all(problem.isprintable() for problem in read.problems)
    merged = merge_log_lists([read, read])
    assert len(merged.logs) == len(read.logs)
    assert logs_to_follow(merged, AT) == logs_to_follow(read, AT)


if __name__ == "__main__":
    run(check)
