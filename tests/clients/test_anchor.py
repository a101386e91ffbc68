"""The certificates that met the pins, and what libpq does with them."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import psycopg
import pytest
import truststore

from pinwarden.clients import PinMismatch, PinnedContext, pin_context
from pinwarden.clients.anchor import find_anchors
from pinwarden.errors import ConfigError, OutsideError
from pinwarden.pinning import PinSet
from support import talk
from support.origin import Origin
from support.pin_world import HOST, pin_set, policy, world


def postgres(shown: str) -> Origin:
    return Origin(world().chains[shown], talk.postgres, before_tls=talk.postgres_ssl_request)


def context(pins: PinSet | str) -> PinnedContext:
    return PinnedContext(pin_set(pins) if isinstance(pins, str) else pins, cadata=world().bundle)


def connect(port: int, anchors: Path) -> None:
    psycopg.connect(
        host=HOST,
        port=port,
        user="u",
        dbname="d",
        password="secret",
        sslmode="verify-full",
        sslrootcert=str(anchors),
        gssencmode="disable",
    ).close()


@pytest.mark.parametrize(
    ("pins", "found"),
    [
        ("leaf", ["leaf"]),
        ("good", ["intermediate"]),
        ("root", ["root"]),
        ("backup", ["intermediate"]),
    ],
)
def test_what_met_the_pins_is_found(pins: str, found: list[str]) -> None:
    a = world().authorities.a
    known = {
        "leaf": world().chains["genuine"].certificates[0],
        "intermediate": a.intermediate,
        "root": a.root,
    }
    with Origin(world().chains["genuine"], talk.echo_lines) as origin:
        anchors = find_anchors(context(pins), HOST, origin.port)
    assert anchors.certificates == tuple(known[each] for each in found)
    assert anchors.pem == ssl.DER_cert_to_PEM_cert(known[found[0]]).encode()
    if pins == "root":
        assert anchors.root_pem == anchors.pem
    else:
        with pytest.raises(ConfigError, match="no pin is of the root"):
            assert anchors.root_pem


def test_several_pins_are_several_anchors() -> None:
    with Origin(world().chains["genuine"], talk.echo_lines) as origin:
        pins = PinSet([policy(ca=("intermediate", "root"))])
        anchors = find_anchors(context(pins), HOST, origin.port)
    assert len(anchors.certificates) == 2
    assert anchors.root == anchors.certificates[1]


def test_libpq_with_the_pinned_root_refuses_a_rogue(tmp_path: Path) -> None:
    file = tmp_path / "root.pem"
    with postgres("genuine") as genuine:
        anchors = find_anchors(context("root"), HOST, genuine.port, starttls="postgres")
        file.write_bytes(anchors.root_pem)
        connect(genuine.port, file)
        assert genuine.drained() > 0
    for shown in ("rogue", "stuffed"):
        with postgres(shown) as rogue:
            with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
                connect(rogue.port, file)
            assert rogue.drained() == 0


def test_libpq_does_not_end_a_chain_at_an_intermediate(tmp_path: Path) -> None:
    """Why `root_pem` is for roots alone."""
    file = tmp_path / "intermediate.pem"
    with postgres("genuine") as genuine:
        anchors = find_anchors(context("good"), HOST, genuine.port, starttls="postgres")
        file.write_bytes(anchors.pem)
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            connect(genuine.port, file)


def test_a_rogue_is_refused_at_once() -> None:
    with postgres("rogue") as rogue:
        with pytest.raises(PinMismatch):
            find_anchors(context("good"), HOST, rogue.port, starttls="postgres")
        assert rogue.drained() == 0


def test_contexts_that_were_taken_over_do_as_well() -> None:
    made = (
        pin_context(ssl.create_default_context(cafile=certifi.where()), pin_set("good")),
        pin_context(truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pin_set("good")),
    )
    for each in made:
        each.load_verify_locations(cadata=world().bundle)
        with Origin(world().chains["genuine"], talk.echo_lines) as origin:
            assert find_anchors(each, HOST, origin.port).certificates


def test_a_context_without_pins_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no pins"):
        find_anchors(ssl.create_default_context(), HOST, 1)


def test_a_server_without_tls(tmp_path: Path) -> None:
    def no(visitor: object) -> None:
        visitor.recv(8)  # type: ignore[attr-defined]
        visitor.sendall(b"N")  # type: ignore[attr-defined]

    with (
        Origin(world().chains["genuine"], talk.postgres, before_tls=no) as origin,
        pytest.raises(OutsideError, match="does not speak TLS"),
    ):
        find_anchors(context("good"), HOST, origin.port, starttls="postgres")


def test_a_host_that_is_none() -> None:
    with pytest.raises(OutsideError, match="no connection"):
        find_anchors(context("good"), "\x1b." + "a" * 70, 1)
