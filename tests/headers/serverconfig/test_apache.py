"""Apache: the `Header` directive, its clauses, and what the configuration puts into values."""

from __future__ import annotations

import pytest

from pinwarden.headers.serverconfig.apache import read_apache
from pinwarden.headers.serverconfig.configured import Action, ConfigReading, ConfiguredHeader


def _one(text: str) -> ConfiguredHeader:
    (found,) = read_apache(text).headers
    return found


@pytest.mark.parametrize(
    ("verb", "action", "conditional"),
    [
        ("set", Action.SET, False),
        ("always set", Action.SET, False),
        ("onsuccess SET", Action.SET, False),
        ("setifempty", Action.SET, True),
        ("add", Action.ADD, False),
        ("append", Action.ADD, False),
        ("merge", Action.ADD, False),
    ],
)
def test_what_sends(verb: str, action: Action, conditional: bool) -> None:
    """Each verb of `Header` that sends something, with or without a table named."""
    found = _one(f"Header {verb} Expect-CT x")
    assert (found.action, found.conditional, found.value) == (action, conditional, "x")


@pytest.mark.parametrize("clause", ["env=PINNED", "env=!PINNED", "\"expr=%{HTTPS} == 'on'\""])
def test_a_clause_is_a_condition(clause: str) -> None:
    """A header with a clause is not on every answer."""
    assert _one(f"Header set Expect-CT x {clause}").conditional
    assert _one(f"Header unset Expect-CT {clause}").conditional


@pytest.mark.parametrize("verb", ["edit", "edit*", "echo"])
def test_what_changes_what_is_there(verb: str) -> None:
    """What an edit or an echo sends depends on something else, and has no value here."""
    found = _one(f"Header {verb} Expect-CT a b")
    assert (found.value, found.conditional) == (None, True)
    assert found.problem


def test_sections_are_the_context() -> None:
    """The name of a virtual host counts before and after its use; `<If>` is a condition."""
    found = _one(
        "<VirtualHost *:443>\n<IfModule mod_headers.c>\n<If \"%{HTTPS} == 'on'\">\n"
        "Header set Expect-CT x\n</If>\n</IfModule>\nServerName a.example\n</VirtualHost>"
    )
    assert found.context == (
        "VirtualHost *:443 a.example, IfModule mod_headers.c, If \"%{HTTPS} == 'on'\""
    )
    assert (found.line, found.conditional) == (4, True)


def test_sections_that_are_closed_wrongly() -> None:
    """A section that nobody opened closes nothing; a section closes those in it."""
    text = "<VirtualHost *>\n</Directory>\n<Directory />\n</virtualhost>\nHeader set Expect-CT x"
    assert _one(text).context == ""
    assert _one(text.replace("</virtualhost>\n", "")).context == "VirtualHost *, Directory /"


@pytest.mark.parametrize(
    ("before", "written", "value"),
    [
        ("Define A x", "${A}${A}", "xx"),
        ("Define A", "a${A}b", "ab"),
        ("", "${A}", None),
        ("Define A x\nDefine A y", "${A}", None),
        ("<IfDefine B>\nDefine A x\n</IfDefine>", "${A}", None),
        ("Define A " + "x" * 50_000, "${A}${A}", None),
        ("Define A 100%%", "${A}", "100%"),
        ("", "${A", "${A"),
    ],
)
def test_what_is_defined(before: str, written: str, value: str | None) -> None:
    """A Define counts if it is the only one and without conditions; none makes values endless."""
    found = _one(f'{before}\nHeader set Expect-CT "{written}"')
    assert found.value == value
    assert bool(found.problem) == (value is None)


def test_a_macro_has_no_value_of_its_own() -> None:
    """What a macro's parameter is, its uses decide."""
    text = (
        '<Macro Pinned $pin>\nHeader set Public-Key-Pins "a $pin"\nHeader set Expect-CT b\n</Macro>'
    )
    first, second = read_apache(text).headers
    assert (first.value, second.value) == (None, "b")
    assert "macro" in first.problem


@pytest.mark.parametrize("escape", [r"\r", r"\n", r"a\nb"])
def test_a_control_character_is_an_error_of_the_server(escape: str) -> None:
    """Apache answers 500 rather than send one."""
    found = _one(f'Header set Expect-CT "{escape}"')
    assert found.value is None
    assert "answers with an error" in found.problem


@pytest.mark.parametrize(
    "line",
    [
        "# Header set Expect-CT x",
        "# a comment \\\nHeader set Expect-CT x",
        "RequestHeader set Expect-CT x",
        "Header note Expect-CT pins",
        "Header set X-Frame-Options DENY",
        "Alias /expect-ct /srv",
    ],
)
def test_what_sends_no_retired_header(line: str) -> None:
    """Comments and those that go on, requests, notes and other headers."""
    assert read_apache(line) == ConfigReading(())


@pytest.mark.parametrize(
    "line",
    [
        "Header put Expect-CT x",
        "Header set",
        "Header Expect-CT x",
        "LuaOutputFilter Expect-CT filter.lua",
        "CustomLog logs/a %{Expect-CT}o",
    ],
)
def test_what_names_a_header_some_other_way(line: str) -> None:
    """A line that names a header and is not understood is kept, if it names one."""
    reading = read_apache(line)
    assert reading.headers == ()
    assert len(reading.unread) == ("Expect-CT" in line)


def test_a_file_that_ends_in_the_midst_of_a_line() -> None:
    """A continued last line is a line."""
    assert _one("Header set Expect-CT \\").value is None
    assert _one('Header set Expect-CT "x\\').value == "x"
