"""What the rows of all HTTP clients have in common: the origin that they talk to."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import ClassVar

from pinwarden.lab.tls import Credentials
from support.http_origin import http_origin
from support.origin import Origin


class HTTPRow:
    """Version 1.1 unless a row says otherwise."""

    skips: ClassVar[Mapping[str, str]] = {}
    hides: Mapping[str, str] = MappingProxyType({})
    alpn: tuple[str, ...] = ("http/1.1",)

    def server(
        self,
        shown: Credentials,
        *,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        location: str | None = None,
    ) -> AbstractContextManager[Origin]:
        return http_origin(shown, newest=newest, location=location, alpn=self.alpn)
