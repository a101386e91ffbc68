"""`pinwarden caa watch` and `[caa]` in `pinwarden watch`: one alert for each change of a zone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cli.watching import WATCHED, Home, new_log, verify_tidy
from pinwarden.ct.log import LogKind
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.serve import LabServer

ZONE = "shop.example"
CA1 = '@ 300 IN CAA 0 issue "ca1.example.net"\n'
CA2 = '@ 300 IN CAA 0 issue "ca2.example.org"\n'


@pytest.fixture
def dns() -> Iterator[LabDNS]:
    with LabDNS({ZONE: CA1}, "resolver") as server:
        yield server


@pytest.fixture
def home(home: Home, dns: LabDNS) -> Home:
    """A home whose configuration observes through the server, without waiting for anything."""
    configure(home, dns)
    return home


def configure(home: Home, dns: LabDNS, names: tuple[str, ...] = (), **top: Any) -> None:
    home.configure(**top)
    table = {
        "resolvers": [f"127.0.0.1:{dns.port}"],
        "names": list(names),
        "interval_minutes": 0.002,
        "confirm_seconds": 0.01,
        "patience_minutes": 0.0001,
        "timeout_seconds": 0.5,
    }
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    home.config.write_text(f"{home.config.read_text()}[caa]\n{lines}")


def told(home: Home) -> list[tuple[str, str]]:
    findings = [each["finding"] for each in home.alerts()]
    return [(each["id"], each["subject"]) for each in findings]


def once(home: Home, *arguments: str, code: int = 0) -> dict[str, Any]:
    ran = home.run_here(
        "caa", "watch", "-c", str(home.config), "--once", "--json", *arguments
    ).checked(code)
    return ran.report


def test_one_alert_for_each_change(home: Home, dns: LabDNS) -> None:
    """Looked at by one process after another, as from cron."""
    assert once(home) == {
        "caa": {"names": 1, "changed": 0, "failed": 0, "problems": [], "findings": []},
        "alerts": 0,
    }
    dns.set_zone(ZONE, CA1 + CA2)
    report = once(home, code=1)
    assert (report["caa"]["changed"], report["alerts"]) == (1, 1)
    [finding] = report["caa"]["findings"]
    assert (finding["id"], finding["subject"]) == ("PW-CAA-LOOSENED", f"CAA of {ZONE}")
    assert "'ca2.example.org' may issue now" in finding["message"]
    assert once(home)["caa"]["changed"] == 0
    dns.set_zone(ZONE, CA1)
    once(home, code=1)
    once(home)
    assert [kind for kind, _ in told(home)] == ["PW-CAA-LOOSENED", "PW-CAA-CHANGED"]


def test_a_name_that_cannot_be_looked_up(home: Home, dns: LabDNS) -> None:
    """It is exit code 3, and an alert when it has lasted."""
    once(home)
    dns.faults[ZONE] = "servfail"
    report = once(home, code=3)
    assert report["caa"]["failed"] == 1
    once(home, code=3)
    assert told(home) == [("PW-CAA-LOOKUP-FAILED", f"CAA of {ZONE}")]
    (problem,) = report["caa"]["problems"]
    assert problem["name"] == ZONE
    assert "SERVFAIL" in problem["problem"]
    said = home.run_here("caa", "watch", "-c", str(home.config), "--once").checked(3).err
    assert f"{ZONE}: could not be looked up: {problem['problem']}" in said


def test_names_of_the_command_line(home: Home, dns: LabDNS) -> None:
    """Without a configuration: alerts on standard output, through the resolver named."""
    arguments = (
        *("caa", "watch", "Other.example", ".shop.example", "192.0.2.0/24", "--once"),
        *("--resolver", f"127.0.0.1:{dns.port}", "--store", f"sqlite:///{home.store}"),
    )
    ran = home.run_here(*arguments).checked(0)
    assert ran.out == ""
    assert "CAA of 2 names observed" in ran.err
    assert home.run_here(*arguments, "--quiet").checked(0).err == ""
    listed = home.run_here(
        "caa", "history", "shop.example", "--store", f"sqlite:///{home.store}", "--json"
    ).checked(0)
    [seen] = listed.lines
    assert (seen["count"], seen["records"]) == (2, ['0 issue "ca1.example.net"'])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("192.0.2.1",), "no name to observe"),
        ((), "nothing to watch"),
        (("*.example.com",), "a wildcard is not a name to watch"),
        (("shop.example", "--resolver", "ftp://x"), "server 'ftp://x'"),
        (("shop.example", "--interval", "0"), "--interval"),
        (("shop.example", "--interval", "nan"), "--interval: must be a finite number"),
        (("shop.example", "--interval", "1e300"), "--interval: must be a finite number"),
        (("hidden.onion",), "no name to observe"),
    ],
)
def test_what_cannot_be_observed(home: Home, arguments: tuple[str, ...], says: str) -> None:
    """One clear line, and no store is left behind."""
    ran = home.run_here("caa", "watch", "--once", *arguments).checked(2)
    assert says in ran.err
    assert not home.store.exists()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('resolvers = ["x y"]', "resolver: server 'x y'"),
        ('names = ["x y"]', "caa.names: .*'x y'"),
        ('names = ["192.0.2.1"]', "caa.names: '192.0.2.1': there is no CAA for an address"),
        ("interval_minutes = 0", "caa.interval_minutes: must be a finite number above zero"),
        ("interval_minutes = 1e300", "caa.interval_minutes: must be .* at most 1,000,000,000"),
        ("patience_minutes = nan", "caa.patience_minutes: must be a finite number above zero"),
        ("intervall_minutes = 5", "unknown key 'intervall_minutes' in caa\n.*'interval_minutes'"),
    ],
)
def test_mistakes_in_the_table(home: Home, table: str, says: str) -> None:
    """The table `[caa]` is read as strictly as the others."""
    home.configure()
    home.config.write_text(f"{home.config.read_text()}[caa]\n{table}\n")
    for command in (("watch",), ("caa", "watch")):
        ran = home.run_here(*command, "-c", str(home.config), "--once").checked(2)
        assert re.search(says, ran.err), ran.err


def test_watch_observes_beside_the_logs(home: Home, dns: LabDNS) -> None:
    """`pinwarden watch --once` does one round, and reports it."""
    with LabServer([]) as server:
        home.list_logs(new_log(server, "log", LogKind.RFC6962, entries=20))
        configure(home, dns, names=("cdn.example",))
        first = home.configured_once().checked(0)
        assert first.report["caa"]["names"] == 2
        assert first.report["entries"] == 0
        dns.set_zone(ZONE, "")
        ran = home.configured_once().checked(1)
        assert (ran.report["caa"]["changed"], ran.report["alerts"]) == (1, 1)
        assert told(home) == [("PW-CAA-LOOSENED", f"CAA of {ZONE}")]
        dns.faults["*"] = "refused"
        ran = home.configured_once().checked(3)
        assert ran.report["caa"]["failed"] == 2
        # Without the table nobody is asked, and nothing is said.
        home.configure()
        asked = len(dns.queries)
        assert "caa" not in home.configured_once().checked(0).report
        assert len(dns.queries) == asked


def test_as_a_service(home: Home, dns: LabDNS) -> None:
    """It tells of a change while it runs, and ends on SIGTERM."""
    with home.started("caa", "watch", "-c", str(home.config)) as daemon:
        daemon.await_said("CAA of 1 name observed")
        dns.set_zone(ZONE, CA2)
        daemon.await_(lambda: home.alerts(), "an alert")
        daemon.await_said("CAA of 1 name observed", 5)
        ended = daemon.stop().checked(0)
    assert "observing CAA of 1 name" in ended.err
    assert ended.err.endswith("pinwarden: stopped\n")
    assert told(home) == [("PW-CAA-LOOSENED", f"CAA of {ZONE}")]


def test_beside_the_logs_as_a_service(home: Home, dns: LabDNS) -> None:
    """`pinwarden watch` observes; names that a reload adds are observed from then on."""
    with LabServer([]) as server:
        home.list_logs(new_log(server, "log", LogKind.RFC6962, entries=20))
        with home.watching() as daemon:
            daemon.await_said("CAA of 1 name observed")
            dns.set_zone(ZONE, CA2)
            daemon.await_(lambda: home.alerts(), "an alert")
            configure(home, dns, watch=(WATCHED, "other.example"))
            daemon.await_said("CAA of 2 names observed")
            verify_tidy(daemon.stop().checked(0).err)
    assert told(home) == [("PW-CAA-LOOSENED", f"CAA of {ZONE}")]


def test_hostile_records_reach_no_terminal(home: Home, dns: LabDNS) -> None:
    """Octets that a zone's owner chose are escaped in alerts, progress and history."""
    home.configure(channels=[{"type": "stdout"}])
    home.config.write_text(
        f'{home.config.read_text()}[caa]\nresolvers = ["127.0.0.1:{dns.port}"]\n'
        "confirm_seconds = 0.01\n"
    )
    home.run_here("caa", "watch", "-c", str(home.config), "--once").checked(0)
    dns.set_zone(ZONE, '@ 300 IN CAA 0 issue "\\027[31mred\\000\\226\\128\\174"\n')
    ran = home.run_here("caa", "watch", "-c", str(home.config), "--once").checked(1)
    assert "\\027[31mred" in ran.out
    store = f"sqlite:///{home.store}"
    home.run_here("caa", "history", ZONE, "--store", store).checked(0)
