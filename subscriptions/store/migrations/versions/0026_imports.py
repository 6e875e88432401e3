"""Lists that come from another program, what became of their rows, and who waits for an invitation."""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.migrations.columns import ID, INT, JSON, KEY, TEXT, TIME, may, must, pk

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imports", pk("id", ID), must("list_id", INT, to="lists.id"), must("stage", sa.String(10)),
        may("way", sa.String(8)), must("name", TEXT), must("sha256", sa.String(64)), must("columns", JSON),
        must("source", TEXT), must("document", TEXT), must("per_day", INT), must("made_at", TIME),
        may("begun_at", TIME), may("ended_at", TIME), may("counted_from", TIME), must("rows", INT),
        must("counts", JSON), sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "import_batches",
        sa.Column("import_id", ID, sa.ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
        pk("first", INT), must("outcomes", TEXT), must("opened", JSON),
    )  # fmt: skip
    op.create_table(
        "invitations", pk("id", ID), must("import_id", ID, to="imports.id", ondelete="CASCADE"),
        must("list_id", INT, to="lists.id"), must("key", KEY, index=True), must("row", INT), may("address", TEXT),
        may("name", TEXT), may("fields", JSON), may("locale", TEXT), may("ask_at", TIME), may("invited_at", TIME),
        may("ref", sa.LargeBinary(16)), sa.UniqueConstraint("list_id", "key", name="uq_invitations_list_id_key"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_invitations_invited_at", "invitations", ["import_id", "invited_at"])
