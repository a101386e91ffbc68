"""What failures of a handshake mean, in words."""

from __future__ import annotations

import os
import re
import ssl

from pinwarden.errors import quoted
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import Failure
from pinwarden.net.starttls import STARTTLS_PORTS

__all__ = [
    "answer_words",
    "connect_words",
    "error_words",
    "judge_handshake",
    "starttls_hint",
    "verify_words",
]

_HANDSHAKE, _ALERT = 22, 21
# Where in its source Python's ssl module met an error.
_OPENSSL_PLACE = re.compile(r" \(_ssl\.c:\d+\)$")
# RFC 5246 section 7.4.6: who wants a certificate and gets none may say so by any fatal alert,
# once it has shown its own.
_WANTS_CERTIFICATE = " after its own certificate (perhaps it wants a client's: --client-cert)"
_USUAL_STARTTLS = {port: protocol for protocol, port in STARTTLS_PORTS.items()} | {587: "smtp"}


def judge_handshake(
    error: OSError, endpoint: Endpoint, first: bytes, *, shown: bool = False
) -> tuple[Failure, str]:
    """What a failed handshake means.

    `first` are the first octets that the server sent, `shown` is whether its certificates
    came and were verified before.
    """
    if first and first[0] not in (_HANDSHAKE, _ALERT):
        problem = f"did not answer with TLS, but with {quoted(first)}"
        return Failure.NOT_TLS, problem + starttls_hint(endpoint)
    reason = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
    if isinstance(error, ssl.SSLEOFError) or not isinstance(error, ssl.SSLError):
        closed = isinstance(error, ssl.SSLEOFError)
        words = "closed the connection" if closed else error_words(error)
        hint = "" if first else starttls_hint(endpoint)
        return Failure.REFUSED, f"ended the handshake: {words}{hint}"
    if "ALERT" in reason or reason == "TLSV1_UNRECOGNIZED_NAME":
        words = reason.partition("ALERT_")[2] or reason.partition("_")[2]
        words = words.lower().replace("_", " ")
        hint = _WANTS_CERTIFICATE if shown else ""
        return Failure.REFUSED, f"ended the handshake with the alert {quoted(words)}{hint}"
    words = reason.lower().replace("_", " ") or error_words(error)
    return Failure.REFUSED, f"the handshake failed: {words}"


def starttls_hint(endpoint: Endpoint) -> str:
    """On a port where a protocol usually begins in plain text, the option for it."""
    protocol = _USUAL_STARTTLS.get(endpoint.port)
    if endpoint.starttls is not None or protocol is None:
        return ""
    return f" (on this port perhaps --starttls {protocol})"


def connect_words(error: OSError) -> str:
    """Why a connection did not come about: the event loop's own words repeat the address."""
    return (os.strerror(error.errno) if error.errno else error_words(error)).lower()


def answer_words(error: OSError) -> str:
    """Why a connection ended after the handshake: in TLS 1.3 a server may refuse clients then."""
    words = error_words(error)
    if isinstance(error, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (error.reason or ""):
        return "it wants a client certificate (--client-cert)"
    return words


def verify_words(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate does not verify, in OpenSSL's words and a few of ours."""
    words = error.verify_message.rstrip(".")
    # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY and X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE.
    if error.verify_code in (20, 21):
        words += " (its root is not trusted here, or the server does not send the intermediate)"
    return words


def error_words(error: Exception) -> str:
    """An error of the system's or of ssl's in one short, printable line."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    words = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    words = _OPENSSL_PLACE.sub("", words)
    if words == "[SSL] PEM lib":
        words = "is not in PEM"
    return quoted(" ".join(str(words).split()))[1:-1]
