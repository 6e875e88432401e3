"""Accounts of the desk with a second factor and passkeys; a sign-in that waits for its second step."""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.migrations.columns import ID, JSON, OWNED, TEXT, TIME, may, must, pk

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

OCTETS, NUMBER = sa.LargeBinary(), sa.BigInteger()


def upgrade() -> None:
    for column in (may("totp", TEXT), may("totp_step", NUMBER), may("recovery", JSON), may("requests", TEXT)):
        op.add_column("accounts", column)
    op.add_column("desk_sessions", may("second_until", TIME))
    op.create_table(
        "passkeys", pk("id", ID), must("account_id", ID, to="accounts.id", **OWNED),
        must("credential", OCTETS, unique=True), must("public_key", OCTETS), must("sign_count", NUMBER),
        must("name", TEXT), must("made_at", TIME), may("used_at", TIME),
        sqlite_autoincrement=True,
    )  # fmt: skip
