"""The whole story, scene after scene.

Everything is real: two certification authorities, two DNS servers, two logs with
their own keys served over both protocols on loopback sockets, and our program in the
processes that a user would start. The story-teller only watches what comes out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from pinwarden.ct.log import LogKind
from pinwarden.lab.bulk import fill
from pinwarden.lab.ca import CA
from pinwarden.lab.dns import LabDNS
from pinwarden.lab.log import LabLog
from pinwarden.lab.scenario.defend import Defend
from pinwarden.lab.scenario.detect import Detect, submit
from pinwarden.lab.scenario.examine import Examine
from pinwarden.lab.scenario.layout import command_lines
from pinwarden.lab.scenario.monitor import CONFIGURATION, POLL_SECONDS, WATCHED, Monitor
from pinwarden.lab.scenario.prevent import DOMAIN, TARGET, Prevent, at, name_servers
from pinwarden.lab.scenario.stage import Check, Stage
from pinwarden.lab.serve import LabServer

_STRANGERS = 600


@dataclass(slots=True)
class Story:
    """The world of one telling."""

    stage: Stage
    honest: CA = field(default_factory=lambda: CA("Honest CA"))
    rogue: CA = field(default_factory=lambda: CA("Rogue CA"))
    classic: LabLog = field(default_factory=lambda: LabLog("classic"))
    tiled: LabLog = field(default_factory=lambda: LabLog("tiled", kinds=(LogKind.STATIC,)))
    dns: tuple[LabDNS, LabDNS] = field(default_factory=name_servers)

    def play(self) -> list[Check]:
        """Tell it all; returns what was checked."""
        fill(self.classic, _STRANGERS, seed=1)
        fill(self.tiled, _STRANGERS, seed=2)
        first, second = self.dns
        with LabServer([self.classic, self.tiled]) as server, first, second:
            submit(self.classic, self.honest.issue([f"www.{DOMAIN}"]), precertificate=True)
            self._open()
            prevent = Prevent(self.stage, first, second)
            prevent.policy()
            prevent.damage()
            self._watched(prevent, Monitor(self.stage, server.log_list_url, at(first), TARGET))
            Defend(self.stage, self.honest, self.rogue).play()
            Examine(self.stage, self.honest, self.rogue).play()
        return self.stage.checks

    def _open(self) -> None:
        stage = self.stage
        stage.scene("A world on loopback", "")
        stage.say("two certification authorities: Honest CA and Rogue CA")
        stage.say(
            f"two DNS servers of {DOMAIN}, which is yours: {at(self.dns[0])}, {at(self.dns[1])}"
        )
        stage.say(f"a CT log as in RFC 6962, {self.classic.size} entries: {self.classic.url()}")
        stage.say(f"a CT log of tiles (static-ct), {self.tiled.size} entries: {self.tiled.url()}")
        stage.say("$ is what you type, | what Pinwarden prints (without the details of alerts)")

    def _watched(self, prevent: Prevent, monitor: Monitor) -> None:
        stage = self.stage
        detect = Detect(stage, monitor, self.rogue, self.classic, self.tiled)
        stage.scene(f"Detect: you watch {WATCHED} in both logs, and the CAA records", "detect")
        for line in command_lines(["watch", "-c", CONFIGURATION]):
            stage.tell(line)
        looks_before = self.dns[0].asked(TARGET)
        with monitor.running():
            stage.until(
                "both logs and the CAA records are read", lambda: self._all_read(looks_before)
            )
            time.sleep(2 * POLL_SECONDS)
            quiet = not monitor.alerts()
            stage.check("a quiet day: nobody is disturbed by what was there before", quiet)
            issued, logged_at = detect.attack(TARGET)
            prevent.broken_rule(logged_at)
            detect.same_again(issued)
            detect.hidden_names()
            prevent.intruder(monitor)
            detect.lying_log()

    def _all_read(self, looks_before: int) -> bool:
        # The second round of looks at CAA begins when the first one is stored.
        return (
            self.classic.visits.count("get-sth") > 1
            and self.tiled.visits.count("point") > 1
            and self.dns[0].asked(TARGET) > looks_before + 1
        )
