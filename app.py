"""Yestwice: where the parts are joined, and nothing else."""

import sys

from flask import Flask

from subscriptions import cli, foreign, mail, parts, start, store, web
from subscriptions.clock import Clock
from subscriptions.serving import serve
from subscriptions.settings import Settings
from subscriptions.settings.file import load


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> Flask:
    """The application; touches neither the database nor the clock until it is asked something."""
    app = Flask(__name__, static_folder=web.STATIC)
    settings = settings or load()
    store.init_app(app, settings)
    mail.init_app(app, settings)
    parts.init_app(app, settings, clock or Clock())
    web.init_app(app, settings)
    cli.init_app(app)
    return app


def __getattr__(name: str) -> Flask:
    """The WSGI object `app`, made when a server asks for it; a server gets the scheduler and the sender with it."""
    if name != "app":
        raise AttributeError(name)
    try:
        app = globals()["app"] = create_app(foreign.as_run(load()))
        if not foreign.is_command():
            foreign.attach(app)
    except start.REFUSALS as error:
        sys.exit(start.sentence(error))
    return app


if __name__ == "__main__":
    serve(create_app)
