"""What this process has done to TLS: patches that lead connections past the pins."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from typing import Any

from pinwarden.clients.guard import Guard
from pinwarden.clients.inventory.gap import Gap
from pinwarden.clients.ssl_classes import SSLContext

__all__ = ["STATE_NAMES", "gaps_in_state", "installed"]

STATE_NAMES = (
    *("urllib3 with pyOpenSSL", "snowflake.connector.vendored.urllib3 with pyOpenSSL"),
    *("pymongo with pyOpenSSL", "urllib3-future as urllib3", "truststore"),
    *("gevent in ssl", "eventlet in ssl"),
)
"""What `gaps_in_state` can name."""


def installed() -> bool:
    """Whether `pinwarden.clients.install` is in force."""
    kind: Any = SSLContext.sslsocket_class
    return isinstance(kind, type) and issubclass(kind, Guard)


def gaps_in_state() -> Iterator[Gap]:
    """What was patched or injected in this process, and goes past the pins now."""
    yield from _pyopenssl_in_urllib3()
    yield from _pyopenssl_in_pymongo()
    yield from _replaced_urllib3()
    yield from _truststore()
    yield from _green()


def _pyopenssl_in_urllib3() -> Iterator[Gap]:
    # urllib3 asks this name at each connection.
    for name in ("urllib3.util.ssl_", "snowflake.connector.vendored.urllib3.util.ssl_"):
        module = sys.modules.get(name)
        if getattr(module, "IS_PYOPENSSL", False):
            top = name.removesuffix(".util.ssl_")
            yield Gap(
                client=f"{top} with pyOpenSSL",
                version=str(getattr(sys.modules.get(top), "__version__", "")),
                in_use=True,
                why="pyOpenSSL was injected: contexts that it makes are not Python's, and keep "
                "no pins",
                what_to_do="call urllib3.contrib.pyopenssl.extract_from_urllib3()",
            )


def _pyopenssl_in_pymongo() -> Iterator[Gap]:
    # Loaded where pyOpenSSL is installed, and then preferred to Python's ssl.
    if "pymongo.pyopenssl_context" in sys.modules:
        yield Gap(
            client="pymongo with pyOpenSSL",
            version=str(getattr(sys.modules.get("pymongo"), "version", "")),
            in_use=True,
            why="it makes its connections with pyOpenSSL where that is installed, and then not "
            "even install() reaches it",
            what_to_do="uninstall pyOpenSSL, and call pinwarden.clients.install(pins)",
        )


def _replaced_urllib3() -> Iterator[Gap]:
    version = str(getattr(sys.modules.get("urllib3"), "__version__", ""))
    patch = version.split(".")[2:3]
    # urllib3-future installs itself under urllib3's name, with patch numbers from 900 on.
    if patch and patch[0].isdigit() and int(patch[0]) >= 900:
        yield Gap(
            client="urllib3-future as urllib3",
            version=version,
            in_use=True,
            why="it has taken urllib3's place, and may choose HTTP/3, whose TLS is inside QUIC",
            what_to_do="uninstall urllib3-future and install urllib3 again",
        )


def _truststore() -> Iterator[Gap]:
    platform: str = sys.platform
    if platform in ("darwin", "win32") and "truststore" in sys.modules:
        yield Gap(
            client="truststore",
            version=_version_of("truststore"),
            in_use=True,
            why="here the system verifies and OpenSSL does not, so there is no verified chain "
            "to compare: its contexts cannot be pinned",
            what_to_do="use PinnedContext with the system's or certifi's trust anchors",
        )


def _green() -> Iterator[Gap]:
    # Both put a class of their own over ssl.SSLContext, which makes sockets of their own.
    for name in ("gevent", "eventlet"):
        if ssl.SSLContext.__module__.partition(".")[0] == name:
            yield Gap(
                client=f"{name} in ssl",
                version=_version_of(name),
                in_use=True,
                why=f"{name} patched ssl: its sockets keep no pins, and pinned contexts refuse to "
                "be made",
                what_to_do=f"do not let {name} patch ssl, or use asyncio, trio or threads",
            )


def _version_of(name: str) -> str:
    return str(getattr(sys.modules.get(name), "__version__", ""))
