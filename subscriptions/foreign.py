"""Servers that are not ours: `flask run`, and any that takes a WSGI object."""

import atexit
import os
from dataclasses import replace

import click
from flask import Flask
from flask.cli import FlaskGroup
from flask.helpers import get_debug_flag

from subscriptions import start
from subscriptions.domain.texts import Sentence, marked
from subscriptions.parts import current_parts
from subscriptions.settings import BadSettings, Server, Settings
from subscriptions.settings.check import problems_of
from subscriptions.settings.file import reachable

FOREIGN = Sentence(marked(
    "trusted_proxies in [server] is set, and this server is not the one of `python app.py`: WSGI cannot tell a header "
    "X_Forwarded_For, which any visitor may send, from X-Forwarded-For; let the proxy drop headers whose name holds _"
))  # fmt: skip


def _flask_command() -> click.Context | None:
    """The `flask` command that this process was started with; servers may be click programs as well."""
    context = click.get_current_context(silent=True)
    return context if context and isinstance(context.find_root().command, FlaskGroup) else None


def is_command() -> bool:
    """Whether the application is being loaded for a `flask` command that serves nothing, or by a reloader's parent."""
    context = _flask_command()
    if context is None or context.info_name != "run":
        return context is not None
    reload = context.params.get("reload")
    reloads = get_debug_flag() if reload is None else reload
    return bool(reloads) and os.environ.get("WERKZEUG_RUN_MAIN") != "true"


def as_run(settings: Settings) -> Settings:
    """`flask run` has options of its own: checked as the configuration is; links follow, unless base_url is set."""
    context = _flask_command()
    if context is None or context.info_name != "run":
        return settings
    host, port = context.params.get("host") or Server().host, context.params["port"]
    served = replace(settings, server=replace(settings.server, host=host))
    if problems := [f"{problem[:-1]} (--host of flask run, or FLASK_RUN_HOST)." for problem in problems_of(served)]:
        raise BadSettings("\n".join(problems))
    return replace(served, server=reachable(replace(served.server, port=port)))


def attach(app: Flask) -> None:
    """For servers that are not ours (`flask run`, any WSGI server): prepare, and start beside them, forks included."""
    start.serve(app)
    if current_parts(app).settings.server.trusted_proxies:
        current_parts(app).warnings.append(FOREIGN)
    background = start.Background(app)
    background.start()
    atexit.register(background.stop)
    os.register_at_fork(before=background.hold, after_in_parent=background.go_on, after_in_child=background.begin_anew)
