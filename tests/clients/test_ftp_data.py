"""ftplib's data connections: to the same host, each with a handshake of its own."""

from __future__ import annotations

import ftplib

import pytest

from pinwarden.clients import PinMismatch, PinnedContext
from support import talk
from support.origin import Conversation, Origin
from support.pin_world import HOST, pin_set, world

_PATIENCE = 20


@pytest.mark.parametrize(("shown", "allowed"), [("genuine", True), ("rogue", False)])
def test_data_connections_are_held_to_the_pins(shown: str, allowed: bool) -> None:
    """A file is not sent to whoever has taken the data port."""
    got = bytearray()

    def take(conversation: Conversation) -> None:
        while True:
            got.extend(conversation.more())

    with Origin(world().chains[shown], take) as data:
        passive = f"227 there (127,0,0,1,{data.port >> 8},{data.port & 255})\r\n".encode()
        extended = f"229 there (|||{data.port}|)\r\n".encode()
        control = Origin(
            world().chains["genuine"],
            talk.ftp(lambda: extended if b"E" in _asked(control) else passive),
            before_tls=talk.plainly(b"220 here\r\n", b"234 go on\r\n"),
        )
        with control:
            client = ftplib.FTP_TLS(
                context=PinnedContext(pin_set("good"), cadata=world().bundle), timeout=_PATIENCE
            )
            client.connect(HOST, control.port)
            client.login("user", "password")
            client.prot_p()
            if allowed:
                _store(client)
            else:
                with pytest.raises(PinMismatch):
                    _store(client)
            client.close()
        data.drained()
    assert bytes(got) == (b"secret" if allowed else b"")


def _asked(control: Origin) -> bytes:
    """The last command but its end: EPSV or PASV."""
    return bytes(control.visits[-1].said).split(b"\r\n")[-2]


def _store(client: ftplib.FTP_TLS) -> None:
    # Not storbinary(), which leaves its connection to the garbage when it fails.
    with client.transfercmd("STOR file") as connection:
        connection.sendall(b"secret")
