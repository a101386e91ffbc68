"""The forms in which pins can be read, and which of them a file is in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinwarden.errors import ConfigError, MalformedError, quoted
from pinwarden.pinning.formats.reading import android, curl, hpkp, okhttp, plist
from pinwarden.pinning.formats.reading.found import Found, Imported, Known, drafted

__all__ = ["LARGEST", "SOURCES", "find_source", "import_pins", "source_of"]

LARGEST = 1 << 20
"""Octets of a file that is read."""

SOURCES = {
    "android": "Android's network security configuration, TrustKit for Android's too",
    "curl": "curl's pinnedpubkey, in a configuration file or a command line",
    "hpkp": "Public-Key-Pins headers",
    "okhttp": "OkHttp's CertificatePinner, in Kotlin or Java code",
    "plist": "Apple's NSPinnedDomains, and TrustKit's configuration",
}
"""What each form is, by the name that the command line has for it."""

_COMMENTS = re.compile(rb"^[ \t]*(?:#|//)[^\n]*", re.MULTILINE)
_MARKS = (
    (b"bplist0", "plist"),
    (b"<plist", "plist"),
    (b"<network-security-config", "android"),
    (b"pinnedpubkey", "curl"),
    (b"certificatepinner", "okhttp"),
    (b"public-key-pins", "hpkp"),
    (b"pin-sha256", "hpkp"),
    (b".add(", "okhttp"),
)


def source_of(data: bytes) -> str:
    """The form of a file by what stands in it; raises `ConfigError` if nothing tells."""
    head = data[:LARGEST].lower()
    # A comment may name any program; if nothing else tells, it has to do.
    for text in (_COMMENTS.sub(b"", head), head):
        for mark, name in _MARKS:
            if mark in text:
                return name
    raise ConfigError("the file: nothing tells in which form it is", hint="say it with --format")


def find_source(name: str) -> str:
    """The form of that name, in any case; raises `ConfigError` if there is none."""
    if name.lower() not in SOURCES:
        raise _no_such_form(name)
    return name.lower()


def import_pins(
    data: bytes, source: str, *, hosts: tuple[str, ...] = (), known: Known | None = None
) -> Imported:
    """The draft of what a file holds; `hosts` for forms that do not say whose pins they are.

    Raises `MalformedError` for a file that is not in that form or holds no pins.
    """
    if len(data) > LARGEST:
        raise MalformedError(f"is larger than {LARGEST >> 20} MiB")
    notes: list[str] = []
    found = list(_read(data, source, hosts, notes))
    return drafted(found, notes, known or Known())


def _read(data: bytes, source: str, hosts: tuple[str, ...], notes: list[str]) -> Iterator[Found]:
    match source:
        case "android":
            return android.read(data, notes)
        case "plist":
            return plist.read(data, notes)
    text = _text(data)
    match source:
        case "curl":
            return curl.read(text, hosts, notes)
        case "hpkp":
            return hpkp.read(text, hosts, notes)
        case "okhttp":
            return okhttp.read(text, hosts, notes)
    raise _no_such_form(source)


def _no_such_form(name: str) -> ConfigError:
    return ConfigError(
        f"--format {quoted(name)}: there is no such form", hint=f"one of {', '.join(SOURCES)}"
    )


def _text(data: bytes) -> str:
    for start, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(start):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                break
    raise MalformedError("is not UTF-8 text")
