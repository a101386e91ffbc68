"""The scenes of the third shield: an API client is held to its own keys."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from pinwarden.lab.ca import CA, Issued, pem
from pinwarden.lab.scenario.stage import Stage
from pinwarden.lab.tls import Credentials, LabTLS

API = "api.shop.example"
TOKEN = "Bearer 6a1f-secret"  # noqa: S105 - of the story
_ANCHORS = "trusted.pem"
_PINS = "pins.toml"
_BACKUP = "backup.key"
_NEXT = "other-ca.pem"
_CLIENT = "client.py"
# Shown to the audience: what differs between the two clients is one line.
_CONNECT = """\
tls = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))),
                          server_hostname="{api}")
tls.sendall(b"GET /orders HTTP/1.0\\r\\nAuthorization: {token}\\r\\n\\r\\n")
print(tls.recv(100).decode().split("\\r\\n")[0])
"""
_UNPINNED = "context = ssl.create_default_context(cafile={anchors!r})"
_PINNED = "context = PinnedContext(PinSet.load({pins!r}), cafile={anchors!r})"
_IMPORTS = {
    _UNPINNED: "import socket, ssl, sys",
    _PINNED: "import socket, sys\n"
    "from pinwarden.clients import PinnedContext\nfrom pinwarden.pinning import PinSet",
}


@dataclass(slots=True)
class Defend:
    """The owner's API at the honest CA, and an attacker with a certificate from the rogue one.

    `holds` is whether the client that is meant to be pinned really is.
    """

    stage: Stage
    honest: CA
    rogue: CA
    holds: bool = True

    def play(self) -> None:
        """Both scenes."""
        honest, rogue = self.honest.issue([API]), self.rogue.issue([API])
        (self.stage.folder / _ANCHORS).write_bytes(pem([self.honest.root, self.rogue.root]))
        with LabTLS(Credentials.of(honest)) as server:
            self._pins(server)
            self._attack(server, honest, rogue)
            self._change_of_keys(server, honest)

    def _pins(self, server: LabTLS) -> None:
        stage = self.stage
        stage.scene("Defend: your API client is held to your own keys", "defend")
        stage.say("A key for the day that yours is lost, and a pin set from what is served now:")
        stage.run(
            *("pin", "backup", _BACKUP, "--csr", API, "--new-passphrase", "backup.passphrase"),
            most=2,
        )
        made = stage.run(
            *("pin", "make", API, "--backup", f"{_BACKUP}.csr", "-o", _PINS),
            *self._where(server),
            most=3,
        )
        stage.check("a pin set with a backup", made.exit_code == 0)
        bare = stage.run("pin", "make", API, *self._where(server), most=1)
        stage.check("without a backup pin it is refused", bare.exit_code == 2)
        checked = stage.run("pin", "check", _PINS, *self._where(server), most=2)
        stage.check("your server meets it", checked.exit_code == 0)

    def _attack(self, server: LabTLS, honest: Issued, rogue: Issued) -> None:
        stage = self.stage
        stage.scene(
            "The attacker bends the way to the API, with a certificate of Rogue CA", "defend"
        )
        stage.say(
            "Rogue CA is trusted, as every public CA is. Two clients, which differ in a line:"
        )
        stage.tell(f"      {_UNPINNED.format(anchors=_ANCHORS)}")
        stage.tell(f"      {_PINNED.format(anchors=_ANCHORS, pins=_PINS)}")
        with LabTLS(Credentials.of(rogue)) as attacker:
            self._client(_UNPINNED, attacker)
            stage.check("the usual client gives its token away", TOKEN in _said(attacker))
        with LabTLS(Credentials.of(rogue)) as attacker:
            words = self._client(_PINNED, attacker)
            stage.say(f"The pinned client says: {words.partition(' (seen')[0]}")
            silent = attacker.visits != [] and _said(attacker) == ""
            stage.check("the pinned client refuses, and says nothing: 0 bytes", silent)
        stuffed = (*rogue.served_chain, *honest.certificate_chain)
        with LabTLS(Credentials(stuffed, rogue.private_key)) as attacker:
            self._client(_PINNED, attacker)
            silent = attacker.visits != [] and _said(attacker) == ""
            stage.check("nor when your certificates are sent along: 0 bytes", silent)
        words = self._client(_PINNED, server)
        stage.check("your own server still answers it", words.endswith("200 OK"), words)

    def _change_of_keys(self, server: LabTLS, honest: Issued) -> None:
        stage = self.stage
        stage.scene("You move to another CA", "defend")
        other = CA("Other CA")
        moved = other.issue([API])
        anchors = self.stage.folder / _ANCHORS
        anchors.write_bytes(anchors.read_bytes() + pem([other.root]))
        (stage.folder / _NEXT).write_bytes(pem([other.root]))
        stage.say("Just like that, every client would be locked out:")
        server.present(Credentials.of(moved))
        checked = stage.run("pin", "check", _PINS, *self._where(server), most=3)
        stage.check("`pin check` says so before your users do", checked.exit_code == 1)
        server.present(Credentials.of(honest))
        stage.say("In steps, nobody is: first the clients learn the new pin.")
        rotate = ("pin", "rotate", _PINS)
        begun = stage.run(
            *(*rotate, "--new", _NEXT, "--do", "prepare", "--do", "publish"),
            *self._where(server),
            most=1,
        )
        early = stage.run(*rotate, "--do", "switch", *self._where(server), most=2)
        refused = begun.exit_code == 0 and early.exit_code == 1
        stage.check("a change that comes too early is refused, with its day", refused)

    def _where(self, server: LabTLS) -> tuple[str, ...]:
        return ("--address", f"127.0.0.1:{server.port}", "--cafile", _ANCHORS)

    def _client(self, kind: str, server: LabTLS) -> str:
        """Run a client as a process of its own; returns the last line that it prints."""
        made = kind if self.holds else _UNPINNED
        program = "\n".join(
            (
                _IMPORTS[made],
                made.format(anchors=_ANCHORS, pins=_PINS),
                _CONNECT.format(api=API, token=TOKEN),
            )
        )
        (self.stage.folder / _CLIENT).write_text(program, "utf-8")
        ran = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, _CLIENT, str(server.port)],
            capture_output=True,
            text=True,
            timeout=self.stage.patience,
            check=False,
            cwd=self.stage.folder,
            env=self.stage.environment(),
        )
        lines = (ran.stdout.strip() or ran.stderr.strip()).splitlines()
        return lines[-1] if lines else ""


def _said(server: LabTLS) -> str:
    return b"".join(bytes(visit.said) for visit in server.visits).decode("latin-1")
