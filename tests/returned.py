"""Bounces and spam reports as mail servers and providers write them."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CORPUS = Path(__file__).parent / "fixtures" / "bounces.toml"
GONE = "nobody@example.net"


class Case(NamedTuple):
    of: str
    form: str
    status: str
    weight: str
    said: str

    def __repr__(self) -> str:
        return f"{self.of}, {self.form}: {self.said[:60]}"


def cases() -> Iterator[Case]:
    for row in tomllib.loads(CORPUS.read_text("utf-8"))["bounce"]:
        yield Case(**row)


def original(link: str, to: str = GONE, returns_to: str = "bounces@news.example") -> str:
    """The mail that comes back, as its sender wrote it."""
    return (
        f"Return-Path: <{returns_to}>\nReceived: from news.example by mx.example; Mon, 30 Nov 2026 09:00:00 +0000\n"
        f"From: Newsletter <news@news.example>\nTo: {to}\nSubject: May: no spam, no policy, user unknown\n"
        f"Message-ID: <may@news.example>\nList-Unsubscribe: <{link}>\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\nContent-Type: text/plain; charset=utf-8\n\n"
        f"Every mailbox is full of blocked spam.\n\nUnsubscribe:\n{link}\n"
    )


def bounce(
    case: Case, link: str, *, to: str = GONE, arrives_at: str = "bounces@news.example", action: str = "failed"
) -> bytes:
    said, back = case.said.format(to=to), original(link, to, arrives_at)
    write = {"exim": _exim, "qmail": _qmail}.get(case.form, _report)
    return write(case, said, back, to, arrives_at, action).replace("\n", "\r\n").encode()


def _head(arrives_at: str, sender: str, subject: str, *more: str) -> str:
    return "\n".join([
        "Return-Path: <>", f"Delivered-To: {arrives_at}", "Date: Mon, 30 Nov 2026 09:00:05 +0000", f"From: {sender}",
        f"To: {arrives_at}", f"Subject: {subject}", "Message-ID: <b1@mx.example>", "MIME-Version: 1.0", *more,
    ])  # fmt: skip


_SUBJECTS = {
    "gmail": ("Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Failure)"),
    "exchange": ("Microsoft Outlook <postmaster@example.net>", "Undeliverable: May"),
}
_WORDS = {
    "gmail": "** Address not found **\n\nYour message wasn't delivered to {to}.\n\nThe response was:\n\n{said}",
    "exchange": "{to}\nRemote Server returned '{said}'\n\nOriginal message headers:",
}


def _report(case: Case, said: str, back: str, to: str, arrives_at: str, action: str) -> str:
    usual = "Mail Delivery System <MAILER-DAEMON@mx.example>", "Undelivered Mail Returned to Sender"
    sender, subject = _SUBJECTS.get(case.form, usual)
    words = _WORDS.get(case.form, "I'm sorry to have to inform you that your message could not be delivered.\n\n"
                                  "<{to}>: {said}").format(to=to, said=said)  # fmt: skip
    kind = "text/rfc822-headers" if case.form in ("headers", "exchange") else "message/rfc822"
    returned = back.partition("\n\n")[0] + "\n" if kind == "text/rfc822-headers" else back
    more = f"X-Failed-Recipients: {to}" if case.form == "gmail" else "Auto-Submitted: auto-replied"
    report = 'Content-Type: multipart/report; report-type=delivery-status; boundary="B"'
    return (
        f"{_head(arrives_at, sender, subject, more, report)}\n\n--B\nContent-Type: text/plain; charset=utf-8\n\n"
        f"{words}\n\n--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {case.status}\nRemote-MTA: dns; mx.example.net\n"
        f"Diagnostic-Code: {said}\n\n--B\nContent-Type: {kind}\n\n{returned}\n--B--\n"
    )


def _exim(case: Case, said: str, back: str, to: str, arrives_at: str, action: str) -> str:
    head = _head(arrives_at, "Mail Delivery System <Mailer-Daemon@mx.example>",
                 "Mail delivery failed: returning message to sender", f"X-Failed-Recipients: {to}")  # fmt: skip
    return (
        f"{head}\nAuto-Submitted: auto-replied\n\nThis message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. "
        f"The following address(es) failed:\n\n  {to}\n    {said}\n\n"
        f"------ This is a copy of the message, including all the headers. ------\n\n{back}"
    )


def _qmail(case: Case, said: str, back: str, to: str, arrives_at: str, action: str) -> str:
    return (
        f"{_head(arrives_at, 'MAILER-DAEMON@mx.example', 'failure notice')}\n\n"
        "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the "
        f"following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{to}>:\n{said}\n\n"
        f"--- Below this line is a copy of the message.\n\n{back}"
    )


def spam_report(link: str, kind: str = "abuse", *, to: str = "feedback@news.example", names: str = GONE) -> bytes:
    """RFC 5965, as Yahoo, Microsoft and others send it."""
    report = 'Content-Type: multipart/report; report-type=feedback-report; boundary="B"'
    head = _head(to, "feedback@arf.example.net", "FW: May", report)
    return (
        f"{head}\n\n--B\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n"
        f"--B\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: Reporter/1.0\nVersion: 1\n"
        f"Original-Rcpt-To: <{names}>\n\n--B\nContent-Type: message/rfc822\n\n{original(link)}\n--B--\n"
    ).replace("\n", "\r\n").encode()  # fmt: skip


def hotmail_report(link: str) -> bytes:
    """As Outlook.com sent reports before it took up RFC 5965."""
    head = _head("feedback@news.example", "staff@hotmail.com", "complaint about message from 192.0.2.1",
                 'Content-Type: multipart/mixed; boundary="B"')  # fmt: skip
    return (
        f"{head}\n\n--B\nContent-Type: message/rfc822\nContent-Disposition: inline\n\n"
        f"X-HmXmrOriginalRecipient: <somebody@hotmail.com>\n{original(link)}\n--B--\n"
    ).replace("\n", "\r\n").encode()  # fmt: skip
