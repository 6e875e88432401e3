"""Which wording holds is known of every sign-up and subscription, and lists speak further languages.

A sign-up of before whose form vouched for no wording gets one at the next start, as long as it waits: which one is
today's, the configuration says.
"""

from alembic import op
from sqlalchemy import String, false

from subscriptions.store.migrations.columns import BOOL, JSON, TEXT, may, must

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lists", must("texts", JSON, server_default="{}"))
    op.execute("ALTER TABLE wordings RENAME COLUMN made_at TO valid_from")
    op.add_column("wordings", must("language", TEXT, server_default="en"))
    op.execute("UPDATE wordings SET language = (SELECT l.locale FROM lists l WHERE l.id = wordings.list_id)")
    op.add_column("registrations", must("vouched", BOOL, server_default=false()))
    op.execute("UPDATE registrations SET vouched = true WHERE wording_id IS NOT NULL")
    op.add_column("subscriptions", may("wording_id", String(16)))
    op.execute(
        "UPDATE subscriptions SET wording_id = (SELECT r.wording_id FROM registrations r "
        "WHERE r.subscription_id = subscriptions.id ORDER BY r.id LIMIT 1)"
    )
