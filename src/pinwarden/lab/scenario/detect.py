"""The scenes of the second shield: every certificate is logged, and the logs are checked."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pinwarden.ct.head import LogKey, parse_sth, verify_head
from pinwarden.ct.merkle import leaf_hash, verify_inclusion
from pinwarden.lab.ca import CA, Issued
from pinwarden.lab.hostile import hostile_certificate
from pinwarden.lab.log import LabLog
from pinwarden.lab.scenario.monitor import POLL_SECONDS, Monitor
from pinwarden.lab.scenario.stage import PATIENCE, Stage


@dataclass(slots=True)
class Detect:
    """What the rogue CA and the logs do, and what the monitor says to it."""

    stage: Stage
    monitor: Monitor
    rogue: CA
    classic: LabLog
    tiled: LabLog

    def attack(self, target: str) -> tuple[Issued, datetime]:
        """A certificate for a watched name; returns it, and when the log took it."""
        self.stage.scene(
            f"Attack: Rogue CA ignores CAA, and issues for {target} all the same", "detect"
        )
        issued = self.rogue.issue([target])
        began = time.monotonic()
        submit(self.classic, issued, precertificate=True)
        alert = self.monitor.next_alert()
        took = time.monotonic() - began
        sighting = alert.get("sighting") or {}
        logged = (sighting.get("logs") or [{}])[0]
        named = target in sighting.get("names", []) and "Rogue CA" in sighting.get("issuer", "")
        self.stage.check(
            "the alert comes within seconds", bool(alert) and took < 10, f"{took:.1f} s"
        )
        self.stage.check("it names the name and the CA", named)
        self.stage.check("it says what is not known", sighting.get("verdict") == "unknown")
        self.stage.check("its entry is proven by a signed tree head", bool(logged.get("verified")))
        self.stage.check("the log itself proves it", _proves(self.classic, logged))
        moment = logged.get("timestamp")
        return issued, datetime.fromisoformat(moment) if moment else datetime.now(UTC)

    def same_again(self, issued: Issued) -> None:
        """The certificate follows its precertificate, in another log."""
        self.stage.scene(
            "The certificate itself appears, in the other log: the same issuance", "detect"
        )
        before = len(self.monitor.alerts())
        submit(self.tiled, issued, precertificate=False)
        self.stage.until("the other log is read to its end", self._tiled_is_read)
        time.sleep(2 * POLL_SECONDS)
        self.stage.check("nobody is told twice", len(self.monitor.alerts()) == before)

    def _tiled_is_read(self) -> bool:
        visits = self.tiled.visits.to("tile/data")
        return bool(visits) and self.tiled.size % 256 in {
            int(visit.path.rsplit("/", 1)[1]) for visit in visits if ".p/" in visit.path
        }

    def hidden_names(self) -> None:
        """Certificates in which a strict parser does not find the name."""
        self.stage.scene("The name is hidden where strict parsers fail", "detect")
        for slug in ("cn-bmp", "cut"):
            case = hostile_certificate(self.rogue, "pay.shop.example", slug)
            self.stage.say(f"The trick: {case.trick}")
            self.tiled.add_certificate(case.issued.certificate_chain)
            alert = self.monitor.next_alert()
            seen = alert.get("sighting") is not None
            self.stage.check(f"it is reported all the same ({slug})", seen)

    def lying_log(self) -> None:
        """A log with two histories, and the other log, which goes on."""
        self.stage.scene(
            "A log lies: it signs a second history that leaves the rogue entry out", "detect"
        )
        self.classic.faults.fork = self.classic.size - 1
        self.classic.publish()
        finding = self.monitor.next_alert().get("finding") or {}
        kind = str(finding.get("id"))
        self.stage.check("the lie is found", kind in {"PW-LOG-FORK", "PW-LOG-WRONG-ROOT"}, kind)
        kept = [piece["name"] for piece in finding.get("evidence", [])]
        detail = ", ".join(kept)
        self.stage.check("both signed heads are kept as evidence", len(kept) > 1, detail)
        submit(self.tiled, self.rogue.issue(["late.shop.example"]), precertificate=True)
        names = (self.monitor.next_alert().get("sighting") or {}).get("names", [])
        self.stage.check("the other log is followed all the while", "late.shop.example" in names)


def submit(log: LabLog, issued: Issued, *, precertificate: bool) -> None:
    """What a CA does: POST the chain to the log (RFC 6962 section 4.1)."""
    chain: Sequence[bytes] = (
        issued.precertificate_chain if precertificate else issued.certificate_chain
    )
    request = urllib.request.Request(  # noqa: S310 - an address of this lab
        f"{log.submission_url()}ct/v1/add-{'pre-' if precertificate else ''}chain",
        json.dumps({"chain": [b64encode(each).decode("ascii") for each in chain]}).encode("ascii"),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
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
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body
