"""Many entries that look like those of the world, quickly.

A few real certificates are minted for each kind of issuer, and for each length
that their names may have; the others are made of their bytes, with other serial
numbers, names, keys and times in the same places. Keys are real; the signatures
over spliced certificates are noise of the right shape, since nobody who reads a
log checks them. Every issuance is a precertificate, two of three come back later
as certificates: about 60 percent of the entries are precertificates.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha1, sha256
from itertools import islice

from pinwarden.ct.leaf import EntryType, Extra, encode_leaf
from pinwarden.lab import asn1
from pinwarden.lab.ca import CA, POISON, PrivateKey, new_key, sct_list, spki_of
from pinwarden.lab.log import LabLog

_WORDS = (
    *("shop", "cloud", "mail", "web", "data", "home", "tech", "blue", "green", "media"),
    *("design", "studio", "photo", "travel", "hotel", "garden", "coffee", "music", "school"),
    *("bank", "dental", "legal", "print", "sport", "health", "city", "market", "house", "food"),
)
_TLDS = (".com", ".com", ".com", ".de", ".net", ".org", ".io", ".co.uk", ".com.br", ".shop")
_LENGTHS = range(9, 27)
_PREFIXES = (("",), ("", "www."), ("", "*."), ("www.", "", "api."), ("mail.",))
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class _Style:
    """How the certificates of one kind of issuer look."""

    issuer: str
    issuer_key_kind: str
    key_kind: str
    days: int
    serial_size: int
    organization: str | None = None


_COMPANY = "Example Corporation of Northern California, Inc."
_STYLES = (
    _Style("Lab Encrypt", "ec", "ec", 90, 18),
    _Style("Lab Encrypt", "ec", "rsa", 90, 18),
    _Style("DigiLab Inc", "rsa", "ec", 199, 16, _COMPANY),
    _Style("DigiLab Inc", "rsa", "rsa", 199, 16, _COMPANY),
    _Style("Lab Trust Services", "rsa", "ec", 90, 17),
    _Style("Sectilab Limited", "rsa", "rsa", 199, 16),
)
_NOTICE = b"This certificate was minted for tests and asserts nothing about anybody. "


@dataclass(frozen=True, slots=True)
class _Key:
    spki: bytes
    identifier: bytes


@dataclass(frozen=True, slots=True)
class _Template:
    """One shape: three byte strings with the same holes, `%b` in each place."""

    length: int
    names: int
    days: int
    serial_size: int
    key_kind: str
    signature_kind: str
    tbs: bytes
    precertificate: bytes
    certificate: bytes
    issuer_key_hash: bytes
    issuers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Bulk:
    """One entry, before it has a place in a log."""

    type: EntryType
    signed: bytes
    issuer_key_hash: bytes | None
    precertificate: bytes | None
    issuers: tuple[bytes, ...]


def fill(
    log: LabLog,
    count: int,
    *,
    seed: int = 1,
    plant: Sequence[str] = (),
    at: datetime | None = None,
    step_ms: int = 20,
) -> dict[str, int]:
    """Enter `count` entries, the last of them at the time `at`.

    Each name in `plant` gets an honest certificate of its own, spread evenly over
    the entries; returns their numbers.
    """
    last_ms = int((at or log.clock()).timestamp() * 1000)
    first = log.size
    places = {first + (i + 1) * count // (len(plant) + 1): n for i, n in enumerate(plant)}
    entries = bulk_entries(seed, at=at)
    ca = CA("Planted Lab", at=at)
    index = first
    while index < first + count:
        stop = min(index + _BATCH, first + count)
        leaves, extras = [], []
        for i, entry in zip(range(index, stop), entries, strict=False):
            made = _planted(ca, places[i]) if i in places else entry
            stamp = last_ms - (first + count - 1 - i) * step_ms
            leaves.append(
                encode_leaf(stamp, made.type, made.signed, made.issuer_key_hash, log.extensions(i))
            )
            extras.append(_extra(log, made))
        log.add_leaves(leaves, extras)
        index = stop
    return {name: place for place, name in places.items()}


def bulk_entries(seed: int = 1, *, at: datetime | None = None) -> Iterator[Bulk]:
    """Entries without end; the same seed makes the same names and serial numbers."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    born = at or datetime.now(UTC)
    templates, keys = _material()
    validities = {
        days: [_validity(born - timedelta(minutes=7 * i), days) for i in range(200)]
        for days in {style.days for style in _STYLES}
    }
    waiting: list[Bulk] = []
    while True:
        if waiting and rng.random() < 0.4:
            yield waiting.pop(rng.randrange(len(waiting)))
            continue
        template = rng.choice(templates)
        holes = _holes(
            rng,
            template,
            rng.choice(keys[template.key_kind]),
            rng.choice(validities[template.days]),
        )
        signature = _signature(rng, template.signature_kind)
        yield Bulk(
            EntryType.PRECERT,
            template.tbs % holes,
            template.issuer_key_hash,
            template.precertificate % (*holes, signature),
            template.issuers,
        )
        if len(waiting) < 64:
            noise = rng.randbytes(32), rng.randbytes(32)
            certificate = template.certificate % (*holes, *noise, signature)
            waiting.append(Bulk(EntryType.X509, certificate, None, None, template.issuers))


def _extra(log: LabLog, made: Bulk) -> Extra:
    prints = _PRINTS.get(made.issuers)
    if prints is None:
        prints = _PRINTS[made.issuers] = tuple(sha256(each).digest() for each in made.issuers)
    if prints[0] not in log.issuers:
        log.issuers.update(zip(prints, made.issuers, strict=True))
    return Extra(made.precertificate, made.issuers, prints)


_PRINTS: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}


def _planted(ca: CA, name: str) -> Bulk:
    made = ca.precertify([name])
    return Bulk(EntryType.PRECERT, made.tbs, made.issuer_key_hash, made.der, made.chain)


def _holes(
    rng: random.Random, template: _Template, key: _Key, validity: bytes
) -> tuple[bytes, ...]:
    name = _domain(rng, template.length)
    serial = b"\x05" + rng.randbytes(template.serial_size - 1)
    return (serial, validity, name, key.spki, key.identifier, *(name,) * template.names)


def _domain(rng: random.Random, length: int) -> bytes:
    tld = rng.choice(_TLDS)
    stem = rng.choice(_WORDS) + rng.choice(_WORDS) + f"{rng.getrandbits(96):024x}"
    return (stem[: length - len(tld)] + tld).encode()


def _signature(rng: random.Random, kind: str) -> bytes:
    if kind == "rsa":
        return rng.randbytes(256)
    noise = rng.randbytes(62)
    return _ecdsa(b"\x5a" + noise[:31], b"\x5a" + noise[31:])


def _ecdsa(r: bytes, s: bytes) -> bytes:
    """An ECDSA-Sig-Value (RFC 3279 section 2.2.3) of always the same length."""
    return b"\x30\x44\x02\x20" + r + b"\x02\x20" + s


def _key(key: PrivateKey) -> _Key:
    spki = spki_of(key)
    # RFC 5280 section 4.2.1.2, method 1.
    return _Key(spki, sha1(asn1.contents(asn1.children(spki)[1])[1:]).digest())  # noqa: S324


def _validity(start: datetime, days: int) -> bytes:
    end = start + timedelta(days=days) - timedelta(seconds=1)
    times = (asn1.element(asn1.UTC_TIME, f"{t:%y%m%d%H%M%S}Z".encode()) for t in (start, end))
    return asn1.sequence(*times)


@cache
def _material() -> tuple[list[_Template], dict[str, list[_Key]]]:
    """Templates and keys, minted once in a process."""
    keys = {
        "ec": [_key(new_key()) for _ in range(1000)],
        "rsa": [_key(new_key("rsa")) for _ in range(12)],
    }
    return list(_templates(datetime.now(UTC))), keys


def _templates(born: datetime) -> Iterator[_Template]:
    kinds = {style.issuer: style.issuer_key_kind for style in _STYLES}
    authorities = {name: CA(name, at=born, key_kind=kind) for name, kind in kinds.items()}
    keys = {kind: new_key(kind) for kind in ("ec", "rsa")}
    for style in _STYLES:
        for prefixes in _PREFIXES:
            for length in _LENGTHS:
                ca = authorities[style.issuer]
                yield _template(ca, style, keys[style.key_kind], prefixes, length, born)


def _template(
    ca: CA, style: _Style, key: PrivateKey, prefixes: Sequence[str], length: int, born: datetime
) -> _Template:
    name = ("zq" * length)[: length - 4] + ".zqz"
    serial = b"\x05" + b"\xa5" * (style.serial_size - 1)
    wish = {} if style.organization is None else {"organization": style.organization}
    tbs = ca.tbs(
        [prefix + name for prefix in prefixes],
        key,
        days=style.days,
        not_before=born,
        serial=int.from_bytes(serial, "big"),
        cn=name,
        **wish,
    )
    extensions = [*asn1.extensions_of(tbs), _notice()]
    tbs = asn1.with_extensions(tbs, extensions)
    made = _key(key)
    marks = (serial, _validity(born, style.days), name.encode(), made.spki, made.identifier)
    signature = b"\x7e" * (256 if style.issuer_key_kind == "rsa" else 70)
    halves = b"\x7d" * 32, b"\x7c" * 32
    poisoned = asn1.with_extensions(tbs, [*extensions, POISON])
    promised = asn1.with_extensions(tbs, [*extensions, _promises(halves, born)])
    return _Template(
        length=length,
        names=len(prefixes),
        days=style.days,
        serial_size=style.serial_size,
        key_kind=style.key_kind,
        signature_kind=style.issuer_key_kind,
        tbs=_punch(tbs, marks),
        precertificate=_punch(_unsigned(poisoned, signature), (*marks, signature)),
        certificate=_punch(_unsigned(promised, signature), (*marks, *halves, signature)),
        issuer_key_hash=ca.issuer_key_hash,
        issuers=ca.chain,
    )


def _punch(der: bytes, marks: Sequence[bytes]) -> bytes:
    """The bytes with a hole for each mark, in the order in which they stand."""
    out = der.replace(b"%", b"%%")
    for mark in marks:
        assert mark in der
        out = out.replace(mark.replace(b"%", b"%%"), b"%b")
    return out


def _unsigned(tbs: bytes, signature: bytes) -> bytes:
    algorithm = asn1.children(tbs)[asn1.SIGNATURE]
    return asn1.sequence(tbs, algorithm, asn1.element(asn1.BIT_STRING, b"\x00", signature))


def _promises(halves: tuple[bytes, bytes], born: datetime) -> bytes:
    """Two SCTs of unknown logs, each with a half of noise in its signature."""
    stamp = int(born.timestamp() * 1000).to_bytes(8, "big")
    scts: list[bytes] = []
    for half in halves:
        log_id = sha256(b"a lab log" + bytes([len(scts)])).digest()
        signature = _ecdsa(b"\x5a" * 32, half)
        scts.append(b"\x00" + log_id + stamp + b"\x00\x00\x04\x03\x00\x46" + signature)
    return sct_list(scts)


def _notice() -> bytes:
    """A tenth extension that brings the size to what the world has (Netscape comment)."""
    return asn1.extension("2.16.840.1.113730.1.13", asn1.element(asn1.IA5_STRING, _NOTICE * 3))


def take(count: int, seed: int = 1) -> list[Bulk]:
    """The first entries of `bulk_entries`."""
    return list(islice(bulk_entries(seed), count))
