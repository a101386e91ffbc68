"""A mailbox with imaplib: python imap_mailbox.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import imaplib
import sys

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    # Where TLS comes later: imaplib.IMAP4(host, port), then starttls(context).
    with imaplib.IMAP4_SSL(host, int(port), ssl_context=context, timeout=30) as server:
        print(server.login("user", "password")[0])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))
