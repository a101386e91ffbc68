"""A Certificate Transparency log in memory: honest, until asked to be otherwise.

One tree, served over RFC 6962, over static-ct, or over both at once; to its
readers each protocol is a log of its own, with its own key and its own URL. What
the log does wrong on request is in `faults`; the answers over HTTP are made in
`rfc6962.py` and `static_ct.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from pinwarden.ct.head import (
    LogID,
    SignatureAlgorithm,
    encode_checkpoint,
    encode_digitally_signed,
    encode_sth_json,
    tree_head_input,
)
from pinwarden.ct.leaf import EntryType, Extra, encode_leaf, encode_leaf_index
from pinwarden.ct.log import Log, LogKind, LogState
from pinwarden.ct.merkle import RootHash
from pinwarden.lab.ca import Issued, PrivateKey, new_key, spki_of
from pinwarden.lab.exchange import Shelf
from pinwarden.lab.faults import Faults, Visits
from pinwarden.lab.history import History, another
from pinwarden.lab.submission import read_precertificate

TILE_WIDTH = 256
_LEAF_INDEX_SIZE = len(encode_leaf_index(0))


@dataclass(frozen=True, slots=True)
class Face:
    """One protocol of the log: its own key, and so its own log id."""

    kind: LogKind
    key: PrivateKey

    @property
    def spki(self) -> bytes:
        """The log key as log lists have it."""
        return spki_of(self.key)

    @property
    def log_id(self) -> LogID:
        """SHA-256 of the key (RFC 6962 section 3.2)."""
        return LogID(sha256(self.spki).digest())

    def sign(self, message: bytes) -> bytes:
        """A digitally-signed struct (RFC 5246 section 4.7)."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            signature = self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
            return encode_digitally_signed(SignatureAlgorithm.RSA, signature)
        signature = self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        return encode_digitally_signed(SignatureAlgorithm.ECDSA, signature)


@dataclass(frozen=True, slots=True)
class Published:
    """What a head says: so many entries, this root, at this time."""

    size: int
    root: RootHash
    timestamp_ms: int


class LabLog:
    """A log, for as long as the process lives. Safe to use from several threads.

    With `auto_publish` every head covers all entries at the time of asking;
    otherwise only `publish` makes a new one. A head older than `refresh` is
    signed anew, as real logs do without growing.
    """

    def __init__(
        self,
        name: str,
        *,
        kinds: Sequence[LogKind] = (LogKind.RFC6962,),
        keys: Sequence[PrivateKey] = (),
        operator: str = "Pinwarden Lab",
        mmd: timedelta = timedelta(minutes=1),
        state: LogState = LogState.USABLE,
        interval: tuple[datetime, datetime] | None = None,
        auto_publish: bool = True,
        refresh: timedelta = timedelta(minutes=1),
        most_entries: int = 256,
        gzip_tiles: bool = True,
        gzip_json: bool = True,
        shelf: Shelf | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self.faces = tuple(
            Face(kind, keys[i] if i < len(keys) else new_key()) for i, kind in enumerate(kinds)
        )
        self.operator = operator
        self.mmd = mmd
        self.state = state
        self.interval = interval
        self.auto_publish = auto_publish
        self.refresh = refresh
        self.most_entries = most_entries
        self.gzip_tiles = gzip_tiles
        self.gzip_json = gzip_json
        self.clock = clock
        self.faults = Faults()
        self.visits = Visits()
        self.issuers: dict[bytes, bytes] = {}
        self.roots: list[bytes] = []
        self.base_url = "http://127.0.0.1/"
        self._lock = threading.RLock()
        self._history = History(shelf)
        self._fork: tuple[int, History] | None = None
        self._published: list[Published] = []
        self._frozen: Published | None = None
        self._signatures: dict[tuple[LogKind, Published], bytes] = {}
        self._heads_served = 0
        self._submitted: dict[bytes, bytes] = {}
        self._tiled = any(face.kind is LogKind.STATIC for face in self.faces)
        self.publish()

    # Who the log is.

    def face(self, kind: LogKind | None = None) -> Face:
        """The log as one protocol shows it; the first one by default."""
        if kind is None:
            return self.faces[0]
        return next(face for face in self.faces if face.kind is kind)

    def url(self, kind: LogKind | None = None) -> str:
        """Where the log is read: base URL, or monitoring prefix of a static log."""
        static = self.face(kind).kind is LogKind.STATIC
        return f"{self.base_url}{self.name}/" + ("tiles/" if static else "")

    def submission_url(self, kind: LogKind | None = None) -> str:
        """Where the log is written to."""
        static = self.face(kind).kind is LogKind.STATIC
        return f"{self.base_url}{self.name}/" + ("submit/" if static else "")

    @property
    def origin(self) -> str:
        """The name on the checkpoints (static-ct-api, "Parameters")."""
        return self.submission_url(LogKind.STATIC).removeprefix("http://").rstrip("/")

    def description(self, kind: LogKind | None = None) -> Log:
        """The log as a log list describes it."""
        face = self.face(kind)
        return Log(
            log_id=face.log_id,
            key=face.spki,
            description=f"{self.operator} '{self.name}' {face.kind}",
            operator=self.operator,
            kind=face.kind,
            url=self.url(face.kind),
            submission_url=self.submission_url(face.kind),
            origin=self.origin if face.kind is LogKind.STATIC else "",
            mmd=self.mmd,
            state=self.state,
            interval=self.interval,
        )

    # What is in it.

    @property
    def size(self) -> int:
        """The number of entries, published or not."""
        return len(self._history.leaves)

    @property
    def history(self) -> History:
        """The history that is shown at the moment: the true one, or its fork."""
        at = self.faults.fork
        if at is None:
            return self._history
        with self._lock:
            if self._fork is None or self._fork[0] != at:
                self._fork = (at, self._history.forked(at))
            return self._fork[1]

    def leaf(self, index: int) -> bytes:
        """The MerkleTreeLeaf of an entry in the true history."""
        return self._history.leaves[index]

    def add_certificate(self, chain: Sequence[bytes]) -> int:
        """Enter a certificate, followed by its issuers; returns the entry's number."""
        with self._lock:
            return self.add_leaf(*self._certificate(chain))

    def add_precertificate(self, chain: Sequence[bytes]) -> int:
        """Enter a precertificate, followed by its issuers; returns the entry's number."""
        with self._lock:
            return self.add_leaf(*self._precertificate(chain))

    def add_issued(self, issued: Issued) -> tuple[int, int]:
        """Enter both halves of an issuance; returns their numbers.

        What is entered is what the CA says it promised, however damaged.
        """
        extra = self.beside(issued.precertificate, issued.precertificate_chain[1:])
        with self._lock:
            leaf = self._leaf(EntryType.PRECERT, issued.tbs, issued.issuer_key_hash)
            return self.add_leaf(leaf, extra), self.add_certificate(issued.certificate_chain)

    def add_leaf(self, leaf: bytes, extra: Extra | bytes) -> int:
        """Enter any leaf, as from another log; returns the entry's number.

        An `extra` in bytes is served as it is: extra_data, or the end of a TileLeaf.
        """
        with self._lock:
            return self.add_leaves([leaf], [extra])

    def add_leaves(self, leaves: Sequence[bytes], extras: Sequence[Extra | bytes]) -> int:
        """Enter many leaves; returns the number of the first."""
        with self._lock:
            first = self.size
            self._history.extend(leaves, extras)
            if self._fork is not None:
                at, fork = self._fork
                same = max(0, at - first)
                fork.extend([*leaves[:same], *(another(leaf) for leaf in leaves[same:])], extras)
            return first

    def beside(self, precertificate: bytes | None, issuers: Sequence[bytes]) -> Extra:
        """What is served beside a leaf; the issuers are kept for `issuer/<fingerprint>`."""
        prints = tuple(sha256(each).digest() for each in issuers)
        self.issuers.update(zip(prints, issuers, strict=True))
        return Extra(precertificate, tuple(issuers), prints)

    def extensions(self, index: int) -> bytes:
        """The CtExtensions of the entry `index`: leaf_index, if the log is tiled."""
        if not self._tiled:
            return b""
        return encode_leaf_index(index + 1 if self.faults.wrong_leaf_index else index)

    def _certificate(self, chain: Sequence[bytes]) -> tuple[bytes, Extra]:
        return self._leaf(EntryType.X509, chain[0], None), self.beside(None, chain[1:])

    def _precertificate(self, chain: Sequence[bytes]) -> tuple[bytes, Extra]:
        leaf = self._leaf(EntryType.PRECERT, *read_precertificate(chain))
        return leaf, self.beside(chain[0], chain[1:])

    def _leaf(self, type_: EntryType, signed: bytes, issuer_key_hash: bytes | None) -> bytes:
        """The leaf of an entry that would be the next one."""
        extensions = self.extensions(self.size)
        return encode_leaf(self.now_ms(), type_, signed, issuer_key_hash, extensions)

    # What it promises.

    def add_chain(self, chain: Sequence[bytes], kind: LogKind | None = None) -> bytes:
        """Enter a certificate and promise it: the serialized SCT (RFC 6962 section 3.2)."""
        return self._sct(self._submit(chain, self._certificate), kind)

    def add_pre_chain(self, chain: Sequence[bytes], kind: LogKind | None = None) -> bytes:
        """Enter a precertificate and promise it: the serialized SCT."""
        return self._sct(self._submit(chain, self._precertificate), kind)

    def _submit(
        self, chain: Sequence[bytes], make: Callable[[Sequence[bytes]], tuple[bytes, Extra]]
    ) -> bytes:
        # The same certificate again gets the same promise (RFC 6962 section 3).
        key = sha256(chain[0]).digest()
        with self._lock:
            if key not in self._submitted:
                leaf, extra = make(chain)
                if not self.faults.withhold:
                    self.add_leaf(leaf, extra)
                self._submitted[key] = leaf
            return self._submitted[key]

    def _sct(self, leaf: bytes, kind: LogKind | None) -> bytes:
        face = self.face(kind)
        extensions = leaf[-_LEAF_INDEX_SIZE:] if self._tiled else b""
        # What an SCT signs is, byte for byte, the MerkleTreeLeaf.
        return b"".join(
            (
                b"\x00",
                face.log_id,
                leaf[2:10],
                len(extensions).to_bytes(2, "big"),
                extensions,
                face.sign(leaf),
            )
        )

    def publish(self) -> Published:
        """Sign a head over all entries, now."""
        with self._lock:
            if not self.faults.frozen:
                self._frozen = None
            elif self._frozen is None:
                self._frozen = self._published[-1]
            tree = self._history.tree
            head = Published(tree.size, tree.root(), self.now_ms())
            self._published.append(head)
            return head

    def head(self, kind: LogKind | None = None) -> bytes:
        """The head as it is served now: JSON of get-sth, or a checkpoint."""
        face = self.face(kind)
        with self._lock:
            head = self._shown()
            signature = self._signature(face, head)
        parts = (head.size, head.root, head.timestamp_ms, signature)
        if face.kind is LogKind.STATIC:
            return encode_checkpoint(self.origin, *parts, face.log_id)
        return encode_sth_json(*parts)

    @property
    def published(self) -> Published:
        """The last honest head."""
        return self._latest()

    @property
    def served_size(self) -> int:
        """How many entries readers may see."""
        return self._latest().size

    def now_ms(self) -> int:
        """The time by the log's clock."""
        return int(self.clock().timestamp() * 1000)

    def _latest(self) -> Published:
        with self._lock:
            last = self._published[-1]
            if self.auto_publish and last.size != self._history.tree.size:
                return self.publish()
            age = timedelta(milliseconds=self.now_ms() - last.timestamp_ms)
            if age >= self.refresh:
                head = Published(last.size, last.root, self.now_ms())
                self._published[-1] = head
                return head
            return last

    def _shown(self) -> Published:
        faults = self.faults
        if faults.frozen:
            head = self._frozen = self._frozen or self._published[-1]
        else:
            self._frozen = None
            head = self._latest()
        self._heads_served += 1
        if faults.old_head_every and self._heads_served % faults.old_head_every == 0:
            head = self._published[-2] if len(self._published) > 1 else head
        size, root, timestamp_ms = head.size, head.root, head.timestamp_ms
        if faults.shrink is not None:
            size, timestamp_ms = min(size, faults.shrink), self.now_ms()
        if faults.fork is not None or faults.shrink is not None:
            root = self.history.tree.root(size)
        if faults.wrong_root:
            root = RootHash(sha256(b"no entries make this" + root).digest())
        return Published(size, root, timestamp_ms + faults.skew // timedelta(milliseconds=1))

    def _signature(self, face: Face, head: Published) -> bytes:
        key = (face.kind, head)
        if key not in self._signatures:
            message = tree_head_input(head.size, head.root, head.timestamp_ms)
            self._signatures[key] = face.sign(message)
        signature = self._signatures[key]
        if self.faults.bad_signature:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        return signature
