"""The mail budget and `confirmations` hang on the mailbox, and its times outlive what was signed up.

What is there goes on for its spelling: without the pepper no key of a mailbox can be computed. An address that is the
only spelling of its mailbox has one key for both.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from subscriptions.store.migrations.columns import KEY, TEXT, TIME, may

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

AT_ONCE = 1000
_addresses = sa.table("addresses", sa.column("key", KEY), sa.column("mails", TEXT), sa.column("last_mail_at", TIME))


def upgrade() -> None:
    for name, type_ in (("requests", TEXT), ("renewals", TEXT), ("last_mail_at", TIME)):
        op.add_column("addresses", may(name, type_))
    for table in ("registrations", "subscriptions", "suppressions"):
        op.add_column(table, may("mailbox", KEY))
    op.execute("UPDATE suppressions SET mailbox = key")
    with op.batch_alter_table("suppressions") as batch:
        batch.alter_column("mailbox", existing_type=KEY, nullable=False)
        batch.create_index("ix_suppressions_mailbox", ["mailbox"])
    _note_last_mails()


def _note_last_mails() -> None:
    connection, last = op.get_bind(), b""
    some = sa.select(_addresses.c.key, _addresses.c.mails).order_by(_addresses.c.key).limit(AT_ONCE)
    noted = sa.update(_addresses).where(_addresses.c.key == sa.bindparam("of")).values(last_mail_at=sa.bindparam("at"))
    while rows := connection.execute(some.where(_addresses.c.key > last)).all():
        last = rows[-1].key
        times = [{"of": key, "at": _latest(mails)} for key, mails in rows if mails]
        if times:
            connection.execute(noted, times)


def _latest(mails: str) -> datetime:
    return datetime.fromtimestamp(max(map(int, mails.split(","))) / 1000, UTC)
