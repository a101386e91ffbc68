"""`pinwarden header lint` on what people have on disk."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli.header.conftest import Header
from pinwarden.cli.header.reading import FORMS
from pinwarden.lab.ca import pem
from support.pin_world import world

VECTORS = Path(__file__).parents[2] / "vectors"
CASES: list[dict[str, Any]] = [
    case
    for name in ("headers.json", "headers-more.json")
    for case in json.loads((VECTORS / name).read_text(encoding="utf-8"))
]
# They hang on the connection, which a saved answer does not tell of.
OF_THE_CONNECTION = {
    *("hpkp-insecure-transport", "hpkp-no-match", "hpkp-no-backup-pin"),
    *("expect-ct-insecure-transport", "expect-ct-not-ct-qualified"),
    *("hpkp-ip-address", "expect-ct-ip-address"),
}
LEAF, SPARE = (world().pins[each].hpkp for each in ("leaf", "spare"))
PINS = f"max-age=600; {LEAF}; {SPARE}"


@pytest.mark.parametrize("case", CASES, ids=[each["id"] for each in CASES])
def test_vectors_as_saved_answers(case: dict[str, Any], lint: Header) -> None:
    """What hangs on the field alone is the same, from `curl -si` on the standard input."""
    fields = [f"{name}: {value}\r\n" for name, value in case["response"]["headers"]]
    html = case["response"].get("html", "")
    text = f"HTTP/1.1 200 OK\r\n{''.join(fields)}\r\n{html}"
    ran = lint("-", "--json", stdin=text)
    line, expected = ran.line, case["expect"]
    for name in ("public_key_pins", "public_key_pins_report_only", "expect_ct"):
        wanted = expected[name] and {k: v for k, v in expected[name].items() if k != "noted"}
        assert line[name] == wanted
    assert set(ran.ids) - OF_THE_CONNECTION == set(expected["findings"]) - OF_THE_CONNECTION
    assert ran.code == (1 if any(each.endswith("-present") for each in ran.ids) else 0)


NGINX = f"""
server {{
    listen 443 ssl;
    server_name www.example.com;
    add_header Expect-CT "max-age=86400" always;
    location / {{
        add_header Public-Key-Pins '{PINS}; report-uri="http://r.example/"';
        proxy_hide_header Public-Key-Pins-Report-Only;
    }}
    include /etc/nginx/conf.d/*.conf;
}}
"""
APACHE = f"""
<VirtualHost *:443>
    ServerName www.example.com
    Header always set Public-Key-Pins '{PINS}'
    Header always set Expect-CT "max-age=86400"
</VirtualHost>
"""
CADDY = f"""
www.example.com {{
    header Public-Key-Pins `{PINS}`
    header Expect-CT "max-age=86400"
}}
"""
HAPROXY = f"""
frontend www
    mode http
    bind :443
    http-response set-header Public-Key-Pins '{PINS}'
    http-response set-header Expect-CT max-age=86400
"""
CONFIGURATIONS = {"nginx": NGINX, "apache": APACHE, "caddy": CADDY, "haproxy": HAPROXY}


@pytest.mark.parametrize("named", [True, False], ids=["named", "seen"])
@pytest.mark.parametrize("style", CONFIGURATIONS)
def test_configurations(style: str, named: bool, lint: Header, tmp_path: Path) -> None:
    """All four styles, told or recognised; each line is a place with its own values."""
    file = tmp_path / "a.txt"
    file.write_text(CONFIGURATIONS[style])
    ran = lint(file, "--json", *(("--format", style) if named else ()))
    assert ran.code == 1
    assert sorted(ran.ids) == ["expect-ct-present", "hpkp-present"]
    assert ran.line["public_key_pins"]["max_age"] == 600
    (pins,) = (each["public_key_pins"] for each in ran.line["places"] if each["public_key_pins"])
    assert pins["noted"] is None
    assert ran.line["expect_ct"]["max_age"] == 86400
    assert len(ran.line["places"]) == 2
    for finding in ran.line["findings"]:
        place, _, header = finding["where"].rpartition(": ")
        number = int(place.removeprefix(f"{file}:").partition(" ")[0])
        assert header in CONFIGURATIONS[style].splitlines()[number - 1]


def test_notes_of_a_configuration(lint: Header, tmp_path: Path) -> None:
    """What is removed, and what was not read; report endpoints are named."""
    file = tmp_path / "nginx.conf"
    file.write_text(NGINX)
    ran = lint(file)
    assert ran.code == 1
    assert "reports still go to 'http://r.example/'" in ran.out
    assert "Public-Key-Pins-Report-Only is removed" in ran.out
    assert "was not read: " in ran.out
    assert "/etc/nginx/conf.d/*.conf" in ran.out
    assert f"at: {file}:5 (" in ran.out


def test_a_value_that_only_the_server_knows(lint: Header) -> None:
    """The header is there whatever its value will be."""
    text = "server {\n add_header Public-Key-Pins $pins;\n}\n"
    ran = lint("-", "--format", "nginx", "--json", stdin=text)
    assert (ran.code, ran.ids, ran.line["public_key_pins"]) == (1, ["hpkp-present"], None)
    assert "its value: " in ran.line["findings"][0]["message"]


def test_a_configuration_without_them(lint: Header) -> None:
    """Nothing is wrong, and it is said."""
    text = "server {\n listen 443 ssl;\n add_header X-A b;\n}\n"
    ran = lint("-", "--format", "nginx", stdin=text)
    assert (ran.code, ran.out) == (0, "-\n  neither Public-Key-Pins nor Expect-CT is set\n")


OTHERS = {
    "send.php": "<?php\nheader('Public-Key-Pins: max-age=1');\n",
    "app.js": "const a = 1;\nres.setHeader('Public-Key-Pins', pins);\n",
    "lighttpd.conf": 'setenv.add-response-header = (\n "Public-Key-Pins" => "max-age=1"\n)\n',
    "web.config": '<?xml version="1.0"?>\n<add name="Public-Key-Pins" value="max-age=1" />\n',
    "traefik.yml": "http:\n  headers:\n    Expect-CT: max-age=1\n",
    "ingress.yaml": "kind: Ingress\nsnippet: |\n  add_header Expect-CT max-age=1;\n",
    "_headers": "/*\n  Expect-CT: max-age=1\n",
    "netlify.toml": '[headers.values]\nExpect-CT = "max-age=1"\n',
    "vercel.json": '{"headers": [\n{"key": "Expect-CT", "value": "max-age=1"}]}\n',
}


@pytest.mark.parametrize("name", OTHERS)
def test_files_of_others_do_not_pass(name: str, lint: Header, tmp_path: Path) -> None:
    """What is none of the four is not read as one, nor as an answer without the headers."""
    file = tmp_path / name
    file.write_text(OTHERS[name])
    ran = lint(file)
    assert (ran.code, ran.out) == (2, "")
    number = re.search(r"names one of the headers in line ([0-9]+)\n", ran.err)
    assert number is not None
    assert re.search("Public-Key-Pins|Expect-CT", OTHERS[name].split("\n")[int(number[1]) - 1])
    assert "pin import" in ran.err


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('example.com {\nheader {\nExpect-CT: "max-age=1"\n}\n}\n', "caddy"),
        ('localhost:8080\nheader Expect-CT "max-age=1"\n', "caddy"),
        ("server: nginx\nlink: <a>; rel=x;\nexpect-ct: max-age=1\n", "response"),
        ("Expect-CT:max-age=1\r\n\r\n<script>\nif (a) {\n{\n", "response"),
        ("\r\nDate: x\r\n y\r\nExpect-CT: max-age=1", "response"),
        ("frontend a\n  http-response set-header Expect-CT max-age=1\n", "haproxy"),
    ],
)
def test_answers_and_configurations(text: str, form: str, lint: Header) -> None:
    """A head without its status line is told from a configuration that writes like one."""
    ran = lint("-", "--json", stdin=text)
    assert ran.line["expect_ct"]["max_age"] == 1
    assert bool(ran.line["findings"][0]["where"].startswith("line ")) is (form != "response")
    assert ran.line["notes"] == []


def test_nginx_inheritance(lint: Header) -> None:
    """An `add_header` hides those of the blocks around it, whatever header it adds."""
    text = """server {
    add_header Expect-CT "max-age=1";
    location /a { add_header X-A b; }
    location /b { return 200; }
}
"""
    ran = lint("-", "--json", stdin=text)
    hidden = "line 3 (server, location /a): add_header hides the Expect-CT of line 2"
    assert ran.line["notes"] == [hidden]


def test_redirects_in_a_saved_answer(lint: Header) -> None:
    """Each head is a place; the last one that has a header tells its values."""
    text = (
        "HTTP/1.1 301 Moved\nLocation: /\nExpect-CT: max-age=1\n\n"
        "HTTP/2 200\nexpect-ct: max-age=2\n\n<meta http-equiv=expect-ct content=x>"
    )
    ran = lint("-", "--json", stdin=text)
    assert ran.line["expect_ct"]["max_age"] == 2
    assert [each["where"] for each in ran.line["places"]] == [
        "answer 1 (301), line 1",
        "answer 2 (200), line 5",
    ]
    assert ran.ids == ["expect-ct-present", "expect-ct-present", "expect-ct-meta-ignored"]


def test_what_curl_says(lint: Header) -> None:
    """Of `curl -v` only what came from the server counts."""
    text = (
        "* Trying 192.0.2.1:443...\n> HEAD / HTTP/1.1\n> Expect-CT: max-age=9\n> \n"
        "{ [5 bytes data]\n< HTTP/1.1 200 OK\n* note\n< Expect-CT: max-age=1\n< \n"
    )
    ran = lint("-", "--json", stdin=text)
    assert (ran.code, ran.line["expect_ct"]["max_age"], ran.line["notes"]) == (1, 1, [])


def test_many_places(lint: Header) -> None:
    """The same words are said once, with the first places; JSON has all of them."""
    text = "server {\n" + 'add_header Expect-CT "max-age=1";\n' * 30 + "}\n"
    text += "".join(f'add_header Expect-CT "max-age=1, a{n}";\n' for n in range(30))
    ran = lint("-", "--format", "nginx", stdin=text)
    assert ran.out.count("      at: line ") == 10 + 10
    assert "      and at 50 other places" in ran.out
    assert "  and 20 more [PW-EXPECT-CT-UNKNOWN-DIRECTIVE]" in ran.out
    assert ran.out.count("      do: ") == 2
    assert len(lint("-", "--format", "nginx", "--json", stdin=text).line["findings"]) == 90


def test_a_page(lint: Header, tmp_path: Path) -> None:
    """A meta element is of no consequence, and told."""
    file = tmp_path / "index.html"
    file.write_text("<!DOCTYPE html>\n<meta http-equiv='Public-Key-Pins' content='max-age=1'>")
    ran = lint(file, "--json")
    assert (ran.code, ran.ids) == (0, ["hpkp-meta-ignored"])
    assert ran.line["findings"][0]["where"] == "meta element in line 2"


def test_headers_on_the_command_line(lint: Header) -> None:
    """All of them are one answer."""
    ran = lint("--header", "Expect-CT: max-age=1", "--header", "expect-ct: enforce", "--json")
    policy = {"max_age": 1, "enforce": True, "report_uri": None}
    assert ran.line["expect_ct"] == {"syntax": "ok", **policy}
    ran = lint("--header", "nonsense")
    assert (ran.code, ran.out) == (2, "")
    assert "--header: " in ran.err


def test_a_chain_tells_whether_pins_match(lint: Header, tmp_path: Path) -> None:
    """And then whether a client would have kept them is as good as known."""
    chain = tmp_path / "chain.pem"
    authority = world().authorities.a
    chain.write_bytes(pem([*world().chains["genuine"].certificates, authority.root]))
    text = f"HTTP/1.1 200\nPublic-Key-Pins: max-age=1; {SPARE}; {world().pins['stray'].hpkp}\n"
    ran = lint("-", "--chain", chain, "--host", "www.example.com", "--json", stdin=text)
    assert ran.ids == ["hpkp-present", "hpkp-no-match"]
    assert ran.line["places"][0]["public_key_pins"]["noted"] is False
    ran = lint(
        "-", "--chain", chain, "--json", stdin=text.replace("max-age=1", LEAF + ";max-age=1")
    )
    assert ran.ids == ["hpkp-present"]
    assert ran.line["places"][0]["public_key_pins"]["noted"] is True


def test_an_address_as_host(lint: Header) -> None:
    """Who sends it matters."""
    ran = lint("--header", f"Public-Key-Pins: {PINS}", "--host", "192.0.2.1", "--json")
    assert ran.ids == ["hpkp-present", "hpkp-ip-address"]
    assert ran.line["places"][0]["public_key_pins"]["noted"] is False


def test_findings_can_be_left_out(lint: Header) -> None:
    """Whoever knows of one need not hear it each time; a misspelt one is an error."""
    ran = lint("--header", "Expect-CT: max-age=1", "--ignore", "pw-expect-ct-present", "--json")
    assert (ran.code, ran.ids) == (0, [])
    ran = lint("--header", "Expect-CT: max-age=1", "--ignore", "PW-NONE")
    assert ran.code == 2
    assert "docs/findings-headers.md" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "needs a target"),
        (("nginx.conf",), "nginx.conf"),
        (("./nothing",), "nothing"),
        (("Caddyfile",), "Caddyfile"),
        (("-",), "nothing tells"),
        (("-", "--format", "response"), "holds no header"),
        (("-", "--host", "*.example"), "--host"),
        (("-", "--format", "word"), "--format"),
        (("smtp://mail.example",), "over HTTP only"),
        (("ldaps://mail.example",), "over HTTP only"),
        (("http://",), "is empty"),
        (("https://a b/",), "host"),
        (("https://u:secret@a.example/",), "leave out the user"),
        (("http://u:secret@a.example/",), "leave out the user"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else None,
)
def test_what_cannot_be_linted(arguments: tuple[str, ...], words: str, lint: Header) -> None:
    """One line, exit code 2, and nobody is asked."""
    ran = lint(*arguments, stdin="one line\nof no form\n")
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert "secret" not in ran.err


def test_a_file_that_is_too_large(lint: Header, tmp_path: Path) -> None:
    """It is not read."""
    file = tmp_path / "large.conf"
    file.write_bytes(b"\n" * ((4 << 20) + 1))
    ran = lint(file)
    assert ran.code == 2
    assert "is larger than 4 MiB" in ran.err


def test_more_lines_than_anybody_writes(lint: Header) -> None:
    """They are looked at until they are too many, and then that is said; so are notes."""
    text = "server {\n" + "add_header Expect-CT max-age=1;\n" * 10_001
    ran = lint("-", "--format", "nginx", "--json", stdin=text)
    assert len(ran.line["places"]) == 10_000
    assert ran.line["not_checked"] == ["more than 10,000 lines with one of the headers"]
    text = "server {\n" + "what Expect-CT;\nproxy_hide_header Expect-CT;\n" * 30
    ran = lint("-", "--format", "nginx", "--json", stdin=text)
    assert ran.code == 3
    assert ran.line["not_checked"][20:] == ["10 more lines are not understood"]
    assert ran.line["notes"][20:] == ["10 more lines remove one of the headers"]


@pytest.mark.parametrize("data", [b"\0" * 9, b"listen 1;\n\0", "Header set A b".encode("utf-16")])
def test_what_is_no_text(data: bytes, lint: Header, tmp_path: Path) -> None:
    """A picture is not a configuration without the headers."""
    file = tmp_path / "nginx.conf"
    file.write_bytes(data)
    ran = lint(file)
    assert (ran.code, ran.out) == (2, "")
    assert "is no text" in ran.err


def test_a_directory(lint: Header, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no host either, and what to do is said."""
    (tmp_path / "sites").mkdir()
    monkeypatch.chdir(tmp_path)
    for target in ("sites", "sites/", tmp_path):
        ran = lint(target)
        assert (ran.code, ran.out) == (2, "")
        assert "is a directory" in ran.err
        assert "grep -rlEi" in ran.err


def test_one_of_many_files_is_unreadable(lint: Header, tmp_path: Path) -> None:
    """What a shell makes of `*` is looked at as far as it goes; a name that is not there is not."""
    for name, text in (("a.conf", "add_header A b;\n"), ("b.txt", "one line\n"), ("c.conf", "")):
        (tmp_path / name).write_text(text)
    (tmp_path / "d").mkdir()
    targets = sorted(tmp_path.iterdir())
    ran = lint(*targets, "--json")
    assert (ran.code, ran.err) == (3, "")
    assert [each["target"] for each in ran.lines] == list(map(str, targets))
    assert [bool(each["not_checked"]) for each in ran.lines] == [False, True, True, True]
    assert "is empty" in ran.lines[2]["not_checked"][0]
    ran = lint(*targets, tmp_path / "nothing.conf")
    assert (ran.code, ran.out) == (2, "")


def test_an_answer_whose_body_is_no_text(lint: Header) -> None:
    """What follows the head does not matter."""
    text = "HTTP/1.1 200\nExpect-CT: max-age=1\n\n\0\x01"
    assert lint("-", "--json", stdin=text).ids == ["expect-ct-present"]


def test_hostile_text(lint: Header) -> None:
    """Nothing that a header says gets to the terminal as it is."""
    text = (
        "HTTP/1.1 200\nPublic-Key-Pins: \x1b[31m\u202e\nExpect-CT: max-age=1, "
        'report-uri="https://a/\x1b]0;x\x07"\n\x1b[2J\nExpect-CT: \x9b\n'
    )
    for options in ((), ("--json",)):
        ran = lint("-", *options, stdin=text)
        assert ran.code == 1


def test_the_forms_are_those_that_are_read() -> None:
    """The command spells them out to start faster."""
    from pinwarden.cli.header.lint import lint as command

    (form,) = (each for each in command.params if each.name == "form")
    assert tuple(form.type.choices) == tuple(map(str, FORMS))  # type: ignore[attr-defined]
