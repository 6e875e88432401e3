"""Joining Flask-Mail to an application, with lines to the relay or, in try-out mode, into the mailbox."""

from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

import flask_mail
from flask import Flask

from subscriptions.clock import Clock
from subscriptions.domain.prose import paragraphs
from subscriptions.mail.compiled_mails import wrapped
from subscriptions.mail.lines import Line, OutMessage
from subscriptions.mail.smtp import SmtpConnection
from subscriptions.settings import Settings
from subscriptions.store import mailbox, mode
from subscriptions.store.engine import transaction
from subscriptions.store.models import Captured

mail = flask_mail.Mail()


class MailboxConnection(flask_mail.Connection):
    """Takes a message like a relay would, and puts it where /mailbox shows it."""

    is_open = True

    def __init__(self, mail: flask_mail.Mail, clock: Clock) -> None:
        super().__init__(mail)
        self._clock = clock

    def close(self) -> None:
        """There is no line to close."""

    def cut(self) -> None:
        """Nor one to cut."""

    def send(self, message: flask_mail.Message, envelope_from: str | tuple[str, str] | None = None) -> None:
        assert isinstance(message, OutMessage)
        now, real_now = self._clock.now(), self._clock.real_now()
        with transaction() as session:
            about = {"registration_id": message.registration_id, "key": message.key}
            mailbox.keep(session, Captured(mail=message.mail, source=message.octets, at=now, real_at=real_now, **about))
        message.reply = mode.KEPT


def init_app(app: Flask, settings: Settings) -> None:
    app.config["MAIL_SERVER"], app.config["MAIL_PORT"] = settings.mail.host, settings.mail.port
    app.config["MAIL_DEFAULT_SENDER"] = settings.mail.sender
    mail.init_app(app)
    app.jinja_env.filters |= {"wrapped": wrapped, "paragraphs": paragraphs}


def lines(app: Flask, settings: Settings, clock: Clock) -> Callable[[], Line]:
    """Makes connections: to the relay, or into the mailbox."""
    state = cast(flask_mail.Mail, app.extensions["mail"])  # the same attributes, by Flask-Mail's own annotation
    if settings.mail.transport == "mailbox":
        return lambda: MailboxConnection(state, clock)
    helo = urlsplit(settings.server.base_url).hostname or "localhost"  # never this machine's own name
    return lambda: SmtpConnection(state, settings.mail, helo)
