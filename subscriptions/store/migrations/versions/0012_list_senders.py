"""Each list may have a sender, an address for answers, a legal notice and a time zone of its own."""

from alembic import op

from subscriptions.store.migrations.columns import TEXT, must

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("sender", "reply_to", "imprint_url", "timezone"):
        op.add_column("lists", must(name, TEXT, server_default=""))
