"""Each list addresses people formally, as all did, or as friends."""

from alembic import op

from subscriptions.store.migrations.columns import TEXT, must

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lists", must("address_form", TEXT, server_default="formal"))
