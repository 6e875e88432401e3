"""The first schema."""

from alembic import op
from sqlalchemy import LargeBinary, String

from subscriptions.store.migrations.columns import BOOL, ID, INT, JSON, KEY, OWNED, TEXT, TIME, may, must, pk, where

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Evidence is append-only. One change is allowed: the IP address goes when its own period is over.
SQLITE_APPEND_ONLY = """
CREATE TRIGGER evidence_is_append_only BEFORE UPDATE ON evidence
WHEN NEW.ip IS NOT NULL OR NEW.id IS NOT OLD.id OR NEW.registration_id IS NOT OLD.registration_id
  OR NEW.subscription_id IS NOT OLD.subscription_id OR NEW.fact IS NOT OLD.fact OR NEW.at IS NOT OLD.at
  OR NEW.channel IS NOT OLD.channel OR NEW.actor IS NOT OLD.actor OR NEW.ip_source IS NOT OLD.ip_source
  OR NEW.details IS NOT OLD.details
BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END
"""
POSTGRES_APPEND_ONLY = (
    """
CREATE FUNCTION evidence_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'evidence is append-only'; END $$
""",
    """
CREATE TRIGGER evidence_is_append_only BEFORE UPDATE ON evidence FOR EACH ROW
WHEN (NEW.ip IS NOT NULL OR (NEW.id, NEW.registration_id, NEW.subscription_id, NEW.fact, NEW.at, NEW.channel,
  NEW.actor, NEW.ip_source, NEW.details::text) IS DISTINCT FROM (OLD.id, OLD.registration_id, OLD.subscription_id,
  OLD.fact, OLD.at, OLD.channel, OLD.actor, OLD.ip_source, OLD.details::text))
EXECUTE FUNCTION evidence_is_append_only()
""",
)


def upgrade() -> None:
    _tables()
    if op.get_bind().dialect.name == "postgresql":
        for statement in POSTGRES_APPEND_ONLY:
            op.execute(statement)
    else:
        op.execute(SQLITE_APPEND_ONLY)


def _tables() -> None:
    op.create_table(
        "addresses", pk("key", KEY), must("asked", INT), must("mails", TEXT), may("erase_by", TIME, index=True),
    )  # fmt: skip
    op.create_table("counters", pk("name", String(40)), pk("shard", INT), must("value", INT))
    op.create_table(
        "jobs",
        pk("name", String(16)), must("slot", INT), may("holder", String(40)), may("lease_until", TIME),
        must("epoch", INT), may("ended_at", TIME), must("count", INT), may("trouble", TEXT), may("pause_until", TIME),
    )  # fmt: skip
    op.create_table("letters", pk("id", String(16)), must("source", LargeBinary()), must("made_at", TIME))
    op.create_table(
        "lists",
        pk("id", INT), must("slug", String(64), unique=True), must("name", TEXT), must("description", TEXT),
        must("locale", TEXT), must("policy_url", TEXT), must("controller", TEXT), must("postal_address", TEXT),
        must("privacy_contact", TEXT), must("welcome", BOOL), must("public", BOOL), may("position", INT),
        must("wording_id", String(16)),
    )  # fmt: skip
    op.create_table("meta", pk("name", String(40)), must("value", TEXT))
    op.create_table("networks", pk("key", KEY), must("since", TIME, index=True), must("count", INT))
    op.create_table(
        "tokens",
        pk("name", String(64)), must("hash", LargeBinary(32), unique=True), must("scope", String(12)),
        must("made_at", TIME), may("used_at", TIME), may("revoked_at", TIME),
    )  # fmt: skip
    _people()
    _mails()


def _people() -> None:
    op.create_table(
        "subscriptions",
        pk("id", ID), must("list_id", INT, to="lists.id"), must("key", KEY, index=True),
        must("state", String(12)), may("address", TEXT), may("name", TEXT), must("locale", TEXT),
        must("registered_at", TIME), must("confirmed_at", TIME), may("ended_at", TIME), must("restricted", BOOL),
        may("held", TEXT), may("told_at", TIME), may("ip_until", TIME, index=True),
        may("proof_until", TIME, index=True),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_subscriptions_list_id", "subscriptions", ["list_id", "id"])
    op.create_index(
        "uq_subscriptions_open", "subscriptions", ["key", "list_id"], unique=True, **where("state = 'confirmed'")
    )
    op.create_table(
        "suppressions",
        pk("id", INT), must("key", KEY, index=True), must("scope", String(3)), may("list_id", INT, to="lists.id"),
        must("reason", TEXT), must("set_at", TIME), may("until", TIME, index=True), may("set_by", KEY, index=True),
    )  # fmt: skip
    op.create_table(
        "wordings",
        pk("id", String(16)), must("list_id", INT, to="lists.id", index=True), must("text", TEXT),
        must("policy_url", TEXT), must("controller", TEXT), must("sha256", String(64)), must("made_at", TIME),
    )  # fmt: skip
    op.create_table(
        "registrations",
        pk("id", ID), must("ref", KEY, unique=True), must("list_id", INT, to="lists.id"),
        must("key", KEY, index=True), must("state", String(9)), may("address", TEXT), may("typed", TEXT),
        may("name", TEXT), must("locale", TEXT), must("registered_at", TIME), must("confirm_by", TIME),
        must("purge_at", TIME), may("wording_id", String(16)),
        may("subscription_id", ID, to="subscriptions.id", index=True),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_registrations_confirm_by", "registrations", ["confirm_by"], **where("state = 'pending'"))
    op.create_index("ix_registrations_purge_at", "registrations", ["purge_at"], **where("state <> 'confirmed'"))
    op.create_table(
        "evidence",
        pk("id", ID), may("registration_id", ID, to="registrations.id", **OWNED),
        may("subscription_id", ID, to="subscriptions.id", **OWNED), must("fact", String(16)), must("at", TIME),
        must("channel", String(12)), may("actor", TEXT), may("ip", String(45)), may("ip_source", String(16)),
        must("details", JSON),
        sqlite_autoincrement=True,
    )  # fmt: skip


def _mails() -> None:
    op.create_table(
        "mailbox",
        pk("id", ID), may("registration_id", ID, to="registrations.id", **OWNED), may("key", KEY, index=True),
        must("mail", String(20)), must("at", TIME), must("real_at", TIME, index=True), must("source", LargeBinary()),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "outbox",
        pk("id", ID), must("mail", String(20)), must("mid", String(32)),
        may("registration_id", ID, to="registrations.id", **OWNED),
        may("subscription_id", ID, to="subscriptions.id", **OWNED), must("owed_at", TIME),
        must("due_at", TIME, index=True), must("drop_at", TIME), may("taken_by", String(40)), must("tries", INT),
        may("note", TEXT),
        sqlite_autoincrement=True,
    )  # fmt: skip
