"""A table for what was seen of CAA policies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_TEXT = sa.Text()
_COUNT = sa.BigInteger()


def upgrade() -> None:
    """From revision 0001."""
    op.create_table(
        "caa_observation",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("resolver", _TEXT, nullable=False),
        sa.Column("relevant_name", _TEXT),
        sa.Column("records", _TEXT, nullable=False),
        sa.Column("ttl", _COUNT),
        sa.Column("dnssec", _TEXT, nullable=False),
        sa.Column("failure", _TEXT),
        sa.Column("problem", _TEXT, nullable=False),
        sa.Column("first_seen", _TIME, nullable=False),
        sa.Column("last_seen", _TIME, nullable=False),
        sa.Column("times", _COUNT, nullable=False),
        sa.Column("longest_gap", _COUNT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_caa_observation"),
    )
    op.create_index(
        "ix_caa_observation_name_resolver_id",
        "caa_observation",
        ["name", "resolver", "id"],
    )
