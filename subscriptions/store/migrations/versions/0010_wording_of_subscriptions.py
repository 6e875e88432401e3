"""The wording that each subscription was opened with (to be dropped where another migration adds it)."""

from alembic import op
from sqlalchemy import String

from subscriptions.store.migrations.columns import may

revision = "0010"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscriptions", may("wording_id", String(16)))
    op.execute(
        "UPDATE subscriptions SET wording_id = (SELECT r.wording_id FROM registrations r "
        "WHERE r.subscription_id = subscriptions.id ORDER BY r.id LIMIT 1)"
    )
