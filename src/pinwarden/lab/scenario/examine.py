"""The scenes of the fourth shield: one command looks at what is served from all sides."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256

from pinwarden.ct.log import LogKind
from pinwarden.lab.ca import CA, Issued, pem, spki_of
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.log import LabLog
from pinwarden.lab.scenario.stage import Ran, Stage
from pinwarden.lab.serve import LabServer
from pinwarden.lab.tls import Credentials, LabTLS

WWW = "www.shop.example"
CA_DOMAIN = "honest.example"
_ZONE = {"shop.example": f'@ 60 IN CAA 0 issue "{CA_DOMAIN}"\n@ 60 IN CAA 0 issuewild ";"\n'}
_ANCHORS = "anchors.pem"
_LOG_LIST = "log_list.json"
_EVIDENCE = "evidence.json"
_DAMAGED = "damaged.json"


@dataclass(slots=True)
class Examine:
    """The owner's web server, its certificate in two logs, and what goes wrong around it.

    `keeps` is whether the second log includes what it promised.
    """

    stage: Stage
    honest: CA
    rogue: CA
    keeps: bool = True
    logs: tuple[LabLog, LabLog] = field(
        default_factory=lambda: (
            LabLog("north", operator="North Logs"),
            LabLog("south", operator="South Logs", kinds=(LogKind.STATIC,)),
        )
    )

    def play(self) -> None:
        """All scenes."""
        self.logs[1].faults.withhold = not self.keeps
        issued = self.honest.issue([WWW], logs=self.logs)
        rogue = self.rogue.issue([WWW], logs=self.logs)
        (self.stage.folder / _ANCHORS).write_bytes(pem([self.honest.root, self.rogue.root]))
        with (
            LabServer(self.logs) as server,
            LabDNS(_ZONE, "resolver") as dns,
            LabTLS(Credentials.of(issued)) as web,
        ):
            (self.stage.folder / _LOG_LIST).write_bytes(server.log_list_json())
            self._all_right(web, dns)
            self._left_over(web, dns, issued)
            self._taken_over(web, dns, rogue)
            web.present(Credentials.of(issued))
            self._evidence(web)

    def _all_right(self, web: LabTLS, dns: LabDNS) -> None:
        stage = self.stage
        stage.scene("Examine: is your web server all right now?", "examine")
        ran = self._audit(web, dns, most=22)
        stage.check("nothing is found, and it says what was not looked at", ran.answers(0, "not"))

    def _left_over(self, web: LabTLS, dns: LabDNS, issued: Issued) -> None:
        stage = self.stage
        stage.scene("An old template still sends Public-Key-Pins", "examine")
        pins = (sha256(spki_of(issued.private_key)).digest(), sha256(b"another key").digest())
        quoted = "; ".join(f'pin-sha256="{b64encode(pin).decode()}"' for pin in pins)
        web.headers["Public-Key-Pins"] = f"{quoted}; max-age=5184000"
        ran = self._audit(web, dns, most=8)
        del web.headers["Public-Key-Pins"]
        stage.check("it is found, and to be removed", ran.answers(1, "PW-HPKP-PRESENT"))

    def _taken_over(self, web: LabTLS, dns: LabDNS, rogue: Issued) -> None:
        stage = self.stage
        stage.scene("Somebody puts the certificate of Rogue CA on it", "examine")
        stage.say("It is trusted, logged, and every browser shows a lock. But CAA:")
        web.present(Credentials.of(rogue))
        ran = self._audit(web, dns, most=8, ca="rogue.example")
        caught = ran.answers(1, "PW-AUDIT-RENEWAL-REFUSED")
        stage.check("it is not from a CA that may issue for you", caught)

    def _evidence(self, web: LabTLS) -> None:
        stage = self.stage
        stage.scene("Two logs promised to show your certificate: did they?", "examine")
        where = ("--address", f"127.0.0.1:{web.port}", "--cafile", _ANCHORS)
        ran = stage.run("ct", "prove", WWW, *where, "--log-list", _LOG_LIST, "-o", _EVIDENCE)
        stage.check("both prove it", ran.exit_code == 0)
        verified = stage.run("ct", "prove", "--verify", _EVIDENCE, "--log-list", _LOG_LIST, most=4)
        stage.check("the evidence holds without a network", verified.exit_code == 0)
        evidence = stage.folder / _EVIDENCE
        if not evidence.is_file():
            return
        text = evidence.read_text("utf-8")
        middle = text.index('"proof"') if '"proof"' in text else len(text) // 2
        damaged = text[:middle] + text[middle:].replace("A", "B", 1)
        (stage.folder / _DAMAGED).write_text(damaged, "utf-8")
        refused = stage.run("ct", "prove", "--verify", _DAMAGED, "--log-list", _LOG_LIST, most=2)
        stage.check("with one letter changed it does not", refused.exit_code == 1)

    def _audit(
        self, web: LabTLS, dns: LabDNS, *, most: int | None = None, ca: str = CA_DOMAIN
    ) -> Ran:
        return self.stage.run(
            *("audit", WWW, "--address", f"127.0.0.1:{web.port}", "--cafile", _ANCHORS),
            *("--log-list", _LOG_LIST, "--ca", ca, "--resolver", f"{dns.host}:{dns.port}"),
            most=most,
        )
