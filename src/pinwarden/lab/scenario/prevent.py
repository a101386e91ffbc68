"""The scenes of the first shield: CAA records say who may issue, and are kept so."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pinwarden.lab.dns import LabDNS
from pinwarden.lab.scenario.monitor import CONFIGURATION, Monitor
from pinwarden.lab.scenario.stage import Stage

DOMAIN = "shop.example"
TARGET = "login.shop.example"
HONEST = "honest.example"
ROGUE = "rogue.example"
ACCOUNT = f"https://{HONEST}/acct/1"
_ZONE_FILE = "shop.zone"
_HOSTS = "www 60 IN A 192.0.2.1\nlogin 60 IN A 192.0.2.1\n"
_SLIPPED_IN = f'login 60 IN CAA 0 issue "{ROGUE}"\n'


def name_servers() -> tuple[LabDNS, LabDNS]:
    """Two providers for the domain, which has no policy yet."""
    return LabDNS({DOMAIN: _HOSTS}), LabDNS({DOMAIN: _HOSTS})


def at(server: LabDNS) -> str:
    """How options name a server."""
    return f"{server.host}:{server.port}"


@dataclass(slots=True)
class Prevent:
    """The domain's name servers are at two providers; the second one `drops` parameters."""

    stage: Stage
    first: LabDNS
    second: LabDNS
    drops: bool = True
    records: str = ""

    def policy(self) -> None:
        """The owner makes a policy, publishes it, and asks what it amounts to."""
        self.stage.scene("Prevent: CAA records in DNS say which CA may issue", "prevent")
        self.stage.say("Only Honest CA, only for your account there, and no wildcards:")
        made = self.stage.run(
            *("caa", "make", DOMAIN, "--ca", HONEST, "--account-uri", ACCOUNT),
            *("--wildcard", "none"),
            into=_ZONE_FILE,
        )
        self.records = made.output
        self._publish(self.first, made.output)
        self._publish(self.second, _without_parameters(made.output) if self.drops else made.output)
        ours = self.stage.run(
            *("caa", "check", TARGET, "--issuer", HONEST, "--account-uri", ACCOUNT),
            *("--resolver", at(self.first)),
            most=1,
        )
        self.stage.check("your CA may issue for you", ours.answers(0, "may issue"))
        theirs = self.stage.run(
            *("caa", "check", TARGET, "--issuer", ROGUE, "--resolver", at(self.first)),
            most=2,
        )
        self.stage.check("the rogue CA may not", theirs.answers(1, "(issuer-not-listed)"))

    def damage(self) -> None:
        """The second provider lost what binds the account; only asking every server shows it."""
        self.stage.scene("One of your two DNS providers drops what it does not know", "prevent")
        self.stage.say(
            "Without your account in it, any account at Honest CA will do, also a thief's."
        )
        servers = ("--server", at(self.first), "--server", at(self.second))
        verify = ("caa", "verify", DOMAIN, "--zone", _ZONE_FILE, *servers)
        cut = self.stage.run(*verify)
        caught = cut.answers(1, f"{at(self.first)}: as meant", "[PW-CAA-PARAMETERS-LOST]")
        self.stage.check("the damage is found, at this server and no other", caught)
        self._publish(self.second, self.records)
        self.stage.say("The provider corrects it, and the same command says:")
        whole = self.stage.ask(*verify)
        self.stage.show(whole, most=1)
        self.stage.check("both serve what you meant", whole.answers(0, "2 of 2 servers"))

    def broken_rule(self, issued_at: datetime) -> None:
        """What was observed of the policy judges a certificate that was issued all the same."""
        self.stage.scene("Was Rogue CA allowed to? The policy at that time says", "prevent")
        when = issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        judge = ("caa", "history", TARGET, "-c", CONFIGURATION, "--at", when)
        rogue = self.stage.run(*judge, "--issuer", ROGUE, most=2)
        accused = rogue.answers(1, "unauthorized (issuer-not-listed)")
        self.stage.check("the CA broke the rule, and the record of it is yours", accused)
        honest = self.stage.ask(*judge, "--issuer", HONEST, "--account-uri", ACCOUNT)
        verdict = honest.output.partition(" ")[0]
        fair = verdict in {"possibly-authorized", "authorized"}
        self.stage.check(
            "Honest CA would not have been accused",
            fair,
            detail="" if fair else verdict,
        )

    def intruder(self, monitor: Monitor) -> None:
        """The attacker gets at the DNS, and slips in a record below the policy."""
        self.stage.scene("The attacker gets into your DNS account", "prevent")
        self.stage.say(f"A record at {TARGET} now permits Rogue CA; {DOMAIN} is as it was.")
        began = time.monotonic()
        self._publish(self.first, self.records + _SLIPPED_IN)
        alert = monitor.next_alert()
        took = time.monotonic() - began
        finding: dict[str, Any] = alert.get("finding") or {}
        told = finding.get("id") == "PW-CAA-LOOSENED" and ROGUE in finding.get("message", "")
        self.stage.check("the change is reported: who may issue now that might not", told)
        self.stage.check("within seconds", bool(alert) and took < 10, f"{took:.1f} s")

    def _publish(self, server: LabDNS, records: str) -> None:
        server.set_zone(DOMAIN, _HOSTS + records)


def _without_parameters(records: str) -> str:
    """What a provider makes of them that takes a semicolon for the end of the value."""
    return re.sub(r';[^"]+"', '"', records)
