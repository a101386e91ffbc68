"""The mistakes that people make with pins: each that a set can show is found by the lint.

Those that are a client's own (a check that comes too late, on the wrong chain, or on
another connection) show in no set; the clients' tests are about them.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from pinwarden.pinning.draft import read_draft
from pinwarden.pinning.lint import LintSetting, lint_draft
from pinwarden.pinning.served import ServedChain
from support.pin_world import world

AT = datetime.now(UTC)
PINS = {name: str(pin) for name, pin in world().pins.items()}
GENUINE = (*world().chains["genuine"].certificates, world().authorities.a.root)
FINGERPRINT = hashlib.sha256(GENUINE[0]).hexdigest()
SOON, LATE = (AT.date() + timedelta(days=days) for days in (5, 300))
BARE = base64.b64encode(hashlib.sha256(GENUINE[0]).digest()).decode()


def document(pins: str = "", rest: str = "", *, host: str = "localhost", top: str = "") -> str:
    pins = pins or f'ca_pins = ["{PINS["intermediate"]}"]\nbackup_pins = ["{PINS["spare"]}"]'
    mode = "" if "mode" in rest else 'mode = "enforce"\n'
    return f'{top}\n[[policy]]\nhost = "{host}"\n{mode}{pins}\n{rest}\n'


def backed(pin: str) -> str:
    return f'ca_pins = ["{pin}"]\nbackup_pins = ["{PINS["spare"]}"]'


def spare(pin: str) -> str:
    return f'ca_pins = ["{PINS["intermediate"]}"]\nbackup_pins = ["{pin}"]'


EXPIRES = f"expires = {LATE}\non_expiry = "
MISTAKES: list[tuple[str, str, str]] = [
    # The hash of the whole certificate, in each of its forms.
    ("certificate-hash", "CERTIFICATE-HASH", document(backed(BARE))),
    ("certificate-hash", "CERTIFICATE-HASH", document(backed(FINGERPRINT))),
    (
        "certificate-hash",
        "CERTIFICATE-HASH",
        document(backed(":".join(FINGERPRINT[at : at + 2] for at in range(0, 64, 2)))),
    ),
    # One pin, or a second one that is none.
    ("one-pin", "NO-BACKUP", document(f'ca_pins = ["{PINS["intermediate"]}"]')),
    (
        "one-pin",
        "NO-BACKUP",
        document(f'ca_pins = ["{PINS["intermediate"]}"]', "allow_no_backup = true"),
    ),
    *(
        ("dummy-backup", "PLACEHOLDER", document(spare(f"sha256/{text}")))
        for text in (
            "A" * 43 + "=",
            "B" * 42 + "A=",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        )
    ),
    ("served-backup", "BACKUP-SERVED", document(spare(PINS["root"]))),
    # A pin that silently never matches.
    ("never-matching", "MALFORMED", document(backed("sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjA="))),
    ("never-matching", "MALFORMED", document(backed("sha512//" + "YhKJ" * 21 + "YhI="))),
    ("never-matching", "WRONG-ROLE", document(backed(PINS["leaf"]))),
    ("never-matching", "LOCKED-OUT", document(backed(PINS["stray"]))),
    # Names that match otherwise than their author thinks.
    *(
        ("host", "SET-REFUSED", document(host=host))
        for host in (
            *("*.localhost", ".localhost", "https://localhost/", "localhost:443", "a..b", ""),
            *("fe80::1%eth0", "a b"),
        )
    ),
    ("host", "SET-REFUSED", document(host="192.0.2.1", rest="include_subdomains = true")),
    ("host", "PUBLIC-SUFFIX", document(host="co.uk", rest="include_subdomains = true")),
    # A broad policy and a narrow one.
    (
        "broad-and-narrow",
        "SHADOWED",
        document(host="shop.example", rest="include_subdomains = true")
        + document(host="api.shop.example"),
    ),
    (
        "broad-and-narrow",
        "WEAKER-BELOW",
        document(host="shop.example", rest=f'include_subdomains = true\n{EXPIRES}"closed"')
        + document(host="api.shop.example", rest=f'{EXPIRES}"report-only"'),
    ),
    # Ends that disable.
    ("expiry", "EXPIRY-OPEN", document(rest=f'{EXPIRES}"open"')),
    ("expiry", "SET-REFUSED", document(rest=f"expires = {LATE}")),
    ("expiry", "EXPIRING", document(rest=f'expires = {SOON}\non_expiry = "open"')),
    ("expiry", "EXPIRED", document(rest='expires = 2020-01-01\non_expiry = "open"')),
    ("stale-list", "NO-EXPIRY", document()),
    # Reports that depend on the pins that failed.
    ("reports", "REPORT-PINNED", document(rest='report_uri = "https://localhost/x"')),
    ("reports", "REPORT-PLAIN", document(rest='report_uri = "http://r.example.net/x"')),
    # What does not enforce.
    ("mode", "SET-REFUSED", document(rest='mode = ""')),
    ("mode", "SET-REFUSED", document(rest='mode = "Enforce"')),
    ("mode", "SET-REFUSED", document().replace('mode = "enforce"\n', "")),
    ("mode", "REPORT-ONLY", document(rest='mode = "report-only"')),
    ("misspelt", "SET-REFUSED", document(rest="include_subdomain = true")),
    ("redirect", "UNPINNED-ALLOWED", document()),
    ("broken-hash", "WEAK-HASH", document(backed("sha1/l5ef0jWMI+d2xGpHVUnMCM5oSBg="))),
    ("broken-hash", "WEAK-HASH", document(backed("md5/" + "A" * 22 + "=="))),
    ("not-yours", "FOREIGN-HOST", document(host="api.other.example")),
]


@pytest.mark.parametrize(("mistake", "found", "text"), MISTAKES)
def test_a_mistake_is_found(mistake: str, found: str, text: str) -> None:
    served = (ServedChain(address="192.0.2.1", verified=GENUINE, sent=GENUINE),)
    setting = LintSetting(
        at=AT,
        served={"localhost": served},
        is_public_suffix=lambda host: host == "co.uk",
        is_own=lambda host: host == "localhost" or host.endswith("shop.example"),
    )
    ids = {each.id for each in lint_draft(read_draft(text), setting)}
    assert f"PW-PIN-{found}" in ids, mistake


def test_a_key_that_stands_twice_in_json() -> None:
    """One parser takes the first and another the last, so clients take neither."""
    text = (
        '{"policy": [{"host": "localhost", "mode": "enforce", "mode": "report-only", '
        f'"ca_pins": ["{PINS["intermediate"]}"]}}]}}'
    )
    found = {each.id for each in lint_draft(read_draft(text, json=True), LintSetting(at=AT))}
    assert "PW-PIN-SET-REFUSED" in found


def test_no_pin_is_too_late_in_its_list() -> None:
    """The last of thousands is looked at like the first."""
    good = ", ".join(f'"{PINS["intermediate"]}"' for _ in range(3_000))
    text = document(f'ca_pins = [{good}, "sha1/AAAA"]\nbackup_pins = ["{PINS["spare"]}"]')
    found = {each.id for each in lint_draft(read_draft(text), LintSetting(at=AT))}
    assert "PW-PIN-WEAK-HASH" in found
