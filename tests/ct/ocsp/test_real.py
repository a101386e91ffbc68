"""Stapled responses that were recorded from real servers."""

import gzip
import json
from base64 import b64decode
from datetime import timedelta
from pathlib import Path

from cryptography.x509.ocsp import load_der_ocsp_response

from pinwarden.ct.issuer import issuer_among
from pinwarden.ct.ocsp import OCSPStatus, evaluate_ocsp
from pinwarden.x509.certificate import view_certificate

_MINUTE = timedelta(minutes=1)


def test_recorded_responses_verify(corpus: Path) -> None:
    """Each is signed by the issuer or its responder, and with one bit changed by nobody."""
    count = 0
    with gzip.open(corpus / "real-chains" / "pcap_handshakes.jsonl.gz", "rt") as lines:
        for line in map(json.loads, lines):
            leaf, *above = (view_certificate(b64decode(each)) for each in line["chain"])
            issuer = issuer_among(leaf, above)
            for response in map(b64decode, line["ocsp"]):
                at = load_der_ocsp_response(response).this_update_utc + _MINUTE
                answer = evaluate_ocsp(response, leaf, issuer, at)
                assert (answer.status, answer.problem) == (OCSPStatus.GOOD, "")
                changed = bytearray(response)
                changed[len(changed) // 3] ^= 1
                assert evaluate_ocsp(bytes(changed), leaf, issuer, at).status is None
                count += 1
    assert count >= 30
