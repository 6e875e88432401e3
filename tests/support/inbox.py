"""What the relay took and saw, and waiting for it without sleeping."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import lru_cache

# A parser that reads each header once: the same few stand in thousands of mails, and half of its time goes to them.
REMEMBERING = EmailPolicy(header_factory=lru_cache(maxsize=2000)(HeaderRegistry()))
ARRIVED = REMEMBERING.clone(linesep="\r\n", utf8=True)


@dataclass(frozen=True)
class Mail:
    """One accepted mail: its envelope, its bytes, and how they came."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    parameters: tuple[str, ...]
    tls: bool
    user: str | None
    connection: int

    @property
    def smtputf8(self) -> bool:
        return "SMTPUTF8" in self.parameters

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=ARRIVED)


class Inbox:
    """Mails, command lines and connections, in the order in which they came."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._mails: list[Mail] = []
        self._commands: list[str] = []
        self._connections = 0
        self._open = 0

    @property
    def mails(self) -> list[Mail]:
        with self._changed:
            return list(self._mails)

    @property
    def commands(self) -> list[str]:
        """Every command line so far, secrets cut off."""
        with self._changed:
            return list(self._commands)

    @property
    def connections(self) -> int:
        """How many clients have come since the relay was made."""
        with self._changed:
            return self._connections

    @property
    def open_connections(self) -> int:
        with self._changed:
            return self._open

    def arrive(self) -> tuple[int, int]:
        """Its number, and how many stood before it."""
        with self._changed:
            self._connections += 1
            self._open += 1
            self._changed.notify_all()
            return self._connections, self._open - 1

    def leave(self) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def keep(self, mail: Mail) -> None:
        with self._changed:
            self._mails.append(mail)
            self._changed.notify_all()

    def note(self, command: str) -> None:
        with self._changed:
            self._commands.append(command)
            self._changed.notify_all()

    def nudge(self) -> None:
        """Something beside these lists has changed: let those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> None:
        """Returns once the condition holds, asked anew at every change; raises TimeoutError with what there is."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"{len(self._mails)} mails; last commands: {self._commands[-8:]}")

    def clear(self) -> None:
        with self._changed:
            self._mails.clear()
            self._commands.clear()
