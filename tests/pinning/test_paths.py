"""The chains that clients may build from what one server sends."""

from __future__ import annotations

from pinwarden.pinning.paths import possible_paths
from support.pin_chains import crossed
from support.pin_world import world


def _chains(sent: tuple[bytes, ...], *anchors: bytes) -> set[tuple[bytes, ...]]:
    return {path.chain for path in possible_paths(sent, anchors)}


def test_one_path_to_a_root() -> None:
    a = world().authorities.a
    sent = world().chains["genuine"].certificates
    assert _chains(sent, a.root) == {(*sent, a.root)}
    assert not possible_paths(sent, [a.root])[0].partial


def test_an_intermediate_in_the_store_ends_a_partial_chain() -> None:
    """X509_V_FLAG_PARTIAL_CHAIN: both ends are possible, by the client's rules."""
    a = world().authorities.a
    sent = world().chains["genuine"].certificates
    paths = {path.chain: path.partial for path in possible_paths(sent, [a.root, a.intermediate])}
    assert paths == {sent: True, (*sent, a.root): False}


def test_a_cross_signed_root_gives_two_paths() -> None:
    authorities = world().authorities
    sent = world().chains["cross-signed"].certificates
    cross = crossed(authorities.a, authorities.old)
    found = _chains((*sent[:2], cross), authorities.a.root, authorities.old.root)
    assert found == {
        (*sent[:2], authorities.a.root),
        (*sent[:2], cross, authorities.old.root),
    }


def test_false_signatures_lead_nowhere() -> None:
    """Names and key identifiers of a forged chain fit; its signatures do not."""
    a, b = world().authorities.a, world().authorities.b
    for name in ("forged", "fake-intermediate"):
        sent = world().chains[name].certificates
        assert all(a.root not in chain for chain in _chains(sent, a.root, b.root))


def test_nothing_and_rubbish() -> None:
    assert possible_paths((), [world().authorities.a.root]) == ()
    assert possible_paths((b"\x30\x00", b"rubbish"), [b"more"]) == ()
    genuine = world().chains["genuine"].certificates
    assert possible_paths(genuine, []) == ()


def test_certificates_that_vouch_for_each_other_end() -> None:
    """A server may send any number of the same; the paths stay bounded."""
    a, old = world().authorities.a, world().authorities.old
    crosses = tuple(crossed(a, old) for _ in range(20))
    sent = (*world().chains["genuine"].certificates, *crosses, *crosses)
    assert 0 < len(possible_paths(sent, [old.root, a.root])) <= 64
