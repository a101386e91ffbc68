"""`pinwarden header lint` on hosts: over the connection that was verified, hop by hop."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from cli.header.conftest import Header, Serve
from pinwarden.cli.header.following import admitting
from pinwarden.lab.ca import key_pem, pem
from support.answering_tls import head, redirect
from support.handing_servers import handing_server
from support.pin_world import HOST, said, world

LEAF, ROOT, SPARE = (world().pins[each].hpkp for each in ("leaf", "root", "spare"))
GOOD = f"Public-Key-Pins: max-age=600; {LEAF}; {SPARE}"
TRUST = ("--cafile", world().cafile)


@pytest.mark.parametrize(
    ("pins", "noted", "findings"),
    [
        (f"{LEAF}; {SPARE}", True, ["hpkp-present"]),
        (f"{ROOT}; {SPARE}", True, ["hpkp-present"]),
        (f"{LEAF}; {ROOT}", False, ["hpkp-present", "hpkp-no-backup-pin"]),
        (f"{SPARE}; {world().pins['stray'].hpkp}", False, ["hpkp-present", "hpkp-no-match"]),
    ],
)
def test_pins_against_the_verified_chain(
    pins: str, noted: bool, findings: list[str], lint: Header, serve: Serve
) -> None:
    """Whether a client would keep them is known, since the chain is."""
    server = serve({"/": head(f"Public-Key-Pins: max-age=600; {pins}", "Expect-CT: max-age=1")})
    ran = lint(f"{HOST}:{server.port}", *TRUST, "--json")
    assert ran.code == 1
    assert ran.line["places"][-1]["public_key_pins"]["noted"] is noted
    assert ran.line["places"][-1]["expect_ct"]["noted"] is None
    assert [each for each in ran.ids if each != "expect-ct-present"] == findings
    where = f"https://{HOST}:{server.port}/"
    assert ran.line["findings"][0]["where"] == f"{where}: Public-Key-Pins"
    assert [each["where"] for each in ran.line["places"]] == [where]
    assert ran.line["not_checked"] == []
    assert server.asked == [("HEAD / HTTP/1.1", f"{HOST}:{server.port}")]


def test_a_host_without_them(lint: Header, serve: Serve) -> None:
    """Nothing to report, in words."""
    server = serve({"/": head("Strict-Transport-Security: max-age=1")})
    ran = lint(f"{HOST}:{server.port}", *TRUST)
    assert (ran.code, ran.err) == (0, "")
    assert "neither Public-Key-Pins nor Expect-CT is sent" in ran.out


def test_an_address_is_never_noted(lint: Header, serve: Serve) -> None:
    """RFC 7469 section 2.3.3."""
    server = serve({"/": head(GOOD)})
    ran = lint(f"https://127.0.0.1:{server.port}", *TRUST, "--json")
    assert ran.line["places"][-1]["public_key_pins"]["noted"] is False
    assert ran.ids == ["hpkp-present", "hpkp-ip-address"]


def test_each_hop_is_linted(lint: Header, serve: Serve) -> None:
    """To other paths and ports; the finding says at which hop."""
    second = serve({"/end?x=1": head("Expect-CT: max-age=2")})
    first = serve(
        {
            "/a%20b?c": redirect("next", "Expect-CT: max-age=1"),
            "/next": redirect(f"https://localhost:{second.port}/end?x=1#part", status="308 P"),
        }
    )
    ran = lint(f"https://{HOST}:{first.port}/a b?c", *TRUST, "--json")
    assert ran.code == 1
    base, end = f"https://{HOST}:{first.port}", f"https://{HOST}:{second.port}/end?x=1"
    assert [each["where"] for each in ran.line["places"]] == [
        f"{base}/a%20b?c",
        f"{base}/next",
        end,
    ]
    assert [each["where"] for each in ran.line["findings"]] == [
        f"{base}/a%20b?c: Expect-CT",
        f"{end}: Expect-CT",
    ]
    assert ran.line["expect_ct"]["max_age"] == 2


def test_plain_http(lint: Header, serve: Serve) -> None:
    """It is asked in plain text, and followed into https."""
    secure = serve({"/": head()})
    plain = serve({"/x": redirect(f"https://localhost:{secure.port}/", GOOD)}, plain=True)
    ran = lint(f"http://{HOST}:{plain.port}/x", *TRUST, "--json")
    assert ran.ids == ["hpkp-present", "hpkp-insecure-transport"]
    assert len(ran.line["places"]) == 2
    assert ran.line["not_checked"] == []
    assert plain.asked == [("HEAD /x HTTP/1.1", f"{HOST}:{plain.port}")]


@pytest.mark.parametrize("plain", [True, False], ids=["http", "https"])
def test_servers_that_do_not_know_head(plain: bool, lint: Header, serve: Serve) -> None:
    """They are asked with GET (RFC 9110 section 9.3.2 has both answer with the same fields)."""
    server = serve(
        {"HEAD /": head(status="405 No"), "GET /": head("Expect-CT: max-age=1") + b"page"},
        plain=plain,
    )
    ran = lint(f"{'http' if plain else 'https'}://{HOST}:{server.port}", *TRUST, "--json")
    assert ran.line["expect_ct"]["max_age"] == 1
    assert [line.split()[0] for line, _ in server.asked] == ["HEAD", "GET"]


def test_no_way_back_to_plain_http(lint: Header, serve: Serve) -> None:
    """Whoever was asked over TLS cannot have us ask in plain text."""
    plain = serve({"/": head("Expect-CT: max-age=1")}, plain=True)
    secure = serve({"/": redirect(f"http://{HOST}:{plain.port}/")})
    ran = lint(f"{HOST}:{secure.port}", *TRUST, "--json")
    assert (ran.code, ran.ids) == (3, [])
    (problem,) = ran.line["not_checked"]
    assert "from https to plain HTTP" in problem
    assert plain.asked == []


def test_redirects_have_an_end(lint: Header, serve: Serve) -> None:
    """Five are followed, and no more; what was found until then is told."""
    server = serve({"/": redirect("/", "Expect-CT: max-age=1")})
    ran = lint(f"{HOST}:{server.port}", *TRUST, "--json")
    assert ran.code == 1
    assert len(server.asked) == len(ran.line["places"]) == 6
    assert ran.ids == ["expect-ct-present"]
    (problem,) = ran.line["not_checked"]
    assert "more than 5 redirects" in problem


@pytest.mark.parametrize(
    "to",
    [
        *("ftp://localhost/", "javascript:x", "https://[::1", "https://*.example/"),
        *("https://u:p@localhost/", "https://a..b/", "https://localhost:0/", "data:,x"),
        *("http:443", "file:///etc/passwd", "//u:p@localhost/", "https://127.1/"),
        "https://localhost/" + "a" * 9_000,
        "/" + "é" * 8_000,
    ],
    ids=lambda each: ascii(each)[:30],
)
def test_redirects_to_nowhere(to: str, lint: Header, serve: Serve) -> None:
    """They are told of, in one line, and not followed."""
    server = serve({"/": redirect(to)})
    ran = lint(f"{HOST}:{server.port}", *TRUST, "--json")
    assert ran.code == 3
    (problem,) = ran.line["not_checked"]
    assert "its redirect is not followed" in problem
    assert len(server.asked) == 1


def test_a_client_certificate_is_for_whom_the_user_named(
    lint: Header, serve: Serve, tmp_path: Path
) -> None:
    """A redirect to another host must not make the user known there."""
    ours, file = world().client_certificate, tmp_path / "client.pem"
    file.write_bytes(pem(ours.certificates) + key_pem(ours.private_key))
    wants = ("-Verify", "1", "-verify_return_error", "-CAfile", world().cafile)
    with handing_server(world().chains["genuine"], more=wants) as port:
        first = serve({"/": redirect(f"https://127.0.0.1:{port}/")})
        options = (*TRUST, "--client-cert", file, "--json")
        led = lint(f"https://{HOST}:{first.port}/", *options)
        named = lint(f"https://127.0.0.1:{port}/", *options)
    (problem,) = led.line["not_checked"]
    assert "wants a client certificate" in problem
    assert (named.code, named.line["not_checked"]) == (0, [])


def test_a_public_address_leads_to_no_private_one() -> None:
    """Whom the user names may be anywhere; whom a public server names must be public."""
    guard = admitting(["192.168.0.1", "8.8.8.8"])
    assert guard is not None
    for each in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1"):
        assert guard(each)
    assert guard("9.9.9.9") is None
    assert admitting(["127.0.0.1", "10.0.0.1", ""]) is None
    assert admitting([]) is None


@pytest.mark.parametrize(
    ("chain", "words"),
    [("self-signed", "does not verify"), ("expired", "does not verify"), ("wrong-host", "verify")],
)
def test_an_unverified_host_is_not_asked(
    chain: str, words: str, lint: Header, serve: Serve
) -> None:
    """Nothing is sent over a connection whose chain does not verify."""
    server = serve({"/": head(GOOD)}, chain=chain)
    ran = lint(f"{HOST}:{server.port}", *TRUST, "--json")
    assert (ran.code, ran.ids) == (3, [])
    assert words in ran.line["not_checked"][0]
    assert said(server) == b""


@pytest.mark.parametrize("plain", [True, False], ids=["http", "https"])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 xyz\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" * 9_000,
    ],
    ids=["nothing", "no HTTP", "half a head", "no status", "endless"],
)
def test_answers_that_are_none(answer: bytes, plain: bool, lint: Header, serve: Serve) -> None:
    """Told in one line; an unfinished look is no pass."""
    server = serve({"/": answer}, plain=plain)
    ran = lint(f"{'http' if plain else 'https'}://{HOST}:{server.port}", *TRUST)
    assert ran.code == 3
    assert "not checked: " in ran.out


def test_who_does_not_answer(lint: Header, serve: Serve) -> None:
    """A closed port, and a server that says nothing."""
    silent = serve({}, plain=True)
    silent.manner = "silent"
    for scheme in ("http", "https"):
        ran = lint(f"{scheme}://{HOST}:{silent.port}", *TRUST, "--timeout", "0.3")
        assert ran.code == 3
        assert "within 0.3 s" in ran.out
    port = silent.port
    assert threading.active_count() < 50
    for scheme in ("http", "https"):
        url = f"{scheme}://localhost:{port}"
        ran = lint(url, "--address", "127.0.0.1:1", *TRUST)
        assert ran.code == 3
        assert "cannot be connected to" in ran.out


def test_addresses_that_differ(lint: Header, serve: Serve) -> None:
    """Each is asked, and that they differ is said."""
    first, second = serve({"/": head(GOOD)}), serve({"/": head("Expect-CT: max-age=1")})
    addresses = [each for s in (first, second) for each in ("--address", f"127.0.0.1:{s.port}")]
    ran = lint("shop.example", *addresses, *TRUST, "--json")
    assert ran.ids == ["hpkp-present", "expect-ct-present"]
    assert ran.line["notes"] == [
        "https://shop.example/: not all of its addresses send the same headers"
    ]
    assert {line for server in (first, second) for line in server.asked} == {
        ("HEAD / HTTP/1.1", "shop.example")
    }


def test_several_targets(lint: Header, serve: Serve) -> None:
    """One line each, in their order; the gravest decides the exit code."""
    first, second = serve({"/": head()}), serve({"/": head("Expect-CT: max-age=1")})
    targets = [f"{HOST}:{each.port}" for each in (second, first)]
    ran = lint(*targets, *TRUST, "--json")
    assert [each["target"] for each in ran.lines] == targets
    assert ran.code == 1
    assert lint(targets[1], *TRUST).code == 0
