"""Sends one issue to the confirmed subscribers of a list: reads the JSONL export, speaks SMTP.

    .venv/bin/flask export newsletter --format jsonl | python3 examples/send.py --subject "May" --text issue.txt

Export anew for every issue: whoever has left since is no longer in it.
"""

import argparse
import json
import smtplib
import sys
from collections.abc import Iterable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", nargs="?", type=Path, help="the JSONL export; without it, standard input")
    parser.add_argument("--subject", required=True)
    parser.add_argument("--text", type=Path, required=True, help="a file with the text of the issue")
    parser.add_argument("--sender", default="Newsletter <newsletter@example.org>")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=25)
    asked = parser.parse_args()
    text = asked.text.read_text("utf-8")
    lines = asked.export.open("rb") if asked.export else sys.stdin.buffer
    with lines, smtplib.SMTP(asked.host, asked.port, timeout=30) as relay:
        refused = send(relay, (written(json.loads(line), asked.sender, asked.subject, text) for line in lines))
    return 1 if refused else 0


def send(relay: smtplib.SMTP, issue: Iterable[EmailMessage]) -> int:
    """How many recipients were refused; one who is does not stop the others."""
    refused = 0
    for mail in issue:
        try:
            relay.send_message(mail)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPNotSupportedError) as reply:
            refused += 1
            print(f"{mail['To']} was refused: {reply}", file=sys.stderr)
    return refused


def written(row: dict[str, Any], sender: str, subject: str, text: str) -> EmailMessage:
    mail = EmailMessage(SMTP.clone(max_line_length=76))  # the longest line that quoted-printable allows
    mail.set_content(f"{text}\n\nUnsubscribe:\n{row['unsubscribe_url']}\n", cte="quoted-printable")
    # Python would fold a long URL into an encoded word, and then no mail program offers one-click any more
    mail.policy = SMTP.clone(max_line_length=998)
    mail["From"], mail["To"], mail["Subject"] = sender, row["email"], subject
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2].strip(">"))
    for name, value in row["headers"].items():  # List-Unsubscribe and List-Unsubscribe-Post, ready-made
        mail[name] = value
    return mail


if __name__ == "__main__":
    sys.exit(main())
