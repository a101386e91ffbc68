"""Documents: read to what they say or refused in words, and written so that they read back."""

from __future__ import annotations

import json
import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import (
    Mode,
    OnExpiry,
    PinnedKey,
    PinRole,
    PinSetError,
    UnpinnedHosts,
)
from support.pin_samples import pin, policy, sets

FULL = f"""
unpinned_hosts = "refuse"
comment = "the set"
owner = "us"

[[policy]]
host = "API.example.com"
include_subdomains = true
exclude = ["old.api.example.com"]
mode = "enforce"
expires = 2027-06-30
on_expiry = "closed"
report_uri = "https://reports.example.net/pkp"
comment = "the policy"
owner = "ops"
leaf_pins = ["{pin("l").hpkp[12:-1]}"]
ca_pins = [
  "{pin("c").curl}",
  {{ pin = "{pin("r").hex}", kind = "root", comment = "X1", owner = "CA", expires = 2035-06-04 }},
]
backup_pins = ["{pin("b").okhttp}"]
forbidden_pins = ["{pin("f").base64}"]
"""


def test_a_document_says_what_it_says() -> None:
    pins = PinSet.parse(FULL)
    (found,) = pins.policies
    assert (pins.unpinned_hosts, pins.comment, pins.owner) == (
        UnpinnedHosts.REFUSE,
        "the set",
        "us",
    )
    assert found == policy(
        include_subdomains=True,
        exclude=("old.api.example.com",),
        mode=Mode.ENFORCE,
        expires=date(2027, 6, 30),
        on_expiry=OnExpiry.CLOSED,
        report_uri="https://reports.example.net/pkp",
        comment="the policy",
        owner="ops",
        keys=(
            PinnedKey(pin("l"), PinRole.LEAF),
            PinnedKey(pin("c"), PinRole.CA),
            PinnedKey(
                pin("r"), PinRole.CA, "root", comment="X1", owner="CA", expires=date(2035, 6, 4)
            ),
            PinnedKey(pin("b"), PinRole.BACKUP),
            PinnedKey(pin("f"), PinRole.FORBIDDEN),
        ),
    )


def test_both_languages_say_the_same() -> None:
    data = tomllib.loads(FULL)
    text = json.dumps(data, default=date.isoformat)
    assert PinSet.parse(text, json=True) == PinSet.parse(FULL)


@given(sets)
def test_what_is_written_reads_back(pins: PinSet) -> None:
    toml, text = pins.to_toml(), pins.to_json()
    assert PinSet.parse(toml) == pins
    assert PinSet.parse(text, json=True) == pins
    assert PinSet.parse(toml).to_toml() == toml
    # In bytes too, and with nothing that could look like something else.
    assert PinSet.parse(toml.encode().decode()) == pins
    assert all(line.isprintable() for line in toml.split("\n"))
    assert text.isascii()


def test_a_written_file_is_readable() -> None:
    pins = PinSet([policy(comment='say "no"\n\u202eto\x00', owner="Jörg")], comment="c")
    assert pins.to_toml() == (
        'comment = "c"\n'
        'unpinned_hosts = "allow"\n'
        "\n"
        "[[policy]]\n"
        'host = "api.example.com"\n'
        'comment = "say \\"no\\"\\n\\u202Eto\\u0000"\n'
        'owner = "Jörg"\n'
        'mode = "enforce"\n'
        "ca_pins = [\n"
        f'  "{pin("ca")}",\n'
        "]\n"
        "backup_pins = [\n"
        f'  "{pin("spare")}",\n'
        "]\n"
    )


HEAD = '[[policy]]\nhost = "h.example"\nmode = "enforce"\nallow_no_backup = true\n'
CA = f'ca_pins = ["{pin("c")}"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "pins: holds no [[policy]]"),
        ("policy = 5", "pins: holds no [[policy]]"),
        ("policy = [5]", "pins: policy 1: is not a table"),
        ("[policy]\nhost = 'h'", "pins: holds no [[policy]]"),
        ("unpined_hosts = 'refuse'", "there is no key 'unpined_hosts'"),
        (f"unpinned_hosts = 'no'\n{HEAD}{CA}", "unpinned_hosts is not one of 'allow', 'refuse'"),
        (f"unpinned_hosts = []\n{HEAD}{CA}", "unpinned_hosts is not one of 'allow', 'refuse'"),
        (f"comment = 5\n{HEAD}{CA}", "the set: comment is not a string"),
        (f"[[policy]]\n{CA}", "pins: policy 1: names no host"),
        (f"[[policy]]\nhost = 'h.example'\n{CA}", "policy 'h.example': does not say its mode"),
        (f"{HEAD}mode = 'enforce'\n{CA}", "is not TOML: "),
        (f"{HEAD}{CA}ca_pin = []", "policy 1: there is no key 'ca_pin'"),
        (f"{HEAD}{CA}include_subdomains = 'yes'", "include_subdomains is not true or false"),
        (f"{HEAD}{CA}include_subdomains = 1", "include_subdomains is not true or false"),
        (f"{HEAD}ca_pins = 'x'", "ca_pins is not a list"),
        (f"{HEAD}ca_pins = [5]", "ca_pins: is not a table"),
        (f"{HEAD}ca_pins = [{{ comment = 'x' }}]", "ca_pins: has an entry without a pin"),
        (f"{HEAD}ca_pins = ['']", "ca_pins: has an entry without a pin"),
        (f"{HEAD}ca_pins = [{{ pim = 'x' }}]", "ca_pins: there is no key 'pim'"),
        (f"{HEAD}ca_pins = ['sha256/x']", "policy 'h.example': ca_pins: pin 'sha256/x': is not"),
        (f"{HEAD}{CA}exclude = [1]", "exclude is not a list of strings"),
        (f"{HEAD}{CA}expires = 2027-06-30", "does not say what happens then"),
        (f"{HEAD}{CA}expires = '20270630'", "expires is not a date such as 2027-06-30"),
        (f"{HEAD}{CA}expires = '2027-02-30'", "expires is not a date such as 2027-06-30"),
        (f"{HEAD}{CA}expires = 2027-06-30T00:00:00Z", "expires is not a date such as"),
        (f"{HEAD}{CA}expires = 12:00:00", "expires is not a date such as"),
        (f"{HEAD}{CA}{HEAD.replace('h.e', 'H.e')}{CA}", "policy 'h.example': stands twice"),
        ("a = " + "[" * 5000, "is not TOML: "),
        ("\x1b]0;title\x07 = 1", "is not TOML: "),
    ],
)
def test_a_document_that_is_wrong_says_where(text: str, told: str) -> None:
    with pytest.raises(PinSetError) as caught:
        PinSet.parse(text, where="pins")
    assert told in str(caught.value)
    assert str(caught.value).startswith("pins: ")
    assert str(caught.value).isprintable()


WHOLE = PinSet([policy("a.example")], comment="note").to_json()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not JSON: "),
        ("[]", "is not a JSON object"),
        ("[" * 100_000, "is not JSON: "),
        ('{"policy": NaN}', "has the number 'NaN'"),
        ('{"policy": [], "policy": []}', "has the key 'policy' twice"),
        ('{"policy": [{"host": "a", "host": "b"}]}', "has the key 'host' twice"),
        ('{"policy": [{"host": "\\ud800"}]}', "holds half a character"),
        (WHOLE.replace("a.example", "\\ud800"), "holds half a character"),
        (WHOLE.replace('"note"', '"\\ud800"'), "holds half a character"),
        ('{"1": ' + "9" * 5000 + "}", "is not JSON: "),
    ],
)
def test_json_is_read_in_one_way_only(text: str, told: str) -> None:
    with pytest.raises(PinSetError) as caught:
        PinSet.parse(text, json=True, where="a\nb")
    assert told in str(caught.value)
    assert str(caught.value).startswith("a\\nb: ")
    assert str(caught.value).isprintable()


def test_a_misspelt_key_is_put_right() -> None:
    with pytest.raises(PinSetError) as caught:
        PinSet.parse(f"{HEAD}ca_pin = []")
    assert caught.value.hint == "ca_pins is one"


@given(
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inside: (
            st.lists(inside, max_size=3)
            | st.dictionaries(
                st.sampled_from(["policy", "host", "mode", "ca_pins", "pin", "expires", "exclude"]),
                inside,
            )
        ),
    ).map(json.dumps)
)
def test_any_text_is_a_set_or_our_error(text: str) -> None:
    for is_json in (False, True):
        try:
            PinSet.parse(text, json=is_json)
        except PinSetError as error:
            shown = str(error)
        else:
            shown = "a set"
        assert shown.isprintable()
