"""The forms in which a pin set can be written, by the name that the command line has for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from pinwarden.errors import ConfigError, quoted
from pinwarden.pinning.formats import (
    android,
    apple,
    curl,
    dotnet,
    envoy,
    flutter,
    go,
    hpkp,
    nginx,
    nodejs,
    okhttp,
    python,
    rust,
)
from pinwarden.pinning.formats.export import Export, Writing
from pinwarden.pinning.pinset import PinSet

__all__ = ["FORMATS", "Format", "find_format"]


@dataclass(frozen=True, slots=True)
class Format:
    """One form; `write` raises `PinSetError` if nothing of the set can be said in it."""

    description: str
    write: Callable[[PinSet, Writing], Export]


FORMATS: dict[str, Format] = {
    "android-xml": Format("Android's network security configuration", android.write),
    "apple-plist": Format("Apple's NSPinnedDomains, for Info.plist", apple.write),
    "curl": Format("curl's configuration file, one for each host", curl.write),
    "curl-string": Format("the strings of curl's --pinnedpubkey", curl.write_strings),
    "dotnet": Format("a C# class for SslStream and HttpClient", dotnet.write),
    "envoy": Format("Envoy's upstream TLS contexts, as JSON", envoy.write),
    "flutter": Format("a Dart library with a pinned HttpClient", flutter.write),
    "go": Format("a Go package for crypto/tls and net/http", go.write),
    "hpkp": Format("Public-Key-Pins headers (RFC 7469)", hpkp.write),
    "nginx": Format("nginx's proxy_ssl directives, one file for each host", nginx.write),
    "nodejs": Format("a Node.js module with an https.Agent", nodejs.write),
    "okhttp-java": Format("OkHttp's CertificatePinner in Java", okhttp.write_java),
    "okhttp-kotlin": Format("OkHttp's CertificatePinner in Kotlin", okhttp.write_kotlin),
    "python": Format("a Python module with a PinnedContext", python.write),
    "rust": Format("a Rust module for rustls", rust.write),
    "trustkit-android": Format("TrustKit for Android's configuration", android.write_trustkit),
    "trustkit-plist": Format("TrustKit's configuration for iOS and macOS", apple.write_trustkit),
}


def find_format(name: str) -> Format:
    """The form of that name, in any case; raises `ConfigError` with the nearest one."""
    form = FORMATS.get(name.lower())
    if form is not None:
        return form
    near = get_close_matches(name.lower(), FORMATS, 1)
    hint = (
        f"did you mean {near[0]}?" if near else "`pinwarden pin export --list-formats` lists them"
    )
    raise ConfigError(f"--format {quoted(name)}: there is no such form", hint=hint)
