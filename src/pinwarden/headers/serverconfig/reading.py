"""Server configurations of every style: what they say of the retired headers."""

from __future__ import annotations

from pinwarden.errors import MalformedError
from pinwarden.headers.serverconfig.apache import read_apache
from pinwarden.headers.serverconfig.caddy import read_caddy
from pinwarden.headers.serverconfig.configured import ConfigReading, Style
from pinwarden.headers.serverconfig.haproxy import read_haproxy
from pinwarden.headers.serverconfig.nginx import read_nginx

_LIMIT = 4 * 1024 * 1024
_READERS = {
    Style.NGINX: read_nginx,
    Style.APACHE: read_apache,
    Style.CADDY: read_caddy,
    Style.HAPROXY: read_haproxy,
}


def read_config(text: str, style: Style) -> ConfigReading:
    """Everything the text says of Public-Key-Pins, its report-only form and Expect-CT.

    Tolerant: what cannot be read costs only itself. Raises MalformedError for more than 4 MiB,
    for blocks more than a hundred deep, and for what begins as Caddy's JSON and is none.
    """
    if len(text) > _LIMIT:
        raise MalformedError(f"configuration: more than {_LIMIT} characters")
    return _READERS[style](text)
