"""An HTTP origin over TLS, in version 1.1 and 2, that answers every request alike."""

from __future__ import annotations

import ssl

from pinwarden.lab.tls import Credentials
from support.origin import Conversation, Origin

__all__ = ["BODY", "http_origin"]

BODY = b"from the origin\n"


def http_origin(
    shown: Credentials,
    *,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    location: str | None = None,
    alpn: tuple[str, ...] = ("http/1.1",),
) -> Origin:
    """Answers with `BODY`, or redirects every request to `location`."""

    def speak(conversation: Conversation) -> None:
        if conversation.alpn == "h2":
            _speak_2(conversation, location)
        else:
            _speak_1(conversation, location)

    return Origin(shown, speak, newest=newest, alpn=alpn)


def _speak_1(conversation: Conversation, location: str | None) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    answer = head + BODY
    if location is not None:
        answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    while True:
        request = conversation.until(b"\r\n\r\n")
        conversation.exactly(_content_length(request))
        conversation.say(answer)


def _content_length(request: bytes) -> int:
    for line in request.lower().splitlines():
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _speak_2(conversation: Conversation, location: str | None) -> None:
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.events import ConnectionTerminated, RequestReceived

    http = H2Connection(H2Configuration(client_side=False))
    http.initiate_connection()
    conversation.say(http.data_to_send())
    while True:
        for event in http.receive_data(conversation.more()):
            if isinstance(event, ConnectionTerminated):
                return
            if isinstance(event, RequestReceived):
                assert event.stream_id is not None
                status = "200" if location is None else "302"
                fields = [(":status", status), ("location", location or "")]
                http.send_headers(event.stream_id, fields)
                http.send_data(event.stream_id, BODY, end_stream=True)
        conversation.say(http.data_to_send())
