"""Which wording holds is known of every sign-up and subscription.

A sign-up of before whose form vouched for no wording gets one at the next start, as long as it waits: which one is
today's, the configuration says.
"""

from alembic import op
from sqlalchemy import String, false

from subscriptions.store.migrations.columns import BOOL, may, must

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("registrations", must("vouched", BOOL, server_default=false()))
    op.execute("UPDATE registrations SET vouched = true WHERE wording_id IS NOT NULL")
    op.add_column("subscriptions", may("wording_id", String(16)))
    op.execute(
        "UPDATE subscriptions SET wording_id = (SELECT r.wording_id FROM registrations r "
        "WHERE r.subscription_id = subscriptions.id ORDER BY r.id LIMIT 1)"
    )
