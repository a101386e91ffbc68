"""The story that `pinwarden demo` tells and that the tests assert.

Everything is real: two certification authorities, two logs with their own keys
served over both protocols on loopback sockets, and the monitor as the process
that a user would start. The story-teller only watches what comes out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pinwarden.ct.head import LogKey, parse_sth, verify_head
from pinwarden.ct.log import LogKind
from pinwarden.ct.merkle import leaf_hash, verify_inclusion
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA, Issued
from pinwarden.lab.hostile import hostile_certificate
from pinwarden.lab.log import LabLog
from pinwarden.lab.serve import LabServer

WATCHED = ".shop.example"
_STRANGERS = 600
_PATIENCE = 30.0
_POLL_SECONDS = 0.5

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the story promised, and whether it happened."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(slots=True)
class Scenario:
    """The world of one telling; `tell` gets each line of the story."""

    folder: Path
    tell: Tell
    pause: Callable[[], None] = lambda: None
    checks: list[Check] = field(default_factory=list)
    honest: CA = field(default_factory=lambda: CA("Honest CA"))
    rogue: CA = field(default_factory=lambda: CA("Rogue CA"))
    classic: LabLog = field(default_factory=lambda: LabLog("classic"))
    tiled: LabLog = field(default_factory=lambda: LabLog("tiled", kinds=(LogKind.STATIC,)))
    _heard: int = 0

    @property
    def alerts_file(self) -> Path:
        """Where the monitor's file channel writes."""
        return self.folder / "alerts.jsonl"

    def play(self) -> list[Check]:
        """Tell the whole story; returns what was checked."""
        fill(self.classic, _STRANGERS, seed=1)
        fill(self.tiled, _STRANGERS, seed=2)
        with LabServer([self.classic, self.tiled]) as server:
            _submit(self.classic, self.honest.issue(["www.shop.example"]), precertificate=True)
            self._open(server)
            with self._monitor(server):
                self._quiet_day()
                rogue = self._attack()
                self._same_again(rogue)
                self._hidden_name()
                self._lying_log()
        return self.checks

    # The scenes.

    def _open(self, server: LabServer) -> None:
        self.tell("# A world on loopback")
        self.tell("  two certification authorities: Honest CA and Rogue CA")
        self.tell(f"  an RFC 6962 log of {self.classic.size} entries at {self.classic.url()}")
        self.tell(f"  a static-ct log of {self.tiled.size} entries at {self.tiled.url()}")
        self.tell(f"  their log list at {server.log_list_url}")
        self.tell("  shop.example is yours, and you watch it and everything below it:")
        self.tell(f"  $ pinwarden watch {WATCHED} --log-list {server.log_list_url}")

    def _quiet_day(self) -> None:
        self._scene("A quiet day: the monitor reads both logs from their present end")
        self._await("both logs are followed", self._both_followed)
        time.sleep(2 * _POLL_SECONDS)
        self._check("nobody is disturbed by what was there before", not self._alerts())

    def _both_followed(self) -> bool:
        return self.classic.visits.count("get-sth") > 1 and self.tiled.visits.count("point") > 1

    def _attack(self) -> Issued:
        self._scene("The attack: Rogue CA is tricked into a certificate for login.shop.example")
        issued = self.rogue.issue(["login.shop.example"])
        began = time.monotonic()
        _submit(self.classic, issued, precertificate=True)
        alert = self._next_alert()
        took = time.monotonic() - began
        sighting = alert.get("sighting") or {}
        self._check("the alert comes within seconds", took < 10, f"{took:.1f} s")
        self._check("it names the name", "login.shop.example" in sighting.get("names", []))
        self._check("it names the issuer", "Rogue CA" in sighting.get("issuer", ""))
        self._check("it says what is not known", sighting.get("verdict") == "unknown")
        logged = (sighting.get("logs") or [{}])[0]
        self._check("its entry is proven by a signed tree head", bool(logged.get("verified")))
        self._check("the log itself proves it", _proves(self.classic, logged))
        return issued

    def _same_again(self, issued: Issued) -> None:
        self._scene("The certificate itself appears, in the other log: the same issuance")
        before = len(self._alerts())
        _submit(self.tiled, issued, precertificate=False)
        self._await("the other log is read to its end", self._tiled_is_read)
        time.sleep(2 * _POLL_SECONDS)
        self._check("nobody is told twice", len(self._alerts()) == before)

    def _tiled_is_read(self) -> bool:
        visits = self.tiled.visits.to("tile/data")
        return bool(visits) and self.tiled.size % 256 in {
            int(visit.path.rsplit("/", 1)[1]) for visit in visits if ".p/" in visit.path
        }

    def _hidden_name(self) -> None:
        self._scene("The name is hidden where strict parsers fail")
        for slug in ("cn-bmp", "cut"):
            case = hostile_certificate(self.rogue, "pay.shop.example", slug)
            self.tell(f"  {case.trick}")
            self.tiled.add_certificate(case.issued.certificate_chain)
            alert = self._next_alert()
            self._check(f"it is reported all the same ({slug})", alert.get("sighting") is not None)

    def _lying_log(self) -> None:
        self._scene("A log lies: it signs a second history that leaves the rogue entry out")
        self.classic.faults.fork = self.classic.size - 1
        self.classic.publish()
        alert = self._next_alert()
        finding = alert.get("finding") or {}
        self._check(
            "the lie is found", finding.get("id") in {"PW-LOG-FORK", "PW-LOG-WRONG-ROOT"},
            str(finding.get("id")),
        )  # fmt: skip
        evidence = [piece["name"] for piece in finding.get("evidence", [])]
        self._check("both signed heads are kept as evidence", len(evidence) > 1, str(evidence))
        _submit(self.tiled, self.rogue.issue(["late.shop.example"]), precertificate=True)
        alert = self._next_alert()
        names = (alert.get("sighting") or {}).get("names", [])
        self._check("the other log is followed all the while", "late.shop.example" in names)

    # The means.

    @contextmanager
    def _monitor(self, server: LabServer) -> Iterator[None]:
        """`pinwarden watch` as a process of its own; what it prints is part of the story."""
        config = self.folder / "pinwarden.toml"
        config.write_text(self._configuration(server), "utf-8")
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "pinwarden", "watch", "-c", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "XDG_CACHE_HOME": str(self.folder), "NO_COLOR": "1"},
        )
        relay = threading.Thread(target=self._relay, args=(process,), daemon=True)
        relay.start()
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            relay.join(_PATIENCE)
            self._check("the monitor stops cleanly", code == 0, f"exit code {code}")

    def _configuration(self, server: LabServer) -> str:
        return "\n".join(
            [
                f"watch = [{json.dumps(WATCHED)}]",
                "store = " + json.dumps(f"sqlite:///{self.folder / 'pinwarden.db'}"),
                "[logs]",
                f"lists = [{json.dumps(server.log_list_url)}]",
                f"poll_seconds = {_POLL_SECONDS}",
                "[[channels]]",
                'type = "stdout"',
                "[[channels]]",
                'type = "file"',
                f"path = {json.dumps(str(self.alerts_file))}",
                "",
            ]
        )

    def _relay(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.tell(f"  | {line.decode('utf-8', 'replace').rstrip()}")

    def _alerts(self) -> list[dict[str, Any]]:
        """Every alert that the monitor has delivered so far."""
        if not self.alerts_file.exists():
            return []
        lines = self.alerts_file.read_text("utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def _next_alert(self) -> dict[str, Any]:
        """The alert after the last one looked at, or an empty one if none comes."""
        self._await("an alert arrives", lambda: len(self._alerts()) > self._heard)
        alerts = self._alerts()
        if len(alerts) <= self._heard:
            return {}
        self._heard += 1
        return alerts[self._heard - 1]

    def _await(self, what: str, happened: Callable[[], bool]) -> None:
        until = time.monotonic() + _PATIENCE
        while not happened():
            if time.monotonic() > until:
                self._check(what, passed=False, detail=f"not within {_PATIENCE:.0f} s")
                return
            time.sleep(0.05)
        self._check(what, passed=True)

    def _check(self, name: str, passed: bool, detail: str = "") -> None:
        self.checks.append(Check(name, passed, detail))
        shown = f" ({detail})" if detail else ""
        self.tell(f"  {'ok' if passed else 'FAILED'}: {name}{shown}")

    def _scene(self, title: str) -> None:
        self.pause()
        self.tell("")
        self.tell(f"# {title}")


def _submit(log: LabLog, issued: Issued, *, precertificate: bool) -> None:
    """What a CA does: POST the chain to the log (RFC 6962 section 4.1)."""
    chain: Sequence[bytes] = (
        issued.precertificate_chain if precertificate else issued.certificate_chain
    )
    request = urllib.request.Request(  # noqa: S310 - an address of this lab
        f"{log.submission_url()}ct/v1/add-{'pre-' if precertificate else ''}chain",
        json.dumps({"chain": [b64encode(each).decode("ascii") for each in chain]}).encode("ascii"),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
        answer.read()


def _proves(log: LabLog, logged: dict[str, Any]) -> bool:
    """Whether the log's own inclusion proof leads from the entry to a head it signed."""
    index = logged.get("index")
    if not isinstance(index, int):
        return False
    leaf = leaf_hash(log.leaf(index))
    if leaf.hex() != logged.get("leaf_hash"):
        return False
    head = parse_sth(_get(f"{log.url()}ct/v1/get-sth"))
    verify_head(head, LogKey(log.face().spki))
    asked = urllib.parse.urlencode(
        {"hash": b64encode(leaf).decode("ascii"), "tree_size": head.size}
    )
    answer = json.loads(_get(f"{log.url()}ct/v1/get-proof-by-hash?{asked}"))
    proof = [b64decode(each) for each in answer["audit_path"]]
    verify_inclusion(leaf, answer["leaf_index"], head.size, proof, head.root)
    return bool(answer["leaf_index"] == index)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body
