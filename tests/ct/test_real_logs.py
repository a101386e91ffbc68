"""What real logs served: trees, heads, entries and proofs, recomputed from the bytes."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pinwarden.ct.entry import EntryType, RawBatch, parse_data_tile, parse_get_entries
from pinwarden.ct.head import LogKey, encode_sth_json, parse_checkpoint, parse_sth, verify_head
from pinwarden.ct.leaf import encode_leaf, encode_tile_leaf
from pinwarden.ct.merkle import (
    EMPTY_ROOT,
    Frontier,
    RootHash,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from pinwarden.ct.note import CheckpointBody, Note, key_id, parse_checkpoint_body, parse_note
from pinwarden.ct.tiles import (
    Tile,
    consistency_proof_from_tiles,
    edge_tiles,
    frontier_from_tiles,
    inclusion_proof_from_tiles,
    tile_hashes,
)
from pinwarden.ct.wire import Reader, decode_base64
from pinwarden.errors import BadSignatureError, MalformedError
from pinwarden.x509.certificate import view_certificate
from pinwarden.x509.precert import logged_tbs

# The verifier key of both transparency.dev logs, from the script in their repositories
# that built them (testdata/build_log.sh); the folders themselves hold no key.
TESTDATA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"

# Google Pilot, whose tree head of 2014 certificate-transparency-go keeps as a test; size
# and time stand in its test and not in the file of constants.
PILOT_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfahLEimAoz2t01p3uMziiLOl/fHTDM0YDOhBRuiBARsV4UvxG2Ld"
    "NgoIGLrtCzWE0J5APC2em4JlvR8EEEFMoA=="
)
PILOT_SIZE = 3_721_782
PILOT_TIME_MS = 1_396_609_800_587


# -- Let's Encrypt Navigli 2025h2: real tiles of a static log ------------------------------


@pytest.fixture(scope="module")
def navigli(corpus: Path) -> list[tuple[RawBatch, bytes, bytes]]:
    folder = corpus / "ct-logs" / "sunlight-navigli2025h2" / "tile"
    found = []
    for number in range(2):
        data = (folder / "data" / f"{number:03}").read_bytes()
        hashes = (folder / "0" / f"{number:03}").read_bytes()
        found.append((parse_data_tile(data, 256 * number, 256), data, hashes))
    return found


def test_navigli_leaf_hashes_are_those_of_the_hash_tiles(
    navigli: list[tuple[RawBatch, bytes, bytes]],
) -> None:
    """All 512 leaves of the data tiles must hash to the log's own hash tiles."""
    for number, (batch, _, hashes) in enumerate(navigli):
        assert tile_hashes(Tile(0, number), hashes) == batch.leaf_hashes()
    assert sum(len(batch) for batch, _, _ in navigli) == 512


def test_navigli_entries_read_without_a_problem(
    navigli: list[tuple[RawBatch, bytes, bytes]],
) -> None:
    """Each real precertificate must be the one of its leaf, at its place, with its chain."""
    for batch, _, _ in navigli:
        for index in range(batch.first, batch.first + len(batch)):
            entry = batch.entry(index)
            assert entry.problems == ()
            assert (entry.type, entry.leaf_index) == (EntryType.PRECERT, index)
            assert len(entry.chain_fingerprints) == 2
            assert datetime(2025, 1, 1, tzinfo=UTC) < entry.timestamp


def test_navigli_tiles_round_trip(navigli: list[tuple[RawBatch, bytes, bytes]]) -> None:
    """Entries taken apart and written again must make the same tiles to the byte."""
    for batch, data, _ in navigli:
        entries = [batch.entry(batch.first + place) for place in range(len(batch))]
        assert data == b"".join(
            encode_tile_leaf(entry.leaf, entry.precertificate, entry.chain_fingerprints)
            for entry in entries
        )


def test_navigli_tiles_prove_each_other(navigli: list[tuple[RawBatch, bytes, bytes]]) -> None:
    """The frontier over the data must be the tree that the hash tiles prove entries in."""
    frontier = Frontier()
    for batch, _, _ in navigli:
        frontier = frontier.extend(batch.leaf_hashes())
    tops = [Frontier().extend(batch.leaf_hashes()).root() for batch, _, _ in navigli]
    tiles = {Tile(0, n): hashes for n, (_, _, hashes) in enumerate(navigli)}
    tiles[Tile(1, 0, 2)] = b"".join(tops)
    assert frontier_from_tiles(512, tiles, frontier.root()) == frontier
    for index in (0, 255, 256, 511):
        leaf = navigli[index // 256][0].leaf_hashes()[index % 256]
        proof = inclusion_proof_from_tiles(index, 512, tiles)
        verify_inclusion(leaf, index, 512, proof, frontier.root())


# -- transparency.dev tesseract and tessera: growing logs with every checkpoint ------------

GROWING = ["tesseract-client-log/log", "tessera-log"]


@pytest.fixture(params=GROWING)
def growing(request: pytest.FixtureRequest, corpus: Path) -> Path:
    return corpus / "ct-logs" / str(request.param)


def checkpoints(folder: Path) -> list[tuple[Note, CheckpointBody]]:
    notes = [parse_note((folder / f"checkpoint.{size}").read_bytes()) for size in range(16)]
    return [(note, parse_checkpoint_body(note.text)) for note in notes]


def test_every_growing_checkpoint_reads_and_verifies(growing: Path) -> None:
    """Each note must give its body, and exactly the text that its Ed25519 key signed."""
    name, identifier, encoded = TESTDATA_KEY.split("+", 2)
    kind, *key = base64.b64decode(encoded)
    assert bytes.fromhex(identifier) == key_id(name, kind, bytes(key))
    for size, (note, body) in enumerate(checkpoints(growing)):
        assert (body.origin, body.size, body.extensions) == (name, size, ())
        (signature,) = note.signatures
        assert (signature.name, signature.key_id.hex()) == (name, identifier)
        Ed25519PublicKey.from_public_bytes(bytes(key)).verify(
            signature.signature, note.text.encode()
        )


def test_no_growing_checkpoint_passes_for_one_of_a_ct_log(growing: Path) -> None:
    """A note without the signature type of RFC 6962 must not be a head."""
    origin = "example.com/log/testdata"
    with pytest.raises(MalformedError, match="0 signatures"):
        parse_checkpoint(
            (growing / "checkpoint").read_bytes(),
            origin,
            LogKey(base64.b64decode(PILOT_KEY)).log_id,
        )


def edge(folder: Path, size: int) -> dict[Tile, bytes]:
    return {tile: (folder / f"tile/0/000.p/{tile.width}").read_bytes() for tile in edge_tiles(size)}


def bundle(folder: Path, size: int) -> Iterator[bytes]:
    reader = Reader((folder / f"tile/entries/000.p/{size}").read_bytes(), "entry bundle")
    while reader.remaining:
        yield reader.vector(2)


def test_growing_roots_come_from_tiles_and_entries(growing: Path) -> None:
    """At every step tiles and entries must make the root that was signed."""
    frontier = Frontier()
    for size, (_, body) in enumerate(checkpoints(growing)):
        if size == 0:
            assert body.root == EMPTY_ROOT
            continue
        leaves = [leaf_hash(data) for data in bundle(growing, size)]
        frontier = frontier.extend(leaves[frontier.size :])
        assert frontier.root() == body.root
        assert frontier_from_tiles(size, edge(growing, size), body.root) == frontier


def test_growing_heads_prove_all_their_entries(growing: Path) -> None:
    """Every entry in every tree, from tiles, under the root that was signed."""
    for size, (_, body) in list(enumerate(checkpoints(growing)))[1:]:
        for index, data in enumerate(bundle(growing, size)):
            proof = inclusion_proof_from_tiles(index, size, edge(growing, size))
            verify_inclusion(leaf_hash(data), index, size, proof, body.root)


def test_growing_heads_are_all_consistent(growing: Path) -> None:
    """Between each two sizes the tiles must prove that the log only grew."""
    heads = [body for _, body in checkpoints(growing)][1:]
    for first, second in combinations(heads, 2):
        proof = consistency_proof_from_tiles(first.size, second.size, edge(growing, second.size))
        verify_consistency(first.size, first.root, second.size, second.root, proof)


# -- skylight: the checkpoint of a static CT log with its key ------------------------------


@pytest.fixture
def skylight(corpus: Path) -> Path:
    return corpus / "ct-logs" / "skylight-testdata"


@pytest.mark.parametrize(
    "path",
    [
        "tree/checkpoint",
        "witness/000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706/checkpoint",
    ],
)
def test_skylight_checkpoint_is_the_final_head_of_its_log(skylight: Path, path: str) -> None:
    """Written by sunlight, cosigned or not, it must verify with the key that the log states."""
    stated: dict[str, Any] = json.loads((skylight / "tree/log.v3.json").read_text())
    key = LogKey(base64.b64decode(stated["key"]))
    assert base64.b64decode(stated["log_id"]) == key.log_id
    raw = (skylight / path).read_bytes()
    head = parse_checkpoint(raw, "rome2026h1.example.org", key.log_id)
    verify_head(head, key)
    assert stated["final_tree_head"] == {
        "sha256_root_hash": base64.b64encode(head.root).decode(),
        "timestamp": head.timestamp_ms,
        "tree_size": head.size,
    }


@pytest.mark.parametrize(
    ("about", "path"),
    [
        (
            "witness/witness.v0.json",
            "witness/000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706",
        ),
        (
            "witness2/witness.v0.json",
            "witness2/88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482",
        ),
        (
            "witness/mirror/mirror.v0.json",
            "witness/mirror/000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706",
        ),
    ],
)
def test_skylight_cosignatures_verify(skylight: Path, about: str, path: str) -> None:
    """The text of a cosigned note must be what its witness signed (tlog-cosignature)."""
    (vkey,) = json.loads((skylight / about).read_text())["verifier_keys"]
    name, identifier, encoded = vkey.split("+", 2)
    kind, *key = base64.b64decode(encoded)
    assert bytes.fromhex(identifier) == key_id(name, kind, bytes(key))
    note = parse_note((skylight / path / "checkpoint").read_bytes())
    (line,) = [one for one in note.signatures if one.key_id.hex() == identifier]
    seconds = int.from_bytes(line.signature[:8], "big")
    Ed25519PublicKey.from_public_bytes(bytes(key)).verify(
        line.signature[8:], f"cosignature/v1\ntime {seconds}\n{note.text}".encode()
    )


# -- certificate-transparency-go: answers of RFC 6962 logs ---------------------------------


@pytest.fixture
def answers(corpus: Path) -> dict[str, str]:
    folder = corpus / "ct-logs" / "rfc6962-json"
    found: dict[str, str] = {}
    for name in ("ct_go_rfc6962_responses", "ct_go_get_entries_real", "ct_go_sct_test_pairs"):
        found |= json.loads((folder / f"{name}.json").read_text())
    return found


def test_pilot_tree_head_verifies(answers: dict[str, str]) -> None:
    """A head that Google Pilot signed in 2014 must verify with the key of that log."""
    raw = encode_sth_json(
        PILOT_SIZE,
        RootHash(base64.b64decode(answers["ValidSTHResponseSHA256RootHash"])),
        PILOT_TIME_MS,
        base64.b64decode(answers["ValidSTHResponseTreeHeadSignature"]),
    )
    head = parse_sth(raw)
    verify_head(head, LogKey(base64.b64decode(PILOT_KEY)))
    assert head.timestamp == datetime(2014, 4, 4, 11, 10, 0, 587000, tzinfo=UTC)


def test_head_with_a_made_up_signature_parses_and_fails(answers: dict[str, str]) -> None:
    """The four-entry head of ct-go has the word "signature" for one: read, never believed."""
    head = parse_sth(answers["FourEntrySTH"].encode())
    assert head.size == 4
    with pytest.raises(BadSignatureError):
        verify_head(head, LogKey(base64.b64decode(PILOT_KEY)))


def test_first_entries_of_pilot_read_in_full(answers: dict[str, str]) -> None:
    """Four real entries must be read with their chains, each issuer after its subject."""
    batch = parse_get_entries(answers["FourEntries"].encode(), 0)
    assert [decode_base64(answers[f"Entry{n}"], "entry") for n in range(4)] == batch.leaves
    for index in range(4):
        entry = batch.entry(index)
        assert (entry.type, entry.problems, entry.extensions) == (EntryType.X509, (), b"")
        assert entry.certificate is not None
        names = [view_certificate(der) for der in (entry.certificate, *entry.chain)]
        assert [one.issuer for one in names[:-1]] == [one.subject for one in names[1:]]
        again = encode_leaf(int(entry.timestamp.timestamp() * 1000), entry.type, entry.certificate)
        assert entry.leaf == again
    assert [len(batch.entry(index).chain) for index in range(4)] == [2, 3, 3, 2]


def test_precertificate_entry_of_an_rfc_6962_log(answers: dict[str, str]) -> None:
    """A real precertificate must fit its leaf, and its chain the issuer key hash."""
    body = json.dumps(
        {
            "entries": [
                {
                    "leaf_input": answers[f"{kind}EntryB64"],
                    "extra_data": answers[f"{kind}EntryExtraDataB64"],
                }
                for kind in ("Precert", "Cert")
            ]
        }
    )
    batch = parse_get_entries(body.encode(), 1000)
    precert, cert = batch.entry(1000), batch.entry(1001)
    assert (precert.type, cert.type) == (EntryType.PRECERT, EntryType.X509)
    assert (precert.problems, cert.problems) == ((), ())
    assert precert.issuer_key_hash == view_certificate(precert.chain[0]).spki_hash
    assert precert.tbs is not None
    assert precert.precertificate is not None
    assert logged_tbs(view_certificate(precert.precertificate).tbs) == precert.tbs


def test_leaf_hashes_of_published_scts(answers: dict[str, str]) -> None:
    """Certificate and SCT time must give the leaf hashes that ct-go lists."""
    certificate = view_certificate(PEM_cert_to_DER_cert(answers["TestCertPEM"]))
    assert certificate.der is not None
    x509 = encode_leaf(1_365_181_456_089, EntryType.X509, certificate.der)
    precert = encode_leaf(
        1_365_181_456_275,
        EntryType.PRECERT,
        logged_tbs(view_certificate(PEM_cert_to_DER_cert(answers["TestPreCertPEM"])).tbs),
        view_certificate(PEM_cert_to_DER_cert(answers["CACertPEM"])).spki_hash,
    )
    assert answers["TestCertB64LeafHash"] == base64.b64encode(leaf_hash(x509)).decode()
    assert answers["TestPreCertB64LeafHash"] == base64.b64encode(leaf_hash(precert)).decode()


def test_proofs_of_answers_have_the_form_of_proofs(answers: dict[str, str]) -> None:
    """The proof answers come without heads, so their hashes can be read and not verified."""
    both = json.loads(answers["GetEntryAndProofResp"])
    by_hash = json.loads(answers["ProofByHashResp"])
    growth = json.loads(answers["GetSTHConsistencyResp"])
    for node in (*both["audit_path"], *by_hash["audit_path"], *growth["consistency"]):
        assert len(decode_base64(node, "proof node")) == 32
    batch = parse_get_entries(json.dumps({"entries": [both]}).encode(), 3)
    entry = batch.entry(3)
    assert entry.type is EntryType.X509
    assert entry.problems
