"""The message as Flask-Mail knows it, with our bytes."""

import flask_mail


class OutMessage(flask_mail.Message):
    """One mail to one recipient, composed already.

    Flask-Mail would build it anew: without a place for our Message-ID, with long headers as encoded words,
    which kills one-click; its constructor looks up this machine's name in the DNS each time.
    """

    def __init__(self, mail: str, sender: str, recipient: str, octets: bytes) -> None:
        self.mail = mail
        self.subject = ""
        self.sender = sender
        self.recipients = [recipient]
        self.cc = []
        self.bcc = []
        self.reply_to = None
        self.octets = octets
        self.reply = ""  # what the relay said when it took the mail
        self.following: OutMessage | None = None  # which will be sent next over the same line
        self.registration_id: int | None = None
        self.key: bytes | None = None

    @property
    def recipient(self) -> str:
        return str(self.recipients[0])

    @property
    def needs_smtputf8(self) -> bool:
        return not self.recipient.isascii()

    def as_bytes(self) -> bytes:
        return self.octets

    def as_string(self) -> str:
        return self.octets.decode()
