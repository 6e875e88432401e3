"""Alembic's way in, the same for our start, `yestwice migrate` and `flask db`."""

from contextlib import nullcontext

from alembic import context
from alembic.util import CommandError
from sqlalchemy import text

from subscriptions.store import migrate
from subscriptions.store.models import db

if context.is_offline_mode():
    raise CommandError("Migrations look at what is stored, so none can be printed as SQL: use yestwice migrate.")
_given = context.config.attributes.get("connection")
with migrate.alone() if _given is None else nullcontext(_given) as _connection:
    if _connection.dialect.name == "sqlite" and _connection.execute(text("PRAGMA foreign_keys")).scalar():
        raise RuntimeError("foreign keys are on: rebuilding a table would delete the rows of its children")
    context.configure(
        connection=_connection,
        target_metadata=db.metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=False,
    )
    context.run_migrations()
