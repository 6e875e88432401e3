"""Mail that comes: what was acted on, by hash, and what waits for a human."""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.migrations.columns import BOOL, ID, INT, KEY, TEXT, TIME, may, must, pk, where

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

SHA256 = sa.LargeBinary(32)


def upgrade() -> None:
    op.create_table(
        "arrivals", pk("sha256", SHA256), may("message_key", KEY), must("at", TIME, index=True),
        must("what", sa.String(24)),
    )  # fmt: skip
    some = where("message_key IS NOT NULL")
    op.create_index("ix_arrivals_message_key", "arrivals", ["message_key"], unique=True, **some)
    op.create_table(
        "letters_to_read", pk("id", ID), must("at", TIME, index=True), may("key", KEY), must("sender", TEXT),
        must("subject", TEXT), must("sha256", SHA256), must("octets", sa.LargeBinary()), must("size", INT),
        must("is_to_forward", BOOL),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_letters_to_read_key", "letters_to_read", ["key"], **where("key IS NOT NULL"))
