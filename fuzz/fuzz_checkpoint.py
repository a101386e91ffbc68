"""Fuzzes what a log signs, in both protocols: a head or one of our errors.

`fuzz/target.py` says how it runs.
"""

from target import run

from pinwarden.ct.head import (
    LogKey,
    encode_checkpoint,
    parse_checkpoint,
    parse_sth,
    verify_head,
)
from pinwarden.ct.merkle import EMPTY_ROOT
from pinwarden.ct.note import (
    encode_checkpoint_body,
    encode_note,
    parse_checkpoint_body,
    parse_note,
)
from pinwarden.errors import BadSignatureError, PinwardenError

# The generator of P-256 as a key: what signs for it is not found by mutation.
KEY = LogKey(
    bytes.fromhex(
        "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
)


ORIGIN = "log.example"


def check(data: bytes) -> None:
    check_note(data)
    signed = encode_checkpoint(ORIGIN, 1, EMPTY_ROOT, 0, data, KEY.log_id)
    for parse in (
        lambda: parse_sth(data),
        lambda: parse_checkpoint(data, ORIGIN, KEY.log_id),
        lambda: parse_checkpoint(signed, ORIGIN, KEY.log_id),
    ):
        try:
            head = parse()
        except PinwardenError:
            continue
        try:
            verify_head(head, KEY)
        except BadSignatureError:
            continue
        raise AssertionError("a made-up tree head verified")


def check_note(data: bytes) -> None:
    try:
        note = parse_note(data)
        assert encode_note(note) == data
        body = parse_checkpoint_body(note.text)
        assert encode_checkpoint_body(body) == note.text
    except PinwardenError:
        return


if __name__ == "__main__":
    run(check)
