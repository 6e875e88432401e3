"""Evidence is sealed: leaves with salts, signed blocks of them, and the log of lawful deletions.

What a database has already is sealed by the job, batch by batch.
"""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.migrations.columns import ID, INT, TEXT, TIME, may, must, pk, where

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NUMBER, DIGEST, SALT = sa.BigInteger(), sa.LargeBinary(32), sa.LargeBinary(16)


def upgrade() -> None:
    op.create_table(
        "leaves", sa.Column("number", ID, primary_key=True, autoincrement=False),
        may("evidence_id", NUMBER, unique=True), may("removal_id", NUMBER), may("salt", SALT), may("ip_salt", SALT),
        must("payload", DIGEST), may("ip", DIGEST),
    )  # fmt: skip
    op.create_index("ix_leaves_removal_id", "leaves", ["removal_id"], unique=True, **where("removal_id IS NOT NULL"))
    op.create_table(
        "seals", sa.Column("block", ID, primary_key=True, autoincrement=False),
        *(must(name, NUMBER) for name in ("first", "last", "settled")),
        *(must(name, DIGEST) for name in ("root", "previous", "earlier")),
        must("sealed_at", TIME), must("key", DIGEST), must("signature", sa.LargeBinary(64)),
    )  # fmt: skip
    op.create_table(
        "removals", pk("id", ID), must("at", TIME), must("cause", sa.String(40)), must("count", INT),
        must("leaves", TEXT), sqlite_autoincrement=True,
    )  # fmt: skip
