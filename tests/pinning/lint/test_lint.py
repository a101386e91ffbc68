"""Every finding about a set alone, each with a set that has it and one that has not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pinwarden import findings
from pinwarden.findings import REGISTER, Severity
from pinwarden.names import display
from pinwarden.pinning.draft import Draft, DraftKey, DraftPolicy, read_draft
from pinwarden.pinning.lint import LintSetting, lint_draft, lint_set
from pinwarden.pinning.pin import Pin
from pinwarden.pinning.policy import Mode, OnExpiry, PinRole, UnpinnedHosts
from support.pin_world import pin_set

AT = datetime(2026, 11, 24, tzinfo=UTC)
PINS = [Pin.of_spki(str(number).encode()) for number in range(20)]


def key(number: int, role: PinRole = PinRole.CA, **more: Any) -> DraftKey:
    return DraftKey(role=role, text=str(PINS[number]), pin=PINS[number], **more)


QUIET_KEYS = (key(0, kind="root"), key(1, PinRole.BACKUP))


def policy(*keys: DraftKey, **more: Any) -> DraftPolicy:
    """A policy about which there is nothing to say, but for what is changed."""
    quiet: dict[str, Any] = {
        "host": "api.example",
        "mode": Mode.ENFORCE,
        "expires": date(2027, 6, 30),
        "on_expiry": OnExpiry.CLOSED,
    }
    return DraftPolicy(**{**quiet, "keys": keys or QUIET_KEYS, **more})


def ids(*policies: DraftPolicy, **setting: Any) -> list[str]:
    unpinned = setting.pop("unpinned_hosts", UnpinnedHosts.REFUSE)
    draft = Draft(policies=policies, unpinned_hosts=unpinned)
    return [each.id for each in lint_draft(draft, LintSetting(at=AT, **setting))]


def test_nothing_to_say() -> None:
    assert ids(policy()) == []


LATER = date(2028, 12, 31)
CASES: list[tuple[str, DraftPolicy]] = [
    ("PW-PIN-NO-BACKUP", policy(key(0))),
    ("PW-PIN-NO-BACKUP", policy(key(0), allow_no_backup=True)),
    ("PW-PIN-DUPLICATE", policy(*QUIET_KEYS, key(0))),
    ("PW-PIN-EXPIRED", policy(expires=AT.date() - timedelta(days=1))),
    ("PW-PIN-EXPIRING", policy(expires=AT.date())),
    ("PW-PIN-EXPIRING", policy(expires=AT.date() + timedelta(days=30))),
    ("PW-PIN-NO-EXPIRY", policy(expires=None, on_expiry=None)),
    ("PW-PIN-EXPIRY-FAR", policy(expires=LATER)),
    ("PW-PIN-EXPIRY-OPEN", policy(on_expiry=OnExpiry.OPEN)),
    ("PW-PIN-KEY-EXPIRES", policy(key(0, expires=date(2027, 6, 29)), key(1, PinRole.BACKUP))),
    ("PW-PIN-KEY-EXPIRES", policy(key(0, expires=date(2026, 12, 1)), key(1, PinRole.BACKUP))),
    ("PW-PIN-KEY-EXPIRES", policy(key(0, expires=date(2020, 1, 1)), key(1, PinRole.BACKUP))),
    ("PW-PIN-LEAF-ONLY", policy(key(0, PinRole.LEAF), key(1, PinRole.BACKUP))),
    (
        "PW-PIN-INTERMEDIATE-ONLY",
        policy(key(0, kind="intermediate"), key(1, PinRole.BACKUP, kind="intermediate")),
    ),
    ("PW-PIN-MANY", policy(*(key(each) for each in range(10)), key(11, PinRole.BACKUP))),
    ("PW-PIN-REPORT-INVALID", policy(report_uri="mailto:a@b.example")),
    ("PW-PIN-REPORT-INVALID", policy(report_uri="https://")),
    ("PW-PIN-REPORT-INVALID", policy(report_uri="https://x.example:99999/")),
    ("PW-PIN-REPORT-INVALID", policy(report_uri="https://[::1")),
    ("PW-PIN-REPORT-PLAIN", policy(report_uri="http://reports.example/")),
    ("PW-PIN-REPORT-PINNED", policy(report_uri="https://API.example./x")),
    ("PW-PIN-REPORT-REFUSED", policy(report_uri="https://reports.example:8443/x")),
    ("PW-PIN-SET-REFUSED", policy(problems=("says two things",))),
]


@pytest.mark.parametrize(("expected", "faulty"), CASES)
def test_one_fault_one_finding(expected: str, faulty: DraftPolicy) -> None:
    assert ids(faulty) == [expected]


@pytest.mark.parametrize(
    "quiet",
    [
        policy(key(0, PinRole.LEAF), key(1, PinRole.BACKUP, kind="root")),
        policy(
            key(0, PinRole.LEAF, expires=date(2027, 1, 20)),
            key(1, kind="root"),
            key(2, PinRole.BACKUP),
        ),
        policy(
            key(0, PinRole.FORBIDDEN, expires=date(2020, 1, 1)),
            *QUIET_KEYS[:0],
            key(1),
            key(2, PinRole.BACKUP),
        ),
        policy(expires=AT.date() + timedelta(days=31)),
        policy(key(0, kind="intermediate"), key(1, PinRole.BACKUP)),
        policy(key(0), key(0, PinRole.FORBIDDEN), key(1, PinRole.BACKUP)),
    ],
)
def test_what_is_no_fault(quiet: DraftPolicy) -> None:
    assert ids(quiet) == []


def test_report_only() -> None:
    """It cannot lock out, so it needs no backup; that it protects nobody is told."""
    found = ids(policy(key(0), mode=Mode.REPORT_ONLY, report_uri="http://reports.example/"))
    assert found == ["PW-PIN-REPORT-PLAIN", "PW-PIN-REPORT-ONLY"]
    found = ids(policy(key(0), mode=Mode.REPORT_ONLY))
    assert found == ["PW-PIN-REPORT-NOWHERE", "PW-PIN-REPORT-ONLY"]


def test_policies_beside_each_other() -> None:
    above = policy(host="example", include_subdomains=True)
    assert ids(above, policy()) == ["PW-PIN-SHADOWED"]
    assert ids(above, policy(mode=Mode.REPORT_ONLY, report_uri="https://reports.test/")) == [
        "PW-PIN-WEAKER-BELOW",
        "PW-PIN-REPORT-REFUSED",
        "PW-PIN-REPORT-ONLY",
    ]
    assert "PW-PIN-WEAKER-BELOW" in ids(above, policy(on_expiry=OnExpiry.OPEN))
    assert "PW-PIN-WEAKER-BELOW" in ids(above, policy(on_expiry=OnExpiry.REPORT_ONLY))
    assert ids(policy(host="example"), policy()) == []
    excluding = policy(host="example", include_subdomains=True, exclude=("api.example",))
    assert ids(excluding, policy()) == []
    assert ids(policy(), policy()) == ["PW-PIN-SET-REFUSED"]


def test_reports_under_another_policy() -> None:
    other = policy(host="reports.example", include_subdomains=True)
    one = policy(report_uri="https://in.reports.example/")
    assert ids(one, other) == ["PW-PIN-REPORT-PINNED"]
    excluded = policy(
        host="reports.example", include_subdomains=True, exclude=("in.reports.example",)
    )
    assert ids(one, excluded) == ["PW-PIN-REPORT-REFUSED"]
    assert ids(one, unpinned_hosts=UnpinnedHosts.ALLOW) == ["PW-PIN-UNPINNED-ALLOWED"]
    watched = policy(host="in.reports.example", mode=Mode.REPORT_ONLY)
    assert "PW-PIN-REPORT-REFUSED" not in ids(one, watched)


def test_what_the_lint_is_told_besides() -> None:
    assert ids(policy(), unpinned_hosts=UnpinnedHosts.ALLOW) == ["PW-PIN-UNPINNED-ALLOWED"]
    assert ids(policy(), is_own=lambda host: host == "other") == ["PW-PIN-FOREIGN-HOST"]
    assert ids(policy(), is_own=lambda host: host == "api.example") == []
    suffix = policy(host="co.uk", include_subdomains=True)
    assert ids(suffix, is_public_suffix=lambda host: host == "co.uk") == ["PW-PIN-PUBLIC-SUFFIX"]
    assert ids(policy(host="192.0.2.1"), is_public_suffix=lambda _: True) == []
    assert ids(policy(), soon=timedelta(days=400)) == ["PW-PIN-EXPIRING"]


ROTATION: dict[str, Any] = {
    "stage": "published",
    "old": [str(PINS[0])],
    "new": str(PINS[1]),
    "client_lag_days": 10,
    "new_was": "backup",
    "prepared": date(2026, 11, 1),
    "published": date(2026, 11, 2),
}


def test_rotations_left_standing() -> None:
    assert ids(policy(rotation=ROTATION)) == []
    old = {**ROTATION, "prepared": date(2026, 9, 1), "published": date(2026, 9, 2)}
    assert ids(policy(rotation=old)) == ["PW-PIN-ROTATION-LATE"]
    assert ids(policy(rotation={**ROTATION, "stage": "x"})) == ["PW-PIN-ROTATION-BROKEN"]
    assert ids(policy(rotation={**ROTATION, "new": str(PINS[9])})) == ["PW-PIN-ROTATION-BROKEN"]
    assert ids(policy(rotation={})) == ["PW-PIN-ROTATION-BROKEN"]


def test_bad_pins_by_their_sort() -> None:
    text = """
[[policy]]
host = "api.example"
mode = "enforce"
ca_pins = ["sha1/l5ef0jWMI+d2xGpHVUnMCM5oSBg=", "YhKJKSzoTt2b5FP18fvpHo7fJYqQCjA="]
leaf_pins = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
backup_pins = ["FINGERPRINT"]
""".replace("FINGERPRINT", ":".join(["AB"] * 32))
    found = {each.id: each for each in lint_draft(read_draft(text), LintSetting(at=AT))}
    wanted = {"MALFORMED", "WEAK-HASH", "CERTIFICATE-HASH", "PLACEHOLDER", "NO-BACKUP"}
    assert {f"PW-PIN-{each}" for each in wanted} <= found.keys()
    assert dict(found["PW-PIN-MALFORMED"].details)["where"] == "ca pin 2"
    assert "PW-PIN-SET-REFUSED" not in found


def test_gravest_first_and_harmless_to_show() -> None:
    text = """
unknown = 1
[[policy]]
host = "evil\\u001b[2J.example"
mode = "enforce"
ca_pins = [{pin = "\\u202e", comment = "\\u0007"}]
report_uri = "https://\\u0000/"
"""
    found = lint_draft(read_draft(text), LintSetting(at=AT))
    order = list(reversed(Severity))
    ranks = [order.index(each.severity) for each in found]
    assert ranks == sorted(ranks)
    for each in found:
        assert display(each.message) == each.message
        assert all(display(value) == value for _, value in each.details)


def test_a_set_in_order_goes_the_same_way() -> None:
    """What `pin make` writes needs no more than a person's choices."""
    found = lint_set(pin_set("good"), LintSetting(at=AT))
    assert {each.severity for each in found} <= {Severity.LOW, Severity.INFO}


def test_every_kind_is_found_by_some_test() -> None:
    """The register has no finding about pins that nothing here or beside here produces."""
    live = {"LOCKED-OUT", "FORBIDDEN-SERVED", "ADDRESSES-DISAGREE", "BACKUP-SERVED"}
    live |= {"WRONG-OCTETS", "WRONG-ROLE", "NOT-SERVED", "ONE-CA", "ROOT-UNREACHABLE"}
    live |= {"TRUST-STORE"}
    here = {expected for expected, _ in CASES} | {f"PW-PIN-{each}" for each in live}
    here |= {"PW-PIN-REPORT-ONLY", "PW-PIN-REPORT-NOWHERE", "PW-PIN-SHADOWED"}
    here |= {"PW-PIN-WEAKER-BELOW", "PW-PIN-UNPINNED-ALLOWED", "PW-PIN-FOREIGN-HOST"}
    here |= {"PW-PIN-PUBLIC-SUFFIX", "PW-PIN-ROTATION-LATE", "PW-PIN-ROTATION-BROKEN"}
    here |= {"PW-PIN-MALFORMED", "PW-PIN-WEAK-HASH", "PW-PIN-CERTIFICATE-HASH"}
    here |= {"PW-PIN-PLACEHOLDER"}
    pins = {each for each in REGISTER if each.startswith("PW-PIN-")}
    assert pins - here == {findings.PIN_NOT_COVERED.id}
