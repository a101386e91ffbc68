"""Certificates of private CAs, to which nobody holds the rules for public ones."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pinwarden.audit.report import Area, AuditReport
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.tls import Credentials, LabTLS
from support.audit_world import FORBIDDEN, HOST, audit_world, ids
from support.broken_servers import closed_port

NOBODY_KNOWS: dict[str, Any] = {"ca_domains": (), "always_ct": False}
PAGE = Path(__file__).parents[2] / "docs/audits.md"


@pytest.fixture(scope="module")
def unlogged() -> Iterator[LabTLS]:
    """A server with a certificate of a private CA."""
    with LabTLS(audit_world().chain("no-scts")) as server:
        yield server


def _audit(port: int, dns: LabDNS | int | None, **more: Any) -> AuditReport:
    return asyncio.run(audit_world().audit(port, dns, **NOBODY_KNOWS | more))


def test_caa_is_not_for_a_private_ca(unlogged: LabTLS) -> None:
    """It need not ask, so that a policy for public CAs keeps no audit from being finished."""
    with audit_world().dns(FORBIDDEN) as dns:
        report = _audit(unlogged.port, dns)
        assert dns.queries == []
    assert ids(report) == []
    assert report.finished
    assert {Area.CAA, Area.DNSSEC} <= {each.area for each in report.not_checked}


def test_a_resolver_that_is_not_needed_is_not_missed(unlogged: LabTLS) -> None:
    """Nobody asks it."""
    report = _audit(unlogged.port, closed_port())
    assert ids(report) == []
    assert report.finished


def test_a_resolver_that_is_named_is_asked_all_the_same(unlogged: LabTLS) -> None:
    """Whoever names one wants to know."""
    report = _audit(unlogged.port, closed_port(), always_caa=True)
    assert ids(report) == ["PW-AUDIT-RESOLVER-DOWN"]


def test_a_resolver_that_is_named_is_asked_where_there_is_no_name() -> None:
    """An address has no CAA; that the resolver is down is found even so."""
    made = audit_world().issue((), ips=["127.0.0.1"], logs=())
    with LabTLS(Credentials.of(made)) as server:
        down = _audit(server.port, closed_port(), host="127.0.0.1", always_caa=True)
        with audit_world().dns() as dns:
            up = _audit(server.port, dns, host="127.0.0.1", always_caa=True)
    assert ids(down) == ["PW-AUDIT-RESOLVER-DOWN"]
    assert ids(up) == []
    assert up.finished


def test_a_ca_that_logs_is_a_public_one_that_the_map_lacks() -> None:
    """It may be newer than the map: what CAA says to it is not known, which is no pass."""
    with audit_world().dns(FORBIDDEN) as dns, LabTLS(audit_world().chain()) as server:
        report = _audit(server.port, dns)
    assert ids(report) == []
    assert [each.area for each in report.not_checked if each.failed] == [Area.CAA]


def test_the_example_of_the_page(unlogged: LabTLS) -> None:
    """The one in Python, as it stands there."""
    section = PAGE.read_text("utf-8").partition("\n## From Python\n")[2].partition("\n## ")[0]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code is not None
    hosts = f'["localhost:{unlogged.port}"], cafile="{audit_world().cafile}"'
    program, count = re.subn(r"audit\(\[.*\]\)\)$", f"audit({hosts}))", code[1].strip())
    assert count == 1
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(program, PAGE, "exec"), {})
    assert said.getvalue().startswith(f"localhost:{unlogged.port} critical PW-TLS-WRONG-NAME the ")
    assert HOST in said.getvalue()
