"""Each form against what its platform does: where the two differ, a loss that says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pinwarden.pinning import Mode, OnExpiry, PinPolicy, PinRole, PinSet, PinSetError, UnpinnedHosts
from pinwarden.pinning.formats.export import Export, Harm, LossKind, Writing
from pinwarden.pinning.formats.pinned_certificates import by_pin
from pinwarden.pinning.formats.table import FORMATS
from pinwarden.pinning.policy import PinnedKey
from pinwarden.pinning.spki import pin_of_certificate
from support.pin_platforms import PLATFORMS
from support.pin_samples import AT, certificate

LEAVES = [f"leaf-{number}" for number in range(4)]
CAS = [f"ca-{number}" for number in range(4)]
HOSTS = ["example.com", "api.example.com", "deep.api.example.com", "other.org"]
LAST = AT.date() + timedelta(days=10)
DAYS = [AT, AT + timedelta(days=10), AT + timedelta(days=11), AT + timedelta(days=40)]


def _certificate(name: str) -> bytes:
    return certificate(name, ca=name.startswith("ca"))


def _key(name: str, role: PinRole) -> PinnedKey:
    kind = "leaf" if name.startswith("leaf") else "root"
    return PinnedKey(pin_of_certificate(_certificate(name)), role, kind=kind)


@cache
def _writing() -> Writing:
    return Writing(at=AT, certificates=by_pin(map(_certificate, CAS)))


@st.composite
def policies(draw: st.DrawFn) -> PinPolicy:
    """Leaf and CA keys in their own places, a backup of either kind, every rule there is."""
    host = draw(st.sampled_from(HOSTS))
    leaves = draw(st.lists(st.sampled_from(LEAVES[:2]), max_size=2, unique=True))
    cas = draw(st.lists(st.sampled_from(CAS[:2]), max_size=2, unique=True))
    assume(leaves or cas)
    rest = [each for each in (*LEAVES[:2], *CAS[:2]) if each not in (*leaves, *cas)]
    bad = draw(st.lists(st.sampled_from(rest), max_size=1)) if rest else []
    below = draw(st.booleans())
    names = st.sampled_from([f"old.{host}", f"api.{host}", f"deep.api.{host}"])
    on_expiry = draw(st.none() | st.sampled_from(OnExpiry))
    return PinPolicy(
        host=host,
        mode=draw(st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.REPORT_ONLY])),
        keys=(
            *(_key(each, PinRole.LEAF) for each in leaves),
            *(_key(each, PinRole.CA) for each in cas),
            _key(draw(st.sampled_from(["leaf-2", "ca-2"])), PinRole.BACKUP),
            *(_key(each, PinRole.FORBIDDEN) for each in bad),
        ),
        include_subdomains=below,
        exclude=tuple(draw(st.lists(names, max_size=2, unique=True))) if below else (),
        expires=None if on_expiry is None else LAST,
        on_expiry=on_expiry,
    )


sets = st.builds(
    PinSet,
    st.lists(policies(), min_size=1, max_size=3, unique_by=lambda each: each.host),
    unpinned_hosts=st.sampled_from(UnpinnedHosts),
)
NAMES = [
    *HOSTS,
    *(
        f"{label}.{host}"
        for host in HOSTS
        for label in ("old", "www", "a.b", "deep.old", "deep.api")
    ),
    "elsewhere.net",
]


# Of a header as such: they would stand for every other loss.
_OF_HEADERS = {LossKind.NOT_ENFORCED, LossKind.EXPIRY_MOVES}


def _has(made: Export, harm: Harm, host: str, *, pinned: bool) -> bool:
    """A loss of this host's policy or of one above it; of the set only for a host without."""
    return any(
        each.harm is harm
        and each.kind not in _OF_HEADERS
        and (each.host == host or host.endswith(f".{each.host}") if each.host else not pinned)
        for each in made.losses
    )


@pytest.mark.parametrize("form", PLATFORMS)
@settings(suppress_health_check=[HealthCheck.filter_too_much], deadline=None)
@given(
    pins=sets,
    host=st.sampled_from(NAMES),
    leaf=st.sampled_from(LEAVES),
    ca=st.sampled_from(CAS),
    at=st.sampled_from(DAYS),
)
def test_what_differs_is_a_loss_of_its_kind(
    form: str, pins: PinSet, host: str, leaf: str, ca: str, at: datetime
) -> None:
    """Whoever accepts no loss has what the set says, on every platform that is known here."""
    try:
        made = FORMATS[form].write(pins, _writing())
    except PinSetError:
        # Refused as a whole, which loses nothing in silence.
        return
    chain = [_certificate(leaf), _certificate(ca)]
    ours = pins.check(chain, host, at=at).allowed
    seen = [pin_of_certificate(each).base64 for each in chain]
    theirs = PLATFORMS[form](dict(made.files), host, seen[0], {seen[1]}, at)
    pinned = pins.policy_for(host) is not None
    for goes_on in theirs or ():
        if goes_on is not ours:
            harm = Harm.WEAKENS if goes_on else Harm.LOCKS_OUT
            assert _has(made, harm, host, pinned=pinned), (made.losses, made.files)
