"""A handshake from the ClientHello to the server's certificates, without a socket.

It ends there: nothing of the server's is verified, no key is confirmed and no application
data can follow. What is read is what a server says to whoever asks. That is enough, since
SCTs and OCSP responses are signed by others; whose they are has to be compared elsewhere.
"""

from __future__ import annotations

import ssl
from dataclasses import replace
from os import urandom

from pinwarden.errors import MalformedError
from pinwarden.net.hello.key_shares import FIRST_SHARES, GROUPS, KeyShares
from pinwarden.net.hello.messages import (
    HandshakeType,
    ServerHello,
    parse_certificate_12,
    parse_certificate_13,
    parse_certificate_status,
    parse_cookie,
    parse_encrypted_extensions,
    parse_retry_share,
    parse_server_hello,
    parse_server_share,
)
from pinwarden.net.hello.offer import (
    TLS_1_2,
    TLS_1_3,
    Extension,
    Offer,
    encode_client_hello,
)
from pinwarden.net.hello.records import (
    ContentType,
    HandshakeMessages,
    Records,
    encode_message,
    encode_record,
)
from pinwarden.net.hello.schedule import SUITES, Traffic, handshake_traffic
from pinwarden.net.served import HandedOver

__all__ = ["FirstFlight"]

_LONGEST_FRAGMENT = 1 << 14
_WARNING = 1
_CLOSE_NOTIFY, _USER_CANCELED = 0, 90
# As many as OpenSSL takes.
_MOST_WARNINGS = 5


class FirstFlight:
    """Send `begin()`, hand over what arrives to `receive`, until `found` is there."""

    def __init__(self, host: str, offer: Offer) -> None:
        """`host` is in A-labels, or an IP address."""
        self.found: HandedOver | None = None
        self._host = host
        # A suite of TLS 1.3 that we cannot read would be chosen in vain.
        suites = tuple(each for each in offer.suites if each >> 8 != 0x13 or each in SUITES)
        self._offer = Offer(offer.versions, suites)
        self._random, self._session = urandom(32), urandom(32)
        self._keys = KeyShares()
        self._groups = FIRST_SHARES
        self._records, self._messages = Records(), HandshakeMessages()
        self._expect = self._server_hello
        self._version = 0
        self._retry: ServerHello | None = None
        self._transcript = b""
        self._ours: Traffic | None = None
        self._theirs: Traffic | None = None
        self._warnings = 0
        self._requests = 0
        self._handed = HandedOver()
        self._promised = False

    def begin(self) -> bytes:
        """The ClientHello, in its record."""
        # RFC 8446 section 5.1: 0x0301 there, for old servers.
        return encode_record(ContentType.HANDSHAKE, self._client_hello(), 0x0301)

    def receive(self, data: bytes) -> bytes:
        """Take what the server sent; returns what has to be sent to it.

        Raises `MalformedError` if this comes to nothing, and is not to be called again then.
        """
        self._records.feed(data)
        reply = b""
        while self.found is None and (record := self._records.next()) is not None:
            reply += self._take(*record)
        return reply

    def farewell(self) -> bytes:
        """Alerts that tell the server's owner that we left, and that nothing was wrong."""
        # RFC 8446 section 6.1: user_canceled, then close_notify.
        alerts = [bytes([_WARNING, each]) for each in (_USER_CANCELED, _CLOSE_NOTIFY)]
        if self._ours is None:
            return b"".join(encode_record(ContentType.ALERT, each) for each in alerts)
        compatible = b"" if self._retry else _compatible()
        return compatible + b"".join(self._ours.seal(ContentType.ALERT, each) for each in alerts)

    def _client_hello(self, cookie: bytes | None = None) -> bytes:
        hello = encode_client_hello(
            self._offer,
            self._host,
            random=self._random,
            session=self._session,
            shares={group: self._keys.public(group) for group in self._groups},
            cookie=cookie,
        )
        self._transcript += hello
        return hello

    def _take(self, kind: ContentType, header: bytes, body: bytes) -> bytes:
        """One record."""
        if kind is ContentType.CHANGE_CIPHER_SPEC:
            # RFC 8446 section 5: to be dropped. In TLS 1.2 it would end a resumption.
            if self._version == TLS_1_2 or body != b"\x01":
                raise MalformedError("a ChangeCipherSpec comes before the certificates")
            return b""
        if self._theirs is not None and kind is ContentType.APPLICATION_DATA:
            inner, body = self._theirs.open(header, body)
            if inner not in (ContentType.ALERT, ContentType.HANDSHAKE):
                raise MalformedError(f"an encrypted record is of type {inner}")
            kind = ContentType(inner)
        elif self._theirs is not None and kind is ContentType.HANDSHAKE:
            raise MalformedError("a message is in the clear that should be encrypted")
        if len(body) > _LONGEST_FRAGMENT:
            raise MalformedError(f"a record has {len(body)} octets")
        if kind is ContentType.ALERT:
            self._alert(body)
            return b""
        if kind is not ContentType.HANDSHAKE:
            raise MalformedError("application data comes before the certificates")
        return self._handshake(body)

    def _handshake(self, body: bytes) -> bytes:
        self._messages.feed(body)
        reply = b""
        while self.found is None and (message := self._messages.next()) is not None:
            kind, whole = message
            # RFC 5246 section 7.4.1.1: to be ignored during a handshake.
            if kind == HandshakeType.HELLO_REQUEST and self._theirs is None:
                continue
            reply += self._expect(kind, whole)
        return reply

    def _alert(self, body: bytes) -> None:
        if len(body) != 2:
            raise MalformedError("an alert does not have two octets")
        level, number = body
        # Such as unrecognized_name from servers that go on nevertheless (RFC 6066 section 3).
        harmless = level == _WARNING and number not in (_CLOSE_NOTIFY, _USER_CANCELED)
        self._warnings += 1
        if harmless and self._theirs is None and self._warnings <= _MOST_WARNINGS:
            return
        raise MalformedError(
            f"the server ended the handshake with the alert {_alert_words(number)}"
        )

    def _server_hello(self, kind: int, whole: bytes) -> bytes:
        if kind != HandshakeType.SERVER_HELLO:
            raise MalformedError(f"a handshake message of type {kind} comes before ServerHello")
        hello = parse_server_hello(whole[4:])
        if hello.version not in self._offer.versions:
            raise MalformedError(f"ServerHello chooses version {hello.version:#06x}")
        if hello.suite not in self._offer.suites:
            raise MalformedError(f"ServerHello chooses the cipher suite {hello.suite:#06x}")
        if (hello.version == TLS_1_3) is not (hello.suite in SUITES):
            raise MalformedError("ServerHello chooses a cipher suite of another version")
        if hello.version == TLS_1_3:
            return self._hello_13(hello, whole)
        if self._retry is not None:
            raise MalformedError("ServerHello chooses another version than before")
        self._version = TLS_1_2
        self._handed = HandedOver(sct_list=hello.extensions.get(Extension.SCT, b""))
        self._promised = Extension.STATUS_REQUEST in hello.extensions
        self._expect = self._certificate_12
        return b""

    def _hello_13(self, hello: ServerHello, whole: bytes) -> bytes:
        if hello.session != self._session:
            raise MalformedError("ServerHello has another session id than ClientHello")
        # RFC 8446 section 5.1: keys change here, so no message may cross.
        if not self._messages.between:
            raise MalformedError("ServerHello is followed by more in the clear")
        if hello.is_retry:
            return self._hello_retry(hello, whole)
        if self._retry is not None and hello.suite != self._retry.suite:
            raise MalformedError("ServerHello chooses another cipher suite than before")
        if Extension.KEY_SHARE not in hello.extensions:
            raise MalformedError("ServerHello has no key share")
        group, key = parse_server_share(hello.extensions[Extension.KEY_SHARE])
        if group not in self._groups:
            raise MalformedError(f"ServerHello chooses group {group}, of which it has no key")
        suite = SUITES[hello.suite]
        self._transcript += whole
        self._ours, self._theirs = handshake_traffic(
            suite, self._keys.secret(group, key), suite.digest(self._transcript)
        )
        self._version = TLS_1_3
        self._expect = self._encrypted_extensions
        return b""

    def _hello_retry(self, hello: ServerHello, whole: bytes) -> bytes:
        """RFC 8446 sections 4.1.4 and 4.4.1."""
        if self._retry is not None:
            raise MalformedError("a second HelloRetryRequest")
        cookie = hello.extensions.get(Extension.COOKIE)
        if Extension.KEY_SHARE in hello.extensions:
            group = parse_retry_share(hello.extensions[Extension.KEY_SHARE])
            if group not in GROUPS or group in self._groups:
                raise MalformedError(f"HelloRetryRequest asks for group {group}")
            self._groups = (group,)
        elif cookie is None:
            raise MalformedError("HelloRetryRequest asks for nothing")
        self._retry = hello
        digest = SUITES[hello.suite].digest(self._transcript)
        self._transcript = encode_message(HandshakeType.MESSAGE_HASH, digest) + whole
        again = self._client_hello(None if cookie is None else parse_cookie(cookie))
        return _compatible() + encode_record(ContentType.HANDSHAKE, again)

    def _certificate_12(self, kind: int, whole: bytes) -> bytes:
        if kind != HandshakeType.CERTIFICATE:
            raise MalformedError(f"a handshake message of type {kind} comes before Certificate")
        self._handed = replace(self._handed, leaf=parse_certificate_12(whole[4:])[0])
        if self._promised:
            self._expect = self._status_12
        else:
            self.found = self._handed
        return b""

    def _status_12(self, kind: int, whole: bytes) -> bytes:
        # RFC 6066 section 8: who promised it may yet not send it.
        self.found = self._handed
        if kind == HandshakeType.CERTIFICATE_STATUS:
            self.found = _with_status(self._handed, whole[4:])
        return b""

    def _encrypted_extensions(self, kind: int, whole: bytes) -> bytes:
        if kind != HandshakeType.ENCRYPTED_EXTENSIONS:
            raise MalformedError(f"a message of type {kind} comes before EncryptedExtensions")
        parse_encrypted_extensions(whole[4:])
        self._expect = self._certificate_13
        return b""

    def _certificate_13(self, kind: int, whole: bytes) -> bytes:
        if kind == HandshakeType.CERTIFICATE_REQUEST and not self._requests:
            self._requests += 1
            return b""
        if kind != HandshakeType.CERTIFICATE:
            raise MalformedError(f"a handshake message of type {kind} comes before Certificate")
        # RFC 8446 section 4.4.2.1: what is about the leaf stands beside the leaf.
        leaf, extensions = parse_certificate_13(whole[4:])[0]
        handed = HandedOver(leaf=leaf, sct_list=extensions.get(Extension.SCT, b""))
        status = extensions.get(Extension.STATUS_REQUEST)
        self.found = handed if status is None else _with_status(handed, status)
        return b""


def _compatible() -> bytes:
    """What makes TLS 1.3 look like TLS 1.2 to whoever stands between (RFC 8446 appendix D.4)."""
    return encode_record(ContentType.CHANGE_CIPHER_SPEC, b"\x01")


def _with_status(handed: HandedOver, status: bytes) -> HandedOver:
    """Those that hand over a status badly have handed over the rest nevertheless."""
    try:
        return replace(handed, ocsp=parse_certificate_status(status))
    except MalformedError as error:
        return replace(handed, problem=f"its OCSP response cannot be read: {error}")


def _alert_words(number: int) -> str:
    try:
        name = ssl.AlertDescription(number).name
    except ValueError:
        return str(number)
    return repr(name.removeprefix("ALERT_DESCRIPTION_").lower().replace("_", " "))
