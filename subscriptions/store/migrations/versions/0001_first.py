"""The first schema."""

import sqlalchemy as sa
from alembic import op

from subscriptions.store.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Evidence is append-only. One change is allowed: the IP address goes when its own period is over (T-03).
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
        "addresses",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("mails", sa.Text(), nullable=False),
        sa.Column("erase_by", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_addresses"),
    )
    op.create_index("ix_addresses_erase_by", "addresses", ["erase_by"], unique=False)
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "shard", name="pk_counters"),
    )
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("pause_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_jobs"),
    )
    op.create_table(
        "letters",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
    )
    op.create_table(
        "lists",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("policy_url", sa.Text(), nullable=False),
        sa.Column("controller", sa.Text(), nullable=False),
        sa.Column("postal_address", sa.Text(), nullable=False),
        sa.Column("privacy_contact", sa.Text(), nullable=False),
        sa.Column("welcome", sa.Boolean(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("wording_id", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lists"),
        sa.UniqueConstraint("slug", name="uq_lists_slug"),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )
    op.create_table(
        "networks",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_networks"),
    )
    op.create_index("ix_networks_since", "networks", ["since"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", ID, nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("ip_until", UtcDateTime(), nullable=True),
        sa.Column("proof_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_subscriptions_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscriptions_ip_until", "subscriptions", ["ip_until"], unique=False)
    op.create_index("ix_subscriptions_key", "subscriptions", ["key"], unique=False)
    op.create_index("ix_subscriptions_list_id", "subscriptions", ["list_id", "id"], unique=False)
    op.create_index("ix_subscriptions_proof_until", "subscriptions", ["proof_until"], unique=False)
    op.create_index(
        "uq_subscriptions_open",
        "subscriptions",
        ["key", "list_id"],
        unique=True,
        sqlite_where=sa.text("state = 'confirmed'"),
        postgresql_where=sa.text("state = 'confirmed'"),
    )
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("scope", sa.String(length=3), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("set_by", sa.LargeBinary(length=16), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_suppressions_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_suppressions"),
    )
    op.create_index("ix_suppressions_key", "suppressions", ["key"], unique=False)
    op.create_index("ix_suppressions_set_by", "suppressions", ["set_by"], unique=False)
    op.create_index("ix_suppressions_until", "suppressions", ["until"], unique=False)
    op.create_table(
        "wordings",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("policy_url", sa.Text(), nullable=False),
        sa.Column("controller", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_wordings_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_wordings"),
    )
    op.create_index("ix_wordings_list_id", "wordings", ["list_id"], unique=False)
    op.create_table(
        "registrations",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.LargeBinary(length=16), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("typed", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("confirm_by", UtcDateTime(), nullable=False),
        sa.Column("purge_at", UtcDateTime(), nullable=False),
        sa.Column("wording_id", sa.String(length=16), nullable=True),
        sa.Column("subscription_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_registrations_list_id"),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.id"], name="fk_registrations_subscription_id"),
        sa.PrimaryKeyConstraint("id", name="pk_registrations"),
        sa.UniqueConstraint("ref", name="uq_registrations_ref"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_registrations_confirm_by",
        "registrations",
        ["confirm_by"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_registrations_key", "registrations", ["key"], unique=False)
    op.create_index(
        "ix_registrations_purge_at",
        "registrations",
        ["purge_at"],
        unique=False,
        sqlite_where=sa.text("state <> 'confirmed'"),
        postgresql_where=sa.text("state <> 'confirmed'"),
    )
    op.create_index("ix_registrations_subscription_id", "registrations", ["subscription_id"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("id", ID, nullable=False),
        sa.Column("registration_id", ID, nullable=True),
        sa.Column("subscription_id", ID, nullable=True),
        sa.Column("fact", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("ip_source", sa.String(length=16), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name="fk_evidence_registration_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_evidence_subscription_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_evidence_registration_id", "evidence", ["registration_id"], unique=False)
    op.create_index("ix_evidence_subscription_id", "evidence", ["subscription_id"], unique=False)
    op.create_table(
        "mailbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("registration_id", ID, nullable=True),
        sa.Column("key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("mail", sa.String(length=20), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("real_at", UtcDateTime(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name="fk_mailbox_registration_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_mailbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mailbox_key", "mailbox", ["key"], unique=False)
    op.create_index("ix_mailbox_real_at", "mailbox", ["real_at"], unique=False)
    op.create_index("ix_mailbox_registration_id", "mailbox", ["registration_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("mail", sa.String(length=20), nullable=False),
        sa.Column("mid", sa.String(length=32), nullable=False),
        sa.Column("registration_id", ID, nullable=True),
        sa.Column("subscription_id", ID, nullable=True),
        sa.Column("owed_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("drop_at", UtcDateTime(), nullable=False),
        sa.Column("taken_by", sa.String(length=40), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name="fk_outbox_registration_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name="fk_outbox_subscription_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_due_at", "outbox", ["due_at"], unique=False)
    op.create_index("ix_outbox_registration_id", "outbox", ["registration_id"], unique=False)
    op.create_index("ix_outbox_subscription_id", "outbox", ["subscription_id"], unique=False)
