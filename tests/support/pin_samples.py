"""Certificates, pins and strategies for tests of pinning: a few keys, made once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import strategies as st

from pinwarden.pinning.pin import Pin
from pinwarden.pinning.pinset import PinSet
from pinwarden.pinning.policy import Mode, OnExpiry, PinnedKey, PinPolicy, PinRole, UnpinnedHosts

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


@cache
def key(name: str) -> CertificateIssuerPrivateKeyTypes:
    """A private key, the same one for the same name."""
    if name.startswith("ed"):
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


@cache
def certificate(subject: str, issuer: str | None = None, *, ca: bool | None = None) -> bytes:
    """A certificate in DER; the keys are those of the names; self-issued without an issuer."""
    signer = key(issuer or subject)
    builder = x509.CertificateBuilder(
        named(issuer or subject), named(subject), key(subject).public_key(), 5
    )
    builder = builder.not_valid_before(START).not_valid_after(START + timedelta(700))
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


def pin(name: str) -> Pin:
    """A pin that belongs to no key."""
    return Pin.of_spki(name.encode())


def policy(host: str = "api.example.com", **said: object) -> PinPolicy:
    """A policy in force with a CA pin and a backup, but for what is said otherwise."""
    usual: dict[str, object] = {
        "mode": Mode.ENFORCE,
        "keys": (PinnedKey(pin("ca"), PinRole.CA), PinnedKey(pin("spare"), PinRole.BACKUP)),
    }
    return PinPolicy(host=host, **{**usual, **said})  # type: ignore[arg-type]


# Half characters are refused, everything else may stand in a comment.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
pins = st.binary(max_size=8).map(Pin.of_spki).filter(lambda each: not each.is_placeholder)
labels = st.sampled_from(["a", "b", "api", "x-1", "_srv", "xn--bcher-kva"])
hosts = st.one_of(
    st.lists(labels, min_size=1, max_size=4).map(".".join).map("{}.example".format),
    st.ip_addresses().map(str),
)


@st.composite
def policies(draw: st.DrawFn) -> PinPolicy:
    """Any policy that is not refused."""
    host = draw(hosts)
    below = draw(st.booleans()) and host.endswith(".example")
    found = draw(st.lists(pins, min_size=3, max_size=8, unique=True))
    roles = [
        draw(st.sampled_from([PinRole.LEAF, PinRole.CA])),
        PinRole.BACKUP,
        *(draw(st.sampled_from(PinRole)) for _ in found[2:]),
    ]
    expires = draw(st.none() | st.dates(date(1000, 1, 1)))
    return PinPolicy(
        host=host,
        mode=draw(st.sampled_from(Mode)),
        keys=tuple(
            PinnedKey(
                each,
                role,
                kind=draw(st.sampled_from(["", "root"])),
                comment=draw(texts),
                owner=draw(texts),
                expires=draw(st.none() | st.dates(date(1000, 1, 1))),
            )
            for each, role in zip(found, roles, strict=True)
        ),
        include_subdomains=below,
        exclude=tuple(f"{each}.{host}" for each in draw(st.lists(labels, max_size=2)) if below),
        expires=expires,
        on_expiry=draw(st.sampled_from(OnExpiry)) if expires or draw(st.booleans()) else None,
        report_uri=draw(st.sampled_from(["", "https://r.example/pkp"])),
        allow_no_backup=draw(st.booleans()),
        comment=draw(texts),
        owner=draw(texts),
    )


sets = st.builds(
    PinSet,
    st.lists(policies(), min_size=1, max_size=3, unique_by=lambda each: each.host),
    unpinned_hosts=st.sampled_from(UnpinnedHosts),
    comment=texts,
    owner=texts,
)
