"""urllib3: python urllib3_pool.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import sys

import urllib3

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    # Through a proxy: urllib3.ProxyManager(proxy, ssl_context=context). Trying a refused
    # server again cannot help, so connection errors are not retried.
    retries = urllib3.Retry(connect=0, redirect=5, other=0)
    with urllib3.PoolManager(ssl_context=context, retries=retries) as pool:
        print(pool.request("GET", f"https://{host}:{port}/", timeout=30).data.decode())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))
