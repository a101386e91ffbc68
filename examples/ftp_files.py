"""Files with ftplib: python ftp_files.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import ftplib
import sys

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    with ftplib.FTP_TLS(context=context, timeout=30) as server:
        server.connect(host, int(port))
        # TLS begins in here, before the name and the password are sent.
        print(server.login("user", "password"))
        # Data connections under TLS too: the same pins hold for them.
        server.prot_p()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))
