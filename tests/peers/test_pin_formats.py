"""Pins exported as configuration, kept by the programs that it is for.

curl, nginx and Envoy connect to honest and rogue servers with what we write for them, and
must refuse wherever our own check does. Where they refuse more, a loss has said so.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from peers.programs import answering, eventually, free_port, program, running, words_of
from pinwarden.lab.tls import LabTLS
from pinwarden.pinning import PinSet
from pinwarden.pinning.formats.export import Export, LossKind, Writing
from pinwarden.pinning.formats.pinned_certificates import by_pin
from pinwarden.pinning.formats.table import FORMATS
from support.pin_export_world import certificates, expected, policy, servers, simple
from support.pin_world import said, world

pytestmark = pytest.mark.peer

HOSTS = ("ca.test", "root.test", "leaf.test", "wrong.test")
SERVERS = ("genuine", "rogue", "stuffed", "crafted")


def exported(pins: PinSet, form: str, folder: Path) -> Export:
    known = Writing(at=datetime.now(UTC), certificates=by_pin((*certificates(), _stray())))
    made = FORMATS[form].write(pins, known)
    for name, text in made.files:
        (folder / name).write_text(text, encoding="utf-8")
    return made


def _stray() -> bytes:
    """A CA whose key nobody serves, for the policy that does not match."""
    return world().authorities.old.root


def pinned() -> PinSet:
    wrong = policy("wrong.test", ca="old-root")
    return PinSet([*simple()[:3], wrong])


def expectations(pins: PinSet, up: Mapping[str, LabTLS]) -> dict[tuple[str, str], bool]:
    found = {
        (host, name): expected(pins, host, up[name])
        for host in HOSTS
        for name in SERVERS
        if pins.policy_for(host)
    }
    for server in up.values():
        server.visits.clear()
    return found


def leaked(up: Mapping[str, LabTLS], host: str, name: str) -> bool:
    return f"host: {host}\r\n".encode() in said(up[name]).lower()


def test_curl(tmp_path: Path) -> None:
    """With our configuration curl goes on exactly where we do."""
    pins = pinned()
    exported(pins, "curl", tmp_path)
    with servers() as up:
        for (host, name), allowed in expectations(pins, up).items():
            port = up[name].port
            command = [program("curl"), "--config", f"{host}.curlrc", "--silent", "--show-error"]
            trust = ["--cacert", world().cafile] if host == "leaf.test" else []
            to = ["--connect-to", f"{host}:443:127.0.0.1:{port}", f"https://{host}/"]
            ran = subprocess.run([*command, *trust, *to], cwd=tmp_path, capture_output=True)
            assert (ran.returncode == 0) is allowed, (host, name, ran.stderr)
            assert leaked(up, host, name) is allowed


def test_curl_strings(tmp_path: Path) -> None:
    """The string for --pinnedpubkey is taken whole: the second of its pins counts too."""
    pins = PinSet([policy("leaf.test", leaf=("leaf", "stray"))])
    exported(pins, "curl-string", tmp_path)
    host, string = "leaf.test", (tmp_path / "leaf.test.pinnedpubkey").read_text().strip()
    assert string.count(";") == 2
    with servers() as up:
        for (_, name), allowed in expectations(pins, up).items():
            command = [program("curl"), "--silent", "--cacert", world().cafile]
            to = ["--connect-to", f"{host}:443:127.0.0.1:{up[name].port}", f"https://{host}/"]
            ran = subprocess.run([*command, "--pinnedpubkey", string, *to], capture_output=True)
            assert (ran.returncode == 0) is allowed, (name, ran.stderr)


def test_nginx(tmp_path: Path) -> None:
    """As a client nginx keeps pinned roots; pinned intermediates lock out, as the loss says."""
    pins = PinSet([each for each in pinned().policies if each.host != "leaf.test"])
    made = exported(pins, "nginx", tmp_path)
    partial = {each.host for each in made.losses if each.kind is LossKind.PARTIAL_CHAIN}
    assert partial == {"ca.test"}
    with servers() as up:
        wanted = expectations(pins, up)
        port = free_port()
        places = "".join(
            f"location /{host}/{name}/ {{ proxy_pass https://127.0.0.1:{up[name].port}/; "
            f"proxy_set_header Host {host}; include {tmp_path}/{host}.conf; }}\n"
            for host, name in wanted
        )
        (tmp_path / "nginx.conf").write_text(_NGINX.format(port=port, places=places))
        command = [program("nginx"), "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", "stderr"]
        with running(command, tmp_path) as child:
            answering(child, f"http://127.0.0.1:{port}/up", tmp_path)
            for (host, name), allowed in wanted.items():
                status = _status(f"http://127.0.0.1:{port}/{host}/{name}/")
                allowed = allowed and host not in partial
                assert (status == 200) is allowed, (host, name, status, words_of(tmp_path))
                assert leaked(up, host, name) is allowed


_NGINX = """\
daemon off;
pid nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port};
        location /up {{ return 200; }}
        {places}
    }}
}}
"""


def test_envoy(tmp_path: Path) -> None:
    """Envoy keeps leaf pins by `verify_certificate_spki`, and CA pins by its trust alone."""
    pins = pinned()
    exported(pins, "envoy", tmp_path)
    with servers() as up:
        wanted = expectations(pins, up)
        port = free_port()
        config = _envoy_config(tmp_path, port, up, list(wanted))
        (tmp_path / "envoy.json").write_text(json.dumps(config))
        command = [program("envoy"), "-c", tmp_path / "envoy.json", "--use-dynamic-base-id"]
        with running([*command, "--concurrency", "1"], tmp_path) as child:
            assert eventually(lambda: _answers(child, port)), words_of(tmp_path)
            for (host, name), allowed in wanted.items():
                status = _status(f"http://127.0.0.1:{port}/", Host=f"{name}.{host}")
                assert (status == 200) is allowed, (host, name, status)
                assert leaked(up, f"{name}.{host}", name) is allowed


def _answers(child: subprocess.Popen[bytes], port: int) -> bool:
    assert child.poll() is None
    try:
        return _status(f"http://127.0.0.1:{port}/", Host="up") == 204
    except OSError:
        return False


def _envoy_config(
    folder: Path, port: int, up: Mapping[str, LabTLS], pairs: list[tuple[str, str]]
) -> dict[str, Any]:
    """A proxy with a cluster, a virtual host and a pinned TLS context for each pair."""
    manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    hosts: list[dict[str, Any]] = [
        {
            "name": "up",
            "domains": ["up"],
            "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 204}}],
        }
    ]
    clusters = []
    for host, name in pairs:
        both = f"{name}.{host}"
        route = {"match": {"prefix": "/"}, "route": {"cluster": both}}
        hosts.append({"name": both, "domains": [both], "routes": [route]})
        socket = (folder / f"{host}.json").read_text()
        # The system's store is that of this world.
        socket = socket.replace("/etc/ssl/certs/ca-certificates.crt", world().cafile)
        clusters.append(_cluster(both, up[name].port) | json.loads(socket))
    connections = {
        "@type": f"type.googleapis.com/{manager}",
        "stat_prefix": "test",
        "route_config": {"name": "all", "virtual_hosts": hosts},
        "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
    }
    filters = [{"name": "http", "typed_config": connections}]
    listener = {"address": _address(port), "filter_chains": [{"filters": filters}]}
    return {"static_resources": {"listeners": [listener], "clusters": clusters}}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}]
    assignment = {"cluster_name": name, "endpoints": endpoints}
    return {"name": name, "connect_timeout": "5s", "type": "STATIC", "load_assignment": assignment}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _status(url: str, **headers: str) -> int:
    try:
        with urlopen(Request(url, headers=headers), timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


@pytest.mark.parametrize(
    "form", ["android-xml", "apple-plist", "trustkit-android", "trustkit-plist"]
)
def test_markup_is_well_formed(form: str, tmp_path: Path) -> None:
    """Another reader of XML than Python's finds nothing wrong."""
    made = exported(PinSet(simple()), form, tmp_path)
    for name, _ in made.files:
        ran = subprocess.run(
            [program("xmllint"), "--noout", "--nonet", tmp_path / name], capture_output=True
        )
        assert ran.returncode == 0, ran.stderr
