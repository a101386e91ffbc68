"""Fuzzes drafts of pin sets, and the lint of what was read: findings, or one of our errors.

`fuzz/target.py` says how it runs.
"""

import random
from datetime import UTC, datetime

from target import damaged, run

from pinwarden.names import display
from pinwarden.pinning import PinSet, PinSetError
from pinwarden.pinning.draft import read_draft
from pinwarden.pinning.lint import LintSetting, lint_draft
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import PinRole

_PINS = [str(Pin.of_spki(text)) for text in (b"one", b"two", b"three")]
_SEED = f"""unpinned_hosts = "allow"
[[policy]]
host = "api.example"
mode = "enforce"
include_subdomains = true
exclude = ["x.api.example"]
ca_pins = ["{_PINS[0]}", {{ pin = "{_PINS[1]}", kind = "root", expires = 2027-01-01 }}]
backup_pins = ["{_PINS[2]}"]
expires = 2027-06-30
on_expiry = "closed"
report_uri = "https://reports.example/"
[policy.rotation]
stage = "published"
old = ["{_PINS[0]}"]
new = "{_PINS[2]}"
client_lag_days = 30
new_was = "backup"
prepared = 2026-11-24
published = 2026-11-25
[[policy]]
host = "y.api.example"
mode = "report-only"
leaf_pins = ["{_PINS[0]}"]
""".encode()
_SETTING = LintSetting(
    at=datetime(2026, 11, 24, tzinfo=UTC), is_public_suffix=lambda host: "." not in host
)

_REFUSED = {
    *("PW-PIN-SET-REFUSED", "PW-PIN-NO-BACKUP", "PW-PIN-MALFORMED", "PW-PIN-PLACEHOLDER"),
    *("PW-PIN-WEAK-HASH", "PW-PIN-CERTIFICATE-HASH"),
}


def check(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for as_json in (False, True):
        try:
            draft = read_draft(text, json=as_json)
        except PinSetError:
            assert refusal(text, as_json)
            continue
        found = lint_draft(draft, _SETTING)
        for each in found:
            assert display(each.message, 5000) == each.message, each.message
            assert all(display(value, 5000) == value for _, value in each.details)
        wrong = {each.id for each in found} & _REFUSED
        if refused := refusal(text, as_json):
            assert wrong, refused
        else:
            forced = all(p.pins(PinRole.BACKUP) or p.allow_no_backup for p in draft.policies)
            assert wrong <= ({"PW-PIN-NO-BACKUP"} if forced else set()), wrong


def refusal(text: str, as_json: bool) -> str:
    """Why clients refuse a set, or empty."""
    try:
        PinSet.parse(text, json=as_json)
    except PinSetError as error:
        return display(str(error))
    return ""


def make(number: random.Random) -> bytes:
    return damaged(_SEED, number, times=8)


if __name__ == "__main__":
    run(check, make)
