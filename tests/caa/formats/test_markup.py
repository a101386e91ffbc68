"""Forms that are read as another language: JSON, YAML, JavaScript, HCL, shell."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caa.formats.sets import BARE, BOUND, ORDINARY, SPECIAL, record, record_set
from pinwarden.caa.formats.form import RecordSet
from pinwarden.caa.formats.hcl import hcl_label, hcl_string
from pinwarden.caa.formats.registry import FORMATS
from pinwarden.caa.presentation import parse_presentation, to_presentation
from pinwarden.caa.record import CAARecord
from pinwarden.errors import ConfigError

TEXT_FORMS = (
    "octodns",
    "dnscontrol",
    "terraform-route53",
    "terraform-cloudflare",
    "terraform-azure",
    "route53",
    "table",
)


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_what_cannot_be_carried_is_refused(form: str) -> None:
    """A form without escapes for octets refuses them, and says which forms can."""
    made = record_set((record("contactemail", "jürgen@example.com".encode()),))
    with pytest.raises(ConfigError, match="cannot carry") as caught:
        FORMATS[form].render([made])
    assert caught.value.hint is not None
    assert "generic" in caught.value.hint


@pytest.mark.parametrize("form", ["octodns", "route53", "terraform-route53"])
def test_quotation_marks_are_refused_where_nothing_escapes_them(form: str) -> None:
    """These write a value between quotation marks as it is."""
    with pytest.raises(ConfigError, match="cannot carry"):
        FORMATS[form].render([record_set((record("contactemail", b'"a b"@example.com'),))])


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_form_writes_every_record(form: str) -> None:
    """No form drops a record, and each ends with a newline."""
    records = BARE if form == "terraform-azure" else ORDINARY
    sets = [record_set(records), record_set(SPECIAL[1:], "www.example.com")]
    text = FORMATS[form].render(sets)
    assert text.endswith("\n")
    assert text.isascii()
    if form not in {"dnsmasq", "generic", "tinydns"}:
        assert text.count("letsencrypt.org") >= 1
        assert text.count("security@example.com") == 1


def test_route53_is_a_change_batch() -> None:
    """One UPSERT a name, all its values in one set."""
    batch = json.loads(FORMATS["route53"].render([record_set(ORDINARY)]))
    (change,) = batch["Changes"]
    assert change["Action"] == "UPSERT"
    changed = change["ResourceRecordSet"]
    assert (changed["Name"], changed["Type"], changed["TTL"]) == ("example.com.", "CAA", 3600)
    values = [parse_presentation(each["Value"]) for each in changed["ResourceRecords"]]
    assert tuple(values) == ORDINARY


@pytest.mark.parametrize(("records", "names"), [(ORDINARY[1:3], 251), (ORDINARY[1:2], 501)])
def test_route53_has_its_limits(records: tuple[CAARecord, ...], names: int) -> None:
    """A batch that Amazon would refuse is not written: values count, not names, and twice."""
    sets = [record_set(records, f"n{number}.example.com") for number in range(names)]
    FORMATS["route53"].render(sets[: 500 // len(records)])
    with pytest.raises(ConfigError, match="change batch"):
        FORMATS["route53"].render(sets)


@pytest.mark.parametrize("form", ["route53", "terraform-route53"])
def test_route53_takes_values_of_4000_characters(form: str) -> None:
    """A longer one would be refused by Amazon."""
    head = len('0 issue ""')
    FORMATS[form].render([record_set((record("issue", b"a" * (4000 - head)),))])
    with pytest.raises(ConfigError, match="4000 characters"):
        FORMATS[form].render([record_set((record("issue", b"a" * (4001 - head)),))])


def test_powerdns_replaces_the_set() -> None:
    """The body of a PATCH has one rrset a name."""
    body = json.loads(FORMATS["powerdns"].render([record_set(SPECIAL)]))
    (rrset,) = body["rrsets"]
    assert (rrset["name"], rrset["changetype"]) == ("example.com.", "REPLACE")
    assert tuple(parse_presentation(each["content"]) for each in rrset["records"]) == SPECIAL


@pytest.mark.parametrize("made", [ORDINARY, SPECIAL])
def test_gcloud_separates_values_by_what_is_in_none(made: tuple[CAARecord, ...]) -> None:
    """Values hold commas, so the list has another separator, said before it."""
    text = FORMATS["gcloud"].render([record_set(made)])
    words = shlex.split(text)
    data = next(word for word in words if word.startswith("--rrdatas=")).removeprefix("--rrdatas=")
    assert data[0] == data[2] == "^"
    assert tuple(parse_presentation(each) for each in data[3:].split(data[1])) == made


def test_octodns_keys_are_labels_of_the_zone() -> None:
    """The zone itself is the empty key, and another zone is another file."""
    text = FORMATS["octodns"].render(
        [
            record_set(ORDINARY),
            record_set(ORDINARY, "www.example.com"),
            record_set(ORDINARY, "example.net", "example.net"),
        ]
    )
    lines = text.splitlines()
    assert lines.index("# example.com.yaml") < lines.index('"":') < lines.index('"www":')
    assert "# example.net.yaml" in lines
    assert f'      value: "{BOUND.decode()}"' in lines


def test_octodns_has_numbers_before_letters() -> None:
    """The order that octoDNS demands of its files: numbers by their value, and first."""
    ordered = ["", "1e3", "7", "10", "_a", "a", "a2", "a10", "a10.b"]
    text = FORMATS["octodns"].render(
        [record_set(ORDINARY, f"{label}.example.com".lstrip(".")) for label in sorted(ordered)]
    )
    keys = [line.split('"')[1] for line in text.splitlines() if line.startswith('"')]
    assert keys == ordered


def test_dnscontrol_knows_seven_tags() -> None:
    """A tag or flags that DNSControl refuses is refused here."""
    for odd in (record("auth", b"x"), record("issue", b"ca.example", 1)):
        with pytest.raises(ConfigError, match="dnscontrol"):
            FORMATS["dnscontrol"].render([record_set((odd,))])


def test_hcl_does_not_begin_a_template() -> None:
    """`${` and `%{` are doubled, backslash and quotation mark escaped."""
    assert hcl_string('a"b\\c${d}%{e}$f') == '"a\\"b\\\\c$${d}%%{e}$f"'
    assert hcl_string("\x07") == '"\\u0007"'


names = st.lists(
    st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,4}[a-z0-9_])?", fullmatch=True), min_size=1, max_size=3
).map(".".join)


@given(names, names)
def test_hcl_labels_are_as_different_as_names(one: str, other: str) -> None:
    """Two names never make one resource."""
    assert (hcl_label(one) == hcl_label(other)) is (one == other)


@pytest.mark.parametrize("tag", ["issuemail", "issuevmc", "contactphone"])
def test_terraform_azure_knows_four_tags(tag: str) -> None:
    """Its schema refuses the others, so a file with them would be of no use."""
    with pytest.raises(ConfigError, match="takes only the tags issue, issuewild"):
        FORMATS["terraform-azure"].render([record_set((record(tag, b";"),))])


@pytest.mark.parametrize("ttl", [1, 59, 86_401])
def test_terraform_cloudflare_has_its_ttls(ttl: int) -> None:
    """Cloudflare takes 1 for "automatic", and refuses what is out of its range."""
    made = RecordSet(name="example.com", zone="example.com", ttl=ttl, records=ORDINARY)
    with pytest.raises(ConfigError, match=f"TTL {ttl} is not among 60 to 86400"):
        FORMATS["terraform-cloudflare"].render([made])


def test_terraform_azure_splits_name_and_zone() -> None:
    """Azure wants the label and the zone apart."""
    text = FORMATS["terraform-azure"].render(
        [record_set(BARE), record_set(BARE, "www.example.com")]
    )
    assert 'name                = "@"' in text
    assert 'name                = "www"' in text
    assert text.count('zone_name           = "example.com"') == 2


def test_terraform_lists_values_in_presentation_form() -> None:
    """Route 53 and Google take the text of a zone file in a string."""
    for form in ("terraform-route53", "terraform-google"):
        text = FORMATS[form].render([record_set(ORDINARY)])
        assert f"    {hcl_string(to_presentation(ORDINARY[0]))},\n" in text


def test_the_table_has_no_quotation_marks() -> None:
    """Web forms want the bare value."""
    head, *rows = FORMATS["table"].render([record_set(ORDINARY)]).splitlines()
    assert head.split() == ["name", "type", "TTL", "flags", "tag", "value"]
    assert [row.split()[-1] for row in rows] == [each.value.decode() for each in ORDINARY]
