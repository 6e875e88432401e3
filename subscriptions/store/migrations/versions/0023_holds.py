"""Legal holds on addresses, in the place of a column of subscriptions that nothing wrote."""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.migrations.columns import ID, INT, KEY, TEXT, TIME, may, must, pk

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holds", pk("id", ID), must("key", KEY, index=True), may("list_id", INT, to="lists.id"), must("reason", TEXT),
        must("review_on", sa.Date()), must("placed_at", TIME), must("placed_by", TEXT),
        may("lifted_at", TIME), may("lifted_by", TEXT), may("lift_reason", TEXT), may("erase_asked", TIME),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.execute(
        "INSERT INTO holds (key, list_id, reason, review_on, placed_at, placed_by) "
        "SELECT key, list_id, min(held), CURRENT_DATE, CURRENT_TIMESTAMP, 'command upgrade' "
        "FROM subscriptions WHERE held IS NOT NULL GROUP BY key, list_id"
    )
    op.drop_column("subscriptions", "held")
