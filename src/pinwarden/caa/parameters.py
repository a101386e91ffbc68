"""The parameters that RFC 8657 defines: accounturi and validationmethods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from types import MappingProxyType

from pinwarden.errors import MalformedError, quoted

ACCOUNT_URI = "accounturi"
VALIDATION_METHODS = "validationmethods"
BR_LABEL_PREFIX = "ca-tbr-"

# The subsections of section 3.2.2.4 of the TLS Baseline Requirements, and those among
# them that no CA may use any more.
BR_METHODS = range(1, 23)
_BR_RETIRED = frozenset((1, 3, 5, 6, 9, 10, 11))

_CHAR = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@{}]|%[0-9A-Fa-f]{{2}})*"
_URI = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"
    # Neither may give back what it took, or hostile text would cost its length squared.
    r"(?://(?P<authority>[^/?#]*)(?=[/?#]|\Z))?"
    rf"(?!//)(?P<path>{_CHAR.format('/')})"
    rf"(?:\?{_CHAR.format('/?')})?"
    rf"(?:\#{_CHAR.format('/?')})?"
)
_USERINFO = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*")
_HOST = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
_IP_FUTURE = re.compile(r"v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+", re.IGNORECASE)
_LABEL = re.compile(r"[A-Za-z0-9-]+")
_BR_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Method:
    """A label of the IANA registry "ACME Validation Methods", or of a draft for it in use.

    `retired` methods are reserved there and used by nobody; `server` says whether the
    method can prove control of a DNS name for a server certificate.
    """

    label: str
    source: str
    retired: bool = False
    server: bool = True


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.label: method
        for method in (
            Method("http-01", "RFC 8555"),
            Method("dns-01", "RFC 8555"),
            Method("tls-sni-01", "RFC 8555", retired=True),
            Method("tls-sni-02", "RFC 8555", retired=True),
            Method("tls-alpn-01", "RFC 8737"),
            Method("email-reply-00", "RFC 8823", server=False),
            Method("tkauth-01", "RFC 9447", server=False),
            Method("onion-csr-01", "RFC 9799"),
            Method("bp-nodeid-00", "RFC 9891", server=False),
            Method("device-attest-01", "draft-ietf-acme-device-attest", server=False),
            Method("dns-account-01", "draft-ietf-acme-dns-account-label"),
            Method("dns-persist-01", "draft-ietf-acme-dns-persist"),
        )
    }
)

# TLS Baseline Requirements section 4.2.2.1.2, since ballot SC-098v2.
_SAME_METHOD = (
    frozenset(("dns-01", "ca-tbr-7")),
    frozenset(("http-01", "ca-tbr-19")),
    frozenset(("tls-alpn-01", "ca-tbr-20")),
    frozenset(("dns-account-01", "ca-tbr-21")),
    frozenset(("dns-persist-01", "ca-tbr-22")),
)


def parse_account_uri(text: str) -> str:
    """The value of accounturi: a URI with its scheme (RFC 8657 section 3, RFC 3986 section 3).

    Raises `MalformedError` for anything else; a property with such a parameter can
    never be satisfied.
    """
    subject = f"account URI {quoted(text)}"
    match = _URI.fullmatch(text)
    if match is None:
        hint = "give the whole URI of the account, such as https://ca.example/acct/1"
        raise MalformedError(f"{subject}: is no URI with a scheme (RFC 3986)", hint=hint)
    authority = match["authority"]
    if authority is not None:
        if not _is_authority(authority):
            raise MalformedError(f"{subject}: has no host by the grammar of RFC 3986")
        if match["path"] and not match["path"].startswith("/"):
            raise MalformedError(f"{subject}: has a path that does not begin with a slash")
    # RFC 9110 section 4.2: such a URI without a host is invalid.
    if match["scheme"].lower() in ("http", "https") and not _host(authority or ""):
        raise MalformedError(f"{subject}: names no host")
    return text


def _is_authority(text: str) -> bool:
    """Whether this is `[userinfo "@"] host [":" port]` (RFC 3986 section 3.2)."""
    userinfo, _, address = text.rpartition("@")
    if not _USERINFO.fullmatch(userinfo):
        return False
    host = _host(text)
    port = address[len(host) :]
    if port and not re.fullmatch(r":[0-9]*", port):
        return False
    return _is_ip_literal(host) if host.startswith("[") else _HOST.fullmatch(host) is not None


def _host(authority: str) -> str:
    address = authority.rpartition("@")[2]
    if address.startswith("["):
        return address[: address.find("]") + 1] or address
    return address.partition(":")[0]


def _is_ip_literal(text: str) -> bool:
    inner = text[1:-1]
    if _IP_FUTURE.fullmatch(inner):
        return True
    if not text.endswith("]") or "%" in inner:
        return False
    try:
        IPv6Address(inner)
    except ValueError:
        return False
    return True


def parse_validation_methods(text: str) -> tuple[str, ...]:
    """The value of validationmethods: labels between commas, none at all for the empty one.

    The grammar of RFC 8657 section 4: `[*(label ",") label]`, where a label is letters,
    digits and hyphens. Raises `MalformedError`; whether a label means anything is
    `label_problem`.
    """
    if not text:
        return ()
    labels = tuple(text.split(","))
    for number, label in enumerate(labels, 1):
        if not label:
            hint = "leave out the comma too many"
            raise MalformedError(f"method list {quoted(text)}: entry {number} is empty", hint=hint)
        if not _LABEL.fullmatch(label):
            raise MalformedError(
                f"method list {quoted(text)}: entry {quoted(label)} is not made of letters, "
                "digits and hyphens"
            )
    return labels


def label_problem(label: str) -> str:
    """Why no CA will recognise a method label, in words; empty for one that some CA may.

    A label is registered for ACME, or begins with `ca-` and belongs to a CA (RFC 8657
    section 4); of those `ca-tbr-N` is a subsection of section 3.2.2.4 of the TLS
    Baseline Requirements.
    """
    lower = label.lower()
    if lower != label and not label_problem(lower):
        return f"is written {lower}; capital letters may not be recognised"
    if method := METHODS.get(label):
        return "is a method that was withdrawn" if method.retired else ""
    if label.startswith(BR_LABEL_PREFIX):
        return _br_problem(label.removeprefix(BR_LABEL_PREFIX))
    if label.startswith("ca-") and label != "ca-":
        return ""
    return "is neither a registered ACME method nor begins with ca-"


def _br_problem(number: str) -> str:
    if not _BR_NUMBER.fullmatch(number) or int(number) not in BR_METHODS:
        last = BR_METHODS[-1]
        return f"does not end in a subsection of 3.2.2.4 of the Baseline Requirements, 1 to {last}"
    if int(number) in _BR_RETIRED:
        return "is a method that the Baseline Requirements no longer allow"
    return ""


def equivalents(label: str) -> frozenset[str]:
    """The labels for the same method, this one among them, in lower case.

    ACME has names for some methods of the TLS Baseline Requirements, whose section
    4.2.2.1.2 lets a CA take either.
    """
    lower = label.lower()
    return next((same for same in _SAME_METHOD if lower in same), frozenset((lower,)))
