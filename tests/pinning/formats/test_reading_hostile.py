"""Files that are meant to hurt whoever reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.errors import ConfigError, MalformedError, PinwardenError
from pinwarden.pinning.formats.reading.table import LARGEST, SOURCES, import_pins, source_of
from support.pin_reading import HOST, A


def test_nothing_tells_the_form() -> None:
    """Then the user must."""
    with pytest.raises(ConfigError, match="nothing tells"):
        source_of(b"hello")


def test_a_file_has_a_limit() -> None:
    """Nothing larger is looked at."""
    with pytest.raises(MalformedError, match="larger than"):
        import_pins(b" " * (LARGEST + 1), "hpkp", hosts=HOST)


PIECES = st.sampled_from(
    [
        *(
            "pin-sha256=",
            '"',
            "'",
            ";",
            " ",
            "\n",
            "Public-Key-Pins:",
            A.base64,
            "sha256//",
            "sha256/",
        ),
        *(".add(", ")", ",", "+", '"""', "//", "/*", "*/", "\\", "\\u00", "$x", "val X =", "x."),
        *(
            "pinnedpubkey",
            "--",
            "=",
            "https://a.example/",
            "https://[::1]/",
            "@",
            "**.",
            "a.example",
        ),
        *("<network-security-config>", "<domain-config>", "<domain>", "</domain>", "<pin-set>"),
        *("</network-security-config>", "<pin digest='SHA-256'>", "</pin>", "<plist>", "<dict>"),
        *(
            "<key>NSPinnedDomains</key>",
            "<!DOCTYPE",
            "<![CDATA[",
            "]]>",
            "&#0;",
            "\x00",
            "é",
            "\ud7ff",
        ),
    ]
)


@pytest.mark.parametrize("source", SOURCES)
@given(
    data=st.binary(max_size=200)
    | st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode())
)
def test_any_bytes_are_a_draft_or_one_of_our_errors(source: str, data: bytes) -> None:
    """No input ends in anything else."""
    try:
        imported = import_pins(data, source, hosts=HOST)
    except PinwardenError as caught:
        error = str(caught)
        assert error.isprintable()
        return
    assert imported.draft.policies


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("okhttp", "/*" * 400_000),
        ("okhttp", '"""' + '" ' * 300_000),
        ("okhttp", '"' + '\\"' * 400_000),
        ("okhttp", "add(" * 200_000),
        ("okhttp", "x=a+" * 200_000),
        ("okhttp", ".add(" + "a." * 300_000),
        ("hpkp", "Public-Key-Pins: a" + " " * 16_000 + "x"),
        ("hpkp", "Public-Key-Pins: " + "\n" * 500_000),
        ("curl", "pinnedpubkey " * 70_000),
        ("curl", "https://" * 100_000),
        ("android", "<network-security-config>" + "a<!-- -->" * 100_000),
        ("android", "<a>" * 300_000),
    ],
)
@pytest.mark.timeout(60)
def test_work_is_bounded(source: str, text: str) -> None:
    """A megabyte of the worst that there is takes seconds at the most."""
    with pytest.raises(PinwardenError):
        import_pins(text.encode()[:LARGEST], source, hosts=HOST)
