"""Lines of dnsmasq's configuration: `dns-rr=name,257,hex`."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.caa.formats.form import Form, RecordSet
from pinwarden.caa.record import to_rdata
from pinwarden.errors import ConfigError

# dnsmasq reads its configuration through a buffer of 1025 octets, newline and NUL included.
_LINE_LIMIT = 1023


def _render(sets: Sequence[RecordSet]) -> str:
    lines = [
        f"dns-rr={each.name},257,{to_rdata(record).hex()}"
        for each in sets
        for record in each.records
    ]
    if any(len(line) > _LINE_LIMIT for line in lines):
        raise ConfigError(f"form dnsmasq: a line would be longer than {_LINE_LIMIT} characters")
    return "\n".join(lines) + "\n"


FORM = Form(
    name="dnsmasq",
    description="dnsmasq: lines for dnsmasq.conf",
    safe=True,
    render=_render,
    traps=("dnsmasq takes no TTL here: `local-ttl` or `auth-ttl` is what counts",),
)
