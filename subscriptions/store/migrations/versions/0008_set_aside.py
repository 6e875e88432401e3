"""What a permanent refusal has made of an owed mail: one that everybody gets is told from one's own."""

from alembic import op
from sqlalchemy import BigInteger, String

from subscriptions.store.migrations.columns import KEY, TIME, may, where

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    hashes = {"mailbox": KEY, "domain": String(64)}
    for name, kind in {"refusal": String(8), "refused_at": TIME, **hashes, "sent_before": BigInteger()}.items():
        op.add_column("outbox", may(name, kind))
    op.create_index("ix_outbox_refusal", "outbox", ["refusal"], **where("refusal IS NOT NULL"))
