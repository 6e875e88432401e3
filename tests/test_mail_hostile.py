"""Mails that strangers and long configurations try to spoil, read as the bytes that arrive at a relay."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTPUTF8
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from subscriptions.domain.address import named
from subscriptions.mail.compiled_mails import sender_line
from subscriptions.settings import Server
from tests.builders import ANNE, LISTS, Movable, World, link_in, text_of, through
from tests.support.cases import BY_DAY_ON_SQLITE, crossed, each
from tests.support.relay import Mail, Relay

pytestmark = BY_DAY_ON_SQLITE

LONG = "Größenwahn für Anfänger, Fortgeschrittene und alle, die es noch werden wollen: 東京の便り"
HEADERS = {
    "From", "Subject", "Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language", "To", "Date", "Message-ID",
    "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type",
}  # fmt: skip


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


@pytest.fixture
def confirmation(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Callable[..., Mail]:
    """The confirmation mail of a service whose list, or [mail], is set like this."""

    def made(mail: dict[str, Any] | None = None, **of_the_list: Any) -> Mail:
        with through(relay, make_app, clock, lists=[replace(LISTS[0], **of_the_list)], **(mail or {})) as world:
            world.sign_up(ANNE)
            world.deliver()
        return relay.mails[-1]

    return made


def greeting(world: World, relay: Relay, name: str) -> str:
    world.sign_up(ANNE, name=name)
    world.deliver()
    return text_of(relay.mails[-1].message).split("\n")[0]


def head_of(mail: Mail) -> EmailMessage:
    return BytesHeaderParser(policy=SMTPUTF8).parsebytes(mail.raw)


def sender_of(mail: bytes) -> tuple[str, str]:
    """Name and address in From; not by Python's newer parser, which puts spaces between encoded words of a name."""
    name, address = parseaddr("".join(message_from_bytes(mail)["From"].splitlines()))
    return str(make_header(decode_header(name))), address


def longest_line(raw: bytes) -> int:
    """One-click needs its URL in one piece, however long."""
    return max(len(line) for line in raw.split(b"\r\n") if not line.startswith(b"List-Unsubscribe:"))


@pytest.mark.parametrize(
    "name", ["Anne", "Anne-Marie O’Neill", "J. R. Müller", "Zoë Ångström", "山田太郎", "Наталья", "a" * 40]
)
def test_a_harmless_name_is_greeted(world: World, relay: Relay, name: str) -> None:
    assert greeting(world, relay, name) == f"Hello {name},"


@pytest.mark.parametrize(
    "name",
    [
        "Win 1 BTC http://evil.example", "evil.example", "www.evil.example", "anne@evil.example", "call +49 123",
        "Anne <b>", "<script>", "a" * 41, "Anne: click below", "Anne {{ name }}", "Anne %0aBcc: x", "a/b", "&amp;",
        "QzXtoXzQ1", "=?utf-8?q?=0ABcc:x@y?=",
    ],
)  # fmt: skip
def test_what_is_no_harmless_name_is_not_echoed(world: World, relay: Relay, name: str) -> None:
    assert greeting(world, relay, name) == "Hello,"
    assert name not in text_of(relay.mails[-1].message) + text_of(relay.mails[-1].message, "html")


def test_a_name_cannot_pass_for_a_place_in_the_letter(world: World, relay: Relay) -> None:
    assert greeting(world, relay, "QzXtoXzQ") == "Hello QzXtoXzQ,"


@crossed(
    field=["email", "name", "locale", "wording"],
    break_=["\r\nBcc: x@example.net", "\nBcc: x@example.net", "\0", "=?utf-8?q?=0ABcc:x@y?="],
)
def test_no_field_reaches_a_header_or_the_envelope(world: World, relay: Relay, field: str, break_: str) -> None:
    fields = {"email": ANNE, field: (ANNE if field == "email" else "en") + break_}
    world.sign_up(fields.pop("email"), **fields)
    world.deliver()
    assert all(mail.recipients == (ANNE,) for mail in relay.mails)
    assert all(set(head_of(mail)) == HEADERS for mail in relay.mails)
    assert not any("Bcc" in command for command in relay.commands)


@pytest.mark.parametrize(
    "name", [LONG, "a" * 200, "word " * 39 + "word", "=?utf-8?q?=0ABcc:x@example.net?=", "A, <b@c> “d”"]
)
def test_any_name_of_a_list_arrives_as_it_is(confirmation: Callable[..., Mail], name: str) -> None:
    mail = confirmation(name=name)
    assert set(head_of(mail)) == HEADERS
    assert mail.message["Subject"] == f"Please confirm: {name}"
    assert "".join(name.split()) in "".join(text_of(mail.message).split())
    assert longest_line(mail.raw) <= 78


@pytest.mark.parametrize(
    "name", [LONG, "a" * 100, "=?utf-8?q?=0ABcc:x@example.net?=", "Society, Inc.", 'The "Society"']
)
def test_any_name_of_the_sender_arrives_as_it_is(confirmation: Callable[..., Mail], name: str) -> None:
    quoted = name.replace('"', '\\"')
    mail = confirmation({"sender": f'"{quoted}" <news@example.org>'})
    assert set(head_of(mail)) == HEADERS
    assert sender_of(mail.raw) == (name, "news@example.org")


UNQUOTED = [
    "Club: News", "Society, Inc.", "A; B", 'The "Society"', "News (daily) of us", "anne@example.org", "back\\slash",
    "J. R. Example", "Küche: Wein, Käse", "“Yes”, she said; (no)", "a, " * 30 + "end", "=?utf-8?q?x?=", "  News",
    "...", "",
]  # fmt: skip


@each("name", UNQUOTED)
def test_a_name_of_the_sender_needs_no_quotes_of_the_operators(name: str) -> None:
    parsed, address = named(f"{name} <news@example.org>")
    head = f"From: {sender_line(parsed, address)}\r\n\r\n".encode("ascii")
    assert sender_of(head) == (name.strip(), "news@example.org")
    assert longest_line(head) <= 78
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    assert named(f'"{quoted}" <news@example.org>')[0] == name.strip()


def test_a_name_without_quotes_arrives_in_the_mail(confirmation: Callable[..., Mail]) -> None:
    mail = confirmation({"sender": 'Club: "News", daily <news@example.org>'})
    assert (sender_of(mail.raw), mail.sender) == (('Club: "News", daily', "news@example.org"), "news@example.org")


@pytest.mark.parametrize(
    "text", ["ß" * 3000, "x" * 3000, "line\n.\n.dot\nFrom here\n--\n", "a = b\t\nend ", "<b>&amp;</b>"]
)
def test_any_wording_arrives_as_it_is(confirmation: Callable[..., Mail], text: str) -> None:
    mail = confirmation(wording=text)
    assert "".join(text.split()) in "".join(text_of(mail.message).split())
    assert longest_line(mail.raw) <= 78


def test_markup_in_the_configuration_stays_text(confirmation: Callable[..., Mail]) -> None:
    mail = confirmation(name="<b>News</b>", wording="<i>Yes</i>", controller="<u>Us</u>", postal_address="<p>")
    assert not re.search(r"<b>|<i>|<u>|<p>[^<]*</u>", text_of(mail.message, "html"))


def test_a_mail_without_a_legal_notice_still_leaves(confirmation: Callable[..., Mail]) -> None:
    mail = confirmation(controller="", postal_address="", privacy_contact="", policy_url="")
    assert "Sent by Newsletter" in text_of(mail.message)
    assert "Contact:" not in text_of(mail.message)


@pytest.mark.parametrize("labels", [0, 1, 2, 3])
def test_list_unsubscribe_stays_plain_at_any_length_of_the_base_url(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path, labels: int
) -> None:
    base = "https://" + f"{'n' * 60}." * labels + "news.example.org"
    server = Server(base_url=base, data_dir=str(tmp_path), pepper="a pepper of the tests", secret_keys=("k" * 20,))
    with through(relay, partial(make_app, server=server), clock) as world:
        world.sign_up(ANNE)
        world.deliver()
    mail = relay.mails[0]
    link = link_in(mail.message, "not-me")
    assert link.startswith(f"{base}/not-me/")
    assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in mail.raw
    assert max(len(line) for line in mail.raw.split(b"\r\n")) < 998
