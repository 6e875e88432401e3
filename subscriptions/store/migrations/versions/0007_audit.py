"""The audit says who did what about whom, and never shrinks; evidence goes with its person, and by nothing else."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import String

from subscriptions.store.migrations.columns import INT, KEY, TEXT, TIME, may, must, pk, where

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SAID = {"evidence": "evidence is append-only", "audit": "the audit is append-only"}
STAYS = """
  (OLD.registration_id IS NULL OR EXISTS (SELECT 1 FROM registrations WHERE id = OLD.registration_id))
  AND (OLD.subscription_id IS NULL OR EXISTS (SELECT 1 FROM subscriptions WHERE id = OLD.subscription_id))
"""
SAME = ("id", "at", "actor_kind", "actor", "act", "count", "details")
KNOWN = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE key = OLD.about)"  # noqa: S608
                    for table in ("registrations", "subscriptions", "suppressions", "addresses"))  # fmt: skip
# what became empty was full, and of somebody of whom nothing is known any more
ENDS = f"NEW.about IS NULL AND NEW.reason IS NULL AND OLD.about IS NOT NULL AND NOT ({KNOWN})"


def upgrade() -> None:
    op.add_column("audit", must("actor_kind", String(10), server_default="command"))
    for column in (may("about", KEY), may("count", INT), may("reason", TEXT)):
        op.add_column("audit", column)
    op.create_index("ix_audit_about", "audit", ["about"], **where("about IS NOT NULL"))
    op.execute("UPDATE audit SET act = 'abuse ' || act, count = CAST(details ->> 'registrations' AS INTEGER)")
    op.create_table(
        "reads", pk("token", String(64)), pk("slug", String(64)), pk("hour", TIME), must("count", INT),
    )  # fmt: skip
    if op.get_bind().dialect.name == "postgresql":
        _postgres()
    else:
        _sqlite()


def _sqlite() -> None:
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in SAME)
    _refuse("evidence", "goes_with_its_person", "DELETE", STAYS)
    _refuse("audit", "keeps_every_row", "DELETE", "true")
    _refuse("audit", "is_append_only", "UPDATE", f"{changed} OR NOT ({ENDS})")
    for table in SAID:  # INSERT OR REPLACE deletes without asking a trigger; an id that is not given reads as -1
        _refuse(table, "is_not_replaced", "INSERT", f"NEW.id > 0 AND EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)")  # noqa: S608


def _refuse(table: str, name: str, act: str, when: str) -> None:
    said = f"BEGIN SELECT RAISE(ABORT, '{SAID[table]}'); END"
    op.execute(f"CREATE TRIGGER {table}_{name} BEFORE {act} ON {table} WHEN {when} {said}")


def _postgres() -> None:
    changed = " OR ".join(f"NEW.{name}::text IS DISTINCT FROM OLD.{name}::text" for name in SAME)
    _function("evidence_goes_with_its_person", STAYS, "evidence", "OLD")
    _function("audit_is_append_only", f"{changed} OR NOT ({ENDS})", "audit", "NEW")
    _function("audit_keeps_every_row", "true", "audit", "OLD")
    for table, name, act in (
        ("evidence", "goes_with_its_person", "DELETE"), ("audit", "is_append_only", "UPDATE"),
        ("audit", "keeps_every_row", "DELETE"),
    ):  # fmt: skip
        each = f"BEFORE {act} ON {table} FOR EACH ROW"
        op.execute(f"CREATE TRIGGER {table}_{name} {each} EXECUTE FUNCTION {table}_{name}()")
    for table, function in (("evidence", "evidence_is_append_only"), ("audit", "audit_keeps_every_row")):
        emptied = f"CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
        op.execute(f"{emptied} EXECUTE FUNCTION {function}()")  # also where its parents are, by CASCADE


def _function(name: str, when: str, table: str, gives: str) -> None:
    """In this schema alone: a temporary table of the name of one of ours, which comes first, would answer for it."""
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar()
    refuse = f"IF {when} THEN RAISE EXCEPTION '{SAID[table]}'; END IF; RETURN {gives};"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp "
        f"AS $$ BEGIN {refuse} END $$"
    )
