"""crt.sh and Cert Spotter on loopback, as they answer, and as they fail."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from pinwarden.lab.ca import CA, Issued
from pinwarden.names import display
from pinwarden.x509.certificate import CertificateView, view_certificate

BUSY = b"<html><body><h1>503 Service Unavailable</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered in place of the truth, once."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, *_: object) -> None:
        """Quiet: a client that has heard enough hangs up."""


@dataclass
class HistoryServices:
    """Both services; `faults` are answered one after another before anything else.

    `faults_at` has them by the number of the question, counted from 1.

    `rows` are told to every question of crt.sh, since what the search of the real one finds
    is its own affair; `raw` is told instead if there is any. `issuances` are paged.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    raw: bytes | None = None
    issuances: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2
    key: str | None = None
    faults: list[Answer] = field(default_factory=list)
    faults_at: dict[int, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        services = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                given = services.answer(self.path, dict(self.headers.items()))
                self.send_response(given.status)
                for name, value in given.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(given.body)))
                self.end_headers()
                self.wfile.write(given.body)

            def log_message(self, *_: object) -> None:
                """Quiet: what was asked is in `asked`."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def answer(self, target: str, headers: dict[str, str]) -> Answer:
        """One answer, as the real services would give it."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        self.asked.append((parts.path, query))
        self.agents.append(headers.get("User-Agent", ""))
        if len(self.asked) in self.faults_at:
            return self.faults_at[len(self.asked)]
        if self.faults:
            return self.faults.pop(0)
        if parts.path == "/issuances":
            return self._issuances(query, headers.get("Authorization"))
        return Answer(body=json.dumps(self.rows).encode() if self.raw is None else self.raw)

    def _issuances(self, query: dict[str, list[str]], given: str | None) -> Answer:
        if self.key is not None and given != f"Bearer {self.key}":
            refusal = {"code": "not_authorized", "message": "The API key is not valid."}
            return Answer(401, json.dumps(refusal).encode())
        after = query.get("after", [""])[0]
        ids = [each["id"] for each in self.issuances]
        start = ids.index(after) + 1 if after else 0
        page = self.issuances[start : start + self.page]
        return Answer(body=json.dumps(page).encode())


def crtsh_row(number: int, issued: Issued, seen: datetime, *others: str) -> dict[str, Any]:
    """A row of crt.sh about an issuance; `others` are what is no DNS name."""
    view = view_certificate(issued.certificate)
    return {
        "issuer_ca_id": 1,
        "issuer_name": _written(view),
        "common_name": view.identifiers().dns[0],
        "name_value": "\n".join((*others, *view.identifiers().dns)),
        "id": number,
        "entry_timestamp": seen.replace(tzinfo=None).isoformat(),
        "not_before": view.not_before.replace(tzinfo=None).isoformat(),
        "not_after": view.not_after.replace(tzinfo=None).isoformat(),
        "serial_number": f"{view.serial:032x}",
    }


def spotter_issuance(
    number: int, issued: Issued, ca: CA, *, der: bool = True, domains: Sequence[str] = ()
) -> dict[str, Any]:
    """An issuance as Cert Spotter tells it."""
    view = view_certificate(issued.certificate)
    told: dict[str, Any] = {
        "id": str(number),
        "tbs_sha256": hashlib.sha256(issued.tbs).hexdigest(),
        "cert_sha256": issued.fingerprint.hex(),
        "dns_names": list(view.identifiers().dns),
        "pubkey_sha256": bytes(view.spki_hash).hex(),
        "issuer": {
            "friendly_name": ca.name,
            "name": _written(view),
            "pubkey_sha256": ca.issuer_key_hash.hex(),
            "caa_domains": list(domains),
        },
        "not_before": f"{view.not_before:%Y-%m-%dT%H:%M:%SZ}",
        "not_after": f"{view.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "revoked": False,
    }
    if der:
        told["cert_der"] = base64.b64encode(issued.certificate).decode()
    return told


def renewals(
    ca: CA, names: Sequence[str], first: datetime, count: int, *, days: int = 90, every: int = 60
) -> list[Issued]:
    """One certificate after another, oldest first."""
    return [
        ca.issue(list(names), not_before=first + timedelta(days=every * number), days=days)
        for number in range(count)
    ]


def _written(view: CertificateView) -> str:
    """The issuer from the country down, with a blank behind each comma, as both write it."""
    return ", ".join(reversed(display(view.issuer_text).split(",")))
