"""A place on loopback that takes reports of pin failures, in one mood or another."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class ReportReceiver:
    """`url` takes POSTs; `reports` are their bodies, and `arrived(n)` waits for so many.

    With `hold`, it answers no report before `release` is called; with `location`, it
    redirects each to another place.
    """

    def __init__(self, *, hold: bool = False, location: str = "") -> None:
        self.reports: list[dict[str, Any]] = []
        self.kinds: list[str | None] = []
        self._came = threading.Condition()
        self._may_answer = threading.Event()
        if not hold:
            self._may_answer.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._note(json.loads(body), self.headers["Content-Type"])
                receiver._may_answer.wait()
                self.send_response(302 if location else 204)
                if location:
                    self.send_header("Location", location)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/pins"

    def _note(self, report: dict[str, Any], kind: str | None) -> None:
        with self._came:
            self.reports.append(report)
            self.kinds.append(kind)
            self._came.notify_all()

    def arrived(self, count: int = 1) -> bool:
        """Whether so many reports come within ten seconds."""
        with self._came:
            return self._came.wait_for(lambda: len(self.reports) >= count, 10)

    @property
    def answers(self) -> bool:
        """Whether reports are answered yet."""
        return self._may_answer.is_set()

    def release(self) -> None:
        """Answer every report from now on."""
        self._may_answer.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
