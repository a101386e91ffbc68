"""SCTs of the real world, and of other projects' test suites: every verdict equal to theirs."""

from __future__ import annotations

import gzip
import json
import lzma
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from pinwarden.ct.head import LogID
from pinwarden.ct.issuer import claimed_issuer, issuer_among
from pinwarden.ct.known_logs import known_logs
from pinwarden.ct.log import Log, LogKind, LogList
from pinwarden.ct.presented import (
    Flaw,
    JudgedSCT,
    PresentedSCT,
    SCTStatus,
    collect_scts,
    judge_scts,
)
from pinwarden.ct.sct import SCTSource, parse_sct
from pinwarden.errors import MalformedError
from pinwarden.pinning.pem import pem_blocks
from pinwarden.x509.certificate import CertificateView, view_certificate

AT = datetime(2026, 11, 24, tzinfo=UTC)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else lzma.open
    with opened(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _views(encoded: Iterable[str]) -> Iterator[CertificateView]:
    for each in encoded:
        yield view_certificate(b64decode(each))


def _verdicts(judged: Iterable[JudgedSCT]) -> set[tuple[str, int, bool]]:
    """As the records have them: log, time, and whether the signature holds."""
    return {
        (each.sct.log_id.hex(), each.sct.timestamp_ms, each.status is SCTStatus.VALID)
        for each in judged
        if each.sct is not None
    }


def _recorded(scts: Sequence[dict[str, Any]]) -> set[tuple[str, int, bool]]:
    return {(each["log_id"], each["timestamp_ms"], each["signature"] == "valid") for each in scts}


def test_big_sites_of_four_years(corpus: Path) -> None:
    """Every SCT in the certificates of big sites verifies, with the logs that we ship."""
    count = 0
    for line in _lines(corpus / "real-chains" / "limbo_online_2023-2026.jsonl.gz"):
        leaf = view_certificate(b64decode(line["leaf"]))
        issuer = issuer_among(leaf, _views(line["chain"] + line["roots"]))
        presented, problems = collect_scts(leaf)
        judged = judge_scts(leaf, issuer, presented, known_logs(), AT)
        assert problems == ()
        assert _verdicts(judged) == _recorded(line["scts"])
        assert {each.status for each in judged} == {SCTStatus.VALID}
        count += len(judged)
    assert count > 100


@cache
def _real(corpus: Path) -> list[tuple[bytes, tuple[CertificateView, ...]]]:
    """Leaves with SCTs, and what stands above each."""
    lines = _lines(corpus / "real-chains" / "limbo_online_2023-2026.jsonl.gz")
    return [
        (b64decode(line["leaf"]), tuple(_views(line["chain"] + line["roots"]))) for line in lines
    ]


@given(data=st.data())
def test_one_flipped_bit_of_a_real_certificate_fails(corpus: Path, data: st.DataObject) -> None:
    """Whatever bit is changed, by the log's signature or by the issuer's no SCT is valid."""
    leaf, above = data.draw(st.sampled_from(_real(corpus)))
    at = data.draw(st.integers(0, 8 * len(leaf) - 1))
    changed = bytearray(leaf)
    changed[at // 8] ^= 1 << at % 8
    try:
        view = view_certificate(bytes(changed))
    except MalformedError:
        return
    presented, _ = collect_scts(view)
    issuer, claimed = issuer_among(view, above), claimed_issuer(view, above)
    judged = judge_scts(view, issuer, presented, known_logs(), AT, claimed=claimed)
    assert SCTStatus.VALID not in {each.status for each in judged}
    own, start = view_certificate(leaf), leaf.find(view_certificate(leaf).tbs)
    listed = leaf.find(own.sct_list or b"")
    in_list = listed <= at // 8 < listed + len(own.sct_list or b"")
    if claimed is not None and not in_list and start <= at // 8 < start + len(own.tbs):
        assert SCTStatus.NOT_CHECKED not in {each.status for each in judged}


def test_handshakes_of_twenty_years(corpus: Path) -> None:
    """What servers sent in recorded handshakes: chain, TLS extension and stapled response."""
    count = 0
    for line in _lines(corpus / "real-chains" / "pcap_handshakes.jsonl.gz"):
        leaf, *above = _views(line["chain"])
        tls = b64decode(line["tls_sct_list"] or "")
        issuer = issuer_among(leaf, above)
        for ocsp in [b64decode(each) for each in line["ocsp"]] or [b""]:
            presented, _ = collect_scts(leaf, tls, ocsp)
            judged = judge_scts(leaf, issuer, presented, known_logs(), AT)
            embedded = [each for each in judged if each.source is SCTSource.EMBEDDED]
            if issuer is not None:
                assert _verdicts(embedded) == _recorded(line["scts"])
            beside = [each for each in judged if each.source is not SCTSource.EMBEDDED]
            assert {each.status for each in beside} <= {SCTStatus.VALID}
            stapled = [each for each in beside if each.source is SCTSource.OCSP]
            assert len(stapled) >= len(line["ocsp_scts"])
            count += len(judged)
    assert count > 100


@cache
def _issuers(corpus: Path) -> dict[str, CertificateView]:
    """The CA certificates of CCADB by their SHA-256."""
    found = {}
    for line in _lines(corpus / "ccadb" / "all_ca_certs_2026-08.jsonl.xz"):
        der = b64decode(line["der"])
        try:
            found[sha256(der).hexdigest()] = view_certificate(der)
        except MalformedError:
            continue
    return found


def test_leaves_of_all_kinds(corpus: Path) -> None:
    """Every SCT of the collected certificates has the verdict that was found for it before."""
    count = 0
    for line in _lines(corpus / "certs-bulk" / "real_leaves.jsonl.gz"):
        if "scts" not in line:
            continue
        leaf = view_certificate(b64decode(line["der"]))
        known = _issuers(corpus).get(line.get("issuer_ccadb_sha256") or "")
        issuer = None if known is None else issuer_among(leaf, [known])
        presented, problems = collect_scts(leaf)
        judged = judge_scts(leaf, issuer, presented, known_logs(), AT)
        if issuer is None:
            assert {each.status for each in judged} <= {SCTStatus.NOT_CHECKED}
            continue
        assert problems == ()
        assert _verdicts(judged) == _recorded(line["scts"])
        count += len(judged)
    assert count > 400


# The tests of rustls/sct.rs: logs of the test keys, and SCTs of the entry "cert" at 1234 ms.

_SCT_RS = {
    "ecdsa_p256-basic": None,
    "ecdsa_p256-wrongtime": Flaw.BAD_SIGNATURE,
    "ecdsa_p256-wrongcert": Flaw.BAD_SIGNATURE,
    "ecdsa_p256-wrongext": Flaw.BAD_SIGNATURE,
    "ecdsa_p256-badsigalg": Flaw.BAD_SIGNATURE,
    "ecdsa_p256-wrongid": Flaw.UNKNOWN_LOG,
    "ecdsa_p256-version": Flaw.UNKNOWN_VERSION,
    "ecdsa_p256-junk": Flaw.UNREADABLE,
    "ecdsa_p256-short": None,
    "ecdsa_p256-future": Flaw.FROM_THE_FUTURE,
    "rsa2048-basic": None,
    "rsa2048-wrongtime": Flaw.BAD_SIGNATURE,
    "rsa2048-wrongcert": Flaw.BAD_SIGNATURE,
    # RFC 6962 section 2.1.4 has SHA-256 alone, and these are of SHA-384 and SHA-512.
    **{
        f"rsa{bits}-{case}": Flaw.BAD_SIGNATURE
        for bits in (3072, 4096)
        for case in ("basic", "wrongtime", "wrongcert")
    },
    # It lets logs sign with P-256 or RSA, so that these are of no log.
    **{f"ecdsa_p384-{case}": Flaw.UNKNOWN_LOG for case in ("basic", "wrongtime", "wrongcert")},
}


def _log(spki: bytes) -> Log:
    log_id = LogID(sha256(spki).digest())
    return Log(log_id=log_id, key=spki, description="a log", kind=LogKind.RFC6962, url="")


def _spki(path: Path) -> bytes:
    key = load_pem_public_key(path.read_bytes())
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(("name", "flaw"), _SCT_RS.items(), ids=_SCT_RS)
def test_sct_rs(corpus: Path, name: str, flaw: Flaw | None) -> None:
    """SCTs, broken in one way each, are refused for just that way."""
    folder = corpus / "sct-testdata" / "sct.rs"
    logs = LogList(logs=tuple(map(_log, map(_spki, (folder / "test").glob("*-pub.pem")))))
    raw = (folder / "src" / "testdata" / f"{name}-sct.bin").read_bytes()
    # The certificate of these tests is no certificate, and an SCT does not care.
    leaf = CertificateView(b"", b"cert", ())
    # All are of 1234 ms, and one is to be looked at before that.
    at = datetime.fromtimestamp(1.233, UTC) if "future" in name else AT
    (judged,) = judge_scts(leaf, None, [PresentedSCT(SCTSource.TLS, raw)], logs, at)
    assert judged.flaws == (() if flaw is None else (flaw,))
    assert (judged.status is SCTStatus.VALID) == (flaw is None)


def test_sct_rs_short(corpus: Path) -> None:
    """Every beginning of an SCT is cut off, and every one of them is told so."""
    folder = corpus / "sct-testdata" / "sct.rs" / "src" / "testdata"
    raw = (folder / "ecdsa_p256-short-sct.bin").read_bytes()
    for size in range(len(raw)):
        with pytest.raises(MalformedError, match="ends too early"):
            parse_sct(raw[:size])


@pytest.mark.parametrize(
    ("sct", "key"),
    [("google-sct0", "google-pilot-pubkey"), ("google-sct1", "symantec-log-pubkey")],
    ids=["pilot", "symantec"],
)
def test_sct_rs_google(corpus: Path, sct: str, key: str) -> None:
    """Two real logs promised one real certificate of Google's."""
    folder = corpus / "sct-testdata" / "sct.rs" / "src" / "testdata"
    point = (folder / f"{key}.bin").read_bytes()
    spki = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    leaf = view_certificate((folder / "google-cert.bin").read_bytes())
    presented = [PresentedSCT(SCTSource.TLS, (folder / f"{sct}.bin").read_bytes())]
    (judged,) = judge_scts(leaf, None, presented, LogList(logs=(_log(spki),)), AT)
    assert (judged.status, judged.reason) == (SCTStatus.VALID, "")


# The tests of google/certificate-transparency: one log, and certificates issued in four ways.


def _one(path: Path) -> CertificateView:
    return view_certificate(pem_blocks(path.read_bytes())[0].data)


@pytest.mark.parametrize(
    ("folder", "name", "issuer", "status"),
    [
        ("google-ct", "test-embedded-cert", "ca-cert", SCTStatus.VALID),
        ("google-ct", "test-embedded-with-preca-cert", "ca-cert", SCTStatus.VALID),
        (
            "google-ct",
            "test-embedded-with-intermediate-cert",
            "intermediate-cert",
            SCTStatus.VALID,
        ),
        (
            "google-ct",
            "test-embedded-with-intermediate-preca-cert",
            "intermediate-cert",
            SCTStatus.VALID,
        ),
        ("google-ct", "test-invalid-embedded-cert", "ca-cert", SCTStatus.INVALID),
        # The certificate that signed the precertificate is not the issuer.
        ("google-ct", "test-embedded-with-preca-cert", "ca-pre-cert", SCTStatus.INVALID),
    ],
)
def test_google_ct_embedded(
    corpus: Path, folder: str, name: str, issuer: str, status: SCTStatus
) -> None:
    """However the precertificate was signed, the SCT is of the final issuer's key."""
    path = corpus / "sct-testdata" / folder
    logs = LogList(logs=(_log(_spki(path / "ct-server-key-public.pem")),))
    leaf, above = _one(path / f"{name}.pem"), _one(path / f"{issuer}.pem")
    presented, problems = collect_scts(leaf)
    (judged,) = judge_scts(leaf, above, presented, logs, AT)
    assert (judged.status, problems) == (status, ())


@pytest.mark.parametrize(
    ("proof", "certificate", "key", "status"),
    [
        ("test-cert", "test-cert", "ct-server-key-public", SCTStatus.VALID),
        ("test-intermediate-cert", "test-intermediate-cert", "ct-server-key-public", "valid"),
        ("rsa/test-cert-rsa", "test-cert", "rsa/ct-server-key-public-rsa", SCTStatus.VALID),
        ("test-cert", "test-intermediate-cert", "ct-server-key-public", SCTStatus.INVALID),
    ],
)
def test_google_ct_beside(
    corpus: Path, proof: str, certificate: str, key: str, status: SCTStatus
) -> None:
    """SCTs of whole certificates, by an ECDSA log and an RSA log."""
    path = corpus / "sct-testdata" / "google-ct"
    logs = LogList(logs=(_log(_spki(path / f"{key}.pem")),))
    presented = [PresentedSCT(SCTSource.TLS, (path / f"{proof}.proof").read_bytes())]
    (judged,) = judge_scts(_one(path / f"{certificate}.pem"), None, presented, logs, AT)
    assert judged.status == status


def test_ct_go(corpus: Path) -> None:
    """The same certificate and SCT as the Go library has them."""
    path = corpus / "sct-testdata" / "ct-go" / "testdata"
    key = corpus / "sct-testdata" / "google-ct" / "ct-server-key-public.pem"
    presented = [PresentedSCT(SCTSource.TLS, (path / "test-cert.proof").read_bytes())]
    leaf = _one(path / "test-cert.pem")
    (judged,) = judge_scts(leaf, None, presented, LogList(logs=(_log(_spki(key)),)), AT)
    assert judged.status is SCTStatus.VALID


def test_odd_lists_in_certificates(corpus: Path) -> None:
    """Empty lists are no lists, and one beside the poison extension is read as any other."""
    folder = corpus / "certs-odd" / "zlint"
    lost = {
        path.stem: bool(collect_scts(_one(path))[1])
        for path in sorted(folder.glob("*sct_list*.pem"))
    }
    assert lost["empty_sct_list_ko_01"]
    assert not lost["precert_with_sct_list_ok"]
