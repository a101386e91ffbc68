"""Fuzzes the view of a certificate: every field a value or one of our errors.

`fuzz/target.py` says how it runs.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

from target import damaged, run

from pinwarden.errors import PinwardenError
from pinwarden.x509.certificate import CertificateView, view_certificate, view_tbs
from pinwarden.x509.precert import logged_tbs, matches_precertificate, with_issuer

FIELDS = (
    *("serial", "issuer", "subject", "issuer_text", "subject_text", "not_before", "not_after"),
    *("spki", "spki_hash", "key_description", "fingerprint", "extensions", "extension_problems"),
    *("is_ca", "sct_list", "is_precertificate"),
)


def check(data: bytes) -> None:
    for view in (view_certificate, view_tbs):
        try:
            check_view(view(data))
        except PinwardenError:
            continue


def check_view(view: CertificateView) -> None:
    identifiers = view.identifiers()
    assert all(identifiers.dns)
    assert all(str(problem).isprintable() for problem in identifiers.unreadable)
    for field in FIELDS:
        try:
            getattr(view, field)
        except PinwardenError:
            continue
    logged = logged_tbs(view.tbs)
    assert logged_tbs(logged) == logged
    final = with_issuer(logged, view.issuer, None)
    if view.der is not None:
        matches_precertificate(view.der, final)


def seed() -> bytes:
    """An ordinary certificate to begin from."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.example.com")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    names = [x509.DNSName("www.example.com"), x509.DNSName("*.example.net")]
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5)
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(90))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.PrecertPoison(), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


if __name__ == "__main__":
    run(check, partial(damaged, seed()))
