"""Indexes of columns that are empty in most rows leave those out: a sign-up writes to six fewer."""

from alembic import op

from subscriptions.store.migrations.columns import where

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = {
    "addresses": "erase_by",
    "registrations": "subscription_id",
    "evidence": "subscription_id",
    "outbox": "subscription_id",
}


def upgrade() -> None:
    for table, column in COLUMNS.items():
        op.drop_index(f"ix_{table}_{column}", table)
        op.create_index(f"ix_{table}_{column}", table, [column], **where(f"{column} IS NOT NULL"))
