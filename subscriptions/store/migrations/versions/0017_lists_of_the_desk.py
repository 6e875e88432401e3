"""Lists have an owner, the file or the desk; one made at the desk begins as a draft; words of one's own."""

from alembic import op
from sqlalchemy import String, false

from subscriptions.store.migrations.columns import BOOL, TEXT, must

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("welcome_text", "confirmed_text"):
        op.add_column("lists", must(name, TEXT, server_default=""))
    op.add_column("lists", must("owner", String(8), server_default="file"))
    op.add_column("lists", must("draft", BOOL, server_default=false()))
