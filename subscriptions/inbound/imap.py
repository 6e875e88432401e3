"""A mailbox that is read by IMAP: looked at without a trace, and only written to where something was done."""

import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import NamedTuple

from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxFolderStatusError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted

from subscriptions.inbound.message import LOOKED_AT
from subscriptions.settings import Inbound

TIMEOUT = 15.0  # seconds, for the connection and each answer
_FAULTS = ImapToolsError, imaplib.IMAP4.error, OSError, ValueError  # the last of an answer that makes no sense


class NoMailbox(Exception):
    """Why the mailbox cannot be read, and what to do about it."""


class Seen(NamedTuple):
    """A message in the folder. `octets`: none where it is too large to be looked at."""

    uid: int
    octets: bytes | None


class Folder:
    """One folder, as the server numbers its messages; `validity` changes when it numbers them anew."""

    def __init__(self, box: BaseMailBox, name: str) -> None:
        self._box, self._name = box, name
        self.validity = int(box.folder.status(name, ["UIDVALIDITY"])["UIDVALIDITY"])
        box.folder.set(name, readonly=True)  # EXAMINE: not even \Recent is taken from a message

    def uids(self, above: int, since: datetime, *more: str) -> list[int]:
        """Of messages that came after `since`. A server names its last message whatever one asks for."""
        found = self._box.uids(" ".join([f"UID {above + 1}:* SINCE {_day(since)} UNDELETED", *more]), None)
        return sorted(int(uid) for uid in found if int(uid) > above)

    def whole(self, uid: int) -> Seen | None:
        """None where it has gone meanwhile."""
        size = next((_SIZE.search(around) for _, around in self._ask([uid], "RFC822.SIZE")), None)
        if size is None:
            return None
        return Seen(uid, None) if int(size[1]) > LOOKED_AT else next(self._ask([uid], "BODY.PEEK[]"), (None, b""))[0]

    def heads(self, uids: Sequence[int]) -> Iterator[Seen]:
        return (seen for seen, _ in self._ask(uids, f"BODY.PEEK[HEADER]<0.{LOOKED_AT}>"))

    def _ask(self, uids: Sequence[int], what: str) -> Iterator[tuple[Seen, bytes]]:
        """Of each message what is asked for, and what stands around it; a server may name the message behind that.

        It may also tell at any time what others have changed (RFC 9051, 7.5.2): that is no answer.
        """
        wanted = ",".join(str(uid) for uid in uids if uid)
        answers = self._box.client.uid("FETCH", wanted, f"(UID {what})")[1] if wanted else []
        for answer, after in zip(answers, [*answers[1:], b""], strict=True):
            around, literal = answer if isinstance(answer, tuple) else (answer or b"", b"")
            behind = after if isinstance(answer, tuple) and isinstance(after, bytes) else b""
            is_answer = isinstance(answer, tuple) or _SIZE.search(around)
            if is_answer and (named := _UID.search(around + behind)) and int(named[1]) in uids:
                yield Seen(int(named[1]), literal), around

    def mark_seen(self, uids: Sequence[int]) -> None:
        if uids:
            self._box.folder.set(self._name)
            self._box.flag([str(uid) for uid in uids], "\\Seen", True)


_UID, _SIZE = re.compile(rb"\bUID (\d+)"), re.compile(rb"RFC822\.SIZE (\d+)")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def _day(at: datetime) -> str:
    return f"{at.day}-{_MONTHS[at.month - 1]}-{at.year}"


@contextmanager
def opened(settings: Inbound) -> Iterator[Folder]:
    """Raises NoMailbox, whatever of it fails."""
    box: BaseMailBox | None = None
    try:
        box = _connect(settings)
        _log_in(box, settings)
        yield Folder(box, settings.imap_folder)
    except _FAULTS as error:
        raise NoMailbox(_advice(error, settings)) from error
    finally:
        if box is not None:
            with suppress(*_FAULTS):
                box.logout()


def _connect(settings: Inbound) -> BaseMailBox:
    host, port = settings.imap_host, settings.imap_port
    if settings.imap_security == "none":
        return MailBoxUnencrypted(host, port, TIMEOUT)
    kind = MailBox if settings.imap_security == "tls" else MailBoxStartTls
    return kind(host, port, TIMEOUT, ssl_context=ssl.create_default_context())


def _log_in(box: BaseMailBox, settings: Inbound) -> None:
    name, password = settings.imap_username, settings.imap_password
    log_in = box.login if (name + password).isascii() else box.login_utf8
    try:
        log_in(name, password, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise MailboxLoginError(("NO", []), "OK") from error


def _advice(error: Exception, settings: Inbound) -> str:
    """What is wrong and what to do; nothing of what the server said, which may name an address."""
    host = f"{settings.imap_host}:{settings.imap_port}"
    if isinstance(error, MailboxLoginError):
        return f"{host} refuses the login: check imap_username and imap_password in [inbound]"
    if isinstance(error, (MailboxFolderSelectError, MailboxFolderStatusError)):
        return f'{host} has no folder "{settings.imap_folder}": check imap_folder in [inbound]'
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not valid ({error.verify_message}): check imap_host in [inbound]"
    if isinstance(error, ssl.SSLError):
        return f"{host} does not speak TLS as expected: check imap_port and imap_security in [inbound]"
    said = "it does not answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    return f"{host} cannot be read ({said}): check imap_host and imap_port in [inbound], and that the server is running"
