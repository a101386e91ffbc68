"""Each form of CAA records, read by the very program that it is for, and come back equal."""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import dns.exception
import dns.message
import dns.query
import pytest

from caa.formats.sets import BARE, ORDINARY, SPECIAL, record, record_set
from peers.programs import eventually, free_port, program, running
from pinwarden.caa.formats.form import RecordSet
from pinwarden.caa.formats.registry import FORMATS
from pinwarden.caa.presentation import parse_presentation, to_presentation
from pinwarden.caa.record import CAARecord, parse_rdata
from pinwarden.caa.zone.zonefile import parse_zone
from pinwarden.cli.main import run

pytestmark = pytest.mark.peer

Records = tuple[CAARecord, ...]

_HEAD = """\
$TTL 300
example.com. IN SOA ns.example.com. root.example.com. 1 3600 600 86400 300
example.com. IN NS ns.example.com.
ns.example.com. IN A 127.0.0.1
"""
# What only octets can carry; several forms refuse them, and those that do not must keep them.
OCTETS = (
    record("contactemail", '"a b\\"\\\\c"@exämple.com'.encode()),
    record("issue", b""),
    record("iodef", bytes(range(256))),
)
SETS = (record_set(ORDINARY), record_set(SPECIAL, "www.example.com"))
ALL_SETS = (*SETS, record_set(OCTETS, "odd.example.com"))


def records_in(zone_file: str, sets: Sequence[RecordSet]) -> dict[str, set[object]]:
    zone = parse_zone(zone_file, "example.com")
    assert zone.problems == ()
    return {each.name: {found.caa for found in zone.caa(each.name)} for each in sets}


def as_sets(sets: Sequence[RecordSet]) -> dict[str, set[object]]:
    return {each.name: set(each.records) for each in sets}


def call(*command: str | Path, folder: Path, stdin: str | None = None) -> str:
    ran = subprocess.run(
        command, cwd=folder, input=stdin, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, (command, ran.stdout, ran.stderr)
    return ran.stdout


@pytest.mark.parametrize("form", ["bind", "generic"])
def test_bind_reads_the_zone_file(form: str, tmp_path: Path) -> None:
    """BIND loads what `make` wrote and dumps the same records."""
    checkzone = program("named-checkzone")
    (tmp_path / "zone").write_text(_HEAD + FORMATS[form].render(ALL_SETS))
    call(checkzone, "-D", "-q", "-o", "dumped", "example.com", "zone", folder=tmp_path)
    assert records_in((tmp_path / "dumped").read_text(), ALL_SETS) == as_sets(ALL_SETS)


@pytest.mark.parametrize("form", ["bind", "generic"])
def test_nsd_reads_the_zone_file(form: str, tmp_path: Path) -> None:
    """NSD loads what `make` wrote and prints the same records."""
    checkzone = program("nsd-checkzone")
    (tmp_path / "zone").write_text(_HEAD + FORMATS[form].render(ALL_SETS))
    printed = call(checkzone, "-p", "example.com", "zone", folder=tmp_path)
    assert records_in(printed, ALL_SETS) == as_sets(ALL_SETS)


def as_meant(server: str, sets: Sequence[RecordSet]) -> list[int]:
    """The exit codes of `caa verify` for each set, asking one server."""
    return [
        run(
            ["caa", "verify", each.name, "--server", server]
            + [f"--record={to_presentation(one)}" for one in each.records]
        )
        for each in sets
    ]


def wait_for(child: subprocess.Popen[bytes], port: int) -> None:
    """Until a DNS server answers on a port of 127.0.0.1."""
    query = dns.message.make_query("example.com", "CAA")

    def answers() -> bool:
        assert child.poll() is None
        try:
            dns.query.udp(query, "127.0.0.1", port=port, timeout=1)
        except (OSError, dns.exception.DNSException):
            return False
        return True

    assert eventually(answers)


@pytest.fixture
def named(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """BIND with an empty zone that anybody on this machine may update."""
    named = program("named")
    port = free_port()
    (tmp_path / "zone").write_text(_HEAD + "example.com. CAA 0 issue old.example\n")
    (tmp_path / "named.conf").write_text(
        f'options {{ directory "{tmp_path}"; listen-on port {port} {{ 127.0.0.1; }};\n'
        "  listen-on-v6 { none; }; recursion no; notify no; dnssec-validation no;\n"
        f'  pid-file "{tmp_path}/pid"; session-keyfile "{tmp_path}/session"; }};\n'
        "controls { };\n"
        'zone "example.com" { type primary; file "zone"; allow-update { 127.0.0.1; }; };\n'
    )
    command: list[str | Path] = [named, "-g", "-n", "1", "-c", tmp_path / "named.conf"]
    with running(command, tmp_path) as child:
        wait_for(child, port)
        yield f"127.0.0.1:{port}", port


def test_nsupdate_applies_it(named: tuple[str, int], tmp_path: Path) -> None:
    """BIND takes the update, old records are gone, and `caa verify` finds the new ones."""
    nsupdate = program("nsupdate")
    server, port = named
    assert as_meant(server, ALL_SETS) == [1, 1, 1]
    script = f"server 127.0.0.1 {port}\n" + FORMATS["nsupdate"].render(ALL_SETS)
    call(nsupdate, folder=tmp_path, stdin=script)
    assert as_meant(server, ALL_SETS) == [0, 0, 0]


def test_tinydns_compiles_it(tmp_path: Path) -> None:
    """What tinydns answers from the compiled file is the RDATA."""
    compile_, get = program("tinydns-data"), program("tinydns-get")
    (tmp_path / "data").write_text(
        ".example.com:127.0.0.1:a:300\n" + FORMATS["tinydns"].render(ALL_SETS)
    )
    call(compile_, folder=tmp_path)
    for each in ALL_SETS:
        answered = call(get, "257", each.name, folder=tmp_path)
        data = re.findall(rf"answer: {each.name} 3600 257 (.*)", answered)
        assert {parse_rdata(_undone(one)) for one in data} == set(each.records)


def _undone(printed: str) -> bytes:
    octets = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), printed)
    return octets.encode("latin-1")


def test_dnsmasq_serves_it(tmp_path: Path) -> None:
    """What dnsmasq answers is what was meant; it answers as a forwarder, so by resolver."""
    dnsmasq = program("dnsmasq")
    port = free_port()
    config = "no-resolv\nno-hosts\nbind-interfaces\nlisten-address=127.0.0.1\n"
    config += f"user={pwd.getpwuid(os.getuid()).pw_name}\nport={port}\npid-file={tmp_path}/pid\n"
    (tmp_path / "conf").write_text(config + FORMATS["dnsmasq"].render(ALL_SETS))
    command: list[str | Path] = [dnsmasq, "--keep-in-foreground", "-C", tmp_path / "conf"]
    with running(command, tmp_path) as child:
        wait_for(child, port)
        assert as_meant(f"127.0.0.1:{port}", ALL_SETS) == [0, 0, 0]


def python(script: str) -> Path:
    """A program of the environment that holds foreign Python packages."""
    path = Path(__file__).parents[2] / ".peers" / "python" / "bin" / script
    if not path.is_file():
        pytest.skip(f"{script} is not here: `make peers` installs it, or says why it cannot")
    return path


def test_octodns_takes_it_to_a_zone_file(tmp_path: Path) -> None:
    """The strictest validators of octoDNS pass, and its zone file has the same records."""
    sync = python("octodns-sync")
    for folder in ("config", "zones"):
        (tmp_path / folder).mkdir()
    labels = ("a10", "a2", "a", "z9b", "7", "1e3", "_a", "10")
    sets = [*SETS, *(record_set(ORDINARY, f"{label}.example.com") for label in labels)]
    (tmp_path / "config" / "example.com.yaml").write_text(FORMATS["octodns"].render(sets))
    (tmp_path / "octodns.yaml").write_text(
        "manager: {max_workers: 1, enabled: [legacy, strict, best-practice]}\n"
        "providers:\n"
        "  config: {class: octodns.provider.yaml.YamlProvider, directory: config,\n"
        "           enforce_order: true, default_ttl: 300}\n"
        "  zones: {class: octodns_bind.ZoneFileProvider, directory: zones,\n"
        "          default_ttl: 300, hostmaster_email: root@example.com}\n"
        "zones:\n  example.com.: {sources: [config], targets: [zones]}\n"
    )
    call(sync, "--config-file", "octodns.yaml", "--doit", "--force", folder=tmp_path)
    (written,) = (tmp_path / "zones").iterdir()
    assert records_in(written.read_text(), sets) == as_sets(sets)


_BOTOCORE = """
import json, sys
import botocore.session, botocore.serialize, botocore.validate
model = botocore.session.get_session().get_service_model("route53")
operation = model.operation_model("ChangeResourceRecordSets")
given = {"HostedZoneId": "Z1", "ChangeBatch": json.load(sys.stdin)}
report = botocore.validate.ParamValidator().validate(given, operation.input_shape)
assert not report.has_errors(), report.generate_report()
serializer = botocore.serialize.create_serializer("rest-xml")
body = serializer.serialize_to_request(given, operation)["body"]
sys.stdout.write(body.decode())
"""


def test_amazon_s_own_library_takes_the_change_batch(tmp_path: Path) -> None:
    """Botocore finds the batch valid, and what it would send holds the same values."""
    text = FORMATS["route53"].render(SETS)
    interpreter = python("python")
    if subprocess.run([interpreter, "-c", "import botocore"], capture_output=True).returncode:
        pytest.skip("botocore is not here: `make peers` installs it, or says why it cannot")
    body = call(interpreter, "-c", _BOTOCORE, folder=tmp_path, stdin=text)
    tree = ET.fromstring(body)
    values = [each.text or "" for each in tree.iter() if each.tag.endswith("}Value")]
    sent = [parse_presentation(each) for each in values]
    assert sent == [one for each in SETS for one in each.records]


def _terraform_values(form: str, text: str) -> tuple[str, str]:
    """The values of a file as locals of one, and an expression that gives them all."""
    if form in {"terraform-route53", "terraform-google"}:
        found = re.findall(
            r"^  (?:records|rrdatas) = (\[\n.*?^  \])", text, re.DOTALL | re.MULTILINE
        )
    else:
        found = re.findall(r"^  (?:data = |record )(\{\n.*?^  \})", text, re.DOTALL | re.MULTILINE)
    names = [f"v{number}" for number in range(len(found))]
    lines = [f"{name} = {value}" for name, value in zip(names, found, strict=True)]
    listed = ", ".join(f"local.{name}" for name in names)
    return "locals {\n" + "\n".join(lines) + "\n}\n", f"jsonencode([{listed}])"


@pytest.mark.parametrize("form", sorted(name for name in FORMATS if name.startswith("terraform")))
def test_terraform_reads_the_same_values(form: str, tmp_path: Path) -> None:
    """Terraform would not format it in another way, and evaluates the very values."""
    terraform = program("terraform")
    sets = (record_set(BARE), SETS[1]) if form == "terraform-azure" else SETS
    text = FORMATS[form].render(sets)
    call(terraform, "fmt", "-check", "-diff", "-", folder=tmp_path, stdin=text)
    values, expression = _terraform_values(form, text)
    (tmp_path / "main.tf").write_text(values)
    printed = call(terraform, "console", folder=tmp_path, stdin=expression + "\n")
    found = json.loads(json.loads(printed))
    records = [one for each in sets for one in each.records]
    if found and isinstance(found[0], list):
        assert [parse_presentation(one) for each in found for one in each] == records
    else:
        assert [
            CAARecord(one["flags"], one["tag"].encode(), one["value"].encode()) for one in found
        ] == records


_DNSCONTROL = """
const made = [];
const CAA_CRITICAL = { critical: true };
const TTL = (seconds) => ({ ttl: seconds });
const CAA = (label, tag, value, ...more) => ({ label, tag, value, ...Object.assign({}, ...more) });
const D_EXTEND = (name, ...records) => made.push({ name, records });
%s
process.stdout.write(JSON.stringify(made));
"""


def test_javascript_makes_the_same_calls(tmp_path: Path) -> None:
    """A JavaScript engine calls DNSControl's functions with the very values."""
    node = program("node")
    text = FORMATS["dnscontrol"].render(SETS)
    made = json.loads(call(node, "-", folder=tmp_path, stdin=_DNSCONTROL % text))
    for each, domain in zip(SETS, made, strict=True):
        assert domain["name"] == each.name
        assert {(one["label"], one["ttl"]) for one in domain["records"]} == {("@", 3600)}
        assert each.records == tuple(
            CAARecord(128 if "critical" in one else 0, one["tag"].encode(), one["value"].encode())
            for one in domain["records"]
        )


@pytest.mark.parametrize("exists", [True, False])
def test_a_shell_passes_the_same_values_to_gcloud(exists: bool, tmp_path: Path) -> None:
    """A POSIX shell gives gcloud the very arguments, and no character of a value acts in it."""
    shell = program("sh")
    answer = 0 if exists else 1
    stub = f'gcloud() {{ [ "$3" != describe ] || return {answer}; printf "%s\\n" "$@"; }}\n'
    text = f"set -eu\nZONE='my zone'\n{stub}{FORMATS['gcloud'].render(SETS)}"
    words = call(shell, folder=tmp_path, stdin=text).splitlines()
    assert words.count("update" if exists else "create") == len(SETS)
    assert words.count("--zone=my zone") == len(SETS)
    data = [word.removeprefix("--rrdatas=") for word in words if word.startswith("--rrdatas=")]
    for each, listed in zip(SETS, data, strict=True):
        assert listed[0] == listed[2] == "^"
        values = listed[3:].split(listed[1])
        assert tuple(parse_presentation(one) for one in values) == each.records
