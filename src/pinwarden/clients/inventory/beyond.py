"""Clients with a TLS of their own: nothing that is done to Python's `ssl` reaches them."""

from __future__ import annotations

from pinwarden.clients.inventory.rows import ClientRow, Reach

__all__ = ["BEYOND"]

_OTHER = "use a client that takes an ssl.SSLContext (docs/pinning-clients.md has them)"
_CURL = (
    "set CURLOPT_PINNEDPUBLICKEY to what `pinwarden pin export FILE --format curl` prints; "
    "libcurl compares the leaf key only"
)
_QUIC = "it speaks HTTP/3 over QUIC, whose TLS is inside the QUIC library"
_LIBCURL = "its TLS is inside libcurl"
_PYOPENSSL = "its TLS is pyOpenSSL's, which is not Python's ssl"
_RUST = "its TLS is inside a Rust library"
_GO = "its TLS is inside a Go library"
_LIBPQ = "its TLS is inside libpq, which takes files and no context"
_PQ_HOW = (
    "connect through pinwarden.clients.relay, or (root pins only) give sslmode=verify-full and "
    "the root that pinwarden.clients.anchor finds as sslrootcert"
)
_RELAY = "connect through pinwarden.clients.relay if its protocol begins with TLS"


def _beyond(
    name: str,
    why: str,
    how: str,
    *modules: str,
    distributions: tuple[str, ...] = (),
    reach: Reach = Reach.NONE,
    proven: bool = False,
) -> ClientRow:
    return ClientRow(
        name=name,
        distributions=distributions or (name,),
        modules=modules or (name.replace("-", "_"),),
        reach=reach,
        how=how,
        why=why,
        proven=proven,
    )


_HTTP3 = (
    _beyond("aioquic", _QUIC, _OTHER),
    _beyond("qh3", _QUIC, _OTHER),
    _beyond("niquests", _QUIC, _OTHER),
    # Takes the place of urllib3 itself, for every program in the environment.
    _beyond("urllib3-future", _QUIC, "install urllib3 in its place", "urllib3_future"),
)

_CURLS = (
    _beyond("pycurl", _LIBCURL, _CURL),
    _beyond("curl_cffi", _LIBCURL, _CURL, distributions=("curl-cffi", "curl_cffi")),
)

_OPENSSL = (
    # The `pyOpenSSL` package alone is a gap once somebody makes connections with it.
    _beyond("pyOpenSSL", "it does not use Python's ssl", _OTHER, "OpenSSL.SSL"),
    _beyond("Twisted", _PYOPENSSL, _OTHER, "twisted.internet._sslverify", "twisted.protocols.tls"),
    _beyond("Scrapy", _PYOPENSSL, _OTHER, "scrapy"),
    _beyond("treq", _PYOPENSSL, _OTHER),
    _beyond("snowflake-connector-python", _PYOPENSSL, _OTHER, "snowflake.connector"),
    _beyond("M2Crypto", "it calls OpenSSL itself", _OTHER, "M2Crypto.SSL"),
    _beyond("tlslite-ng", "it is a TLS of its own", _OTHER, "tlslite"),
    _beyond("python-mbedtls", "its TLS is Mbed TLS", _OTHER, "mbedtls.tls"),
)

_COMPILED = (
    _beyond("primp", _RUST, _OTHER),
    _beyond("rnet", _RUST, _OTHER),
    _beyond("wreq", _RUST, _OTHER),
    _beyond("pyreqwest", _RUST, _OTHER),
    _beyond("impit", _RUST, _OTHER),
    _beyond("tls-client", _GO, _OTHER),
    _beyond("hrequests", _GO, _OTHER),
    _beyond("awscrt", "its TLS is s2n or the system's", _OTHER),
    _beyond("PySide6", "Qt Network has a TLS of its own", _OTHER, "PySide6.QtNetwork"),
    _beyond("PyQt6", "Qt Network has a TLS of its own", _OTHER, "PyQt6.QtNetwork"),
)

_DATABASES = (
    _beyond("psycopg", _LIBPQ, _PQ_HOW, reach=Reach.ANCHOR, proven=True),
    _beyond(
        "psycopg2",
        _LIBPQ,
        _PQ_HOW,
        distributions=("psycopg2", "psycopg2-binary"),
        reach=Reach.ANCHOR,
    ),
    _beyond("mysqlclient", "its TLS is inside libmysqlclient", "use PyMySQL", "MySQLdb"),
    _beyond(
        "mysql-connector-python",
        "its TLS is inside libmysqlclient, or a context of its own",
        "use PyMySQL",
        "mysql.connector",
    ),
    _beyond("confluent-kafka", "its TLS is inside librdkafka", f"{_RELAY}, or use aiokafka"),
    _beyond("pyodbc", "its TLS is inside an ODBC driver", _OTHER),
    _beyond("pymssql", "its TLS is inside FreeTDS", _OTHER),
    _beyond("python-ldap", "its TLS is inside libldap", f"{_RELAY}, or use ldap3", "ldap"),
    _beyond("couchbase", "its TLS is inside a C++ library", _OTHER),
    _beyond("pulsar-client", "its TLS is inside a C++ library", _OTHER, "pulsar"),
)

_OTHERS = (
    _beyond(
        "grpcio",
        "its TLS is inside the gRPC library, which takes certificates and no context",
        "give it the credentials that pinwarden.clients.grpc makes",
        "grpc",
        reach=Reach.ANCHOR,
        proven=True,
    ),
    _beyond(
        "sslkeylog",
        "it writes the secrets of TLS connections to a file, and whoever reads it reads past "
        "every pin",
        "uninstall it where it is not needed",
    ),
)

BEYOND = (*_HTTP3, *_CURLS, *_OPENSSL, *_COMPILED, *_DATABASES, *_OTHERS)
