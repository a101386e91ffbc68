"""`pinwarden ct scts`, on files and on servers that hand SCTs over."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

from cli.ct.conftest import CT
from pinwarden.ct.known_logs import mimic_logs
from pinwarden.lab.loglist import log_list_json
from pinwarden.lab.tls import Credentials, LabTLS
from support.ct_world import HOST, CTWorld, chain_file, written
from support.handing_servers import encoded_list, handing_server, ocsp_answer

VERSIONS = ("tls1_2", "tls1_3")


def test_file_with_its_chain(ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path) -> None:
    """Every SCT inside a certificate is verified with the issuer that the file has."""
    file = chain_file(tmp_path, *ct_world.issue().served_chain)
    ran = ct("scts", file, "--log-list", log_list)
    assert ran.code == 0
    assert ran.out.startswith(f"{file}: 2 SCTs: 2 valid; 2 log operators\n")
    assert "First Operator" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize("form", ["DER", "PKCS#7", "another order"])
def test_forms_of_files(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path, form: str
) -> None:
    """A certificate alone in DER, a chain in PKCS#7, and a chain the wrong way round."""
    issued = ct_world.issue()
    issuer = chain_file(tmp_path, ct_world.ca.intermediate, name="issuer.pem")
    if form == "DER":
        file = written(tmp_path / "leaf.der", issued.certificate)
    elif form == "PKCS#7":
        chain = [x509.load_der_x509_certificate(each) for each in issued.served_chain]
        file = written(tmp_path / "chain.p7b", serialize_certificates(chain, Encoding.DER))
    else:
        file = chain_file(tmp_path, *reversed(issued.served_chain))
    ran = ct("scts", file, "--issuer", issuer, "--log-list", log_list)
    assert ran.code == 0
    assert "2 SCTs: 2 valid" in ran.out


def test_hostile_log_list(ct: CT, ct_world: CTWorld, tmp_path: Path) -> None:
    """A list that a user was given may call its logs anything; it shows as it should."""
    text = ct_world.list_json().replace(b"First Operator", b"\\u001b[31m\\u202e" + b"A" * 5000)
    file = chain_file(tmp_path, *ct_world.issue().served_chain)
    log_list = written(tmp_path / "hostile.json", text)
    ran = ct("scts", file, "--log-list", log_list)
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) < 200
    assert ct("scts", file, "--log-list", log_list, "--json").code == 0


def test_old_log_list_is_spoken_of(ct: CT, ct_world: CTWorld, tmp_path: Path) -> None:
    """What is judged by an old list is judged, and both a person and a program hear of it."""
    old = log_list_json(ct_world.listed, at=datetime.now(UTC) - timedelta(days=100))
    log_list = written(tmp_path / "old.json", old)
    file = chain_file(tmp_path, *ct_world.issue().served_chain)
    ran = ct("scts", file, "--log-list", log_list, "--json")
    assert ran.code == 0
    (note,) = ran.line["notes"]
    assert "100 days" in note
    assert note in ran.err


def test_certificate_of_the_world(
    ct: CT, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a list the logs that are and were known are used, those of 2023 too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = corpus / "real-chains" / "limbo_online_2023-2026.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        oldest = min(map(json.loads, lines), key=lambda each: each["not_before"])
    chain = [b64decode(each) for each in (oldest["leaf"], *oldest["chain"], *oldest["roots"])]
    ran = ct("scts", chain_file(tmp_path, *chain), "--json")
    assert ran.code == 0
    assert {each["status"] for each in ran.line["scts"]} == {"valid"}


def test_json_says_everything(ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path) -> None:
    """One object a target, with the shape of the documentation."""
    issued = ct_world.issue()
    file = chain_file(tmp_path, *issued.served_chain)
    ran = ct("scts", file, file, "--log-list", log_list, "--json")
    assert ran.code == 0
    line, same = ran.lines
    assert line == same
    assert line["target"] == str(file)
    assert line["verified"] is None
    assert line["certificate_sha256"] == issued.fingerprint.hex()
    assert (line["findings"], line["notes"], line["problem"]) == ([], [], "")
    classic, tiled = line["scts"]
    assert b64decode(classic["log_id"]) == ct_world.classic.face().log_id
    assert classic["log"] == ct_world.classic.description().description
    assert classic["operator"] == "First Operator"
    assert (classic["source"], classic["status"]) == ("embedded", "valid")
    assert (classic["reason"], classic["flaws"], classic["leaf_index"]) == ("", [], None)
    assert tiled["leaf_index"] == ct_world.tiled.size - 1
    assert datetime.fromisoformat(classic["timestamp"]) <= datetime.now(UTC)


@pytest.mark.parametrize("version", VERSIONS)
def test_server_hands_over_scts(
    ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path, version: str
) -> None:
    """SCTs of the TLS extension and of the stapled OCSP response verify beside those inside."""
    issued = ct_world.issue()
    tls = encoded_list([ct_world.tiled.add_chain(issued.certificate_chain)])
    stapled = encoded_list([ct_world.classic.add_chain(issued.certificate_chain)])
    ocsp = ocsp_answer(ct_world.ca, issued.certificate, sct_list=stapled)
    with handing_server(Credentials.of(issued), sct_list=tls, ocsp=ocsp, version=version) as port:
        ran = ct(*_asking(port, cafile), "--log-list", log_list, "--json")
    assert ran.code == 0
    sources = [(each["source"], each["status"]) for each in ran.line["scts"]]
    assert sources == [
        ("embedded", "valid"),
        ("embedded", "valid"),
        ("tls", "valid"),
        ("ocsp", "valid"),
    ]
    assert ran.line["verified"] is True
    assert ran.line["addresses"] == [f"127.0.0.1:{port}"]


def _asking(port: int, cafile: Path) -> tuple[str | Path, ...]:
    return "scts", f"{HOST}:{port}", "--address", "127.0.0.1", "--cafile", cafile


def test_leftover_scts_of_the_certificate_before(
    ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path
) -> None:
    """A server that was renewed, and whose SCT list was forgotten, is found out."""
    before, now = ct_world.issue(logs=()), ct_world.issue(logs=())
    left = encoded_list([ct_world.classic.add_chain(before.certificate_chain)])
    with handing_server(Credentials.of(now), sct_list=left) as port:
        ran = ct(*_asking(port, cafile), "--log-list", log_list, "--json")
    assert ran.code == 1
    (sct,) = ran.line["scts"]
    assert (sct["status"], sct["flaws"]) == ("invalid", ["bad-signature"])
    assert [each["id"] for each in ran.line["findings"]] == ["PW-CT-SCT-BAD-SIGNATURE"]


def test_staple_is_spoken_of(ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path) -> None:
    """Revoked and out of date are notes here: the SCTs in the response hold all the same."""
    issued = ct_world.issue()
    stapled = encoded_list([ct_world.classic.add_chain(issued.certificate_chain)])
    ocsp = ocsp_answer(
        ct_world.ca,
        issued.certificate,
        status="revoked",
        sct_list=stapled,
        at=datetime.now(UTC) - timedelta(days=30),
    )
    with handing_server(Credentials.of(issued), ocsp=ocsp) as port:
        ran = ct(*_asking(port, cafile), "--log-list", log_list)
    assert ran.code == 0
    assert "says that the certificate is revoked since" in ran.out
    assert "out of date since" in ran.out


def test_forgotten_intermediate(ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path) -> None:
    """Without the issuer nothing is verified; with --issuer it is, though the chain is not."""
    issued = ct_world.issue()
    with LabTLS(Credentials.of(issued, intermediates=False)) as server:
        alone = ct(*_asking(server.port, cafile), "--log-list", log_list, "--json")
        issuer = chain_file(cafile.parent, ct_world.ca.intermediate, name="issuer.pem")
        helped = ct(
            *_asking(server.port, cafile), "--log-list", log_list, "--json", "--issuer", issuer
        )
    assert alone.code == 1
    assert [each["status"] for each in alone.line["scts"]] == ["not-checked"] * 2
    assert any("issuer of the certificate is not known" in note for note in alone.line["notes"])
    assert any("--issuer FILE" in note for note in alone.line["notes"])
    assert helped.code == 0
    assert helped.line["verified"] is False
    assert any("nothing vouches for the chain" in note for note in helped.line["notes"])


def test_lists_in_files(ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path) -> None:
    """What a server would hand over can be tried before it does."""
    issued = ct_world.issue(logs=())
    file = chain_file(tmp_path, *issued.served_chain)
    classic = encoded_list([ct_world.classic.add_chain(issued.certificate_chain)])
    tiled = encoded_list([ct_world.tiled.add_chain(issued.certificate_chain)])
    scts = written(tmp_path / "scts.bin", tiled)
    ocsp = written(
        tmp_path / "ocsp.der", ocsp_answer(ct_world.ca, issued.certificate, sct_list=classic)
    )
    ran = ct("scts", file, "--sct-list", scts, "--ocsp", ocsp, "--log-list", log_list, "--json")
    assert ran.code == 0
    assert [each["source"] for each in ran.line["scts"]] == ["tls", "ocsp"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("{file}", "{file}", "--sct-list", "{file}"), id="two files"),
        pytest.param(("localhost:1", "--ocsp", "{file}"), id="a host"),
        pytest.param(("{file}", "--sct-list", "{empty}"), id="an empty list"),
        pytest.param(("{file}", "--issuer", "{log_list}"), id="an issuer that is none"),
        pytest.param(("{file}", "--at", "soon"), id="no date"),
        pytest.param(("{folder}/missing.pem",), id="no such file"),
        pytest.param(("{log_list}",), id="no certificate"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """One line says what is wrong, and nobody is asked."""
    file = chain_file(tmp_path, *ct_world.issue().served_chain)
    empty = written(tmp_path / "empty", b"")
    given = [
        each.format(file=file, empty=empty, log_list=log_list, folder=tmp_path)
        for each in arguments
    ]
    ran = ct("scts", *given, "--log-list", log_list)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("pinwarden: error: ")


def test_no_scts_is_a_finding(ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path) -> None:
    """A certificate without any is one that browsers refuse."""
    file = chain_file(tmp_path, *ct_world.issue(logs=()).served_chain)
    ran = ct("scts", file, "--log-list", log_list)
    assert ran.code == 1
    assert f"{file}: no SCTs\n" in ran.out
    assert "PW-CT-NO-SCTS" in ran.out


def test_precertificate_is_called_so(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """A file that has the precertificate in it holds none of the SCTs that it got."""
    file = chain_file(tmp_path, *ct_world.issue().precertificate_chain)
    ran = ct("scts", file, "--log-list", log_list)
    assert ran.code == 1
    assert "this is a precertificate" in ran.out
    assert "PW-CT-NO-SCTS" not in ran.out


def test_certificate_of_a_ca_is_called_so(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """A chain without its leaf has no SCTs, and that is no fault of the CA."""
    file = chain_file(tmp_path, *ct_world.ca.chain)
    ran = ct("scts", file, "--log-list", log_list)
    assert ran.code == 1
    assert "this is the certificate of a CA" in ran.out
    assert "PW-CT-NO-SCTS" not in ran.out


def test_file_of_two_servers_says_so(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """The second one is not silently taken for something else."""
    first, second = ct_world.issue(), ct_world.issue()
    file = chain_file(tmp_path, *first.certificate_chain, *second.served_chain)
    ran = ct("scts", file, "--log-list", log_list, "--json")
    assert ran.code == 0
    (note,) = ran.line["notes"]
    assert note == "the file has the certificates of 2 servers; only the first is looked at"


def test_staple_of_nobody_is_spoken_of(
    ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path
) -> None:
    """What it says counts for nothing, and the SCTs in it for what their logs signed."""
    issued = ct_world.issue()
    stapled = encoded_list([ct_world.classic.add_chain(issued.certificate_chain)])
    response = bytearray(
        ocsp_answer(ct_world.ca, issued.certificate, status="revoked", sct_list=stapled)
    )
    response[-1] ^= 1
    file = chain_file(tmp_path, *issued.served_chain)
    ocsp = written(tmp_path / "ocsp.der", bytes(response))
    ran = ct("scts", file, "--ocsp", ocsp, "--log-list", log_list, "--json")
    assert ran.code == 0
    assert [each["source"] for each in ran.line["scts"]][-1] == "ocsp"
    assert ran.line["notes"] == ["OCSP response: its responder did not sign it"]


def test_unknown_log(ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path) -> None:
    """An SCT that nobody here can verify is called that, and is no pass."""
    file = chain_file(tmp_path, *ct_world.issue(logs=[ct_world.stray]).served_chain)
    ran = ct("scts", file, "--log-list", log_list, "--json")
    assert ran.code == 1
    (sct,) = ran.line["scts"]
    assert (sct["status"], sct["log"], sct["operator"]) == ("unknown-log", None, None)
    assert b64decode(sct["log_id"]) == ct_world.stray.face().log_id
    assert [each["id"] for each in ran.line["findings"]] == ["PW-CT-SCT-UNKNOWN-LOG"]


def test_mimic_log(ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path) -> None:
    """An SCT that anybody could have made is called what it is."""
    mimic = next(iter(mimic_logs()))
    issued = ct_world.issue(logs=())
    raw = ct_world.classic.add_chain(issued.certificate_chain)
    scts = written(tmp_path / "scts.bin", encoded_list([raw[:1] + mimic + raw[33:]]))
    file = chain_file(tmp_path, *issued.served_chain)
    ran = ct("scts", file, "--sct-list", scts, "--log-list", log_list, "--json")
    assert ran.code == 1
    assert ran.line["scts"][0]["status"] == "invalid"
    assert [each["id"] for each in ran.line["findings"]] == ["PW-CT-SCT-MIMIC-LOG"]


def test_another_time(ct: CT, ct_world: CTWorld, log_list: Path, tmp_path: Path) -> None:
    """As of yesterday, today's SCTs are from the future."""
    file = chain_file(tmp_path, *ct_world.issue().served_chain)
    at = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    ran = ct("scts", file, "--log-list", log_list, "--at", at, "--json")
    assert ran.code == 1
    assert [each["flaws"] for each in ran.line["scts"]] == [["from-the-future"]] * 2


def test_host_that_does_not_answer(ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path) -> None:
    """What could not be asked is said, and is neither a pass nor a finding."""
    with LabTLS(Credentials.of(ct_world.issue())) as server:
        server.manner = "closed"
        ran = ct(*_asking(server.port, cafile), "--log-list", log_list)
    assert ran.code == 3
    assert "not checked" in ran.out


def test_addresses_that_differ_are_told_one_by_one(
    ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path
) -> None:
    """A server that lacks what its neighbour hands over does not hide behind it."""
    issued = ct_world.issue(logs=())
    tls = encoded_list([ct_world.classic.add_chain(issued.certificate_chain)])
    with (
        handing_server(Credentials.of(issued), sct_list=tls) as good,
        handing_server(Credentials.of(issued)) as bad,
    ):
        arguments = ("--address", f"127.0.0.1:{bad}", "--cafile", cafile, "--log-list", log_list)
        ran = ct(*_asking(good, cafile)[:4], *arguments, "--json")
    assert ran.code == 1
    assert [len(each["scts"]) for each in ran.lines] == [1, 0]
    assert [each["addresses"] for each in ran.lines] == [
        [f"127.0.0.1:{good}"],
        [f"127.0.0.1:{bad}"],
    ]


def test_what_came_beside_is_unknown(
    ct: CT, ct_world: CTWorld, log_list: Path, cafile: Path, tmp_path: Path
) -> None:
    """Where the second handshake fails, a certificate without SCTs is not called one."""
    credentials = Credentials.of(ct_world.issue(logs=()))

    class Fickle(LabTLS):
        def _treat(self, visitor: object, visit: object) -> None:
            self.manner = "tls" if len(self.visits) == 1 else "closed"
            super()._treat(visitor, visit)  # type: ignore[arg-type]

    with Fickle(credentials) as server:
        ran = ct(*_asking(server.port, cafile), "--log-list", log_list)
    assert ran.code == 3
    assert "no SCTs are known" in ran.out
    assert "what comes beside the chain is not known" in ran.out
    assert "PW-CT-NO-SCTS" not in ran.out
