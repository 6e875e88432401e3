"""Which message that came a mail is an answer to, until it has left."""

from alembic import op

from subscriptions.store.migrations.columns import TEXT, may

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", may("answers", TEXT))
