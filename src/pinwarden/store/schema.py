"""The tables. `migrations/` builds exactly these; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
)

from pinwarden.store.columns import ForeignText, TextList, TextPairs, UTCDateTime

REVISION = "0002"
"""The newest migration, named here so that opening a current store needs no Alembic."""

# SQLite numbers rows by itself only where the primary key is INTEGER to the letter.
_ID = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", ForeignText, primary_key=True),
    Column("value", ForeignText, nullable=False),
)

position = Table(
    "position",
    metadata,
    Column("log_id", LargeBinary, primary_key=True),
    Column("description", ForeignText, nullable=False),
    Column("url", ForeignText, nullable=False),
    Column("start_index", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("verified_size", BigInteger, nullable=False),
    Column("verified_root", LargeBinary),
    Column("verified_frontier", LargeBinary),
    Column("head", LargeBinary),
    Column("head_timestamp", UTCDateTime),
    Column("updated", UTCDateTime, nullable=False),
)

pending_head = Table(
    "pending_head",
    metadata,
    Column("log_id", LargeBinary, primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, primary_key=True),
    Column("timestamp", UTCDateTime, nullable=False),
    Column("source", ForeignText, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("seen", UTCDateTime, nullable=False),
)

sighting = Table(
    "sighting",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("key", LargeBinary, nullable=False, unique=True),
    Column("kind", ForeignText, nullable=False),
    Column("tbs_sha256", LargeBinary),
    Column("names", TextList, nullable=False),
    Column("matched", TextList, nullable=False),
    Column("issuer", ForeignText, nullable=False),
    Column("subject", ForeignText, nullable=False),
    Column("serial", ForeignText, nullable=False),
    Column("not_before", UTCDateTime),
    Column("not_after", UTCDateTime),
    Column("spki_sha256", LargeBinary),
    Column("key_description", ForeignText, nullable=False),
    Column("fingerprint", LargeBinary),
    Column("verdict", ForeignText, nullable=False),
    Column("reasons", TextList, nullable=False),
    Column("problems", TextList, nullable=False),
    Column("first_seen", UTCDateTime, nullable=False),
    # Last, so that listing does not read the pages that large certificates spill into.
    Column("der", LargeBinary, nullable=False),
    Index(None, "verdict", "id"),
    Index(None, "first_seen"),
)

sighting_match = Table(
    "sighting_match",
    metadata,
    Column("item", ForeignText, primary_key=True),
    Column("sighting_id", ForeignKey("sighting.id"), primary_key=True),
)

# `refuted` marks an entry of a history that the log's signed roots did not bear
# out. `leaf_hash` is part of the identity: a log may serve another leaf for the
# same index after a refuted one, and that one must not pass for a repetition.
entry = Table(
    "entry",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("sighting_id", ForeignKey("sighting.id"), nullable=False),
    Column("log_id", ForeignKey("position.log_id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("timestamp", UTCDateTime, nullable=False),
    Column("entry_type", ForeignText, nullable=False),
    Column("refuted", Boolean, nullable=False),
    UniqueConstraint("log_id", "number", "leaf_hash"),
    Index(None, "sighting_id"),
)

# One row from the first time a finding is made until it is resolved; `episode`
# counts those rows for one kind and subject.
finding = Table(
    "finding",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("kind", ForeignText, nullable=False),
    Column("subject", ForeignText, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("log_id", LargeBinary),
    Column("severity", ForeignText, nullable=False),
    Column("message", ForeignText, nullable=False),
    Column("details", TextPairs, nullable=False),
    Column("first_seen", UTCDateTime, nullable=False),
    Column("last_seen", UTCDateTime, nullable=False),
    Column("times", BigInteger, nullable=False),
    Column("resolved", UTCDateTime),
    UniqueConstraint("kind", "subject", "episode"),
)

Index(
    "uq_finding_open",
    finding.c.kind,
    finding.c.subject,
    unique=True,
    sqlite_where=finding.c.resolved.is_(None),
    postgresql_where=finding.c.resolved.is_(None),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("finding_id", ForeignKey("finding.id"), nullable=False),
    Column("name", ForeignText, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("finding_id", "name", "digest"),
)

alert = Table(
    "alert",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("sighting_id", ForeignKey("sighting.id"), unique=True),
    Column("finding_id", ForeignKey("finding.id"), unique=True),
    Column("created", UTCDateTime, nullable=False),
    Column("ack_who", ForeignText),
    Column("ack_why", ForeignText),
    Column("ack_at", UTCDateTime),
    CheckConstraint("(sighting_id IS NULL) <> (finding_id IS NULL)", name="one_cause"),
)

Index(
    "ix_alert_open",
    alert.c.id,
    sqlite_where=alert.c.ack_at.is_(None),
    postgresql_where=alert.c.ack_at.is_(None),
)

# `at` is when a due delivery may be tried, and when any other came to its state.
delivery = Table(
    "delivery",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("alert_id", ForeignKey("alert.id"), nullable=False),
    Column("channel", ForeignText, nullable=False),
    Column("state", ForeignText, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("sender", ForeignText),
    Column("error", ForeignText),
    UniqueConstraint("alert_id", "channel"),
    Index(None, "channel", "state", "at"),
    Index(None, "state"),
)

# One row for each stretch of time in which looks at a name through one resolver
# showed the same; `longest_gap` is in microseconds.
caa_observation = Table(
    "caa_observation",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", ForeignText, nullable=False),
    Column("resolver", ForeignText, nullable=False),
    Column("relevant_name", ForeignText),
    Column("records", TextList, nullable=False),
    Column("ttl", BigInteger),
    Column("dnssec", ForeignText, nullable=False),
    Column("failure", ForeignText),
    Column("problem", ForeignText, nullable=False),
    Column("first_seen", UTCDateTime, nullable=False),
    Column("last_seen", UTCDateTime, nullable=False),
    Column("times", BigInteger, nullable=False),
    Column("longest_gap", BigInteger, nullable=False),
    Index(None, "name", "resolver", "id"),
)
