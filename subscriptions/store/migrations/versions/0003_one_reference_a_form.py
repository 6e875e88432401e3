"""A form has one reference, whatever lists it was for: `ref` is the form's, unique together with the list.

Mails, links, codes and handles of 0.2.0 carry the reference of a form with several lists too: it stood in `group_ref`,
and in `ref` of its first registration. The own references of the others were told to nobody, so they go.
"""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.migrations.columns import ID, INT, JSON, KEY, TEXT, TIME, may, must, pk, where

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = (
    "id, {ref}, list_id, key, state, address, typed, name, locale, registered_at, confirm_by, purge_at, wording_id, "
    "subscription_id, fields, replaces"
)


def upgrade() -> None:
    op.drop_index("ix_registrations_group_ref", "registrations")
    if op.get_bind().dialect.name == "postgresql":
        _change()
    else:
        _rebuild()


def _change() -> None:
    op.drop_constraint("uq_registrations_ref", "registrations", type_="unique")
    op.execute("UPDATE registrations SET ref = group_ref WHERE group_ref IS NOT NULL")
    op.create_unique_constraint("uq_registrations_ref_list_id", "registrations", ["ref", "list_id"])
    op.drop_column("registrations", "group_ref")


def _rebuild() -> None:
    """SQLite changes no constraint of a table: a new one takes its place, and its ids go on where they were."""
    last = op.get_bind().execute(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'registrations'")).scalar()
    _table()
    op.execute(
        f"INSERT INTO new_registrations ({COLUMNS.format(ref='ref')}) "  # noqa: S608
        f"SELECT {COLUMNS.format(ref='coalesce(group_ref, ref)')} FROM registrations ORDER BY id"
    )
    op.drop_table("registrations")
    op.rename_table("new_registrations", "registrations")
    if last is not None:
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'registrations'")
        op.execute(sa.text("INSERT INTO sqlite_sequence VALUES ('registrations', :last)").bindparams(last=last))
    _indexes()


def _table() -> None:
    op.create_table(
        "new_registrations",
        pk("id", ID), must("ref", KEY), must("list_id", INT), must("key", KEY), must("state", sa.String(9)),
        may("address", TEXT), may("typed", TEXT), may("name", TEXT), must("locale", TEXT), must("registered_at", TIME),
        must("confirm_by", TIME), must("purge_at", TIME), may("wording_id", sa.String(16)), may("subscription_id", ID),
        may("fields", JSON), may("replaces", KEY),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_registrations_list_id"),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name="fk_registrations_subscription_id"),
        sa.UniqueConstraint("ref", "list_id", name="uq_registrations_ref_list_id"),
        sqlite_autoincrement=True,
    )  # fmt: skip


def _indexes() -> None:
    op.create_index("ix_registrations_confirm_by", "registrations", ["confirm_by"], **where("state = 'pending'"))
    op.create_index("ix_registrations_purge_at", "registrations", ["purge_at"], **where("state <> 'confirmed'"))
    op.create_index("ix_registrations_key", "registrations", ["key"])
    op.create_index("ix_registrations_subscription_id", "registrations", ["subscription_id"])
