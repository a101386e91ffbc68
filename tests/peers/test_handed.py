"""nginx, HAProxy and Go hand over SCTs and OCSP responses, and we take them as sent."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from peers.programs import eventually, free_port, program, running, words_of
from pinwarden.lab.ca import key_pem, new_key, pem
from pinwarden.lab.tls import Credentials
from pinwarden.net.endpoint import Endpoint
from pinwarden.net.served import HandedOver, ServedAddress, Wanted
from pinwarden.net.tls import TLSAsker, verifying_context
from support.handing_servers import encoded_list, ocsp_answer, serverinfo
from support.pin_world import HOST, world

pytestmark = pytest.mark.peer

_SCTS = encoded_list([bytes(range(118)), bytes(range(60, 179))])


async def ask(port: int, wanted: Wanted) -> ServedAddress:
    asker = TLSAsker(verifying_context(world().cafile), wanted=wanted)
    return (await asker.ask(Endpoint(HOST, port), [("127.0.0.1", port)])).addresses[0]


def answer_for(credentials: Credentials) -> bytes:
    return ocsp_answer(world().authorities.a, credentials.certificates[0], sct_list=_SCTS)


def keep(folder: Path, name: str, credentials: Credentials) -> None:
    """The files from which a server takes a certificate and its key."""
    (folder / f"{name}.pem").write_bytes(pem(credentials.certificates))
    (folder / f"{name}.key").write_bytes(key_pem(credentials.private_key))


@contextmanager
def nginx(folder: Path, protocol: str, more: str) -> Iterator[int]:
    """The port of an nginx that speaks this version, with `more` in its configuration."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port, protocol=protocol, more=more))
    command: list[str | Path] = [
        *(program("nginx"), "-p", folder, "-e", "stderr", "-c", config),
    ]
    with running(command, folder) as child:
        up = folder / "nginx.pid"
        assert eventually(lambda: child.poll() is not None or up.is_file()), words_of(folder)
        assert child.poll() is None, words_of(folder)
        yield port


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
async def test_nginx(tmp_path: Path, protocol: str) -> None:
    """SCTs through `ssl_conf_command ServerInfoFile`, the response through `ssl_stapling_file`."""
    genuine = world().chains["genuine"]
    keep(tmp_path, "own", genuine)
    (tmp_path / "scts.pem").write_bytes(serverinfo(_SCTS))
    (tmp_path / "staple.der").write_bytes(answer_for(genuine))
    more = (
        f"ssl_certificate {tmp_path}/own.pem; ssl_certificate_key {tmp_path}/own.key;"
        f"ssl_conf_command ServerInfoFile {tmp_path}/scts.pem;"
        f"ssl_stapling on; ssl_stapling_file {tmp_path}/staple.der;"
    )
    with nginx(tmp_path, protocol, more) as port:
        address = await ask(port, Wanted(anchored=True, handed=True, response=True))
    assert address.protocol == protocol
    assert address.verified[: len(genuine.certificates)] == genuine.certificates
    assert address.handed == HandedOver(
        leaf=genuine.certificates[0], sct_list=_SCTS, ocsp=(tmp_path / "staple.der").read_bytes()
    )
    assert address.response.startswith(b"HTTP/1.1 200 OK\r\nServer: nginx/")
    assert b'\r\nPublic-Key-Pins: pin-sha256="x"; max-age=5\r\n' in address.response


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
async def test_nginx_with_two_certificates(tmp_path: Path, protocol: str) -> None:
    """Of a server with RSA and ECDSA the very certificate is read that OpenSSL was shown."""
    a = world().authorities.a
    shown = {sort: Credentials.of(a.issue([HOST], key=new_key(sort))) for sort in ("rsa", "ec")}
    for sort, credentials in shown.items():
        keep(tmp_path, sort, credentials)
    more = "".join(
        f"ssl_certificate {tmp_path}/{sort}.pem; ssl_certificate_key {tmp_path}/{sort}.key;"
        for sort in shown
    )
    with nginx(tmp_path, protocol, more) as port:
        address = await ask(port, Wanted(handed=True))
    assert address.handed == HandedOver(leaf=address.sent[0])


@contextmanager
def haproxy(folder: Path, more: str) -> Iterator[int]:
    """The port of a HAProxy with these words on its `bind` line."""
    port = free_port()
    (folder / "haproxy.cfg").write_text(_HAPROXY.format(folder=folder, port=port, more=more))
    command: list[str | Path] = [*(program("haproxy"), "-f", folder / "haproxy.cfg", "-db")]

    def up() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    with running(command, folder) as child:
        assert eventually(lambda: child.poll() is not None or up()), words_of(folder)
        assert child.poll() is None, words_of(folder)
        yield port


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
async def test_haproxy(tmp_path: Path, version: str) -> None:
    """Both from files beside the certificate; in TLS 1.3 this program sends no SCTs."""
    genuine = world().chains["genuine"]
    own = pem(genuine.certificates) + key_pem(genuine.private_key)
    (tmp_path / "own.pem").write_bytes(own)
    (tmp_path / "own.pem.sctl").write_bytes(_SCTS)
    (tmp_path / "own.pem.ocsp").write_bytes(answer_for(genuine))
    with haproxy(tmp_path, f"alpn h2,http/1.1 ssl-min-ver {version} ssl-max-ver {version}") as port:
        address = await ask(port, Wanted(handed=True, response=True))
    assert address.protocol == version
    assert address.handed == HandedOver(
        leaf=genuine.certificates[0],
        sct_list=_SCTS if version == "TLSv1.2" else b"",
        ocsp=(tmp_path / "own.pem.ocsp").read_bytes(),
    )
    assert address.response.startswith(b"HTTP/1.1 200 OK\r\n")


def build(folder: Path) -> None:
    """The Go program in a folder, of nothing but Go's own library."""
    built = subprocess.run(
        [str(program("go")), "build", "-o", "server", "main.go"],
        cwd=folder,
        env=os.environ | {"GO111MODULE": "off", "GOTOOLCHAIN": "local"},
        capture_output=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr


@pytest.mark.parametrize("version", ["1.2", "1.3"])
async def test_go(tmp_path: Path, version: str) -> None:
    """A server that shares no code with OpenSSL: crypto/tls, with both in its certificate."""
    genuine = world().chains["genuine"]
    keep(tmp_path, "own", genuine)
    (tmp_path / "scts.bin").write_bytes(_SCTS)
    (tmp_path / "staple.der").write_bytes(answer_for(genuine))
    (tmp_path / "main.go").write_text(_GO)
    build(tmp_path)
    with running([tmp_path / "server", version], tmp_path) as child:
        place = tmp_path / "port"
        assert eventually(lambda: child.poll() is not None or place.is_file()), words_of(tmp_path)
        address = await ask(int(place.read_text()), Wanted(handed=True, response=True))
    assert address.protocol == f"TLSv{version}"
    assert address.handed == HandedOver(
        leaf=genuine.certificates[0], sct_list=_SCTS, ocsp=(tmp_path / "staple.der").read_bytes()
    )
    assert address.response.startswith(b"HTTP/1.1 200 OK\r\n")


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
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_protocols {protocol};
    {more}
    location / {{
      add_header Public-Key-Pins 'pin-sha256="x"; max-age=5';
      return 200 "up";
    }}
  }}
}}
"""
_HAPROXY = """\
defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 20s
frontend own
  bind 127.0.0.1:{port} ssl crt {folder}/own.pem {more}
  http-request return status 200
"""
_GO = """\
package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
)

func read(name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return data
}

func main() {
	certificate, err := tls.LoadX509KeyPair("own.pem", "own.key")
	if err != nil {
		panic(err)
	}
	certificate.OCSPStaple = read("staple.der")
	for rest := read("scts.bin")[2:]; len(rest) > 0; {
		size := int(rest[0])<<8 + int(rest[1])
		certificate.SignedCertificateTimestamps = append(
			certificate.SignedCertificateTimestamps, rest[2:2+size])
		rest = rest[2+size:]
	}
	version := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[os.Args[1]]
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: version, MaxVersion: version}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := os.WriteFile("port.new", []byte(fmt.Sprint(port)), 0o600); err != nil {
		panic(err)
	}
	if err := os.Rename("port.new", "port"); err != nil {
		panic(err)
	}
	panic(http.Serve(tls.NewListener(listener, config), http.FileServer(http.Dir("."))))
}
"""
