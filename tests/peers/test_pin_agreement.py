"""curl, OpenSSL and nginx accept and refuse exactly the servers that `pin check` does.

Leaf pins are compared with curl's --pinnedpubkey, and with a pin that openssl computes.
Neither has pins of CAs, so that these are compared with something which must come to the
same: trusting the pinned CA and nothing else.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from peers.programs import answering, free_port, program, running
from pinwarden.cli.main import run
from pinwarden.lab.ca import pem
from pinwarden.lab.tls import LabTLS
from support.pin_servers import Case, cases, serving
from support.pin_world import world
from support.starttls_server import DIALOGUES, StartTLSServer

pytestmark = pytest.mark.peer

CASES = cases()
# The exit codes of curl for a pin that is not met, and for a certificate that does not verify.
_PIN_NOT_MET, _UNTRUSTED = 90, 60
# What curl 7.88 says where OpenSSL finds a signature to be false.
_FALSE_SIGNATURE = 35
# Who trusts an intermediate has it at hand, and needs none from the server: another chain.
_NEED_THE_INTERMEDIATE = {"forgotten intermediate", "fake intermediate"}
# nginx compares an address with the DNS names of a certificate.
_NOT_FOR_NGINX = {"by address"}
_AUTHORITIES = ("intermediate", "root", "rogue-intermediate", "rogue-root")

Verdict = Callable[..., str]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, LabTLS]]:
    with serving(CASES) as found:
        yield found


@pytest.fixture
def ours(servers: dict[str, LabTLS], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Verdict:
    """What `pin check` makes of the server of a case, with these pins in this role."""

    def check(name: str, role: str, pins: tuple[str, ...]) -> str:
        case, port = CASES[name], servers[name].port
        file = tmp_path / "pins.toml"
        file.write_text(
            f'[[policy]]\nhost = "{case.host}"\nmode = "enforce"\nallow_no_backup = true\n'
            f"{role}_pins = {json.dumps(pins)}\n"
        )
        where = ("--address", f"127.0.0.1:{port}", "--cafile", world().cafile)
        code = run(["pin", "check", str(file), case.host, *where, "--json"])
        line = json.loads(capsys.readouterr().out)
        assert (code == 0) == (line["verdict"] == "match")
        return str(line["reason"])

    return check


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(each) for each in arguments], capture_output=True, timeout=60, check=False, input=b""
    )


def test_there_are_enough_servers() -> None:
    """Of those that are accepted as of those that are refused."""
    assert len(CASES) > 20


@pytest.mark.parametrize("name", CASES)
def test_curl(name: str, servers: dict[str, LabTLS], ours: Verdict) -> None:
    """The same verdict, and for the same reason; a server that is refused hears nothing."""
    case, server = CASES[name], servers[name]
    heard = len(server.visits)
    ran = _run(
        *(program("curl"), "-q", "-sS", "--noproxy", "*", "--cacert", world().cafile),
        *("--pinnedpubkey", ";".join(case.pins)),
        *("--resolve", f"{case.host}:{server.port}:127.0.0.1"),
        f"https://{case.host}:{server.port}/",
    )
    reason = ours(name, "leaf", case.pins)
    expected = {
        "pin-matched": {0},
        "no-pin-matched": {_PIN_NOT_MET},
        "untrusted": {_UNTRUSTED, _FALSE_SIGNATURE},
    }
    assert ran.returncode in expected[reason], ran.stderr
    requests = [bool(visit.said) for visit in server.visits[heard:]]
    assert any(requests) == (ran.returncode == 0)


@pytest.mark.parametrize("name", CASES)
def test_openssl(name: str, servers: dict[str, LabTLS], ours: Verdict) -> None:
    """Whether the chain verifies, and the pin of the leaf, as openssl has them."""
    case = CASES[name]
    verified, leaf = _s_client(case, servers[name].port, Path(world().cafile))
    reason = ours(name, "leaf", case.pins)
    if not verified:
        assert reason == "untrusted"
    else:
        assert reason == ("pin-matched" if _openssl_pin(leaf) in case.pins else "no-pin-matched")


@pytest.mark.parametrize("name", CASES)
def test_openssl_with_one_authority(
    name: str, servers: dict[str, LabTLS], ours: Verdict, tmp_path: Path
) -> None:
    """A CA pin is met exactly where a client that trusts this CA alone would connect."""
    certificates = {
        "intermediate": world().authorities.a.intermediate,
        "root": world().authorities.a.root,
        "rogue-intermediate": world().authorities.b.intermediate,
        "rogue-root": world().authorities.b.root,
    }
    for authority in _AUTHORITIES:
        if authority.endswith("intermediate") and name in _NEED_THE_INTERMEDIATE:
            continue
        store = tmp_path / f"{authority}.pem"
        store.write_bytes(pem([certificates[authority]]))
        accepted, _ = _s_client(CASES[name], servers[name].port, store, "-partial_chain")
        reason = ours(name, "ca", (world().pins[authority].curl,))
        assert (reason == "pin-matched") == accepted, authority


def test_nginx_with_one_authority(
    servers: dict[str, LabTLS], ours: Verdict, tmp_path: Path
) -> None:
    """Nginx as a client of all servers: `proxy_ssl_verify` with the pinned root alone."""
    names = [name for name in CASES if name not in _NOT_FOR_NGINX]
    root = tmp_path / "root.pem"
    root.write_bytes(pem([world().authorities.a.root]))
    port = free_port()
    places = "".join(
        _NGINX_PLACE.format(number=number, port=servers[name].port, host=CASES[name].host)
        for number, name in enumerate(names)
    )
    config = tmp_path / "nginx.conf"
    config.write_text(_NGINX.format(folder=tmp_path, port=port, root=root, places=places))
    command: list[str | Path] = [
        *(program("nginx"), "-p", tmp_path, "-e", "stderr", "-c", config),
    ]
    with running(command, tmp_path) as child:
        answering(child, f"http://127.0.0.1:{port}/", tmp_path)
        accepted = {
            name: _status(f"http://127.0.0.1:{port}/{number}/") == 200
            for number, name in enumerate(names)
        }
    pins = (world().pins["root"].curl,)
    assert accepted == {name: ours(name, "ca", pins) == "pin-matched" for name in names}
    assert set(accepted.values()) == {True, False}


@pytest.mark.parametrize("protocol", sorted(DIALOGUES))
def test_openssl_begins_in_plain_text(protocol: str) -> None:
    """The servers on which our STARTTLS is tried are such as openssl's client takes too."""
    with StartTLSServer(DIALOGUES[protocol], world().chains["genuine"]) as server:
        ran = _run(
            *(program("openssl"), "s_client", "-starttls", protocol, "-verify_return_error"),
            *("-connect", f"127.0.0.1:{server.port}", "-CAfile", world().cafile),
        )
    assert b"Verify return code: 0 (ok)" in ran.stdout, ran.stderr


def test_what_is_made_is_what_curl_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`pin show --bare` gives curl a pin with which it connects, and no other host does."""
    with world().serve() as server, world().serve("rogue") as rogue:
        shown = ("--cafile", world().cafile, "--bare", "--role", "leaf")
        assert run(["pin", "show", f"localhost:{server.port}", *shown]) == 0
        pin = capsys.readouterr().out.strip()
        asking = ("-q", "-sS", "--noproxy", "*", "--cacert", world().cafile, "--pinnedpubkey", pin)
        curl = program("curl")
        assert _run(curl, *asking, f"https://localhost:{server.port}/").returncode == 0
        refused = _run(curl, *asking, f"https://localhost:{rogue.port}/")
        assert refused.returncode == _PIN_NOT_MET
        assert bytes(rogue.visits[0].said) == b""


def _s_client(case: Case, port: int, store: Path, *options: str) -> tuple[bool, bytes]:
    """Whether openssl connects, and the leaf that it was shown, in PEM."""
    if re.fullmatch(r"[0-9.]+", case.host):
        name = ("-noservername", "-verify_ip", case.host)
    else:
        name = ("-servername", case.host, "-verify_hostname", case.host)
    ran = _run(
        *(program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", *name, *options),
        *("-verify_return_error", "-CAfile", store, "-no-CApath", "-no-CAstore"),
    )
    found = re.search(
        rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", ran.stdout, re.DOTALL
    )
    # With TLS 1.2 the words alone are there also after a handshake that failed.
    verified = ran.returncode == 0 and b"Verify return code: 0 (ok)" in ran.stdout
    return verified, found[0] if found else b""


def _openssl_pin(certificate: bytes) -> str:
    """The pin of a certificate, without a line of our own code."""
    steps = (
        ("x509", "-pubkey", "-noout"),
        ("pkey", "-pubin", "-outform", "der"),
        ("dgst", "-sha256", "-binary"),
        ("base64", "-A"),
    )
    data = certificate
    for step in steps:
        data = subprocess.run(
            [str(program("openssl")), *step], input=data, capture_output=True, check=True
        ).stdout
    return f"sha256//{data.decode('ascii').strip()}"


def _status(url: str) -> int:
    try:
        with urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


_NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/client;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_ssl_protocols TLSv1.2 TLSv1.3;
  proxy_ssl_verify on;
  proxy_ssl_verify_depth 5;
  proxy_ssl_trusted_certificate {root};
  proxy_ssl_server_name on;
  proxy_ssl_session_reuse off;
  server {{
    listen 127.0.0.1:{port};
    location = / {{ return 200 "up"; }}
{places}
  }}
}}
"""
_NGINX_PLACE = """\
    location /{number}/ {{
      proxy_pass https://127.0.0.1:{port}/;
      proxy_ssl_name {host};
    }}
"""
