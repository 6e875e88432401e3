"""A mail relay that listens in a thread, keeps what it takes, and fails on demand."""

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.support.certificates import Certificate, ca_file
from tests.support.faults import DRIP, DROP, ENDLESS, FLOOD, HANG, JUNK, RESET, Fault, Stage
from tests.support.gate import Gate
from tests.support.inbox import Mail
from tests.support.ports import LOOPBACK, given_back, kept_port
from tests.support.smtp_lines import Lines
from tests.support.smtp_session import Desk, Offers, Security, Session

__all__ = ["DRIP", "DROP", "ENDLESS", "FLOOD", "HANG", "JUNK", "RESET", "Certificate", "Mail", "Relay"]

PATIENCE = 10.0


class Relay:
    """Stopping and starting it keeps its port, its mails and its faults."""

    def __init__(
        self,
        *,
        security: Security = "none",
        certificate: Certificate = Certificate.GOOD,
        login: tuple[str, str] | None = None,
        smtputf8: bool = True,
        pipelining: bool = True,
        delay: float = 0.0,
    ) -> None:
        self.host = LOOPBACK
        self.port = kept_port()
        self._desk = Desk(Offers(security, certificate, login, smtputf8, pipelining, delay))
        self._listener: socket.socket | None = None
        self._doorman = threading.Thread()
        self._open: dict[threading.Thread, Lines] = {}
        self._lock = threading.Lock()

    # What it does

    def behave(
        self, stage: Stage, act: str, *, times: int | None = None, match: str = "", beyond: int = 0, keep: bool = False
    ) -> None:
        """From now on answers with act at this stage: a reply such as "451 4.3.0 later", JUNK, HANG, DROP, or RESET.

        times: only so often. match: only where the command or a recipient contains it. beyond: only on lines that
        came when so many stood. keep, at "end": the mail is kept all the same. "body": no reply, and after the first
        line of the text. FLOOD, ENDLESS or DRIP and a
        code, such as "flood 550": a reply that does not end.
        """
        self._desk.faults.add(stage, Fault(act, keep), times=times, match=match, beyond=beyond)

    def accept(self, stage: Stage | None = None) -> None:
        """Forgets the faults, all or those of one stage; who hangs already goes on hanging."""
        self._desk.faults.clear(stage)

    @property
    def offers(self) -> Offers:
        """What it can do, to be changed while it runs: relay.offers.smtputf8 = False."""
        return self._desk.offers

    @property
    def gate(self) -> Gate:
        """What holds mails at their end: relay.gate.hold(10) until ten are in hand at once."""
        return self._desk.gate

    @property
    def ca_file(self) -> Path:
        """What a client has to trust; good for every certificate but UNKNOWN_CA."""
        return ca_file()

    # What it saw

    @property
    def mails(self) -> list[Mail]:
        return self._desk.inbox.mails

    @property
    def commands(self) -> list[str]:
        """The command lines of all clients, credentials cut off."""
        return self._desk.inbox.commands

    @property
    def connections(self) -> int:
        """How many clients have come since it was made."""
        return self._desk.inbox.connections

    @property
    def open_connections(self) -> int:
        return self._desk.inbox.open_connections

    def played(self, stage: Stage) -> int:
        """How often a fault was played at this stage."""
        return self._desk.faults.played[stage]

    def forget(self) -> None:
        """Empties mails and commands; faults and counts stay."""
        self._desk.inbox.clear()

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[Mail]:
        """The mails, as soon as there are this many; TimeoutError otherwise."""
        self.wait_until(lambda: len(self.mails) >= count, timeout)
        return self.mails

    def wait_until(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Waits for anything said of this relay, such as lambda: relay.played("rcpt") == 2."""
        self._desk.inbox.wait_until(condition, timeout)

    # Its life

    def start(self) -> None:
        self._desk.stopping.clear()
        self._listener = socket.create_server((self.host, self.port), backlog=256)
        self._doorman = threading.Thread(target=self._listen, args=[self._listener], name="relay", daemon=True)
        self._doorman.start()

    def stop(self) -> None:
        """Closes the port and every line; takes nothing more once it has returned."""
        self._desk.stopping.set()
        self._desk.gate.open()
        self.shut()
        self.hang_up()

    def shut(self) -> None:
        """Closes the port alone: whoever comes is refused, and the lines that stand go on."""
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            # On Linux closing alone does not wake the thread that accepts.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None
        self._doorman.join(PATIENCE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        given_back(self.port)

    def hang_up(self) -> None:
        """Closes every line, and goes on listening."""
        with self._lock:
            still_open = list(self._open.items())
        for thread, lines in still_open:
            lines.cut()
            thread.join(PATIENCE)

    def _listen(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._welcome(Lines(connection))

    def _welcome(self, lines: Lines) -> None:
        number, beside = self._desk.inbox.arrive()
        session = Session(self._desk, lines, number, beside)
        thread = threading.Thread(target=self._talk, args=[session, lines], name=f"relay-{number}", daemon=True)
        with self._lock:
            self._open[thread] = lines
        thread.start()

    def _talk(self, session: Session, lines: Lines) -> None:
        try:
            session.run()
        finally:
            lines.close()
            with self._lock:
                del self._open[threading.current_thread()]
            self._desk.inbox.leave()
