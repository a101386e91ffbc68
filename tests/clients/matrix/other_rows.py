"""Rows: every client that is not one of HTTP."""

from __future__ import annotations

from clients.matrix.mail_rows import MAIL_ROWS
from clients.matrix.store_rows import STORE_ROWS
from clients.matrix.stream_rows import STREAM_ROWS
from clients.matrix.websocket_rows import WEBSOCKET_ROWS

OTHER_ROWS = (*STREAM_ROWS, *MAIL_ROWS, *WEBSOCKET_ROWS, *STORE_ROWS)
