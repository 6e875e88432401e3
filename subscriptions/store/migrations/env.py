"""Alembic's way in: with our connection at the start, with one of its own for `flask db`."""

from alembic import context

from subscriptions.store.models import db

target_metadata = db.metadata


def _configure(connection: object) -> None:
    context.configure(
        connection=connection,  # type: ignore[arg-type]
        target_metadata=target_metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=False,
    )


def _run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _configure(given)
        context.run_migrations()
        return
    with db.engine.connect() as connection:
        _configure(connection)
        with context.begin_transaction():
            context.run_migrations()


_run()
