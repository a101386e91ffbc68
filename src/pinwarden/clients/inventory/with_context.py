"""Clients that pins reach: by the context that they take, or by `install()`."""

from __future__ import annotations

from pinwarden.clients.inventory.rows import ClientRow, Reach

__all__ = ["REACHED", "STANDARD"]

_INSTALL = "pinwarden.clients.install(pins)"


def _stdlib(name: str, how: str) -> ClientRow:
    return ClientRow(
        name=name,
        distributions=(),
        modules=(name,),
        reach=Reach.CONTEXT,
        how=how,
        proven=True,
    )


def _takes(name: str, how: str, *modules: str, proven: bool = False) -> ClientRow:
    return ClientRow(
        name=name,
        distributions=(name,),
        modules=modules or (name,),
        reach=Reach.CONTEXT,
        how=how,
        proven=proven,
    )


def _makes(name: str, *modules: str) -> ClientRow:
    return ClientRow(
        name=name,
        distributions=(name,),
        modules=modules or (name,),
        reach=Reach.INSTALL,
        how=_INSTALL,
        why="it makes a context of its own for each connection",
    )


# Always there.
STANDARD = (
    _stdlib("ssl", "context.wrap_socket(sock, server_hostname=host)"),
    _stdlib("http.client", "HTTPSConnection(host, context=context)"),
    _stdlib("urllib.request", "urlopen(url, context=context)"),
    _stdlib("asyncio", "open_connection(host, port, ssl=context)"),
    _stdlib("smtplib", "SMTP_SSL(host, context=context), starttls(context=context)"),
    _stdlib("imaplib", "IMAP4_SSL(host, ssl_context=context), starttls(context)"),
    _stdlib("poplib", "POP3_SSL(host, context=context), stls(context)"),
    _stdlib("ftplib", "FTP_TLS(host, context=context)"),
)

_PROVEN = (
    _takes("urllib3", "PoolManager(ssl_context=context)", proven=True),
    _takes("requests", "pinwarden.clients.requests", proven=True),
    _takes("httpx", "Client(verify=context), AsyncClient(verify=context)", proven=True),
    _takes("httpcore", "ConnectionPool(ssl_context=context)", proven=True),
    _takes("aiohttp", "TCPConnector(ssl=context)", proven=True),
    _takes("websockets", "connect(uri, ssl=context)", proven=True),
    _takes(
        "websocket-client",
        'create_connection(url, sslopt={"context": context})',
        "websocket",
        proven=True,
    ),
    _takes("redis", "pinwarden.clients.redis", proven=True),
    _takes("truststore", "pinwarden.clients.pin_context(context, pins)", proven=True),
    _takes("uvloop", "open_connection(host, port, ssl=context)", proven=True),
    _takes("trio", "SSLStream(stream, context, server_hostname=host)", proven=True),
    _takes("anyio", "connect_tcp(host, port, tls=True, ssl_context=context)", proven=True),
    _takes("botocore", "pinwarden.clients.botocore", proven=True),
)

# These take a context as well; no test here runs them.
_TAKERS = (
    _takes("aio-pika", "connect(url, ssl_context=context)", "aio_pika"),
    _takes("aioimaplib", "IMAP4_SSL(host, ssl_context=context)"),
    _takes("aiokafka", 'security_protocol="SSL", ssl_context=context'),
    _takes("aiomqtt", "Client(host, tls_context=context)"),
    _takes("aiomysql", "connect(host, ssl=context)"),
    _takes("aiosmtplib", "SMTP(hostname=host, tls_context=context)"),
    _takes("asyncpg", "connect(dsn, ssl=context)"),
    _takes("cassandra-driver", "Cluster(ssl_context=context)", "cassandra"),
    _takes("elastic-transport", "Elasticsearch(url, ssl_context=context)", "elastic_transport"),
    _takes("grpclib", "Channel(host, port, ssl=context)"),
    _takes("kafka-python", 'security_protocol="SSL", ssl_context=context', "kafka"),
    _takes("nats-py", "connect(url, tls=context)", "nats"),
    _takes("opensearch-py", "OpenSearch(url, ssl_context=context)", "opensearchpy"),
    _takes("paho-mqtt", "client.tls_set_context(context)", "paho.mqtt"),
    _takes("pg8000", "connect(user, ssl_context=context)"),
    _takes("pika", "SSLOptions(context, host)"),
    _takes("PyMySQL", "connect(host=host, ssl=context)", "pymysql"),
    _takes("pymemcache", "Client(server, tls_context=context)"),
    _takes("slack_sdk", "WebClient(ssl=context)"),
    _takes("tornado", "HTTPRequest(url, ssl_options=context)", "tornado.httpclient"),
)

_MAKERS = (
    _makes("aiobotocore"),
    _makes("docker"),
    _makes("httplib2"),
    _makes("kubernetes"),
    _makes("ldap3"),
    _makes("pymongo"),
    _makes("sentry-sdk", "sentry_sdk"),
)

REACHED = (*_PROVEN, *_TAKERS, *_MAKERS)
