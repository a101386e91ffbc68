"""Whose configuration a text is."""

from __future__ import annotations

import re
from collections import Counter

from pinwarden.headers.serverconfig.caddy_json import is_caddy_json
from pinwarden.headers.serverconfig.configured import Style

# Enough of a file to tell its style by.
_LOOKED_AT = 64 * 1024
_NGINX_ONLY = frozenset(("add_header", "more_set_headers", "more_clear_headers", "server_name"))
_NGINX_BLOCKS = frozenset(("server", "http", "events", "location", "upstream", "stream", "if"))
_APACHE = frozenset(
    (
        *("header", "servername", "serveralias", "documentroot", "sslengine", "loadmodule"),
        *("rewriteengine", "rewriterule", "rewritecond", "include", "includeoptional", "listen"),
        *("serverroot", "sslcertificatefile", "define", "customlog", "errorlog", "proxypass"),
    )
)
_APACHE_SECTION = re.compile(
    r"</?(?:VirtualHost|If|Else|Directory|Location|Files|Limit|Macro|Proxy|RequireA)\w*[ \t>]",
    re.IGNORECASE,
)
_HEADER_ACTION = re.compile(
    r"(?:(?:always|onsuccess)[ \t]+)?\"?(?:set|setifempty|add|append|merge|unset|edit\*?|echo|note)"
    r"[\" \t]",
    re.IGNORECASE,
)
_CADDY = frozenset(
    (
        *("header", "header_down", "reverse_proxy", "file_server", "encode", "tls", "root"),
        *("handle", "handle_path", "route", "php_fastcgi", "respond", "redir", "import", "log"),
    )
)
_CADDY_SITE = re.compile(r"(?:[\w.*:/{}$-]+,?[ \t]+)+\{$|\([\w-]+\)[ \t]*\{$")
_CADDY_JSON = re.compile(r'"(?:apps|handler)"\s*:')
_HAPROXY = frozenset(
    (
        *("http-response", "http-after-response", "http-request", "rspadd", "rspidel", "rspdel"),
        *("rspirep", "rsprep", "use_backend", "default_backend", "bind", "acl", "balance"),
    )
)
_HAPROXY_SECTION = re.compile(
    r"(?:global|defaults)$|(?:frontend|backend|listen|defaults|cache|resolvers)[ \t]+[\w.:-]+"
    r"(?:[ \t]+from[ \t]+\S+)?$"
)
_NAMES = {
    Style.NGINX: ("nginx",),
    Style.APACHE: (".htaccess", "httpd", "apache"),
    Style.CADDY: ("caddy",),
    Style.HAPROXY: ("haproxy",),
}
# An answer, a page, a program and XML are no configuration, whatever words they hold.
_NO_CONFIGURATION = re.compile(
    r"\s*(?:HTTP/|<!doctype\b|<html\b|<\?|<configuration\b|#!/)", re.IGNORECASE
)
# Programs and other servers, whose lines end like nginx's and whose words are Apache's.
_OF_OTHERS = re.compile(
    r"(?:const|let|var)[ \t]+[\w{[]|import[ \t].+[\"';]$|(?:package|using)[ \t]+[\w.]+;$|"
    r"(?:public|private|export|module\.exports)\b|\$HTTP\[|"
    r"(?:server|setenv|ssl|url|mimetype|accesslog|fastcgi|proxy|alias)\.[a-z-]+[ \t]*\+?="
)
_SUFFIXES_OF_OTHERS = (
    *(".php", ".phtml", ".js", ".mjs", ".cjs", ".ts", ".py", ".rb", ".go", ".java", ".kt", ".cs"),
    *(".pl", ".lua", ".sh", ".xml", ".config", ".yml", ".yaml", ".toml", ".properties", ".md"),
    "lighttpd.conf",
)


def style_of(text: str, path: str = "") -> Style | None:
    """Whose configuration this looks like; None for what looks like no configuration.

    The words of the text decide, and the name of its file where they do not.
    """
    looked_at = text[:_LOOKED_AT]
    if _NO_CONFIGURATION.match(looked_at):
        return None
    if is_caddy_json(looked_at):
        return Style.CADDY if _CADDY_JSON.search(text) else None
    if path.lower().endswith(_SUFFIXES_OF_OTHERS):
        return None
    counts: Counter[Style] = Counter()
    others = 0
    for line in looked_at.splitlines():
        line = line.strip()
        others += _OF_OTHERS.match(line) is not None
        counts.update(_styles_of_line(line))
    named = [style for style in Style if any(each in path.lower() for each in _NAMES[style])]
    best = max(counts.values(), default=0)
    if others >= max(best, 1):
        return None
    likely = [style for style in Style if counts[style] == best] if best else named
    both = [style for style in likely if style in named] or likely
    return both[0] if len(both) == 1 else None


def _styles_of_line(line: str) -> list[Style]:
    """Every server that might take the line."""
    first, rest = (*line.split(None, 1), "", "")[:2]
    if not first or first.startswith("#"):
        return []
    might = {
        Style.NGINX: _is_nginx(first, line),
        Style.APACHE: _is_apache(first.lower(), rest, line),
        Style.CADDY: _is_caddy(first, rest, line),
        Style.HAPROXY: first in _HAPROXY or bool(_HAPROXY_SECTION.match(line)),
    }
    return [style for style, does in might.items() if does]


def _is_nginx(first: str, line: str) -> bool:
    if line.endswith("{") or (line.endswith("}") and "{" in line):
        return first.partition("{")[0] in _NGINX_BLOCKS
    return first in _NGINX_ONLY or (
        line.endswith(";") and re.match(r"[a-z_]+[ \t]", line) is not None
    )


def _is_apache(first: str, rest: str, line: str) -> bool:
    if first == "header":
        return _HEADER_ACTION.match(rest) is not None
    if line.endswith((";", "{")):
        return False
    return first in _APACHE or _APACHE_SECTION.match(line) is not None


def _is_caddy(first: str, rest: str, line: str) -> bool:
    if line.endswith(";") or (first == "header" and _HEADER_ACTION.match(rest)):
        return False
    if first in _CADDY or line == "{":
        return True
    return first not in _NGINX_BLOCKS and _CADDY_SITE.match(line) is not None
