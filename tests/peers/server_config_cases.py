"""Ways to write a header in the configurations of four servers, and what goes around them."""

from __future__ import annotations

from collections.abc import Sequence

from pinwarden.headers.serverconfig.configured import Style

_NGINX = (
    """add_header Public-Key-Pins 'pin-sha256="AAA="; max-age=1';""",
    r"""add_header Public-Key-Pins "pin-sha256=\"AAA=\"; max-age=1" always;""",
    r"""add_header Public-Key-Pins pin-sha256=\"AAA=\"\;max-age=1;""",
    """add_header Public-Key-Pins pin-sha256="AAA=";""",
    r"""add_header Public-Key-Pins 'it\'s \"quoted\" \\ back \n \t tab \x other';""",
    """add_header Public-Key-Pins "a\n   folded; max-age=2";""",
    """add_header Public-Key-Pins "";""",
    """add_header "Public-Key-Pins" 'a#b;c{d}e' ; # a comment""",
    """add_header Public-Key-Pins a#b;""",
    """add_header 'expect-ct' "max-age=0";""",
    """add_header Expect-CT "a"; add_header Public-Key-Pins "x"; add_header Public-Key-Pins "y";""",
    """add_header Public-Key-Pins "  spaces  around ";""",
    r"""add_header Public-Key-Pins a\ b\;c;""",
    r"""add_header Public-Key-Pins "a\\"; add_header Expect-CT 'b\\\'c';""",
    """add_header\n  Public-Key-Pins\n  # why\n  "over lines"\n  always\n ;""",
    """add_header Public-Key-Pins: "colon";""",
    """add_header Public-Key-Pins x;add_header X-Other "Public-Key-Pins: y";""",
    """# add_header Public-Key-Pins x;""",
    """if ($request_method = GET) { add_header Expect-CT "in an if"; return 200; }""",
)
_APACHE = (
    r'Header set Public-Key-Pins "pin-sha256=\"AAA=\"; max-age=1"',
    """Header always set Public-Key-Pins 'pin-sha256="AAA="; max-age=1'""",
    r'Header onsuccess add Public-Key-Pins: "pin-sha256=\"AAA=\""',
    'Header append Public-Key-Pins pin-sha256="AAA=";max-age=1',
    "Header merge Expect-CT max-age=0",
    r'Header set Expect-CT "100%% a\tb \\\\ c"',
    r'Header set Expect-CT "a\\tb"',
    'Header set Expect-CT "end %"',
    r"""Header set Expect-CT 'sq \' dq " bs \\ x\y'""",
    'Header set Expect-CT "over \\\n   lines"',
    '# a comment \\\nHeader set Expect-CT "in the comment"',
    'Header setifempty Expect-CT "a"',
    """Header set Expect-CT "a" "expr=-n 'x'" """,
    'Header set Expect-CT "a" env=!NOTHING',
    "header SET expect-ct a",
    '"Header" set Expect-CT a',
    'Header set Expect-CT "a"env=!X',
    'Header set Expect-CT "  padded  "',
    'Header add Expect-CT ""',
    r"""Header set Expect-CT a\"b\'c""",
    r"""Header set Expect-CT 'a\\\'b\\\\'""",
    "Header set Expect-CT a#b",
    'Header set Expect-CT "${PINS}, and more"',
    '<IfModule mod_headers.c>\nHeader set Expect-CT "in a module"\n</IfModule>',
)
_CADDY = (
    r'header Public-Key-Pins "pin-sha256=\"AAA=\"; max-age=1"',
    """header Public-Key-Pins `pin-sha256="AAA="; max-age=1`""",
    "header Public-Key-Pins 'a'",
    'header Public-Key-Pins pin-sha256="AAA=";max-age=1',
    "header +Public-Key-Pins a",
    "header ?Public-Key-Pins a",
    "header Public-Key-Pins: a",
    'header {\n  +Expect-CT b\n  Public-Key-Pins: "colon"\n  -Server\n}',
    "header {\n  defer\n  Expect-CT `max-age=0`\n}",
    "header {\n  match status 200\n  Expect-CT a\n}",
    'header Expect-CT \\\n   "continued"',
    'header Expect-CT "multi\nline"',
    r'header Expect-CT "back\\slash \n \"q\" x\y"',
    r'header Expect-CT "{\"group\":\"x\"}"',
    r"header Expect-CT \{esc\}",
    'header Expect-CT "a{b"',
    "header Expect-CT a#b",
    "header Expect-CT a # comment",
    "header Expect-CT",
    'header expect-ct "  padded  "',
    "header * Expect-CT star",
    'header Expect-CT a"b"c',
    r"header Expect-CT ab\"cd",
    'header "Expect-CT" "x"',
    r"header Expect-CT a\\b",
    r"""header Expect-CT `back\slash"q`""",
    "@other header Expect-CT of-the-request",
    "@other {\n  header Public-Key-Pins *\n}\nheader Expect-CT a",
    "# header Expect-CT a",
)
NEWER_CADDY = (
    'header Expect-CT <<END\n  max-age=0,\n    report-uri="x"\n  END',
    "header Expect-CT <<END\nmax-age=0\nEND",
    "header {\n  Expect-CT <<X_1\n    a\n    b\n    X_1\n  Public-Key-Pins y\n}",
    'header Expect-CT "<<A"',
    r"header Expect-CT \<<X",
    "header >Public-Key-Pins a",
)
_HAPROXY = (
    r'http-response set-header Public-Key-Pins "pin-sha256=\"AAA=\"; max-age=1"',
    """http-response set-header Public-Key-Pins 'pin-sha256="AAA="; max-age=1'""",
    r"http-response set-header Public-Key-Pins pin-sha256=\"AAA=\";\ max-age=1",
    'http-response add-header Public-Key-Pins pin-sha256="AAA=";max-age=1',
    "http-after-response set-header Expect-CT a",
    "http-response set-header Expect-CT a if TRUE",
    r"""http-response set-header Expect-CT "100%% \t \x41 \\ \z \' \#" """,
    r"http-response set-header Expect-CT 'sq \t \x41 \\ \z # x'",
    "http-response set-header Expect-CT a#comment",
    r"http-response set-header Expect-CT a\#b # comment",
    'http-response set-header Expect-CT "two  spaces   three"',
    'http-response set-header Expect-CT "  pad  "',
    "http-response set-header Expect-CT '$HOME'",
    "http-response set-header Expect-CT $HOME",
    r'http-response set-header Expect-CT "\$HOME"',
    r"http-response set-header Expect-CT \$HOME",
    r"""http-response set-header Expect-CT max-age=0,report-uri=\"x\"""",
    """http-response set-header Expect-CT a'b'"c"d""",
    """http-response set-header Expect-CT max-age=0;x "if" TRUE""",
    r"http-response set-header Expect-CT 'it'\''s'",
    "http-response set-header Expect-CT: a",
    'http-response set-header Expect-CT "{a}[b]"',
    'http-response set-header Expect-CT "%%%%a%%[b]"',
    """http-request return status 200 hdr Expect-CT "a" hdr Public-Key-Pins 'b"c"' if TRUE""",
    "# http-response set-header Expect-CT a",
)
KNOWN: dict[Style, Sequence[str]] = {
    Style.NGINX: _NGINX,
    Style.APACHE: _APACHE,
    Style.CADDY: _CADDY,
    Style.HAPROXY: _HAPROXY,
}
"""What is found must be what is sent."""

UNKNOWN: dict[Style, Sequence[str]] = {
    Style.NGINX: (
        'add_header Expect-CT "max-age=$msec";',
        "add_header Expect-CT max-age=${request_method};",
    ),
    Style.APACHE: (
        'Header set Expect-CT "%{REQUEST_ID}e"',
        'Header set Expect-CT "max-age=1, %t"',
        'Header set Expect-CT "expr=%{HTTP_HOST}"',
        'Header set Expect-CT "${NOWHERE}"',
    ),
    Style.CADDY: (
        "header Expect-CT {http.request.host}",
        'header Expect-CT "a {path} b"',
        'header Expect-CT "{$NOWHERE:default}"',
    ),
    Style.HAPROXY: (
        "http-response set-header Expect-CT %[str(x)]",
        'http-response set-header Expect-CT "a %ci"',
        'http-response set-header Expect-CT "a $PATH"',
        'http-response set-header Expect-CT "${NOWHERE-default}"',
    ),
}
"""What is sent depends on something that no configuration says."""

REFUSED: dict[Style, Sequence[str]] = {
    Style.APACHE: (
        'Header set Public-Key-Pins pin-sha256="x"; max-age=1',
        'Header set Expect-CT "a" #b',
        "Header set Expect-CT",
    ),
    Style.HAPROXY: (
        "http-response set-header Expect-CT a b",
        'http-response set-header Expect-CT ""',
        "http-response set-header Expect-CT",
    ),
}
"""What the program itself calls wrong."""

WHOLE: dict[Style, Sequence[str]] = {style: (*KNOWN[style], *UNKNOWN[style]) for style in Style}

_NGINX_AROUND = """\
daemon off; master_process off; pid /srv/site/nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path /srv/site/body; proxy_temp_path /srv/site/proxy;
  fastcgi_temp_path /srv/site/fastcgi; uwsgi_temp_path /srv/site/uwsgi;
  scgi_temp_path /srv/site/scgi;
  server {
    listen 127.0.0.1:8080;
    location /up { return 200; }
"""
_APACHE_AROUND = """\
ServerName localhost
Listen 127.0.0.1:8080
PidFile /srv/site/httpd.pid
ErrorLog /dev/stderr
DefaultRuntimeDir /srv/site
Mutex file:/srv/site
DocumentRoot /srv/site/www
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
Define PINS "from a Define"
"""
_CADDY_AROUND = """\
{
  admin off
  auto_https off
  storage file_system /srv/site
}
http://127.0.0.1:8080, http://localhost:8080 {
  bind 127.0.0.1
  respond /up 200
"""
_HAPROXY_AROUND = """\
global
  maxconn 100
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend origin
  bind unix@/srv/site/origin.sock
  http-request return status 200
backend up
  http-request return status 200
"""


def path_of(number: int) -> str:
    """The path at which a case answers; HAProxy's backend has the same name."""
    return f"/case{number}.x"


def around(style: Style, cases: Sequence[str]) -> str:
    """A whole configuration in which each case has a place of its own."""
    numbered = [(path_of(number), case) for number, case in enumerate(cases)]
    if style is Style.NGINX:
        places = [f"location {path} {{ {case}\n return 200; }}\n" for path, case in numbered]
        return _NGINX_AROUND + "".join(places) + "}}\n"
    if style is Style.APACHE:
        places = [f"<Location {path} >\n{case}\n</Location>\n" for path, case in numbered]
        return _APACHE_AROUND + "".join(places)
    if style is Style.CADDY:
        places = [f"handle {path} {{\n{case}\nrespond 200\n}}\n" for path, case in numbered]
        return _CADDY_AROUND + "".join(places) + "}\n"
    rules = [f"  use_backend {path[1:]} if {{ path {path} }}\n" for path, _ in numbered]
    front = f"frontend main\n  bind 127.0.0.1:8080\n{''.join(rules)}  default_backend up\n"
    server = "server origin unix@/srv/site/origin.sock"
    places = [f"backend {path[1:]}\n  {server}\n  {case}\n" for path, case in numbered]
    return _HAPROXY_AROUND + front + "".join(places)
