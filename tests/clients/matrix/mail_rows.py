"""Rows: smtplib, imaplib, poplib and ftplib, with TLS from the start and by command."""

from __future__ import annotations

import ftplib
import imaplib
import poplib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from clients.matrix.harness import Target, Wiring
from clients.matrix.kept_row import PATIENCE, Again, KeptRow, own_context
from support import talk

_NOTHING = b""


@contextmanager
def _smtp(wiring: Wiring, target: Target, *, starttls: bool) -> Iterator[Again]:
    context = own_context(wiring)
    if starttls:
        client = smtplib.SMTP(target.host, target.port, timeout=PATIENCE)
    else:
        client = smtplib.SMTP_SSL(target.host, target.port, timeout=PATIENCE, context=context)
    try:
        if starttls:
            client.starttls(context=context)
        yield lambda: client.docmd("NOOP")[1]
    finally:
        client.close()


@contextmanager
def _imap(wiring: Wiring, target: Target, *, starttls: bool) -> Iterator[Again]:
    context = own_context(wiring)
    client = (
        imaplib.IMAP4(target.host, target.port, timeout=PATIENCE)
        if starttls
        else imaplib.IMAP4_SSL(target.host, target.port, ssl_context=context, timeout=PATIENCE)
    )
    try:
        if starttls:
            client.starttls(context)
        yield lambda: bytes(client.noop()[1][0])
    finally:
        with suppress(OSError):
            client.shutdown()


@contextmanager
def _pop(wiring: Wiring, target: Target, *, starttls: bool) -> Iterator[Again]:
    context = own_context(wiring)
    client = (
        poplib.POP3(target.host, target.port, timeout=PATIENCE)
        if starttls
        else poplib.POP3_SSL(target.host, target.port, context=context, timeout=PATIENCE)
    )
    try:
        if starttls:
            client.stls(context)
        yield client.noop
    finally:
        with suppress(OSError):
            client.close()


@contextmanager
def _ftp(wiring: Wiring, target: Target) -> Iterator[Again]:
    client = ftplib.FTP_TLS(context=own_context(wiring), timeout=PATIENCE)
    try:
        client.connect(target.host, target.port)
        client.auth()
        yield lambda: client.voidcmd("NOOP").encode()
    finally:
        client.close()


_EHLO = b"250-here\r\n250 STARTTLS\r\n"

MAIL_ROWS = (
    KeptRow("smtplib.SMTP_SSL", partial(_smtp, starttls=False), lambda _: talk.smtp()),
    KeptRow(
        "smtplib, STARTTLS",
        partial(_smtp, starttls=True),
        lambda _: talk.smtp(_NOTHING),
        before_tls=talk.plainly(b"220 here\r\n", _EHLO, b"220 go on\r\n"),
    ),
    KeptRow("imaplib.IMAP4_SSL", partial(_imap, starttls=False), lambda _: talk.imap()),
    KeptRow(
        "imaplib, STARTTLS",
        partial(_imap, starttls=True),
        lambda _: talk.imap(_NOTHING),
        before_tls=talk.tagged(b"* OK ready\r\n"),
    ),
    KeptRow("poplib.POP3_SSL", partial(_pop, starttls=False), lambda _: talk.pop()),
    KeptRow(
        "poplib, STLS",
        partial(_pop, starttls=True),
        lambda _: talk.pop(_NOTHING),
        before_tls=talk.plainly(b"+OK ready\r\n", b"+OK\r\nSTLS\r\n.\r\n", b"+OK go on\r\n"),
    ),
    KeptRow(
        "ftplib.FTP_TLS",
        _ftp,
        lambda _: talk.ftp(),
        before_tls=talk.plainly(b"220 here\r\n", b"234 go on\r\n"),
    ),
)
