"""`pinwarden pin check`: live at every address, in a file, and at other times."""

from __future__ import annotations

import hashlib
import io
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cli.pin.conftest import Pin, Served
from pinwarden.cli.pin.checking import Checked, check_address
from pinwarden.lab import asn1
from pinwarden.lab.ca import CA, PrivateKey, key_pem, pem
from pinwarden.lab.tls import Credentials, LabTLS
from pinwarden.net.served import ServedAddress
from pinwarden.pinning import PinSet
from support.pin_world import HOST, world
from support.starttls_server import StartTLSServer

TRUST = ("--cafile", world().cafile)


@pytest.mark.parametrize(
    ("name", "chain", "verdict", "code", "allowed"),
    [
        ("good", "genuine", "match", 0, True),
        ("good", "cross-signed", "match", 0, True),
        ("backup", "genuine", "match", 0, True),
        ("good", "rogue", "mismatch", 1, False),
        ("good", "stuffed", "mismatch", 1, False),
        ("wrong", "genuine", "mismatch", 1, False),
        ("forbidden", "genuine", "mismatch", 1, False),
        ("report-only", "genuine", "mismatch", 1, True),
        ("good", "forged", "unknown", 1, False),
        ("good", "expired", "unknown", 1, False),
        ("good", "wrong-host", "unknown", 1, False),
        ("good", "self-signed", "unknown", 1, False),
        ("expired-closed", "genuine", "mismatch", 1, False),
        ("expired-open", "genuine", "unknown", 1, True),
        ("expired-report-only", "genuine", "match", 1, True),
    ],
)
def test_what_is_served(
    name: str,
    chain: str,
    verdict: str,
    code: int,
    allowed: bool,
    pin: Pin,
    served: Served,
    files: Path,
) -> None:
    """The verdict, the exit code, and whether clients would go on."""
    ran = pin("check", files / f"{name}.toml", served(chain), *TRUST, "--json")
    assert (ran.line["verdict"], ran.code, ran.line["allowed"]) == (verdict, code, allowed)
    assert ran.line["target"] == served(chain)
    spoken = pin("check", files / f"{name}.toml", served(chain), *TRUST)
    assert spoken.code == code
    words = "clients connect" if allowed else "clients refuse it"
    assert words in spoken.out


def test_the_documented_keys(pin: Pin, served: Served, files: Path) -> None:
    """Pins are text: those that matched, that would do, and that were seen, leaf first."""
    line = pin("check", files / "good.toml", served("genuine"), *TRUST, "--json").line
    pins = world().pins
    assert line["matched"] == [pins["intermediate"].curl]
    assert sorted(line["expected"]) == sorted([pins["intermediate"].curl, pins["spare"].curl])
    assert line["seen"] == [pins[name].curl for name in ("leaf", "intermediate", "root")]
    assert line["findings"] == []
    refused = pin("check", files / "good.toml", served("stuffed"), *TRUST, "--json").line
    assert refused["matched"] == []
    assert refused["seen"][0] == pins["rogue-leaf"].curl
    assert [each["id"] for each in refused["findings"]] == ["PW-PIN-LOCKED-OUT"]
    assert "not in the verified chain" in refused["notes"][0]


def test_the_worst_address_decides(pin: Pin, served: Served, files: Path) -> None:
    """One address of three that clients cannot use is a finding about the host."""
    places = []
    for name in ("genuine", "rogue", "genuine"):
        places += ["--address", served(name).replace(HOST, "127.0.0.1")]
    ran = pin("check", files / "good.toml", HOST, *places, *TRUST, "--json")
    assert ran.code == 1
    assert ran.line["verdict"] == "mismatch"
    ids = {each["id"] for each in ran.line["findings"]}
    assert ids == {"PW-PIN-LOCKED-OUT", "PW-PIN-ADDRESSES-DISAGREE"}


def test_what_could_not_be_asked_is_no_match(pin: Pin, served: Served, files: Path) -> None:
    """A host of which one address is silent is not found in order."""
    place = served("genuine").replace(HOST, "127.0.0.1")
    places = ("--address", place, "--address", "127.0.0.1:1")
    ran = pin("check", files / "good.toml", HOST, *places, *TRUST, "--json")
    assert (ran.code, ran.line["verdict"]) == (3, "unknown")
    verdicts = [each["verdict"] for each in ran.line["addresses"]]
    assert verdicts == ["match", "unknown"]
    assert "not checked" in pin("check", files / "good.toml", HOST, *places, *TRUST).out


def test_addresses_that_were_left_out(files: Path) -> None:
    """A host of which not every address was asked is not found in order."""
    genuine = world().chains["genuine"].certificates
    served = ServedAddress(
        address="192.0.2.1", port=443, verified=(*genuine, world().authorities.a.root)
    )
    at, pins = datetime.now(UTC), PinSet.load(str(files / "good.toml"))
    checked = Checked(
        target=HOST,
        host=HOST,
        at=at,
        policy=pins.policy_for(HOST),
        addresses=(check_address(served, pins, HOST, at),),
        problem="3 more addresses were not asked",
    )
    assert (checked.verdict, checked.code) == ("unknown", 3)
    assert replace(checked, problem="").verdict == "match"


def test_a_refusal_counts_more_than_silence(pin: Pin, served: Served, files: Path) -> None:
    """With one host locked out and another silent the exit code is that of the finding."""
    ran = pin("check", files / "good.toml", served("rogue"), "localhost:1", *TRUST, "--quiet")
    assert (ran.code, ran.out) == (1, "")
    assert pin("check", files / "good.toml", "localhost:1", *TRUST, "--quiet").code == 3


def test_the_file_may_stand_behind_its_hosts(pin: Pin, served: Served, files: Path) -> None:
    ran = pin("check", served("genuine"), files / "good.toml", *TRUST)
    assert (ran.code, ran.out.splitlines()[0]) == (0, f"{served('genuine')}: match")
    two = pin("check", "localhost:1", files / "good.toml", files / "wrong.toml", *TRUST)
    assert two.code == 2


def test_a_host_without_a_policy(pin: Pin, served: Served, files: Path) -> None:
    """Held to nothing is not a match; a set may refuse such hosts."""
    where = served("genuine").replace(HOST, "127.0.0.1")
    ran = pin("check", files / "good.toml", where, *TRUST, "--json")
    assert (ran.code, ran.line["verdict"], ran.line["policy"]) == (1, "unknown", None)
    assert ran.line["allowed"] is True
    refused = pin("check", files / "refuse-unpinned.toml", where, *TRUST, "--json")
    assert refused.line["allowed"] is False


@pytest.mark.parametrize("name", ["leaf", "intermediate", "root"])
def test_pins_without_a_set(name: str, pin: Pin, served: Served) -> None:
    """A pin alone is looked for anywhere in the verified chain, in any form."""
    found = world().pins[name]
    options = ("--pin", found.hpkp, "--pin", world().pins["stray"].hex, *TRUST, "--json")
    ran = pin("check", served("genuine"), *options)
    assert (ran.code, ran.line["matched"]) == (0, [found.curl])
    assert pin("check", served("stuffed"), *options).code == 1


def test_the_hash_of_a_certificate_is_recognised(pin: Pin, served: Served) -> None:
    """Somebody who pins what `openssl x509 -fingerprint` prints is told so."""
    digest = hashlib.sha256(world().chains["genuine"].certificates[0]).hexdigest()
    ran = pin("check", served("genuine"), "--pin", digest, *TRUST, "--json")
    assert ran.code == 1
    assert "PW-PIN-CERTIFICATE-HASH" in {each["id"] for each in ran.line["findings"]}


def test_at_another_time(pin: Pin, served: Served, files: Path) -> None:
    """The policy is taken as in force then, and certificates that have ended by then are told."""
    yesterday = (datetime.now(UTC) - timedelta(days=3)).date()
    ran = pin(
        *("check", files / "expired-closed.toml", served("genuine"), *TRUST, "--json"),
        *("--at", str(yesterday)),
    )
    assert (ran.code, ran.line["verdict"]) == (0, "match")
    later = pin("check", files / "good.toml", served("genuine"), *TRUST, "--at", "2090-01-01")
    assert later.code == 0
    assert "CN=localhost: is valid until" in later.out


def test_a_chain_in_a_file(pin: Pin, files: Path) -> None:
    """Verified up to the root, for the host, at the time; what does not verify is no match."""
    arguments = ("check", files / "good.toml", "--chain", files / "chain.pem", *TRUST)
    ran = pin(*arguments, "--json")
    assert (ran.code, ran.line["verdict"]) == (0, "match")
    assert ran.line["seen"][-1] == world().pins["root"].curl
    later = pin(*arguments, "--at", "2090-01-01", "--json")
    assert (later.code, later.line["verdict"], later.line["reason"]) == (1, "unknown", "untrusted")
    elsewhere = pin("check", files / "good.toml", "other.example", *arguments[2:], "--json")
    assert (elsewhere.code, elsewhere.line["verdict"]) == (1, "unknown")
    (files / "stuffed.pem").write_bytes(pem(world().chains["stuffed"].certificates))
    stuffed = pin("check", files / "good.toml", "--chain", files / "stuffed.pem", *TRUST, "--json")
    assert (stuffed.code, stuffed.line["verdict"]) == (1, "mismatch")
    (files / "forged.pem").write_bytes(pem(world().chains["forged"].certificates))
    forged = pin("check", files / "good.toml", "--chain", files / "forged.pem", *TRUST, "--json")
    assert (forged.code, forged.line["verdict"]) == (1, "unknown")


def test_every_host_of_a_set(pin: Pin, files: Path, served: Served) -> None:
    """Without hosts each policy is checked, on the port of HTTPS; here nobody listens there."""
    place = served("genuine").replace(HOST, "127.0.0.1")
    ran = pin("check", files / "good.toml", "--address", place, *TRUST, "--json")
    assert (ran.code, ran.line["target"]) == (0, HOST)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "no-such-file.toml"),
        ("check", "localhost", "--pin", "sha256//short"),
        ("check", "localhost", "--pin", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("check", "GOOD", "--pin", "sha256//short"),
        ("check", "GOOD", "http://localhost"),
        ("check", "GOOD", "--chain", "GOOD"),
        ("check", "GOOD", "a.example", "b.example", "--chain", "CHAIN"),
        ("check", "GOOD", "--chain", "CHAIN", "--address", "127.0.0.1"),
        ("check", "GOOD", "--chain", "KEY"),
        ("check", "GOOD", "--at", "yesterday"),
        ("check", "GOOD", "--cafile", "KEY"),
        ("check", "CHAIN"),
    ],
)
def test_what_is_meant_wrongly(arguments: tuple[str, ...], pin: Pin, files: Path) -> None:
    """One line and a hint, exit code 2, and nobody is asked."""
    names = {"GOOD": "good.toml", "CHAIN": "chain.pem", "KEY": "key.pem"}
    ran = pin(*(files / names[each] if each in names else each for each in arguments))
    assert (ran.code, ran.out) == (2, "")
    assert 1 <= len(ran.err.splitlines()) <= 2


def test_a_set_from_stdin(
    pin: Pin, served: Served, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In TOML or in JSON."""
    toml = (files / "good.toml").read_text()
    for text in (toml, PinSet.parse(toml).to_json()):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert pin("check", "-", served("genuine"), *TRUST).code == 0


def _not_in_der(ca: CA, key: PrivateKey) -> bytes:
    """A certificate for the host whose TBSCertificate has a length of an octet too many."""
    tbs = ca.tbs([HOST], key)
    assert tbs[:2] == b"\x30\x82"
    odd = b"\x30\x83\x00" + tbs[2:]
    assert isinstance(ca.key, ec.EllipticCurvePrivateKey)
    signature = asn1.element(asn1.BIT_STRING, b"\0", ca.key.sign(odd, ec.ECDSA(hashes.SHA256())))
    return asn1.sequence(odd, asn1.children(tbs)[asn1.SIGNATURE], signature)


def test_a_certificate_that_is_not_in_der(pin: Pin, files: Path) -> None:
    """OpenSSL takes such a length, and verifies the chain; here it must not be a pass."""
    ca, genuine = world().authorities.a, world().chains["genuine"]
    odd = ssl.DER_cert_to_PEM_cert(_not_in_der(ca, genuine.private_key)).encode()
    file = files / "odd.pem"
    file.write_bytes(key_pem(genuine.private_key) + odd + pem([ca.intermediate]))
    with StartTLSServer(lambda _: None, genuine) as server:
        # The lab's own server reads what it is to show, and would not read this.
        server.context.load_cert_chain(file)
        where = f"{HOST}:{server.port}"
        ran = pin("check", files / "good.toml", where, *TRUST, "--json")
        shown = pin("show", where, *TRUST, "--json")
        made = pin("make", where, "--allow-no-backup", *TRUST)
    assert (ran.code, ran.line["verdict"]) == (1, "mismatch")
    assert ran.line["reason"] == "chain-unreadable"
    assert shown.code == 1
    assert shown.line["certificates"][0]["pin"] is None
    assert "in DER" in shown.line["certificates"][0]["problem"]
    assert (made.code, made.out) == (1, "")


def test_a_subject_that_is_hostile(pin: Pin, files: Path) -> None:
    """What a server says of itself is escaped where it is shown (`pin` sees to that)."""
    issued = world().authorities.b.issue([HOST], cn="\x1b[2J\r\u202efdp.exe" + "x" * 40)
    with LabTLS(Credentials.of(issued)) as server:
        where = f"{HOST}:{server.port}"
        ran = pin("check", files / "good.toml", where, *TRUST)
        made = pin("make", where, "--leaf", "--allow-no-backup", *TRUST)
    assert ran.code == 1
    assert r"leaf CN=\x1b[2J\r\u202efdp" in ran.out
    assert r"\u202e" in PinSet.parse(made.out).policies[0].keys[0].comment
