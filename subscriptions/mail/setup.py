"""Joining Flask-Mail to an application, with lines that are safe to use."""

from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

import flask_mail
from flask import Flask

from subscriptions.clock import Clock
from subscriptions.mail.compiled_mails import wrapped
from subscriptions.mail.mailbox import MailboxConnection
from subscriptions.mail.outbox import Line
from subscriptions.mail.smtp import SmtpConnection
from subscriptions.settings import Settings

mail = flask_mail.Mail()


def init_app(app: Flask, settings: Settings) -> None:
    app.config["MAIL_SERVER"], app.config["MAIL_PORT"] = settings.mail.host, settings.mail.port
    app.config["MAIL_DEFAULT_SENDER"] = settings.mail.sender
    mail.init_app(app)
    app.jinja_env.filters["wrapped"] = wrapped


def lines(app: Flask, settings: Settings, clock: Clock) -> Callable[[], Line]:
    """Makes connections: to the relay, or into the mailbox."""
    state = cast(flask_mail.Mail, app.extensions["mail"])  # the same attributes, by Flask-Mail's own annotation
    if settings.mail.transport == "mailbox":
        return lambda: MailboxConnection(state, clock)
    helo = urlsplit(settings.server.base_url).hostname or "localhost"  # never this machine's own name
    return lambda: SmtpConnection(state, settings.mail, helo)
