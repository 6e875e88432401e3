"""Privacy policies are kept as versions, and nothing changes one; lists name a file of it and their authority."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import String

from subscriptions.store.migrations.columns import INT, TEXT, TIME, must, pk

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

SAID = "policies are append-only: a version stays as it is"
PROVES = "EXISTS (SELECT 1 FROM evidence)"  # none is left of what was tried out, once a database goes live
SAME = ("id", "list_id", "language", "url", "text", "raw", "sha256", "valid_from")


def upgrade() -> None:
    for name in ("policy_file", "authority"):
        op.add_column("lists", must(name, TEXT, server_default=""))
    op.create_table(
        "policies", pk("id", String(16)), must("list_id", INT, to="lists.id"), must("language", TEXT),
        must("url", TEXT), must("text", TEXT), must("raw", sa.LargeBinary()), must("sha256", String(64)),
        must("valid_from", TIME), must("last_seen_at", TIME),
    )  # fmt: skip
    op.create_index("ix_policies_list_id", "policies", ["list_id", "language", "valid_from"])
    if op.get_bind().dialect.name == "postgresql":
        _postgres()
    else:
        _sqlite()


def _sqlite() -> None:
    _refuse("stays", "DELETE", PROVES)
    _refuse("is_not_changed", f"UPDATE OF {', '.join(SAME)}, rowid", "true")
    # INSERT OR REPLACE deletes without asking a trigger
    _refuse("is_not_replaced", "INSERT", "EXISTS (SELECT 1 FROM policies WHERE id = NEW.id OR rowid = NEW.rowid)")


def _refuse(name: str, act: str, when: str) -> None:
    said = f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
    op.execute(f"CREATE TRIGGER policies_{name} BEFORE {act} ON policies WHEN {when} {said}")


def _postgres() -> None:
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar()
    for name, when in (("policy_stays", "true"), ("policy_proves", PROVES)):
        refuse = f"IF {when} THEN RAISE EXCEPTION '{SAID}'; END IF; RETURN OLD;"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp "
            f"AS $$ BEGIN {refuse} END $$"
        )
    for name, act, each, function in (
        ("stays", "DELETE", "ROW", "policy_proves"), ("is_not_emptied", "TRUNCATE", "STATEMENT", "policy_stays"),
        ("is_not_changed", f"UPDATE OF {', '.join(SAME)}", "ROW", "policy_stays"),
    ):  # fmt: skip
        trigger = f"CREATE TRIGGER policies_{name} BEFORE {act} ON policies FOR EACH {each}"
        op.execute(f"{trigger} EXECUTE FUNCTION {function}()")
