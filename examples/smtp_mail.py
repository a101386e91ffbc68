"""Mail with smtplib: python smtp_mail.py PINS HOST PORT [CAFILE]."""

from __future__ import annotations

import smtplib
import sys
from email.message import EmailMessage

from pinwarden.clients import PinnedContext, find_mismatch
from pinwarden.pinning import PinSet


def main(pins: str, host: str, port: str, cafile: str | None = None) -> None:
    context = PinnedContext(PinSet.load(pins), cafile=cafile)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", "hello"
    mail.set_content("hello")
    # Where TLS comes first: smtplib.SMTP_SSL(host, port, context=context).
    with smtplib.SMTP(host, int(port), timeout=30) as server:
        server.starttls(context=context)
        server.send_message(mail)
        print("sent")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        mismatch = find_mismatch(error)
        if mismatch is None:
            raise
        sys.exit(str(mismatch))
