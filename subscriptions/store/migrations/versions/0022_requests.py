"""Requests of people about their data; objections to one controller; a restriction that ends once that was told."""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.migrations.columns import BOOL, ID, INT, KEY, TEXT, TIME, may, must, pk, where

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

DAY = sa.Date()


def upgrade() -> None:
    op.create_table(
        "requests", pk("id", ID), may("list_id", INT, to="lists.id"), must("kind", sa.String(12)),
        must("channel", sa.String(12)), may("key", KEY), may("address", TEXT), may("person", TEXT), may("words", TEXT),
        may("answer", TEXT), must("locale", TEXT), must("received_at", TIME), must("due_on", DAY),
        may("extended_until", DAY), may("extended_why", TEXT), must("identity", TEXT), must("actor", TEXT),
        may("answered_at", TIME), may("outcome", sa.String(8)), must("erased", BOOL),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_requests_key", "requests", ["key"], **where("key IS NOT NULL"))
    op.create_index("ix_requests_open", "requests", ["due_on"], **where("outcome IS NULL"))
    op.add_column("suppressions", may("controller", TEXT))
    op.add_column("subscriptions", may("unrestrict_at", TIME))
    op.create_index("ix_subscriptions_unrestrict_at", "subscriptions", ["unrestrict_at"],
                    **where("unrestrict_at IS NOT NULL"))  # fmt: skip
    op.add_column("outbox", may("request_id", ID))
