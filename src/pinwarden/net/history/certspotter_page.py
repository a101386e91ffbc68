"""The JSON of Cert Spotter's API: a page of issuances, as far as each can be read.

One issuance is precertificate and certificate together. Fields come and go with the
versions of the API and with what is asked for, so that only the dates must be there.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, replace

import msgspec

from pinwarden.errors import MalformedError, quoted
from pinwarden.issuances import PastIssuance
from pinwarden.net.history.moments import read_moment
from pinwarden.net.history.octets import issuance_from
from pinwarden.net.history.told_names import ToldNames
from pinwarden.x509.certificate import view_certificate

__all__ = ["Page", "error_of", "parse_page"]

_MOST_NAMES = 10_000
_LARGEST_CERTIFICATE = 1 << 20
_DOMAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?")


class _Issuer(msgspec.Struct, gc=False):
    name: str | None = None
    pubkey_sha256: str | None = None
    caa_domains: list[str] | None = None


class _Issuance(msgspec.Struct, gc=False):
    not_before: str
    not_after: str
    id: str | int | None = None
    tbs_sha256: str | None = None
    cert_sha256: str | None = None
    dns_names: list[str] | None = None
    pubkey_sha256: str | None = None
    issuer: _Issuer | None = None
    revoked: bool | None = None
    cert_der: str | None = None


class _Identified(msgspec.Struct, gc=False):
    id: str | int


class _Error(msgspec.Struct, gc=False):
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The issuances of one page, what of it cannot be read, and where the next begins.

    `last` is the id of the last issuance, readable or not; empty for a page of nothing.
    """

    issuances: list[PastIssuance]
    problems: list[str]
    last: str


_list = msgspec.json.Decoder(list[msgspec.Raw])
_issuance = msgspec.json.Decoder(_Issuance)
_identified = msgspec.json.Decoder(_Identified)
_error = msgspec.json.Decoder(_Error)


def parse_page(body: bytes) -> Page:
    """One page of the API's answer.

    Raises `MalformedError` where it is no list, or where the last issuance has no id.
    """
    try:
        items = _list.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        shown = " ".join(body[:200].decode("utf-8", "replace").split())
        raise MalformedError(
            error_of(body) or f"answered with something that is no JSON list: {quoted(shown, 80)}"
        ) from None
    issuances, problems, reader = [], [], ToldNames()
    for number, raw in enumerate(items, 1):
        try:
            issuances.append(_read(_issuance.decode(raw), reader))
        except (msgspec.MsgspecError, MalformedError, ValueError, RecursionError) as error:
            problems.append(f"issuance {number}: {quoted(str(error))[1:-1]}")
    return Page(issuances, problems, _last_id(items))


def error_of(body: bytes) -> str:
    """The `message` and `code` of an error as the API writes it; empty for anything else."""
    try:
        error = _error.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""
    if not error.code and not error.message:
        return ""
    return f"refused: {quoted(error.message)} ({quoted(error.code, 60)[1:-1]})"


def _last_id(items: list[msgspec.Raw]) -> str:
    if not items:
        return ""
    try:
        last = str(_identified.decode(items[-1]).id)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        last = ""
    if not last or len(last) > 200 or not last.isascii() or not last.isprintable():
        raise MalformedError("the last issuance of a page has no usable id, so no page follows")
    return last


def _read(row: _Issuance, reader: ToldNames) -> PastIssuance:
    issuer = row.issuer or _Issuer()
    problems: list[str] = []
    names: dict[str, None] = {}
    for each in (row.dns_names or [])[:_MOST_NAMES]:
        names.update(dict.fromkeys(sorted(reader.read(each))))
    told = PastIssuance(
        names=tuple(names),
        issuer=issuer.name or "",
        not_before=read_moment(row.not_before),
        not_after=read_moment(row.not_after),
        source="certspotter",
        reference="" if row.id is None else quoted(str(row.id))[1:-1],
        tbs_sha256=_hash(row.tbs_sha256, "tbs_sha256", problems),
        certificate_sha256=_hash(row.cert_sha256, "cert_sha256", problems),
        spki_sha256=_hash(row.pubkey_sha256, "pubkey_sha256", problems),
        issuer_spki_sha256=_hash(issuer.pubkey_sha256, "issuer.pubkey_sha256", problems),
        issuer_domains=tuple(
            each for each in (issuer.caa_domains or [])[:100] if _DOMAIN.fullmatch(each)
        ),
        revoked=row.revoked,
        problems=tuple(problems),
    )
    return _with_octets(told, row.cert_der) if row.cert_der else told


def _with_octets(told: PastIssuance, text: str) -> PastIssuance:
    """The issuance with what only its octets say; they must be of this issuance."""
    if len(text) > _LARGEST_CERTIFICATE:
        return _with_problem(told, "cert_der is too large to be a certificate")
    try:
        view = view_certificate(b64decode(text, validate=True))
        read = issuance_from(view, source=told.source, reference=told.reference)
    except (MalformedError, Base64Error, ValueError) as error:
        return _with_problem(told, f"cert_der: {quoted(str(error))[1:-1]}")
    if told.tbs_sha256 not in (None, read.tbs_sha256):
        return _with_problem(told, "cert_der is of another issuance than tbs_sha256")
    return replace(
        read,
        names=tuple(dict.fromkeys((*read.names, *told.names))),
        certificate_sha256=told.certificate_sha256 or read.certificate_sha256,
        issuer_spki_sha256=told.issuer_spki_sha256,
        issuer_domains=told.issuer_domains,
        revoked=told.revoked,
        problems=(*told.problems, *read.problems),
    )


def _with_problem(told: PastIssuance, problem: str) -> PastIssuance:
    return replace(told, problems=(*told.problems, problem))


def _hash(text: str | None, field: str, problems: list[str]) -> bytes | None:
    if text is None:
        return None
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:
        problems.append(f"{field} is not a SHA-256 in hexadecimal")
        return None
    return value
