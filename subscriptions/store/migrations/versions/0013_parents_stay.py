"""What evidence is about keeps its id: whoever could give it another would take the evidence away and leave the row.

And the mail budget of a mailbox is asked for what any of its spellings waits for; most addresses are their own mailbox
and stand in neither index.
"""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.migrations.columns import where

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PARENTS = "registrations", "subscriptions"
SAID = "what evidence is about keeps its id"


def upgrade() -> None:
    for table in PARENTS:
        op.create_index(f"ix_{table}_mailbox", table, ["mailbox"], **where("mailbox IS NOT NULL"))
    if op.get_bind().dialect.name == "postgresql":
        _postgres()
    else:
        _sqlite()


def _sqlite() -> None:
    for table in PARENTS:
        # INSERT OR REPLACE deletes without asking a trigger; an id that is not given reads as -1
        replaces = f"NEW.id > 0 AND EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608
        _refuse(table, "is_not_replaced", "INSERT", f"WHEN {replaces}")
        _refuse(table, "keeps_its_id", "UPDATE OF id, rowid, oid, _rowid_", "")  # all these are the id


def _refuse(table: str, name: str, act: str, when: str) -> None:
    op.execute(f"CREATE TRIGGER {table}_{name} BEFORE {act} ON {table} {when} BEGIN SELECT RAISE(ABORT, '{SAID}'); END")


def _postgres() -> None:
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar()
    op.execute(
        f"CREATE FUNCTION parent_keeps_its_id() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp "
        f"AS $$ BEGIN RAISE EXCEPTION '{SAID}'; END $$"
    )
    for table in PARENTS:
        each = f"BEFORE UPDATE OF id ON {table} FOR EACH ROW"
        op.execute(f"CREATE TRIGGER {table}_keeps_its_id {each} EXECUTE FUNCTION parent_keeps_its_id()")
