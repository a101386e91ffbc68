"""Text inside generated code, configuration and markup, so that it stays text there.

Whatever a pin set holds may have come from somebody else: a comment that ends a
comment, or a host with a quote in it, would be code in the program that it goes to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.pinning.policy import PinPolicy, PinRole

__all__ = ["code_list", "code_string", "namespace", "notes", "plain", "report_uri", "xml_text"]

# Nothing that any of the languages gives a meaning inside or at the end of a comment: no
# backslash (Java reads \\u000a before it looks for comments), no asterisk, no quotes.
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 .,:;_@()+=/-]")
_PLAIN_LIMIT = 100
_CODE_STRING = re.compile(r"[A-Za-z0-9._:/+= -]*")
_NAMESPACE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_URI = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&()+,;=%\[\]-]+")
_LONGEST_URI = 2000
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_LONGEST_NAMESPACE = 100


def plain(text: str) -> str:
    """Foreign text for a comment of any language: one line, of characters that mean nothing."""
    shown = _NOT_PLAIN.sub("?", text[: _PLAIN_LIMIT + 1])
    # Two hyphens may not stand in an XML comment, and // can begin nothing harmful.
    shown = re.sub("-{2,}", "-", shown).strip().rstrip("-")
    return shown if len(text) <= _PLAIN_LIMIT else f"{shown[:_PLAIN_LIMIT]} ..."


def notes(policy: PinPolicy) -> Iterator[str]:
    """What the set notes about a policy and its pins, as lines for comments."""
    about = [each for each in (policy.comment, policy.owner and f"owner: {policy.owner}") if each]
    yield plain("; ".join([policy.host, *about]))
    for key in policy.keys:
        words = [key.role.value + (" key" if key.role is PinRole.FORBIDDEN else " pin")]
        words += [each for each in (key.kind, key.comment, key.owner) if each]
        words += [f"until {key.expires}"] if key.expires else []
        if len(words) > 1:
            yield plain(f"  {key.pin.base64}: {'; '.join(words)}")


def code_string(text: str) -> str:
    """A double-quoted string of C's descendants; raises `MalformedError` for what needs escapes.

    Hosts, pins and dates never do, so there is nothing to escape wrongly.
    """
    if not _CODE_STRING.fullmatch(text):
        raise MalformedError(f"text {quoted(text, 80)}: cannot stand in code")
    return f'"{text}"'


def code_list(texts: Iterable[str]) -> str:
    """Such strings with commas between them."""
    return ", ".join(code_string(each) for each in texts)


def namespace(text: str, usual: str, *, dotted: bool = False) -> str:
    """The name of a package; raises `ConfigError` for what could be anything more."""
    name = text or usual
    if (
        len(name) > _LONGEST_NAMESPACE
        or not _NAMESPACE.fullmatch(name)
        or (not dotted and "." in name)
    ):
        raise ConfigError(
            f"--package {quoted(name, 80)}: is no name",
            hint="letters, digits and underscores" + (", with dots between names" * dotted),
        )
    return name


def report_uri(policy: PinPolicy) -> str:
    """Where reports go, or ""; raises `MalformedError` for what is no plain http(s) URI."""
    uri = policy.report_uri
    if uri and (len(uri) > _LONGEST_URI or not _URI.fullmatch(uri)):
        raise MalformedError(f"policy {quoted(policy.host)}: report_uri {quoted(uri)} is no URI")
    return uri


def xml_text(text: str) -> str:
    """Text between tags or in attributes; raises `MalformedError` for control characters."""
    if not text.isprintable():
        raise MalformedError(f"text {quoted(text, 80)}: cannot stand in XML")
    return "".join(_XML.get(each, each) for each in text)
