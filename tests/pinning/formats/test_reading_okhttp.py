"""OkHttp code as people write it: every pin in it comes to its host, or is told of by its line."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import PinwardenError
from pinwarden.pinning.formats.reading.table import import_pins
from support.pin_reading import A, B, C, read
from support.pin_samples import pin

D = pin("d")
ONE, TWO = f'"{A.okhttp}"', f'"{B.okhttp}"'

WAYS = [
    f'val PINS = arrayOf({ONE}, {TWO})\nb.add("a.example", *PINS)',
    (
        f"val PINS: List<String> = listOf(\n  {ONE},\n  {TWO},\n)\n"
        'b.add("a.example", *PINS.toTypedArray())'
    ),
    f'static final String[] PINS = {{ {ONE}, {TWO} }};\nb.add("a.example", PINS);',
    f'String[] pins = new String[] {{{ONE}, {TWO}}};\nb.add("a.example", pins);',
    (
        f"List<String> pins = Arrays.asList({ONE}, {TWO});\n"
        'for (String pin : pins) b.add("a.example", pin);'
    ),
    f'val pins = setOf({ONE}, {TWO})\nfor (pin in pins) {{ b.add("a.example", pin) }}',
    f'b.add(pattern = "a.example", pins = arrayOf({ONE}, {TWO}))',
    f'setOf(CertificatePinner.Pin("a.example", {ONE}), CertificatePinner.Pin("a.example", {TWO}))',
    f'b.add("${{NAME}}.example", {ONE}, {TWO})\nconst val NAME = "a"',
    f'val HOST = NAME + ".example"\nval NAME = "a"\nb.add(HOST, {ONE}).add(HOST, {TWO})',
    (
        f'b\n  .add(\n    "a.example", // the host\n    {ONE},\n'
        f"    /* the backup */ {TWO},\n  )\n  .build()"
    ),
    (
        f'private static final String HOST = "a.example";\n'
        f"b.add(this.HOST, {ONE}); b.add(HOST, {TWO});"
    ),
    f'b.add("A.Example", "sha256/" + "{A.base64}", {TWO})',
]


@pytest.mark.parametrize("code", WAYS)
def test_ways_of_writing_it(code: str) -> None:
    policies, notes = read(f"CertificatePinner.Builder b;\n{code}", "okhttp")
    assert [each.host for each in policies] == ["a.example"]
    assert set(policies[0].pins()) == {A, B}
    assert notes == ""


@pytest.mark.parametrize(
    "code",
    [
        f'b.add("x.example", Other.PINS)\nval unused = "{C.okhttp}"',
        f'b.add(BuildConfig.HOST, "{C.okhttp}")\nval HOST = "x.example"',
        f'HOSTS.forEach {{ b.add(it, "{C.okhttp}") }}',
        (
            f'class P {{ val HOST = "x.example" }}\nclass Q {{ val HOST = "y.example" }}\n'
            f'b.add(HOST, "{C.okhttp}")'
        ),
        f'var HOST = "x.exam"\nHOST += "ple"\nb.add(HOST, "{C.okhttp}")',
        f'b.add("x.example".prefixed(), "{C.okhttp}")',
        f'b.add("${{host()}}.example", "{C.okhttp}")',
        f'pin("x.example", "{C.okhttp}")',
    ],
)
def test_what_cannot_be_told_is_named_by_its_line(code: str) -> None:
    """Nothing comes to a host by a guess, and no pin is passed over in silence."""
    policies, notes = read(f'b.add("a.example", {ONE})\n{code}', "okhttp")
    assert [each.host for each in policies] == ["a.example"]
    assert "line " in notes
    assert C.okhttp in notes


def test_patterns_are_pooled_as_okhttp_does() -> None:
    """A host accepts the pins of every pattern that fits it; here its own policy has to say so."""
    policies, notes = read(
        f'b.add("**.a.example", "{A.okhttp}").add("*.a.example", "{B.okhttp}")'
        f'.add("api.a.example", "{C.okhttp}").add("x.api.a.example", "{D.okhttp}")',
        "okhttp",
    )
    pins = {each.host: set(each.pins()) for each in policies}
    assert pins["api.a.example"] == {A, B, C}
    assert pins["x.api.a.example"] == {A, D}
    assert "'api.a.example' has the pins of '**.a.example' too" in notes


def test_other_lists_are_not_pins() -> None:
    """What is added to anything else is no matter for a note."""
    code = (
        f'b.add("a.example", {ONE})\nnames.add("x.example", "y")\nints.add(0, n)\nadd()\nadd("x")'
    )
    assert read(code, "okhttp")[1] == ""


_PIECES = st.sampled_from(
    [
        *("add(", '"a.example"', ONE, "PINS", "=", "val", "{", "}", "(", ")", ",", ".", "*", "+"),
        *("arrayOf(", "for", ":", "in", "new", "[", "]", "Pin(", '"$x"', '"""', "//", "\n", '"'),
    ]
)


@given(st.lists(_PIECES, max_size=60))
def test_no_code_is_too_odd(pieces: list[str]) -> None:
    """An answer or one of our errors, whatever stands where."""
    with contextlib.suppress(PinwardenError):
        import_pins(" ".join(pieces).encode(), "okhttp")


def test_code_that_is_made_to_grow() -> None:
    """Names that stand for each other, many times over, come to no more than they are."""
    grown = "\n".join(
        f"val {name} = " + " + ".join([before] * 500)
        for before, name in (('"x.example"', "a"), ("a", "b"), ("b", "c"))
    )
    lists = "\n".join(
        f"val {name} = listOf(" + ", ".join([before] * 900) + ")"
        for before, name in ((ONE, "l"), ("l", "m"), ("m", "n"))
    )
    calls = f"b.add(c, {ONE})\n" + "b.add(n, *n)\n" * 2_000
    policies, notes = read(f'b.add("a.example", {ONE})\n{grown}\n{lists}\n{calls}', "okhttp")
    assert [each.host for each in policies][:1] == ["a.example"]
    assert "left out" in notes
