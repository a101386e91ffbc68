"""Whose configuration a text is, by its words or its name."""

from __future__ import annotations

import pytest

from pinwarden.headers.serverconfig.configured import Style
from pinwarden.headers.serverconfig.styles import style_of


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("add_header Expect-CT 'a';", Style.NGINX),
        ("add_header Public-Key-Pins 'a\n  b';", Style.NGINX),
        ("server {\n  listen 80;\n}", Style.NGINX),
        ('server { listen 443 ssl; add_header Expect-CT "max-age=1"; }', Style.NGINX),
        ("more_set_headers 'Expect-CT: a';", Style.NGINX),
        ("Header set Expect-CT a", Style.APACHE),
        ('header always set Expect-CT "a"', Style.APACHE),
        ("<IfModule mod_headers.c>\n</IfModule>", Style.APACHE),
        ("RewriteEngine on\n", Style.APACHE),
        ("header Expect-CT a", Style.CADDY),
        ("example.com {\n\tfile_server\n}", Style.CADDY),
        ("{\n\tadmin off\n}", Style.CADDY),
        ('{"apps": {}}', Style.CADDY),
        ("(snippet) {\n header -Server\n}", Style.CADDY),
        ("frontend www\n  bind :80\n", Style.HAPROXY),
        ("  http-response set-header Expect-CT a", Style.HAPROXY),
        ("global\n  daemon\ndefaults\n  mode http\n", Style.HAPROXY),
        ("", None),
        ("# only a comment\n", None),
        ("Expect-CT: max-age=0\r\n\r\n", None),
        ("HTTP/1.1 200 OK\r\nserver: nginx\r\nadd_header x;\r\n", None),
        ("<!DOCTYPE html>\n<Directory>", None),
        ("pin-sha256 = a\nmax-age = 1\n", None),
        ('{"headers": [{"key": "Expect-CT"}]}', None),
        ("<?php\nheader('Expect-CT: max-age=1');\n", None),
        ('<?xml version="1.0"?>\n<configuration>\n</configuration>\n', None),
        ("const helmet = require('helmet');\napp.use(helmet());\n", None),
        ("import os from 'os';\nserve(os);\n", None),
        ('$HTTP["scheme"] == "https" {\nserver.port = 443\ninclude "a"\n}\n', None),
        ("package a.b;\npublic class A {\n}\n", None),
    ],
)
def test_words(text: str, style: Style | None) -> None:
    """A few words are enough, and no words are no configuration."""
    assert style_of(text) is style


@pytest.mark.parametrize(
    ("path", "style"),
    [
        ("/etc/nginx/sites-enabled/www", Style.NGINX),
        ("/srv/www/.htaccess", Style.APACHE),
        ("conf/httpd.conf", Style.APACHE),
        ("/etc/apache2/sites-available/000-default.conf", Style.APACHE),
        ("Caddyfile", Style.CADDY),
        ("sites/a.caddy", Style.CADDY),
        ("HAProxy.cfg", Style.HAPROXY),
        ("site.conf", None),
        ("caddy/nginx.conf", None),
        ("/etc/lighttpd/lighttpd.conf", None),
        ("/srv/nginx/send.php", None),
        ("/srv/nginx/ingress.YAML", None),
    ],
)
def test_names(path: str, style: Style | None) -> None:
    """Where the words do not tell, the name of the file does."""
    assert style_of("# nothing here yet\n", path) is style


def test_words_count_more_than_a_name() -> None:
    """A file that is called what it is not."""
    assert style_of("Header set Expect-CT a\n", "nginx.conf") is Style.APACHE


def test_a_tie_is_the_name_s() -> None:
    """What several servers might take, the name decides; without a name nobody guesses."""
    text = "frontend www\nRewriteEngine on\n"
    assert style_of(text) is None
    assert style_of(text, "haproxy.cfg") is Style.HAPROXY
    assert style_of(text, "httpd.conf") is Style.APACHE
