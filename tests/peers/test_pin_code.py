"""Pins exported as code, compiled and run by their own tools against honest and rogue servers.

Each client connects as every host of a set that uses every rule, to every server, and must
go on exactly where our own check does; a server that is refused hears no request.
"""

from __future__ import annotations

import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from peers.pin_client_run import CLIENTS, PEERS, built, differences
from peers.programs import program
from pinwarden.pinning import Mode, PinPolicy, PinSet, UnpinnedHosts
from pinwarden.pinning.formats.export import Writing
from pinwarden.pinning.formats.table import FORMATS
from support.pin_export_world import ADDRESS, NAMES, everything, policy, simple
from support.pin_world import world

pytestmark = [pytest.mark.peer, pytest.mark.timeout(600)]

HOSTILE = "*/ \" ' ` ${x} \\u000a */ --> <!-- \n\r\u2028 }}; panic(1) // #{y} %REFUSE% {made}"


def exported(pins: PinSet, form: str, folder: Path, **options: str) -> None:
    made = FORMATS[form].write(pins, Writing(at=datetime.now(UTC), **options))
    for name, text in made.files:
        (folder / name).write_text(text, encoding="utf-8")


def with_hostile_comments(pins: PinSet) -> PinSet:
    """The same set, its comments written by somebody who would rather write code."""
    policies = [
        PinPolicy(
            **{
                name: getattr(each, name)
                for name in ("host", "mode", "include_subdomains", "exclude", "expires")
            },
            on_expiry=each.on_expiry,
            keys=tuple(
                type(key)(key.pin, key.role, kind=HOSTILE, comment=HOSTILE, owner=HOSTILE)
                for key in each.keys
            ),
            comment=HOSTILE,
            owner=HOSTILE,
        )
        for each in pins.policies
    ]
    return PinSet(policies, unpinned_hosts=pins.unpinned_hosts)


@pytest.fixture(params=list(UnpinnedHosts), ids=lambda each: f"unpinned-{each.value}")
def pins(request: pytest.FixtureRequest) -> PinSet:
    return with_hostile_comments(everything(request.param))


def test_go(pins: PinSet, tmp_path: Path) -> None:
    """Go's package is formatted, vetted and exact."""
    go = program("go")
    (tmp_path / "pins").mkdir()
    exported(pins, "go", tmp_path / "pins")
    shutil.copy(CLIENTS / "main.go", tmp_path)
    (tmp_path / "go.mod").write_text("module pinclient\n\ngo 1.21\n")
    assert built([program("gofmt"), "-l", "."], tmp_path) == ""
    built([go, "vet", "./..."], tmp_path)
    built([go, "build", "-o", "client", "."], tmp_path)
    trust = {"SSL_CERT_FILE": world().cafile, "SSL_CERT_DIR": str(tmp_path)}
    assert differences(pins, [tmp_path / "client"], trust) == []


@pytest.mark.parametrize("weaken", ["no", "yes"])
def test_nodejs(pins: PinSet, tmp_path: Path, weaken: str) -> None:
    """Node's agent is exact, and rejectUnauthorized: false does not switch it off."""
    exported(pins, "nodejs", tmp_path)
    shutil.copy(CLIENTS / "main.cjs", tmp_path)
    trust = {"NODE_EXTRA_CA_CERTS": world().cafile, "WEAKEN": weaken}
    assert differences(pins, [program("node"), tmp_path / "main.cjs"], trust) == []


def test_nodejs_needs_its_signatures(tmp_path: Path) -> None:
    """Without verifying signatures a chain that is linked by names alone would pass."""
    pins = everything()
    exported(pins, "nodejs", tmp_path)
    shutil.copy(CLIENTS / "main.cjs", tmp_path)
    module = tmp_path / "pins.cjs"
    code = module.read_text()
    weaker = code.replace(" || !below.verify(issuer.publicKey)", "")
    assert weaker != code
    module.write_text(weaker)
    trust = {"NODE_EXTRA_CA_CERTS": world().cafile}
    found = differences(pins, [program("node"), tmp_path / "main.cjs"], trust)
    assert "ca.test at crafted: ok, we say False" in found
    assert "ca.test at crafted: was told a request" in found


def test_rust(tmp_path: Path) -> None:
    """The rustls verifier is exact, and compiles without a warning."""
    cargo, crates = program("cargo"), PEERS / "rust"
    if not (crates / ".fetched").is_file():
        pytest.skip("the crates of rustls are not here: `make peers` fetches them")
    for unpinned in UnpinnedHosts:
        pins = with_hostile_comments(everything(unpinned))
        client = tmp_path / unpinned
        shutil.copytree(CLIENTS / "rust", client)
        shutil.copy(crates / "Cargo.lock", client)
        exported(pins, "rust", client / "src")
        built(
            [cargo, "build", "--quiet", "--offline", "--locked"],
            client,
            CARGO_TARGET_DIR=str(crates / "target"),
            CARGO_HOME=str(crates / "home"),
            RUSTFLAGS="-D warnings",
        )
        built_client = shutil.copy(crates / "target" / "debug" / "pinclient", client)
        assert differences(pins, [built_client], {"SSL_CERT_FILE": world().cafile}) == []


def test_dotnet(pins: PinSet, tmp_path: Path) -> None:
    """The C# class compiles, and refuses whatever we refuse.

    Under Mono, whose own verification does not know addresses and gives up on a chain in
    which a certificate fits by name alone; .NET's handler is not compiled here.
    """
    compiler, runtime = program("mcs"), program("mono")
    exported(pins, "dotnet", tmp_path)
    shutil.copy(CLIENTS / "Main.cs", tmp_path)
    words = built([compiler, "-out:client.exe", "-warnaserror", "Pins.cs", "Main.cs"], tmp_path)
    assert "error" not in words
    trust = _mono_trust(tmp_path)
    client = [runtime, tmp_path / "client.exe"]
    assert differences(pins, client, trust, NAMES, ("genuine", "rogue", "stuffed")) == []
    found = differences(pins, client, trust, (*NAMES, ADDRESS), ("crafted",))
    assert all("refused, we say True" in each for each in found)


def _mono_trust(folder: Path) -> dict[str, str]:
    """A home in which Mono trusts the authorities of the world."""
    store = folder / "home" / ".config" / ".mono" / "new-certs" / "Trust"
    store.mkdir(parents=True)
    for number, block in enumerate(_blocks()):
        one = folder / f"{number}.pem"
        one.write_text(block)
        name = built([program("openssl"), "x509", "-noout", "-hash", "-in", one], folder).strip()
        (store / f"{name}.0").write_text(block)
    home = folder / "home"
    return {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}


def _blocks() -> list[str]:
    return re.findall(
        r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", world().bundle, re.DOTALL
    )


@pytest.mark.parametrize("language", ["java", "kotlin"])
def test_okhttp(tmp_path: Path, language: str) -> None:
    """OkHttp's pinner is exact for what it can say."""
    jars = ":".join(map(str, sorted((PEERS / "okhttp").glob("*.jar"))))
    if not jars:
        pytest.skip("OkHttp is not here: `make peers` fetches it")
    pins = with_hostile_comments(
        PinSet((*simple(), policy("own.below.test", ca="intermediate"), policy(ADDRESS, ca="root")))
    )
    exported(pins, f"okhttp-{language}", tmp_path)
    shutil.copy(CLIENTS / "Main.java", tmp_path)
    out, java = tmp_path / "out", program("java")
    classes, sources = f"{jars}:{out}", ["Main.java", "Pins.java"]
    if language == "kotlin":
        kotlin = [java, "-cp", jars, "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"]
        built([*kotlin, "-no-stdlib", "-no-reflect", "-cp", jars, "-d", out, "Pins.kt"], tmp_path)
        sources = ["Main.java"]
    built([program("javac"), "-cp", classes, "-d", out, *sources], tmp_path)
    store = tmp_path / "trust.p12"
    for number, block in enumerate(_blocks()):
        one = tmp_path / f"{number}.pem"
        one.write_text(block)
        keytool = [program("keytool"), "-importcert", "-noprompt", "-alias", f"ca{number}"]
        built([*keytool, "-keystore", store, "-storepass", "changeit", "-file", one], tmp_path)
    trust = [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit"]
    assert differences(pins, [java, *trust, "-cp", classes, "Main"], {}) == []


def test_python(tmp_path: Path, pins: PinSet) -> None:
    """The Python module holds the same set, and a context for it."""
    exported(pins, "python", tmp_path)
    code = "import pins; pins.context(); print(pins.PINS.to_json(), end='')"
    assert built([sys.executable, "-c", code], tmp_path) == pins.to_json()


def test_modes_are_in_the_set() -> None:
    """The set that all this is tried with has every rule, so that none goes untested."""
    found = everything().policies
    assert {each.mode for each in found} == set(Mode)
    assert any(each.exclude for each in found)
    assert any(each.pins() and each.expires for each in found)
