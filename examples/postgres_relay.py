"""psycopg through a relay: python postgres_relay.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import psycopg

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.clients.relay import PinnedRelay
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    with PinnedRelay(context, host, int(port), starttls="postgres") as relay:
        try:
            with psycopg.connect(host=relay.folder, user="user", dbname="shop") as connection:
                print(connection.execute("select value from settings").fetchone()[0])
        except psycopg.OperationalError as error:
            # What ended the connection to the server, if something did.
            raise error from relay.failure


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))
