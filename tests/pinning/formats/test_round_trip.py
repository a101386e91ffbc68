"""What is written in a form that we can read comes back; and no text of a set becomes more."""

from __future__ import annotations

import json
import plistlib
import re

import pytest
from hypothesis import given

from pinwarden.errors import PinwardenError
from pinwarden.pinning import OnExpiry, PinPolicy, PinSet
from pinwarden.pinning.formats.export import Export, LossKind, Writing
from pinwarden.pinning.formats.literals import plain
from pinwarden.pinning.formats.reading.table import import_pins, source_of
from pinwarden.pinning.formats.table import FORMATS
from pinwarden.pinning.policy import PinRole
from support.pin_samples import AT, sets, texts

READABLE = {
    "android-xml": "android",
    "apple-plist": "plist",
    "curl": "curl",
    "okhttp-java": "okhttp",
    "okhttp-kotlin": "okhttp",
    "trustkit-android": "android",
    "trustkit-plist": "plist",
}
WRITING = Writing(at=AT)


def written(pins: PinSet, form: str) -> Export | None:
    try:
        return FORMATS[form].write(pins, WRITING)
    except PinwardenError:
        return None


@pytest.mark.parametrize("form", READABLE)
@given(pins=sets)
def test_a_form_comes_back(form: str, pins: PinSet) -> None:
    """Each policy that is not named as left out has its host, pins, reach and last day."""
    made = written(pins, form)
    if made is None:
        return
    found = {}
    for name, text in made.files:
        if not name.endswith(".pem"):
            data = text.encode()
            assert source_of(data) == READABLE[form]
            draft = import_pins(data, READABLE[form]).draft
            found |= {each.host: each for each in draft.policies}
    lost = {
        each.host for each in made.losses if each.kind in (LossKind.REPORT_ONLY, LossKind.ADDRESSES)
    }
    kept = [each for each in pins.policies if each.host not in lost]
    assert found.keys() == {each.host for each in kept}
    if form == "android-xml":
        # Android stops an application for which a domain stands twice.
        domains = re.findall(r"<domain [^>]*>([^<]*)<", made.files[0][1])
        assert len(domains) == len(set(domains))
    outer = {
        name for each in kept for name in each.exclude if PinSet(kept).policy_for(name) is None
    }
    for policy in kept:
        draft_policy = found[policy.host]
        expected = _expected(policy, form)
        if form.startswith("okhttp"):
            # The pins of wider policies count for a host too, as the loss says.
            wider = [
                each
                for each in kept
                if each.include_subdomains and policy.host.endswith(f".{each.host}")
            ]
            expected = expected.union(*(_expected(each, form) for each in wider))
        assert set(draft_policy.pins()) == expected
        assert form == "curl" or draft_policy.include_subdomains == policy.include_subdomains
        if form in ("android-xml", "trustkit-plist"):
            freed = {each for each in policy.exclude if PinSet(kept).policy_for(each) is None}
            assert freed <= set(draft_policy.exclude) <= freed | outer
        if form != "curl" and draft_policy.expires is not None:
            assert draft_policy.on_expiry is policy.on_expiry is OnExpiry.OPEN


def _expected(policy: PinPolicy, form: str) -> frozenset[object]:
    roles = [PinRole.LEAF, PinRole.BACKUP]
    return policy.pins(*(roles if form == "curl" else [*roles, PinRole.CA]))


@pytest.mark.parametrize("form", FORMATS)
@given(pins=sets)
def test_nothing_breaks_out(form: str, pins: PinSet) -> None:
    """Whatever a set says, an export is one of it, or one of our errors; comments stay comments."""
    made = written(pins, form)
    if made is None:
        return
    for name, text in made.files:
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name)
        if form == "python":
            _check_python(text, pins)
            continue
        assert text.isascii()
        assert text.replace("\n", "").replace("\t", "").isprintable()
        if name.endswith(".json"):
            json.loads(text)
        if name.endswith(".plist"):
            plistlib.loads(text.encode())
    assert {each.host for each in made.losses} <= {"", *(each.host for each in pins.policies)}


def _check_python(text: str, pins: PinSet) -> None:
    names: dict[str, object] = {"__name__": "pins"}
    exec(compile(text, "pins.py", "exec"), names)
    assert names["PINS"] == pins


@given(text=texts)
def test_plain_text_means_nothing(text: str) -> None:
    """No language ends a comment, or reads an escape, in what is left of a foreign text."""
    found = plain(text * 9)
    assert re.fullmatch(r"[A-Za-z0-9 .,:;_@()+=/?-]*", found)
    assert "--" not in found
    assert "*/" not in found
    assert len(found) <= 110
