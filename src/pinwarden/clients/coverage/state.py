"""What this process has done to TLS: patches that lead connections past the pins."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator

from pinwarden.clients.coverage.gap import Gap

__all__ = ["gaps_in_state", "installed"]


def installed() -> bool:
    """Whether `pinwarden.clients.install` is in force."""
    # Its socket class is put on the class from which every context takes it.
    socket_class = ssl.SSLContext.sslsocket_class
    return getattr(socket_class, "__module__", "").startswith("pinwarden.")


def gaps_in_state(*, under_install: bool) -> Iterator[Gap]:
    """What was patched or injected in this process, and is past the pins now."""
    yield from _pyopenssl_in_urllib3()
    yield from _replaced_urllib3()
    yield from _truststore(under_install)
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


def _truststore(under_install: bool) -> Iterator[Gap]:
    if ssl.SSLContext.__module__.partition(".")[0] == "truststore":
        yield Gap(
            client="truststore in ssl",
            version=_version_of("truststore"),
            in_use=True,
            why="truststore.inject_into_ssl() replaced ssl.SSLContext: contexts made since then "
            "are not reached by install()",
            what_to_do="call truststore.extract_from_ssl() and give clients "
            "pinwarden.clients.pin_context(truststore.SSLContext(...), pins)",
        )
    elif under_install and "truststore" in sys.modules:
        yield Gap(
            client="truststore",
            version=_version_of("truststore"),
            in_use=True,
            why="its contexts bring classes of their own, which install() does not reach",
            what_to_do="give them to pinwarden.clients.pin_context(context, pins)",
        )


def _green() -> Iterator[Gap]:
    # Both put a class of their own over ssl.SSLContext, which makes sockets of their own.
    for name in ("gevent", "eventlet"):
        if ssl.SSLContext.__module__.partition(".")[0] == name:
            yield Gap(
                client=f"{name} in ssl",
                version=_version_of(name),
                in_use=True,
                why=f"{name} patched ssl: the sockets are its own, and keep no pins",
                what_to_do=f"do not let {name} patch ssl, or use asyncio, trio or threads",
            )


def _version_of(name: str) -> str:
    return str(getattr(sys.modules.get(name), "__version__", ""))
