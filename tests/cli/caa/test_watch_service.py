"""`caa watch` as a process: reloaded, killed, started twice."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from cli.watching import WATCHED, Home, new_log
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


def configure(home: Home, *servers: LabDNS, table: bool = True, **values: Any) -> None:
    """A configuration that looks many times a second, unless `values` say otherwise."""
    home.configure(watch=(WATCHED,))
    if not table:
        return
    defaults = {
        "resolvers": [f"127.0.0.1:{dns.port}" for dns in servers],
        "interval_minutes": 0.002,
        "confirm_seconds": 0.01,
        "timeout_seconds": 0.5,
    }
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in (defaults | values).items())
    whole = home.config.with_suffix(".new")
    whole.write_text(f"{home.config.read_text()}[caa]\n{lines}")
    whole.replace(home.config)


def kinds(home: Home) -> list[str]:
    return [each["finding"]["id"] for each in home.alerts()]


def test_reload(home: Home, dns: LabDNS) -> None:
    """SIGHUP and a changed file: other resolvers, another interval, other names."""
    configure(home, dns, interval_minutes=1000)
    with (
        LabDNS({ZONE: CA1}, "resolver") as other,
        home.started("caa", "watch", "-c", str(home.config)) as daemon,
    ):
        daemon.await_said("CAA of 1 name observed")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.await_said("reloaded")
        configure(home, other, names=["cdn.example"])
        daemon.await_said("CAA of 2 names observed")
        assert other.queries
        home.config.write_text("[caa]\nresolvers = 5\n")
        daemon.await_said("not reloaded, going on as before")
        other.set_zone(ZONE, CA2)
        daemon.await_(lambda: home.alerts(), "an alert")
        ended = daemon.stop().checked(0)
    assert ended.err.endswith("pinwarden: stopped\n")
    assert kinds(home) == ["PW-CAA-LOOSENED"]


def test_the_table_comes_and_goes(home: Home, dns: LabDNS) -> None:
    """`watch` asks nobody without it, begins when it is there, and ends when it is gone."""
    with LabServer([]) as server:
        home.list_logs(new_log(server, "log", LogKind.RFC6962, entries=20))
        configure(home, dns, table=False)
        with home.watching() as daemon:
            daemon.await_said("watching 1 item")
            daemon.process.send_signal(signal.SIGHUP)
            daemon.await_said("reloaded")
            assert not dns.queries
            configure(home, dns)
            daemon.await_said("CAA of 1 name observed")
            configure(home, dns, table=False)
            daemon.await_said("reloaded", 3)
            dns.set_zone(ZONE, CA2)
            daemon.stop().checked(0)
        assert home.alerts() == []


def test_killed_again_and_again(home: Home, dns: LabDNS) -> None:
    """A process that dies in the middle of a round loses no change and tells none twice."""
    configure(home, dns, names=[f"host{number}.shop.example" for number in range(250)])
    home.run_here("caa", "watch", "-c", str(home.config), "--once").checked(0)
    zones = [CA2, CA1, CA2]
    for number, zone in enumerate(zones):
        dns.set_zone(ZONE, zone)
        for _ in range(2):
            asked = len(dns.queries)
            with home.started("caa", "watch", "-c", str(home.config)) as daemon:
                daemon.await_(lambda asked=asked: len(dns.queries) > asked + 100, "questions")
                daemon.kill()
        home.run_here("caa", "watch", "-c", str(home.config), "--once")
        assert len(home.alerts()) == number + 1
    assert all("and 250 more names" in each["finding"]["message"] for each in home.alerts())


def test_two_processes(home: Home, dns: LabDNS) -> None:
    """They share a store, and people hear of a change once."""
    configure(home, dns)
    command = ("caa", "watch", "-c", str(home.config))
    with home.started(*command) as one, home.started(*command) as other:
        for daemon in (one, other):
            daemon.await_said("CAA of 1 name observed")
        for number, zone in enumerate([CA2, CA1]):
            dns.set_zone(ZONE, zone)
            one.await_(lambda number=number: len(home.alerts()) > number, "an alert")
            seen = [len(each.said.splitlines()) for each in (one, other)]
            for daemon, lines in zip((one, other), seen, strict=True):
                daemon.await_(
                    lambda daemon=daemon, lines=lines: len(daemon.said.splitlines()) > lines + 3,
                    "rounds",
                )
        for daemon in (one, other):
            daemon.stop().checked(0)
    assert kinds(home) == ["PW-CAA-LOOSENED", "PW-CAA-LOOSENED"]


def test_a_resolver_that_dies_and_comes_back(home: Home, dns: LabDNS) -> None:
    """Nothing is told of a short absence; what changed in it is."""
    configure(home, dns)
    with home.started("caa", "watch", "-c", str(home.config)) as daemon:
        daemon.await_said("CAA of 1 name observed")
        dns.faults["*"] = "silent"
        daemon.await_said("1 could not be looked up")
        dns.set_zone(ZONE, CA2)
        del dns.faults["*"]
        daemon.await_(lambda: home.alerts(), "an alert")
        daemon.stop().checked(0)
    assert kinds(home) == ["PW-CAA-LOOSENED"]
