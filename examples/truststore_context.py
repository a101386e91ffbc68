"""With the trust store of the system: python truststore_context.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import ssl
import sys

import httpx
import truststore

from pinwarden.clients import find_mismatch, pin_context
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    # Any context can be held to pins: those of certifi, of a library, of your own.
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if cafile is not None:
        context.load_verify_locations(cafile)
    pin_context(context, PinSet.load(pins))
    with httpx.Client(verify=context) as client:
        print(client.get(f"https://{host}:{port}/").text)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))
