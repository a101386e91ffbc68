"""Fuzzes what crt.sh and Cert Spotter answer: issuances, or one of our errors.

`fuzz/target.py` says how it runs.
"""

import base64
import json
import random
from datetime import UTC, datetime

from target import damaged, run

from pinwarden.errors import MalformedError
from pinwarden.lab.ca import CA
from pinwarden.net.history.certspotter_page import error_of, parse_page
from pinwarden.net.history.crtsh_rows import parse_rows
from pinwarden.net.history.joining import join_issuances, merge_issuances
from pinwarden.render.history import issuance_json, issuance_line

_AT = datetime(2026, 11, 1, tzinfo=UTC)
_ROW = {
    "issuer_name": 'C=US, O="Some CA, Inc.", CN=E1',
    "common_name": "shop.example",
    "name_value": "Shop, Inc.\n*.shop.example\nowner@shop.example\n192.0.2.7",
    "id": 7,
    "entry_timestamp": "2026-10-01T01:02:03.004",
    "not_before": "2026-10-01T00:00:00",
    "not_after": "2026-12-30T00:00:00",
    "serial_number": "00ab",
}
_ISSUANCE = {
    "id": "16246130557",
    "tbs_sha256": "00" * 32,
    "cert_sha256": "11" * 32,
    "dns_names": ["*.shop.example", "shop.example"],
    "pubkey_sha256": "22" * 32,
    "issuer": {"name": "C=US, CN=E1", "pubkey_sha256": "33" * 32, "caa_domains": ["ca.example"]},
    "not_before": "2026-10-01T00:00:00Z",
    "not_after": "2026-12-30T00:00:00-00:00",
    "revoked": False,
}
_DER = base64.b64encode(CA("Some CA").issue(["shop.example"]).certificate).decode()
SEEDS = tuple(
    json.dumps(each).encode()
    for each in (
        [_ROW, _ROW | {"id": 8, "serial_number": "ab"}],
        [_ISSUANCE, _ISSUANCE | {"id": "2", "tbs_sha256": None, "cert_der": _DER}],
        {"code": "rate_limited", "message": "Too many questions."},
    )
)


def check(data: bytes) -> None:
    told = []
    problems = [error_of(data)]
    try:
        rows, unread = parse_rows(data, "https://crt.sh/")
        told += rows
        problems += unread
    except MalformedError as error:
        problems.append(str(error))
    try:
        page = parse_page(data)
        told += page.issuances
        problems += [*page.problems, page.last]
    except MalformedError as error:
        problems.append(str(error))
    problems += [problem for each in told for problem in each.problems]
    assert all(not each or each.isprintable() for each in problems), problems
    groups = join_issuances(told)
    assert sum(map(len, groups)) == len(told)
    for group in groups:
        merged = merge_issuances(group)
        line = issuance_line(merged, group, _AT)
        assert line.isprintable(), line
        json.dumps(issuance_json(merged, group))


def make(number: random.Random) -> bytes:
    return damaged(number.choice(SEEDS), number)


if __name__ == "__main__":
    run(check, make)
