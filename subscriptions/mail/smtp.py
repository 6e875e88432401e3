"""The relay: one kept connection, and what each of its replies means for a mail or for the whole queue."""

import smtplib
import ssl

import flask_mail

from subscriptions.mail.advice import advice, said
from subscriptions.mail.lines import OutMessage
from subscriptions.mail.wire import NoLogin, TooLong, Wire, dotted
from subscriptions.settings import Mail as Settings

# what lets a mail go on (RFC 5321 4.3.2); all else is a refusal, or makes no sense
_GO_AHEAD = {"MAIL FROM": range(200, 300), "RCPT TO": range(200, 300), "DATA": [354], "end of data": range(200, 300)}
_REFUSALS = range(400, 600)


class Later(Exception):
    """This mail again later: 4xx to it, a reply that makes no sense, a timeout, a lost line."""


class GiveUp(Exception):
    """This mail never: 5xx to its recipient or its data, or it needs what the relay does not offer."""


class Refused(GiveUp):
    """The relay itself says so; where it says so of everybody, it is not the mail's fault."""


class Pause(Exception):
    """No mail at all for now: the relay refuses us as a whole."""


class NoLine(Pause):
    """The relay opens no line to us now; where others stand, it may only want no more of them."""


class NoSender(Pause):
    """The relay refuses who writes; where lists have senders of their own, it may take those of others."""


class Cut(Exception):
    """The program ends, and the line was cut: this mail is as if it had never been taken."""


class SmtpConnection(flask_mail.Connection):
    """A kept connection with timeout and checked certificates; opened when there is something to send."""

    def __init__(self, mail: flask_mail.Mail, settings: Settings, helo: str) -> None:
        super().__init__(mail)
        self._settings = settings
        self._helo = helo
        self._announced: OutMessage | None = None  # its envelope has gone out already
        self._wire: Wire | None = None  # also while it is being opened
        self._is_cut = False

    @property
    def is_open(self) -> bool:
        return self.host is not None

    def close(self) -> None:
        """Say goodbye if the line still stands; never raises."""
        if self._announced is not None:  # the relay waits for its data and would take our farewell for that
            self._drop()
        host, self.host = self.host, None
        if host is not None:
            try:
                host.quit()
            except (OSError, smtplib.SMTPException):
                host.close()

    def cut(self) -> None:
        """End the line at once, in the midst of whatever another thread does with it; it is not opened again."""
        self._is_cut = True
        if self._wire is not None:
            self._wire.cut()

    def configure_host(self) -> Wire:
        """Connect, secure, authenticate; raises Pause or NoLine, since no refusal here concerns a mail."""
        wanted = self._settings
        tls = ssl.create_default_context() if wanted.security == "tls" else None
        host = self._wire = Wire(self._helo, wanted.timeout_seconds, tls)
        self._end_if_cut()
        try:
            host.open(wanted.host, wanted.port)
            host.ehlo_or_helo_if_needed()
            if wanted.security == "starttls":
                host.secure(ssl.create_default_context())
                host.ehlo()
            if wanted.username:
                host.log_in(wanted.username, wanted.password)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            host.close()
            self._end_if_cut()
            raise (NoLine if _may_pass(error) else Pause)(advice(error, wanted, host)) from error
        return host

    def _end_if_cut(self) -> None:
        if self._is_cut:
            raise Cut

    def send(self, message: flask_mail.Message, envelope_from: str | tuple[str, str] | None = None) -> None:
        """Hand one message over; raises Later, GiveUp, Pause or Cut. What the relay said is kept in the message."""
        assert isinstance(message, OutMessage)
        if self._announced not in (None, message):  # it is not to leave after all, and only hanging up unsays it
            self._drop()
        kept = self.is_open
        if not kept:
            self.host = self.configure_host()
        try:
            self._transact(message)
        except NoLine:
            if kept:  # it was idle for too long, or has taken all that it takes over one line
                return self.send(message, envelope_from)
            raise
        except TooLong as error:  # of a mad relay, whatever its reply began with
            self._drop()
            raise Pause(str(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            self._end_if_cut()
            if kept and not message.reply:  # relays close idle lines; nothing of this mail had been taken
                return self.send(message, envelope_from)
            raise Later(said(error)) from error

    def _drop(self) -> None:
        host, self.host, self._announced = self.host, None, None
        if host is not None:
            host.close()

    def _transact(self, message: OutMessage) -> None:
        host = self.host
        assert host is not None
        if _lacks_smtputf8(host, message):
            raise GiveUp("cannot deliver: SMTPUTF8 is not offered by the relay")
        announced, self._announced = self._announced is message, None
        host.command_encoding = "utf-8" if message.needs_smtputf8 else "ascii"
        self._judge(host, message, _dialogue(host, self._commands(message), said=announced))
        message.reply = "?"  # from here on the relay may have it: no second try on this run
        host.send(dotted(message.octets) + self._announce(host, message.following))
        code, text = self._last_reply(host)
        if code not in _GO_AHEAD["end of data"]:
            if code not in _REFUSALS:
                self._drop()
            raise _meaning("end of data", code, message)(_line("end of data", code, text))
        message.reply = f"{code} {text.decode('utf-8', 'replace')}"

    def _last_reply(self, host: smtplib.SMTP) -> tuple[int, bytes]:
        try:
            return host.getreply()
        except TooLong as error:
            if not 200 <= error.code < 300:
                raise
            self._drop()  # it has the mail, and a second one would be a nuisance
            return error.code, str(error).encode()

    def _commands(self, message: OutMessage) -> list[str]:
        utf8 = " SMTPUTF8" if message.needs_smtputf8 else ""
        return [f"MAIL FROM:<{message.envelope_sender}>{utf8}", f"RCPT TO:<{message.recipient}>", "DATA"]

    def _announce(self, host: smtplib.SMTP, following: OutMessage | None) -> bytes:
        """The next mail's envelope in the packet that ends this one: one round trip a mail (RFC 2920, 3.1)."""
        if following is None or not host.has_extn("pipelining") or _lacks_smtputf8(host, following):
            return b""
        self._announced = following
        return "".join(f"{command}\r\n" for command in self._commands(following)).encode()

    def _judge(self, host: smtplib.SMTP, message: OutMessage, replies: list[tuple[int, bytes]]) -> None:
        """Replies to MAIL, RCPT and DATA, as far as they went; raises unless the data may follow."""
        stops = [(stage, *reply) for stage, reply in zip(_GO_AHEAD, replies, strict=False)
                 if reply[0] not in _GO_AHEAD[stage]]  # fmt: skip
        if not stops:
            return
        stage, code, text = stops[0]
        if replies[-1][0] == 421 or any(code not in _REFUSALS for _, code, _ in stops):
            self._drop()  # nobody knows what the next reply would be to
        else:
            self._begin_anew(host, waits_for_data=replies[-1][0] == 354)
        raise _meaning(stage, code, message)(_line(stage, code, text))

    def _begin_anew(self, host: smtplib.SMTP, *, waits_for_data: bool) -> None:
        """Make the line ready for the next mail; what the relay said of this one stands even if that fails."""
        try:
            if waits_for_data:  # which will not come
                host.send(b".\r\n")
                host.getreply()
            if host.rset()[0] != 250:
                self._drop()
        except (OSError, smtplib.SMTPException):
            self._drop()


def _dialogue(host: smtplib.SMTP, commands: list[str], *, said: bool) -> list[tuple[int, bytes]]:
    """The replies to commands, which go out in one packet where the relay allows it (RFC 2920), or have been `said`.

    Up to the first refusal where they go one by one, and up to one that makes no sense.
    """
    at_once = said or host.has_extn("pipelining")
    if at_once and not said:
        host.send("".join(f"{command}\r\n" for command in commands))
    replies: list[tuple[int, bytes]] = []
    for command, goes_on in zip(commands, _GO_AHEAD.values(), strict=False):
        if not at_once:
            host.putcmd(command)
        replies.append(host.getreply())
        code = replies[-1][0]
        if code not in goes_on and (code == 421 or code not in _REFUSALS or not at_once):  # after a 421 comes no more
            break
    return replies


def _lacks_smtputf8(host: smtplib.SMTP, message: OutMessage) -> bool:
    return message.needs_smtputf8 and not host.has_extn("smtputf8")


def _meaning(stage: str, code: int, message: OutMessage) -> type[Exception]:
    """Of a reply that stops a mail; one that makes no sense says nothing against it."""
    is_final = code in _REFUSALS and code >= 500
    if stage == "MAIL FROM" and code in _REFUSALS:
        if is_final and message.needs_smtputf8:  # it may be what this mail asks for beside the sender
            return Refused
        return NoLine if code == 421 else NoSender
    return Refused if is_final else Later


def _line(stage: str, code: int, text: bytes) -> str:
    return f"{stage}: {code} {text.decode('utf-8', 'replace')}"


def _may_pass(error: Exception) -> bool:
    """Of a line that was refused: a busy relay says 4yz, hangs up, or is not there; what is wrong stays wrong."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code < 500
    stays = ValueError, smtplib.SMTPNotSupportedError, NoLogin  # a bad certificate is a ValueError
    return not isinstance(error, stays)
