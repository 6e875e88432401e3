"""The mailbox of the try-out mode: mails are kept to be looked at, and nothing leaves."""

import flask_mail

from subscriptions.clock import Clock
from subscriptions.mail.message import OutMessage
from subscriptions.store import mailbox
from subscriptions.store.engine import transaction
from subscriptions.store.models import Captured


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
        about = {"registration_id": message.registration_id, "key": message.key}
        times = {"at": self._clock.now(), "real_at": self._clock.real_now()}
        with transaction() as session:
            mailbox.keep(session, Captured(mail=message.mail, source=message.octets, **about, **times))
        message.reply = "250 kept in the mailbox"
