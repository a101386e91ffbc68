"""Pins exported for Android, read by the code that reads them on a phone.

Both readers run on an ordinary JVM, with the classes of Android as Robolectric publishes
them and no phone around: Android's own, and TrustKit's.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from peers.pin_client_run import CLIENTS, PEERS, built
from peers.programs import program
from pinwarden.pinning import OnExpiry, PinPolicy, PinSet
from pinwarden.pinning.formats.export import LossKind, Writing
from pinwarden.pinning.formats.table import FORMATS
from support.pin_export_world import NAMES, policy

pytestmark = pytest.mark.peer

ENDS = {"expires": date(2027, 6, 30), "on_expiry": OnExpiry.OPEN}
_MORE = ("x.own.below.test", "deep.own.below.test", "x.deep.own.below.test")
# TrustKit refuses a configuration with a name of a top-level domain that it does not know.
HOSTS = tuple(each.replace(".test", ".example.com") for each in (*NAMES, *_MORE))


def told_by(
    reader: str, pins: PinSet, form: str, folder: Path, accepted: Collection[str] = ()
) -> dict[str, list[str]]:
    """What a reader says of each host, in words; skips where its classes are not."""
    jars = [PEERS / "android" / "android-all.jar", PEERS / "trustkit" / "classes.jar"]
    if not all(each.is_file() for each in jars):
        pytest.skip("the classes of Android and TrustKit are not here: `make peers` fetches them")
    made = FORMATS[form].write(pins, Writing(at=datetime.now(UTC)))
    assert made.unaccepted(accepted) == ()
    ((name, text),) = made.files
    (folder / name).write_text(text)
    path = ":".join(map(str, (*jars, folder)))
    quiet = ["-XDignore.symbol.file", "-nowarn", "-cp", path]
    built([program("javac"), *quiet, "-d", folder, CLIENTS / f"{reader}.java"], folder)
    # Days begin at midnight where the phone is.
    said = built([program("java"), "-cp", path, reader, folder / name, *HOSTS], folder, TZ="UTC")
    return {line.split(" ")[0]: line.split(" ")[1:] for line in said.splitlines()}


def pins_of(found: PinPolicy | None) -> list[str]:
    return sorted(pin.base64 for pin in found.pins()) if found else []


def end_of(found: PinPolicy | None) -> str:
    """The moment from which the pins hold no longer, in seconds."""
    if found is None or found.expires is None:
        return "never"
    return str(int(datetime(2027, 7, 1, tzinfo=UTC).timestamp()))


def test_android(tmp_path: Path) -> None:
    """Android finds for every host the pins that our set has for it, and lets them end then."""
    out = ("out.below.example.com", "deep.own.below.example.com", "own.below.example.com")
    pins = PinSet(
        [
            policy("below.example.com", ca="stray", include_subdomains=True, exclude=out),
            policy("own.below.example.com", ca="intermediate", include_subdomains=True, **ENDS),
            policy("ca.example.com", ca=("intermediate", "root"), leaf="leaf"),
        ]
    )
    theirs = told_by("AndroidConfig", pins, "android-xml", tmp_path)
    for host in HOSTS:
        found = pins.policy_for(host)
        ends, told = theirs[host]
        assert [each for each in told.split(",") if each] == pins_of(found), host
        assert ends == end_of(found), host


def test_trustkit(tmp_path: Path) -> None:
    """TrustKit does too; it enforces, and reports to nobody who was not named."""
    uri = "https://reports.example/pkp?a=b&c=d"
    pins = PinSet(
        [
            policy("below.example.com", ca="stray", include_subdomains=True),
            policy("own.below.example.com", ca="intermediate", report_uri=uri, **ENDS),
            policy("ca.example.com", ca=("intermediate", "root"), leaf="leaf"),
        ]
    )
    theirs = told_by("TrustKitConfig", pins, "trustkit-android", tmp_path)
    for host in HOSTS:
        found = pins.policy_for(host)
        if found is None:
            assert theirs[host] == ["none"]
            continue
        enforced, ends, reports, told = theirs[host]
        assert (enforced, ends) == ("true", end_of(found))
        assert reports == f"[{found.report_uri}]"
        assert told.split(",") == pins_of(found)


@pytest.mark.parametrize("host", ["api.internal", "_api.example.com", "localhost"])
def test_trustkit_refuses_names_that_are_not_public(host: str, tmp_path: Path) -> None:
    """It stops the application, so a loss says so; whoever accepts it sees this."""
    pins = PinSet([policy(host, ca="root")])
    made = FORMATS["trustkit-android"].write(pins, Writing(at=datetime.now(UTC)))
    assert [each.kind for each in made.unaccepted()] == [LossKind.HOST_NAME]
    with pytest.raises(AssertionError, match="Tried to pin an invalid domain"):
        told_by("TrustKitConfig", pins, "trustkit-android", tmp_path, {LossKind.HOST_NAME})
