"""Whose server each example of a client that is not one of HTTP is run against."""

from __future__ import annotations

from clients.matrix.harness import Client
from clients.matrix.other_rows import OTHER_ROWS

_ROWS = {row.name: row for row in OTHER_ROWS}

OTHER_EXAMPLES: dict[str, Client] = {
    "anyio_stream.py": _ROWS["anyio on asyncio"],
    "asyncio_start_tls.py": _ROWS["asyncio, StreamWriter.start_tls"],
    "asyncio_streams.py": _ROWS["asyncio.open_connection"],
    "ftp_files.py": _ROWS["ftplib.FTP_TLS"],
    "grpc_channel.py": _ROWS["grpc"],
    "imap_mailbox.py": _ROWS["imaplib.IMAP4_SSL"],
    "pop_mailbox.py": _ROWS["poplib.POP3_SSL"],
    "postgres_relay.py": _ROWS["psycopg through the relay"],
    "redis_asyncio.py": _ROWS["redis.asyncio"],
    "redis_cache.py": _ROWS["redis"],
    "smtp_mail.py": _ROWS["smtplib, STARTTLS"],
    "trio_stream.py": _ROWS["trio.SSLStream"],
    "uvloop_streams.py": _ROWS["uvloop"],
    "websocket_client.py": _ROWS["websocket-client"],
    "websockets_asyncio.py": _ROWS["websockets, asyncio"],
    "websockets_sync.py": _ROWS["websockets, sync"],
}
