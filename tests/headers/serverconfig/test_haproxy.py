"""HAProxy: rules of today and of the past, sections and conditions."""

from __future__ import annotations

import pytest

from pinwarden.headers.serverconfig.configured import Action, ConfigReading, ConfiguredHeader
from pinwarden.headers.serverconfig.haproxy import read_haproxy


def _one(line: str) -> ConfiguredHeader:
    (found,) = read_haproxy(f"frontend www from base\n  {line}").headers
    return found


@pytest.mark.parametrize(
    ("line", "action", "value"),
    [
        ("http-response set-header Expect-CT x", Action.SET, "x"),
        ("http-response add-header expect-ct x", Action.ADD, "x"),
        ("http-after-response set-header Expect-CT x", Action.SET, "x"),
        ("http-response del-header Expect-CT", Action.REMOVE, None),
        ("http-response del-header Expect -m beg", Action.REMOVE, None),
        ("http-response del-header -ct -m end", Action.REMOVE, None),
        ("http-response del-header pect -m sub", Action.REMOVE, None),
        ("http-response replace-header Expect-CT a b", Action.SET, None),
        ("http-after-response replace-value Expect-CT a b", Action.SET, None),
        ("http-request return status 200 hdr Expect-CT x", Action.ADD, "x"),
        ("http-request deny deny_status 403 hdr Expect-CT x", Action.ADD, "x"),
        ("http-error status 404 hdr Expect-CT x", Action.ADD, "x"),
        ("rspadd Expect-CT:\\ x", Action.ADD, "x"),
        ("rspdel ^Expect-CT:.*", Action.REMOVE, None),
        ("rspidel ^expect\\-ct", Action.REMOVE, None),
        ("rspirep ^Expect-CT:(.*) Expect-CT:\\ y", Action.SET, None),
    ],
)
def test_what_decides(line: str, action: Action, value: str | None) -> None:
    """Every rule that sets, adds, changes or removes a header of an answer."""
    found = _one(line)
    assert (found.name, found.action, found.value) == ("Expect-CT", action, value)
    assert (found.line, found.context, found.conditional) == (2, "frontend www", False)


@pytest.mark.parametrize(
    "line",
    [
        "http-response set-header Expect-CT x if { ssl_fc }",
        "http-response del-header Expect-CT unless old",
        "http-response replace-header Expect-CT a b if old",
        "http-response del-header Expect -m beg if old",
        "rspadd Expect-CT:x if old",
        "http-request return hdr Expect-CT x if old",
    ],
)
def test_conditions(line: str) -> None:
    """`if` and `unless` stand after what they are about."""
    assert _one(line).conditional


def test_sections() -> None:
    """A section goes on until the next one begins, indented or not."""
    text = "defaults\nhttp-response set-header Expect-CT a\n  backend b\nrspadd Expect-CT:b\n"
    found = read_haproxy(f"{text}global\n").headers
    assert [(each.context, each.value) for each in found] == [("defaults", "a"), ("backend b", "b")]


@pytest.mark.parametrize(
    "line",
    [
        "# http-response set-header Expect-CT x",
        "http-request set-header Expect-CT x",
        "http-request del-header Expect-CT",
        "http-check send hdr Expect-CT x",
        "http-response set-header X-Frame-Options DENY",
        "errorfile 503 /etc/haproxy/expect-ct.http",
        "http-response set-header X-A b # Expect-CT",
    ],
)
def test_what_sends_no_retired_header(line: str) -> None:
    """Comments, requests, health checks, other headers and paths."""
    assert read_haproxy(line) == ConfigReading(())


@pytest.mark.parametrize(
    "line",
    [
        "http-response del-header ^Expect-CT$ -m reg",
        "http-response lua.add Expect-CT",
        "rspideny ^Expect-CT:",
        "rspidel .*Expect-CT.*",
        "capture response header Expect-CT len 10",
        "http-response",
        "http-response set-header",
    ],
)
def test_what_names_a_header_some_other_way(line: str) -> None:
    """A line that names a header and is not understood is kept, if it names one."""
    reading = read_haproxy(line)
    assert reading.headers == ()
    assert len(reading.unread) == ("Expect-CT" in line)


@pytest.mark.parametrize("value", ['"a $A"', '"${A}"', "%[src]", '"50% x"'])
def test_what_only_the_server_knows(value: str) -> None:
    """The environment between double quotes, and formats anywhere."""
    found = _one(f"http-response set-header Expect-CT {value}")
    assert (found.value, found.problem) == (None, "decided at run time")


def test_an_old_rule_has_no_formats() -> None:
    """A per cent sign in `rspadd` is one, and the environment is read there too."""
    assert _one(r"rspadd Expect-CT:\ 50%%").value == "50%%"
    assert _one('rspadd "Expect-CT: $A"').problem == "decided at run time"


@pytest.mark.parametrize("line", ["a b", "a b if c", "", '""'])
def test_what_haproxy_refuses(line: str) -> None:
    """A line with words to spare or without a value is found, and said to be wrong."""
    found = _one(f"http-response set-header Expect-CT {line}")
    assert (found.value, found.problem) == (None, "HAProxy refuses the line")
