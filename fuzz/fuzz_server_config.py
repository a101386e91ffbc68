"""Fuzzes server configurations: a reading of every style, or one of our errors.

`fuzz/target.py` says how it runs.
"""

import json
import random

from target import damaged, run

from pinwarden.errors import PinwardenError
from pinwarden.headers.serverconfig.configured import ConfigReading, Style
from pinwarden.headers.serverconfig.reading import read_config
from pinwarden.headers.serverconfig.styles import style_of

_JSON = {
    "apps": {
        "http": {
            "servers": {
                "main": {
                    "listen": [":80"],
                    "routes": [
                        {
                            "match": [{"path": ["/x"]}],
                            "handle": [
                                {"handler": "headers", "response": {"set": {"Expect-Ct": ["a"]}}}
                            ],
                        }
                    ],
                }
            }
        }
    }
}
_NGINX = """\
http { map $a $b { c 'd'; } server { server_name a.example; # x
 location / { add_header Public-Key-Pins 'pin-sha256="AA"; max-age=1' always; if ($a) {
 more_set_headers -s 404 "Expect-CT: \\"a\\"" "X: y"; } proxy_hide_header Expect-CT; }
 header_filter_by_lua_block { -- it's }
 ngx.header["Expect-CT"] = "}" --[[ } ]] }
} }
"""
_APACHE = """\
Define A "b"
<VirtualHost *:443>
ServerName a.example
<If "%{B} == 'c'">
Header always set Public-Key-Pins "pin-sha256=\\"${A}\\"; \\
 max-age=1%%" env=!x
</If>
# c \\
d
<Macro m $p>
Header edit Expect-CT a $p
Header unset Expect-CT
</Macro>
"""
_CADDY = """\
{
 admin off
}
(s) {
 header ?Expect-CT `a`
}
a.example,
b {
 import s
 @m {
  path /x
 }
 header @m {
  +Public-Key-Pins "pin-sha256=\\"AA\\""
  -Expect-*
  defer
 }
 header >Expect-CT <<E
   max-age=0
   E
 reverse_proxy c {
  header_down Expect-CT a b
 }
}
"""
_HAPROXY = """\
defaults
 mode http
frontend a
 http-response set-header Public-Key-Pins "pin-sha256=\\"AA\\"; a=%%$B" if { ssl_fc } # c
 http-response del-header Expect -m beg
 rspadd Expect-CT:\\ max-age=\\x31 unless x
 rspidel ^Public-Key-Pins:.*
 http-request return status 200 hdr Expect-CT 'a'\\''b'
"""
SEEDS = [each.encode() for each in (_NGINX, _APACHE, _CADDY, _HAPROXY, json.dumps(_JSON, indent=1))]


def check(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    style_of(text)
    lines = text.count("\n") + 1
    for style in Style:
        reading = _reading(text, style)
        for each in (*reading.headers, *reading.includes, *reading.unread):
            assert 1 <= each.line <= lines, each
        for header in reading.headers:
            assert header.value is None or not set(header.value) & set("\r\n\0"), header


def _reading(text: str, style: Style) -> ConfigReading:
    """What a reader gives; nothing if it says in one line why it gives nothing."""
    try:
        return read_config(text, style)
    except PinwardenError as error:
        words = str(error)
    assert words.isprintable(), words
    return ConfigReading(())


def make(number: random.Random) -> bytes:
    return damaged(number.choice(SEEDS), number)


if __name__ == "__main__":
    run(check, make)
