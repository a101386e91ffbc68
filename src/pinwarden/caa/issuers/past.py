"""The CA of a certificate of the past, from whatever the source of history tells of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinwarden.caa.issuers.map import How, IssuerMap, IssuerMatch, Owner, normal_domain
from pinwarden.errors import MalformedError
from pinwarden.issuances import PastIssuance
from pinwarden.x509.certificate import CertificateView, view_certificate, view_tbs

__all__ = ["issuer_of_past", "organisation_in", "view_of_past"]

# The names of issuers are lines of a few hundred characters; the rest is cut.
_LONGEST_NAME = 2_000
_ATTRIBUTE = re.compile(
    r'[ ]*([A-Za-z0-9.]{1,40})=(?:"((?:[^"\\]|\\.)*)"[ ]*|((?:[^",+\\]|\\.)*))(?:[,+]|$)'
)
_ESCAPED = re.compile(r"\\(.)")
# Words that a company writes behind its name, and its owner record does not.
_LEGAL_FORMS = frozenset(
    {
        *("inc", "llc", "ltd", "limited", "corp", "corporation", "company", "co", "plc", "gmbh"),
        *("ag", "sa", "spa", "nv", "nvsa", "as", "ab", "bv", "oy", "technologies", "ca"),
    }
)


def issuer_of_past(past: PastIssuance, issuers: IssuerMap) -> IssuerMatch | None:
    """The CA that issued, or None where neither key, domains nor name tell it; never raises.

    In this order: the issuing key (its hash, the certificate's authority key identifier), the
    CAA domains that the source lists for the issuer, and the issuer's name, in the
    certificate or as text, which anybody could write (`How.BY_NAME`).
    """
    match = issuers.issuer_of(view_of_past(past), issuer_spki_sha256=past.issuer_spki_sha256)
    if match is not None and match.how is not How.BY_NAME:
        return match
    return _by_domains(past, issuers) or match or _by_text(past.issuer, issuers)


def view_of_past(past: PastIssuance) -> CertificateView | None:
    """The certificate, precertificate or bare TBSCertificate, if there is one to be read."""
    for read in (view_certificate, view_tbs) if past.der is not None else ():
        try:
            return read(past.der or b"")
        except MalformedError:
            continue
    return None


def _by_domains(past: PastIssuance, issuers: IssuerMap) -> IssuerMatch | None:
    domains = dict.fromkeys(filter(None, map(normal_domain, past.issuer_domains)))
    if not domains:
        return None
    owners = dict.fromkeys(owner for each in domains if (owner := issuers.owner_of(each)))
    note = "the CAA domains are those that the source lists for the issuer"
    return IssuerMatch(tuple(owners), frozenset(domains), How.BY_KEY, note)


def _by_text(issuer: str, issuers: IssuerMap) -> IssuerMatch | None:
    organisation = organisation_in(issuer)
    owner = None if organisation is None else _owner(organisation, issuers)
    if owner is None:
        return None
    note = "the issuer's key is not known, only its name"
    return IssuerMatch((owner,), owner.all_domains, How.BY_NAME, note)


def _owner(organisation: str, issuers: IssuerMap) -> Owner | None:
    for spelt in _spellings(organisation):
        owner = issuers.owner_named(spelt)
        if owner is not None:
            return owner
    return None


def _spellings(organisation: str) -> Iterator[str]:
    """The name of a company, then with one word less of its legal form, and so on."""
    words = organisation.split()
    while words:
        spelt = " ".join(words).rstrip(",. ")
        yield spelt
        yield spelt.removesuffix(".com")
        last = "".join(filter(str.isalnum, words.pop())).lower()
        if last not in _LEGAL_FORMS:
            return


def organisation_in(issuer: str) -> str | None:
    """The first organisation (O) in a name as text, or None.

    Takes the order and the escapes of RFC 4514 as well as values in quotes with blanks
    between the attributes, as crt.sh and Cert Spotter write them.
    """
    text, place = issuer[:_LONGEST_NAME], 0
    while place < len(text):
        found = _ATTRIBUTE.match(text, place)
        if found is None:
            return None
        if found[1].upper() in ("O", "ORGANIZATIONNAME"):
            value = found[3].strip() if found[2] is None else found[2]
            return _ESCAPED.sub(r"\1", value) or None
        place = found.end()
    return None
