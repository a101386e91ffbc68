"""The first tables: positions, sightings, findings, alerts and deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_TEXT = sa.Text()
_BYTES = sa.LargeBinary()
_COUNT = sa.BigInteger()


def upgrade() -> None:
    """From an empty database."""
    _create_logs()
    _create_sightings()
    _create_findings()
    _create_alerts()


def _create_logs() -> None:
    op.create_table(
        "meta",
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("value", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "position",
        sa.Column("log_id", _BYTES, nullable=False),
        sa.Column("description", _TEXT, nullable=False),
        sa.Column("url", _TEXT, nullable=False),
        sa.Column("start_index", _COUNT, nullable=False),
        sa.Column("size", _COUNT, nullable=False),
        sa.Column("frontier", _BYTES, nullable=False),
        sa.Column("verified_size", _COUNT, nullable=False),
        sa.Column("verified_root", _BYTES),
        sa.Column("verified_frontier", _BYTES),
        sa.Column("head", _BYTES),
        sa.Column("head_timestamp", _TIME),
        sa.Column("updated", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("log_id", name="pk_position"),
    )
    op.create_table(
        "pending_head",
        sa.Column("log_id", _BYTES, nullable=False),
        sa.Column("size", _COUNT, autoincrement=False, nullable=False),
        sa.Column("root", _BYTES, nullable=False),
        sa.Column("timestamp", _TIME, nullable=False),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("raw", _BYTES, nullable=False),
        sa.Column("seen", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("log_id", "size", "root", name="pk_pending_head"),
    )


def _create_sightings() -> None:
    op.create_table(
        "sighting",
        sa.Column("id", _ID, nullable=False),
        sa.Column("key", _BYTES, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("tbs_sha256", _BYTES),
        sa.Column("names", _TEXT, nullable=False),
        sa.Column("matched", _TEXT, nullable=False),
        sa.Column("issuer", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("serial", _TEXT, nullable=False),
        sa.Column("not_before", _TIME),
        sa.Column("not_after", _TIME),
        sa.Column("spki_sha256", _BYTES),
        sa.Column("key_description", _TEXT, nullable=False),
        sa.Column("fingerprint", _BYTES),
        sa.Column("verdict", _TEXT, nullable=False),
        sa.Column("reasons", _TEXT, nullable=False),
        sa.Column("problems", _TEXT, nullable=False),
        sa.Column("first_seen", _TIME, nullable=False),
        sa.Column("der", _BYTES, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sighting"),
        sa.UniqueConstraint("key", name="uq_sighting_key"),
    )
    op.create_index("ix_sighting_verdict_id", "sighting", ["verdict", "id"])
    op.create_index("ix_sighting_first_seen", "sighting", ["first_seen"])
    op.create_table(
        "sighting_match",
        sa.Column("item", _TEXT, nullable=False),
        sa.Column("sighting_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["sighting_id"], ["sighting.id"], name="fk_sighting_match_sighting_id"
        ),
        sa.PrimaryKeyConstraint("item", "sighting_id", name="pk_sighting_match"),
    )
    op.create_table(
        "entry",
        sa.Column("id", _ID, nullable=False),
        sa.Column("sighting_id", _ID, nullable=False),
        sa.Column("log_id", _BYTES, nullable=False),
        sa.Column("number", _COUNT, nullable=False),
        sa.Column("leaf_hash", _BYTES, nullable=False),
        sa.Column("timestamp", _TIME, nullable=False),
        sa.Column("entry_type", _TEXT, nullable=False),
        sa.Column("refuted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["sighting_id"], ["sighting.id"], name="fk_entry_sighting_id"),
        sa.ForeignKeyConstraint(["log_id"], ["position.log_id"], name="fk_entry_log_id"),
        sa.PrimaryKeyConstraint("id", name="pk_entry"),
        sa.UniqueConstraint(
            "log_id", "number", "leaf_hash", name="uq_entry_log_id_number_leaf_hash"
        ),
    )
    op.create_index("ix_entry_sighting_id", "entry", ["sighting_id"])


def _create_findings() -> None:
    op.create_table(
        "finding",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("log_id", _BYTES),
        sa.Column("severity", _TEXT, nullable=False),
        sa.Column("message", _TEXT, nullable=False),
        sa.Column("details", _TEXT, nullable=False),
        sa.Column("first_seen", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
        sa.Column("times", _COUNT, nullable=False),
        sa.Column("resolved", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_finding"),
        sa.UniqueConstraint("kind", "subject", "episode", name="uq_finding_kind_subject_episode"),
    )
    op.create_index(
        "uq_finding_open",
        "finding",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("resolved IS NULL"),
        postgresql_where=sa.text("resolved IS NULL"),
    )
    op.create_table(
        "evidence",
        sa.Column("id", _ID, nullable=False),
        sa.Column("finding_id", _ID, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("digest", _BYTES, nullable=False),
        sa.Column("data", _BYTES, nullable=False),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name="fk_evidence_finding_id"),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
        sa.UniqueConstraint(
            "finding_id", "name", "digest", name="uq_evidence_finding_id_name_digest"
        ),
    )


def _create_alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", _ID, nullable=False),
        sa.Column("sighting_id", _ID),
        sa.Column("finding_id", _ID),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("ack_who", _TEXT),
        sa.Column("ack_why", _TEXT),
        sa.Column("ack_at", _TIME),
        sa.CheckConstraint(
            "(sighting_id IS NULL) <> (finding_id IS NULL)", name=op.f("ck_alert_one_cause")
        ),
        sa.ForeignKeyConstraint(["sighting_id"], ["sighting.id"], name="fk_alert_sighting_id"),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name="fk_alert_finding_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("sighting_id", name="uq_alert_sighting_id"),
        sa.UniqueConstraint("finding_id", name="uq_alert_finding_id"),
    )
    op.create_index(
        "ix_alert_open",
        "alert",
        ["id"],
        sqlite_where=sa.text("ack_at IS NULL"),
        postgresql_where=sa.text("ack_at IS NULL"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", _ID, nullable=False),
        sa.Column("alert_id", _ID, nullable=False),
        sa.Column("channel", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("sender", _TEXT),
        sa.Column("error", _TEXT),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_delivery_alert_id"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("alert_id", "channel", name="uq_delivery_alert_id_channel"),
    )
    op.create_index("ix_delivery_channel_state_at", "delivery", ["channel", "state", "at"])
    op.create_index("ix_delivery_state", "delivery", ["state"])
