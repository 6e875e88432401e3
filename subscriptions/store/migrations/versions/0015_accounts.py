"""The desk: accounts, the links that open them, their sessions; up to when programs know a list; looking people up."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import String

from subscriptions.store.migrations.columns import ID, INT, JSON, OWNED, TEXT, TIME, may, must, pk

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

DIGEST = sa.LargeBinary(32)
FOLDED = sa.func.lower(sa.literal_column("address"))
DOMAIN = sa.func.lower(sa.literal_column("substr(address, length(rtrim(address, replace(address, '@', ''))) + 1)"))


def upgrade() -> None:
    op.create_table(
        "accounts", pk("id", ID), must("email", TEXT, unique=True), must("role", String(8)), may("lists", JSON),
        may("password", TEXT), must("made_at", TIME), may("signed_in_at", TIME), may("disabled_at", TIME),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "account_links", pk("hash", DIGEST), must("account_id", ID, to="accounts.id", **OWNED),
        must("until", TIME, index=True),
    )  # fmt: skip
    op.create_table(
        "desk_sessions", pk("hash", DIGEST), may("account_id", ID, to="accounts.id", **OWNED),
        must("began_at", TIME, index=True), must("seen_at", TIME), must("proved_at", TIME), must("agent", String(40)),
    )  # fmt: skip
    op.create_table(
        "export_marks", sa.Column("list_id", INT, sa.ForeignKey("lists.id"), primary_key=True),
        pk("layout", String(16)), must("added_until", TIME), must("removed_until", TIME),
    )  # fmt: skip
    for name, what in (("address", FOLDED), ("domain", DOMAIN)):
        folded, by = what.label("folded"), {"folded": "text_pattern_ops"}
        op.create_index(f"ix_subscriptions_{name}", "subscriptions", ["list_id", folded], postgresql_ops=by)
