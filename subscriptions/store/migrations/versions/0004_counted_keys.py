"""One table for all that is counted by keyed hash, and columns by today's words.

Suppressions of the scope `ask`, which meant "never ask", get the scope `confirmations`. Nothing read who holds the
lease of a job: its epoch tells whose it is.
"""

from alembic import op
from sqlalchemy import String

from subscriptions.store.migrations.columns import INT, KEY, TIME, must, pk

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counted_keys",
        pk("key", KEY), must("kind", String(8)), must("since", TIME, index=True), must("count", INT),
    )  # fmt: skip
    for kind, table in (("sign-ups", "networks"), ("tries", "tries")):
        carried = f"INSERT INTO counted_keys (key, kind, since, count) SELECT key, '{kind}', since, count FROM {table}"  # noqa: S608
        op.execute(carried)
        op.drop_table(table)
    with op.batch_alter_table("suppressions") as batch:
        batch.alter_column("scope", type_=String(13), existing_type=String(3), existing_nullable=False)
    op.execute("UPDATE suppressions SET scope = 'confirmations' WHERE scope = 'ask'")
    op.drop_column("jobs", "holder")
    op.execute("ALTER TABLE jobs RENAME COLUMN trouble TO error")
    op.execute("ALTER TABLE subscriptions RENAME COLUMN told_at TO notified_at")
