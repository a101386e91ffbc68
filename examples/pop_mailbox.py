"""A mailbox with poplib: python pop_mailbox.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import poplib
import sys

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    # Where TLS comes later: poplib.POP3(host, port), then stls(context).
    server = poplib.POP3_SSL(host, int(port), context=context, timeout=30)
    try:
        server.user("user")
        print(server.pass_("password").decode())
    finally:
        server.close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))
