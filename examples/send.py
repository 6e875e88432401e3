"""Sends one issue to the confirmed subscribers of a list: reads the export (JSONL or CSV), speaks SMTP.

    .venv/bin/yestwice export newsletter --format jsonl -o may.jsonl
    .venv/bin/python examples/send.py may.jsonl --subject "May" --text issue.txt --resume may.sent

Export again for every issue: anyone who has unsubscribed since is no longer in the export. `--resume` names a file for
this issue alone, which records who has got it: after a crash the same command continues where it stopped.
"""

import argparse
import csv
import fcntl
import hashlib
import json
import os
import smtplib
import sys
import time
from collections.abc import Iterable, Iterator
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import formatdate
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

PATIENCE = (0, 0, 1, 2, 5, 15, 30)  # seconds before the relay is tried, the first time and after it went away
AWAY = (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPHeloError, OSError)


class Refused(Exception):
    """This mail, by the relay; the others go on."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", nargs="?", type=Path, help="the export, JSONL or CSV; otherwise standard input")
    parser.add_argument("--subject", required=True)
    parser.add_argument("--text", type=Path, required=True, help="a file with the text of the issue, in UTF-8")
    parser.add_argument("--sender", default="Newsletter <newsletter@example.org>")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=25)
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="records who has got this issue; created if missing"
    )
    asked = parser.parse_args()
    try:
        issue = Issue(asked.sender, asked.subject, asked.text.read_text("utf-8-sig"))  # an editor may begin it by a BOM
        sent = Sent(asked.resume, issue.id)
        with asked.export.open("rb") if asked.export else sys.stdin.buffer as lines:
            return send_all(rows_of(lines), issue, Relay(asked.host, asked.port), sent)
    except (OSError, ValueError, MessageError) as error:
        stop(f"{parser.prog}: {error}", 2)


def stop(why: str, status: int = 1) -> NoReturn:
    print(why, file=sys.stderr)
    sys.exit(status)


def send_all(rows: Iterable[dict[str, Any]], issue: "Issue", relay: "Relay", sent: "Sent") -> int:
    number = failed = 0
    for row in rows:
        address = row["email"]
        if address in sent:
            continue
        try:
            # where the export says so, each comes back to an address of its own, which tells whose mail it was
            relay.send(row.get("envelope_from") or issue.sender.addr_spec, *issue.written(row))
        except Refused as reply:
            failed += 1
            print(f"{address} was refused: {reply}", file=sys.stderr)
        else:
            sent.note(address)
            number += 1
    relay.close()
    print(f"{number} sent, {failed} refused.")
    return 1 if failed else 0


class Relay:
    """A connection that is opened anew where the relay ends it, for the mail that was in hand as well."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._line: smtplib.SMTP | None = None

    def send(self, sender: str, recipient: str, mail: EmailMessage) -> None:
        """Raises Refused; ends the program where the relay stays away, or takes nothing from this sender."""
        why: Exception | None = None
        for wait in PATIENCE:
            time.sleep(wait)
            try:
                return self._try(sender, recipient, mail)
            except AWAY as error:
                why = error
                self._drop()
        stop(f"The relay cannot be reached ({why}). Run it again with --resume FILE to continue.")

    def _try(self, sender: str, recipient: str, mail: EmailMessage) -> None:
        self._line = line = self._line or smtplib.SMTP(self._host, self._port, timeout=30)
        line.ehlo_or_helo_if_needed()
        options, policy = [], mail.policy
        if not recipient.isascii():
            if not line.has_extn("smtputf8"):
                raise Refused("the relay does not offer SMTPUTF8, which this address needs")
            options, policy = ["SMTPUTF8", "BODY=8BITMIME"], policy + SMTPUTF8
        try:
            # written by the mail's own policy: smtplib's would put ">" before a line that begins with "From "
            line.sendmail(sender, [recipient], mail.as_bytes(policy=policy), options)
        except smtplib.SMTPRecipientsRefused as error:
            _judge(*error.recipients[recipient])
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code == 421:
                raise smtplib.SMTPServerDisconnected(str(error)) from None
            stop(f"The relay accepts nothing from {sender}: {error.smtp_code} {_text(error.smtp_error)}")
        except smtplib.SMTPDataError as error:
            _judge(error.smtp_code, error.smtp_error)

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            try:
                line.quit()
            except AWAY:
                line.close()


def _judge(code: int, text: bytes | str) -> None:
    if code == 421:
        raise smtplib.SMTPServerDisconnected(f"{code} {_text(text)}")
    raise Refused(f"{code} {_text(text)}" + (" (it may be accepted later: run this again)" if code < 500 else ""))


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


class Sent:
    """Who has got the issue: each is written down as soon as the relay has taken theirs, lest kill -9 sends two."""

    def __init__(self, path: Path | None, issue: str) -> None:
        self._known: set[str] = set()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600) if path else None
        if self._file is not None:
            self._read(self._file, f"{path}", issue)

    def _read(self, file: int, name: str, issue: str) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f"{name} is in use by another run") from None
        text = os.pread(file, os.fstat(file).st_size, 0)
        whole = text[: text.rfind(b"\n") + 1]  # a line that was cut off is nobody's
        os.ftruncate(file, len(whole))
        first, *others = whole.decode().splitlines() or [issue]
        if first != issue:
            raise ValueError(f"{name} belongs to another issue (subject or text differ): name a new file")
        if not whole:
            self._write(issue)
        self._known.update(others)

    def __contains__(self, address: str) -> bool:
        return address in self._known

    def note(self, address: str) -> None:
        self._known.add(address)
        self._write(address)

    def _write(self, line: str) -> None:
        if self._file is not None:
            os.write(self._file, f"{line}\n".encode())
            os.fsync(self._file)


class Issue:
    """What all of them get."""

    def __init__(self, sender: str, subject: str, text: str) -> None:
        name, _, address = sender.rpartition("<")  # whatever signs the name has
        self.sender = Address(name.strip().strip('"'), addr_spec=wire_form(address.strip("> ")))
        self._subject, self._text = subject, text
        self.id = self._hash("")

    def _hash(self, address: str) -> str:
        return hashlib.sha256("\0".join([self._subject, self._text, address]).encode()).hexdigest()[:32]

    def written(self, row: dict[str, Any]) -> tuple[str, EmailMessage]:
        """The recipient for SMTP, and their mail: in a second try the same, so that mail programs show one."""
        try:
            recipient = wire_form(row["email"])
        except ValueError as error:
            raise Refused(str(error)) from None
        mail = EmailMessage(SMTP.clone(max_line_length=76))  # the longest line that quoted-printable allows
        mail.set_content(f"{self._text}\n\nUnsubscribe:\n{row['unsubscribe_url']}\n", cte="quoted-printable")
        # Python would fold a long URL into an encoded word, and then no mail program offers one-click any more
        mail.policy = SMTP.clone(max_line_length=998)
        mail["From"], mail["To"], mail["Subject"] = self.sender, recipient, self._subject
        mail["Date"], mail["Message-ID"] = formatdate(), f"<{self._hash(row['email'])}@{self.sender.domain}>"
        for name, value in row["headers"].items():  # List-Unsubscribe and List-Unsubscribe-Post, ready-made
            mail[name] = value
        return recipient, mail


def wire_form(address: str) -> str:
    """With the domain in its A-form, which every relay takes."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        from idna import encode  # of today's rules; beside Yestwice it is there
    except ImportError:
        if set(domain) & set("ßς\u200c\u200d"):  # which Python's own, older rules take for another domain
            raise ValueError("its domain needs the package idna: pip install idna") from None
        return f"{local}@{domain.encode('idna').decode()}"
    return f"{local}@{encode(domain, uts46=True).decode()}"


def rows_of(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of an export, whichever format it has, with the headers for one-click."""
    texts = (line.decode("utf-8-sig" if number == 0 else "utf-8") for number, line in enumerate(lines))
    first = next(texts, "")
    if first.lstrip().startswith("{") or not first.strip():
        for number, text in enumerate(chain([first], texts), 1):
            if text.strip():
                yield _whole(json.loads(text), number)
        return
    table = csv.DictReader(chain([first], texts), delimiter=";" if first.count(";") > first.count(",") else ",")
    for row in table:
        url = row.get("unsubscribe_url")
        pair = {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        yield _whole({**row, "headers": pair}, table.line_num)


def _whole(row: dict[str, Any], number: int) -> dict[str, Any]:
    if not all(row.get(name) for name in ("email", "unsubscribe_url", "headers")):
        raise ValueError(f"line {number} of the export has no email or no unsubscribe_url")
    return row


if __name__ == "__main__":
    sys.exit(main())
