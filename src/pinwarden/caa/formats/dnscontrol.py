"""JavaScript for DNSControl: `CAA(label, tag, value)`, the critical flag a modifier."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.caa.formats.form import Form, RecordSet, only_tags, text_of
from pinwarden.caa.formats.json_text import json_string
from pinwarden.caa.record import CAARecord
from pinwarden.errors import ConfigError

_TAGS = ("issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone")


def _call(record: CAARecord, ttl: int) -> str:
    only_tags(record, "dnscontrol", _TAGS)
    if record.flags not in (0, 128):
        raise ConfigError(f"form dnscontrol: takes flags 0 and 128, not {record.flags}")
    tag, value = text_of(record, "dnscontrol")
    modifiers = (", CAA_CRITICAL" if record.critical else "") + f", TTL({ttl})"
    return f'  CAA("@", {json_string(tag)}, {json_string(value)}{modifiers})'


def _render(sets: Sequence[RecordSet]) -> str:
    # D_EXTEND finds the domain that holds a name, and makes labels relative to the name.
    blocks = [
        f"D_EXTEND({json_string(each.name)},\n"
        + ",\n".join(_call(record, each.ttl) for record in each.records)
        + "\n);\n"
        for each in sets
    ]
    return "\n".join(blocks)


FORM = Form(
    name="dnscontrol",
    description="DNSControl: calls for dnsconfig.js, after the D() of the domain",
    safe=False,
    render=_render,
    traps=(
        "DigitalOcean, Exoscale, Hetzner, Linode, Loopia, Porkbun and Vultr refuse blanks",
        "Porkbun was seen to drop everything after the semicolon: verify afterwards",
        "CAA_BUILDER in the same domain writes a set of its own: use one of the two",
    ),
)
