"""What is remembered: tables, constraints, named queries, transactions; and joining it to an application."""

from flask import Flask

from subscriptions.settings import BadSettings, Settings
from subscriptions.store.engine import engine_options, prepare_engine
from subscriptions.store.models import db

THREADS_THAT_ASK = 8  # sign-ups share one connection at a time; these are for everything else


def init_app(app: Flask, settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(f"data_dir in [server]: {settings.data_dir} cannot be made: {error.strerror}.") from error
    app.config["JOURNAL"] = settings.journal
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    connections = THREADS_THAT_ASK + settings.mail.connections + 2
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url, connections)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
