"""Public-Key-Pins headers (RFC 7469 section 2.1), out of a file of headers or alone.

A client ignores the whole field if anything in it is malformed; here the pins are kept,
and the notes say that no client would have, as the strict reader of `headers` has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinwarden.errors import MalformedError
from pinwarden.headers.fault import HeaderError
from pinwarden.headers.grammar import LONGEST_FIELD
from pinwarden.headers.hpkp import parse_public_key_pins
from pinwarden.pinning.formats.reading.found import Found

__all__ = ["read"]

# In a dump of headers, or as the servers and languages have it that send it:
# `add_header Public-Key-Pins "…";`, `header('Public-Key-Pins: …');`, `"Public-Key-Pins" => "…"`.
_FIELD = re.compile(
    r"^(.{0,200}?)(?<![A-Za-z0-9-])(public-key-pins(?:-report-only)?)(?![A-Za-z0-9-])"
    r"([\"']?)[ \t]*(?::|=>|,|=)?[ \t]*(?:value[ \t]*=[ \t]*)?(.*)$",
    re.IGNORECASE,
)
_CONTINUED = re.compile(r"\\[ \t]*\r?\n[ \t]*")
_DIRECTIVE = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:\"([^\"]*)\"|([^;\"\s]*)))?[ \t]*(;|$)"
)
_MOST_LINES = 100_000


def read(text: str, hosts: tuple[str, ...], notes: list[str]) -> Iterator[Found]:
    """The policy of a header, for the hosts that it was sent by, since it does not say.

    Raises `MalformedError` if there is no header, or nobody says of which host it is.
    """
    fields = dict[str, str]()
    comments = 0
    for line in _CONTINUED.sub(" ", text).splitlines()[:_MOST_LINES]:
        match = _FIELD.match(line)
        if match is None or "=" not in match[4]:
            continue
        if line.lstrip().startswith(("#", "//", ";", "<!--", "*")):
            comments += 1
            continue
        name = match[2].lower()
        if name in fields:
            notes.append(f"of several {match[2]} headers a client reads the first")
        else:
            fields[name] = _unquoted(match[1][-1:] if not match[3] else "", match[4])
    if comments:
        notes.append("what is commented out is not read")
    if not fields and not comments and "pin-" in text.lower():
        fields["public-key-pins"] = " ".join(text.split())
    if not fields:
        raise MalformedError("holds no Public-Key-Pins header", hint="; ".join(notes) or None)
    if not hosts:
        raise MalformedError(
            "a header does not say whose it is", hint="name the host that sends it with --host"
        )
    enforced = fields.get("public-key-pins")
    if enforced is not None and len(fields) > 1:
        notes.append("Public-Key-Pins-Report-Only stands beside Public-Key-Pins, and is left out")
    value = enforced if enforced is not None else next(iter(fields.values()))
    for host in hosts:
        yield _policy(host, value, enforced is None, notes)


def _unquoted(before: str, value: str) -> str:
    """A value as a server's configuration or a program has it: in quotes, with more after them.

    `before` is what stands before the name, which may be the quote.
    """
    value = value.strip()
    quote = before if before in ("'", '"') else value[:1]
    if quote in ("'", '"') and quote == value[:1]:
        value = value[1:]
    if quote == "'":
        value = value.partition("'")[0]
    elif quote == '"':
        # The quotes inside are escaped, as Apache, nginx and XML want it.
        end = re.search(r"(?<!\\)\"", value)
        value = value[: end.start()] if end else value
    if "&" in value:
        value = value.replace("&quot;", '"').replace("&#34;", '"')
    # HAProxy wants spaces escaped as well.
    return re.sub(r"\\([\"; ])", r"\1", value)


def _policy(host: str, value: str, report_only: bool, notes: list[str]) -> Found:
    if len(value) > LONGEST_FIELD:
        raise MalformedError(f"a header is longer than {LONGEST_FIELD:,} characters")
    notes += _what_clients_do(value, report_only)
    pins: list[str] = []
    others: dict[str, str] = {}
    at = 0
    while at < len(value):
        match = _DIRECTIVE.match(value, at)
        if match is None or match.end() == at:
            break
        at = match.end()
        name, given = match[1].lower(), match[2] if match[2] is not None else match[3]
        if name.startswith("pin-"):
            # An unknown hash is no fault to a client, and here it is one.
            pins.append(f'{name}="{given or ""}"')
        else:
            others.setdefault(name, given or "")
    return Found(
        host=host,
        anywhere=tuple(pins),
        include_subdomains="includesubdomains" in others,
        report_only=report_only,
        report_uri=others.get("report-uri", ""),
    )


def _what_clients_do(value: str, report_only: bool) -> Iterator[str]:
    """In words, that clients do not keep the pins of a header, and why."""
    try:
        policy = parse_public_key_pins(value, report_only)
    except HeaderError as error:
        for fault in error.faults:
            yield f"clients ignore the header: {fault.message}"
    else:
        if policy.max_age == 0:
            yield "max-age=0 has clients forget the pins"
