"""One client's conversation with the relay, by the book but for the faults it was told to play."""

import threading
from dataclasses import dataclass, field
from typing import Literal

from tests.support.certificates import Certificate
from tests.support.faults import ENDS, HANG, RESET, Fault, Faults, Stage, madness
from tests.support.gate import Gate
from tests.support.inbox import Inbox, Mail
from tests.support.smtp_auth import hear_login
from tests.support.smtp_envelope import Envelope
from tests.support.smtp_lines import Gone, Lines

# RFC 2920 §3.1: the client has to wait for the answer to these even where pipelining is offered.
LAST_IN_A_GROUP = {"EHLO", "HELO", "STARTTLS", "AUTH", "DATA"}

Security = Literal["none", "starttls", "tls"]


@dataclass
class Offers:
    """What the relay can do; may be changed while it runs, and holds from a client's next command."""

    security: Security = "none"
    certificate: Certificate = Certificate.GOOD
    login: tuple[str, str] | None = None
    smtputf8: bool = True
    pipelining: bool = True
    delay: float = 0.0
    mails_a_line: int | None = None
    logins: str = "PLAIN LOGIN"


@dataclass
class Desk:
    """What all conversations of one relay share."""

    offers: Offers
    faults: Faults = field(default_factory=Faults)
    inbox: Inbox = field(default_factory=Inbox)
    gate: Gate = field(default_factory=Gate)
    stopping: threading.Event = field(default_factory=threading.Event)


# Commands that a fault can stand in for.
STAGES: dict[str, Stage] = {
    "EHLO": "ehlo",
    "HELO": "ehlo",
    "STARTTLS": "starttls",
    "AUTH": "auth",
    "MAIL": "mail",
    "RCPT": "rcpt",
    "DATA": "data",
    "QUIT": "quit",
}


class Session:
    def __init__(self, desk: Desk, lines: Lines, number: int, beside: int) -> None:
        self._desk = desk
        self._lines = lines
        self._number, self._beside = number, beside  # how many lines stood when this one came
        self._user: str | None = None
        self._envelope = Envelope()
        self._greeted = False
        self._over = False
        self._mails = 0

    def run(self) -> None:
        """Talks until one side ends it."""
        try:
            if self._desk.offers.security == "tls":
                self._lines.start_tls(self._desk.offers.certificate)
            if not self._plays("connect"):
                self._lines.write("220 relay.test ESMTP")
            while not self._over:
                self._obey(self._lines.read())
        except (Gone, OSError):
            pass

    def _obey(self, line: bytes) -> None:
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        verb, _, argument = text.partition(" ")
        verb = verb.upper()
        self._desk.inbox.note("AUTH …" if verb == "AUTH" else text)
        if self._was_impatient(verb):
            self._end("503 5.5.0 wait for the answer")
        elif (stage := STAGES.get(verb)) is None or not self._plays(stage, text):
            self._answer(verb, argument)

    def _was_impatient(self, verb: str) -> bool:
        return self._lines.has_more and (verb in LAST_IN_A_GROUP or not self._desk.offers.pipelining)

    def _plays(self, stage: Stage, about: str = "") -> bool:
        """Whether a fault was played instead of what belongs here."""
        if fault := self._due(stage, about):
            self._act(fault)
            self._over |= stage == "connect"
        return fault is not None

    def _due(self, stage: Stage, about: str = "") -> Fault | None:
        fault = self._desk.faults.take(stage, " ".join([about, *self._envelope.recipients]), self._beside)
        self._desk.inbox.nudge()
        return fault

    def _act(self, fault: Fault) -> None:
        if fault.act == HANG:
            self._lines.wait_for_end()
        if fault.act == RESET:
            self._lines.reset_at_end()
        if fault.act in ENDS:
            raise Gone
        if kind := madness(fault.act):
            self._lines.rave(kind, fault.act.removeprefix(kind).lstrip(), self._desk.stopping)
            raise Gone
        self._lines.write(fault.act)
        self._over = fault.act.startswith("421")

    def _answer(self, verb: str, argument: str) -> None:
        match verb:
            case "EHLO" | "HELO":
                self._say_hello(self._extensions() if verb == "EHLO" else [])
            case "STARTTLS":
                self._start_tls()
            case "AUTH":
                self._lines.write(self._log_in(argument))
            case "MAIL" if self._mails == self._desk.offers.mails_a_line:
                self._end("421 4.7.0 enough over this line")
            case "MAIL":
                self._mails += 1
                self._lines.write(self._take_sender(argument))
            case "RCPT":
                self._lines.write(self._envelope.take_recipient(argument))
            case "DATA":
                self._take_text()
            case "RSET":
                self._envelope = Envelope()
                self._lines.write("250 2.0.0 forgotten")
            case "NOOP":
                self._lines.write("250 2.0.0 still here")
            case "QUIT":
                self._end("221 2.0.0 bye")
            case _:
                self._lines.write("500 5.5.2 unknown command")

    def _end(self, reply: str) -> None:
        self._lines.write(reply)
        self._over = True

    def _say_hello(self, extensions: list[str]) -> None:
        self._greeted = True
        self._envelope = Envelope()
        *others, last = ["relay.test", *extensions]
        self._lines.write("".join(f"250-{line}\r\n" for line in others) + f"250 {last}")

    def _extensions(self) -> list[str]:
        offers = self._desk.offers
        offered = {
            "ENHANCEDSTATUSCODES": True,
            "8BITMIME": True,
            "SMTPUTF8": offers.smtputf8,
            "PIPELINING": offers.pipelining,
            "STARTTLS": self._owes_tls(),
            f"AUTH {offers.logins}".strip(): offers.login is not None and not self._owes_tls(),
        }
        return [name for name, is_offered in offered.items() if is_offered]

    def _owes_tls(self) -> bool:
        return self._desk.offers.security == "starttls" and not self._lines.tls

    def _start_tls(self) -> None:
        if not self._owes_tls():
            self._lines.write("502 5.5.1 STARTTLS is not offered")
            return
        self._lines.write("220 2.0.0 go ahead")
        self._lines.start_tls(self._desk.offers.certificate)
        self._greeted = False

    def _log_in(self, argument: str) -> str:
        if self._desk.offers.login is None or self._owes_tls():
            return "502 5.5.1 AUTH is not offered"
        if argument.partition(" ")[0].upper() not in self._desk.offers.logins.split():
            return f"504 5.5.4 {self._desk.offers.logins}"
        if (given := hear_login(self._lines, argument)) is None:
            return "504 5.5.4 no such way"
        if given != self._desk.offers.login:
            return "535 5.7.8 wrong user or password"
        self._user = given[0]
        return "235 2.7.0 welcome"

    def _take_sender(self, argument: str) -> str:
        if not self._greeted:
            return "503 5.5.1 EHLO first"
        if self._owes_tls():
            return "530 5.7.0 STARTTLS first"
        if self._desk.offers.login and not self._user:
            return "530 5.7.0 AUTH first"
        return self._envelope.take_sender(argument, smtputf8=self._desk.offers.smtputf8)

    def _take_text(self) -> None:
        if not self._envelope.recipients:
            self._lines.write("554 5.5.1 no valid recipients")
            return
        self._lines.write("354 end with a dot on a line by itself")
        text = self._read_text()
        if fault := self._due("end"):
            if fault.keep:
                self._keep(text)
            self._act(fault)
        else:
            self._lines.write(self._envelope.complaint(text) or self._keep_slowly(text))
        self._envelope = Envelope()

    def _read_text(self) -> bytes:
        text = b""
        while (line := self._lines.read()) != b".\r\n":
            if not text:
                self._plays("body")
            text += line.removeprefix(b".")
        return text

    def _keep_slowly(self, text: bytes) -> str:
        with self._desk.gate.passing(self._desk.inbox.nudge):
            if self._desk.stopping.wait(self._desk.offers.delay):
                raise Gone
            self._keep(text)
        return "250 2.0.0 taken"

    def _keep(self, text: bytes) -> None:
        envelope = self._envelope
        self._desk.inbox.keep(
            Mail(
                sender=envelope.sender or "",
                recipients=tuple(envelope.recipients),
                raw=text,
                parameters=envelope.parameters,
                tls=self._lines.tls,
                user=self._user,
                connection=self._number,
            )
        )
