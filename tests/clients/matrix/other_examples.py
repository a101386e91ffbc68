"""Whose server each example of a client that is not one of HTTP is run against."""

from __future__ import annotations

from clients.matrix.harness import Client

OTHER_EXAMPLES: dict[str, Client] = {}
