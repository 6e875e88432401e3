"""Voluntary fields, several lists on one form, embedding, codes, and what guards the sign-up."""

from alembic import op
from sqlalchemy import String

from subscriptions.store.migrations.columns import ID, INT, JSON, KEY, TEXT, TIME, may, must, pk, where

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("thank_you_url", "confirmed_url", "colour", "logo"):
        op.add_column("lists", must(name, TEXT, server_default=""))
    op.add_column("lists", must("origins", JSON, server_default="[]"))
    op.add_column("lists", must("fields", JSON, server_default='["name"]'))
    for column in (may("fields", JSON), may("group_ref", KEY), may("replaces", KEY)):
        op.add_column("registrations", column)
    op.create_index("ix_registrations_group_ref", "registrations", ["group_ref"], **where("group_ref IS NOT NULL"))
    op.add_column("subscriptions", may("fields", JSON))
    op.add_column("outbox", may("address", TEXT))
    op.create_table("tries", pk("key", KEY), must("since", TIME, index=True), must("count", INT))
    op.create_table("used_once", pk("hash", KEY), must("until", TIME, index=True))
    op.create_table(
        "traffic",
        pk("kind", String(12)), pk("name", String(64)), pk("minute", TIME), must("count", INT),
    )  # fmt: skip
    op.create_table(
        "audit",
        pk("id", ID), must("at", TIME), must("actor", TEXT), must("act", TEXT), must("details", JSON),
        sqlite_autoincrement=True,
    )  # fmt: skip
