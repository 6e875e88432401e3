"""Voluntary fields, several lists on one form, embedding, codes, and what guards the sign-up."""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name in ("thank_you_url", "confirmed_url", "colour", "logo"):
        op.add_column("lists", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("lists", sa.Column("origins", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("lists", sa.Column("fields", sa.JSON(), nullable=False, server_default='["name"]'))
    op.add_column("registrations", sa.Column("fields", sa.JSON(), nullable=True))
    op.add_column("registrations", sa.Column("group_ref", sa.LargeBinary(16), nullable=True))
    op.add_column("registrations", sa.Column("replaces", sa.LargeBinary(16), nullable=True))
    where = sa.text("group_ref IS NOT NULL")
    op.create_index(
        "ix_registrations_group_ref", "registrations", ["group_ref"], sqlite_where=where, postgresql_where=where
    )
    op.add_column("subscriptions", sa.Column("fields", sa.JSON(), nullable=True))
    op.add_column("outbox", sa.Column("address", sa.Text(), nullable=True))
    _short_lived()
    _audit()


def _short_lived() -> None:
    op.create_table(
        "tries",
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_tries"),
    )
    op.create_index("ix_tries_since", "tries", ["since"])
    op.create_table(
        "used_once",
        sa.Column("hash", sa.LargeBinary(16), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_used_once"),
    )
    op.create_index("ix_used_once_until", "used_once", ["until"])
    op.create_table(
        "traffic",
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("minute", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "minute", name="pk_traffic"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
