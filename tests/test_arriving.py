"""The mail that comes: read within bounds whatever it is, acted on once."""

import time
from dataclasses import dataclass
from typing import ClassVar

import pytest
from sqlalchemy.orm import Session

from subscriptions.actions import arrived as acts
from subscriptions.actions.arrived import Mark
from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound import door
from subscriptions.inbound.house import House, house_of
from subscriptions.inbound.message import Arrived, TooMuch, read
from subscriptions.store import counters
from subscriptions.store.engine import reading
from subscriptions.store.models import Arrival
from tests.builders import World

PLAIN = (
    b"From: Anne <anne@example.org>\r\nTo: leave@news.example\r\nMessage-ID: <1@example.org>\r\n"
    b"Subject: Hello\r\n\r\nHi.\r\n"
)


def with_head(*lines: str, body: str = "Hi.") -> bytes:
    return ("\r\n".join([*lines, "", body]) + "\r\n").encode()


def nested(levels: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))


def test_a_message_is_read_as_people_read_it() -> None:
    message = with_head(
        "Return-Path: <anne@example.org>", "Delivered-To: leave+x@news.example", "Received: here",
        'From: "Änne" <Anne@example.org>', "To: a@news.example, B <b@news.example>", "Cc: c@news.example",
        "Subject: =?utf-8?q?Bitte_abmelden=2C?= =?utf-8?q?_danke?=", "Date: Mon, 30 Nov 2026 09:00:00 +0100",
        "Message-ID: <1@example.org>", "Content-Type: text/html; charset=utf-8", body="<p>Bitte <b>abmelden</b>",
    )  # fmt: skip
    arrived = read(message)
    assert (arrived.envelope_from, arrived.envelope_to) == ("anne@example.org", "leave+x@news.example")
    assert arrived.authors == ("anne@example.org",)
    assert arrived.recipients == ("a@news.example", "b@news.example", "c@news.example")
    assert (arrived.subject, arrived.words) == ("Bitte abmelden, danke", "Bitte abmelden")
    assert arrived.sent_at is not None and arrived.sent_at.isoformat() == "2026-11-30T08:00:00+00:00"
    assert not arrived.is_automatic


def test_what_the_mail_server_says_of_the_envelope_counts_more_than_the_header() -> None:
    message = with_head("Return-Path: <forged@example.org>", "Delivered-To: forged@news.example")
    arrived = read(message, "", "leave@news.example")
    assert (arrived.envelope_from, arrived.envelope_to, arrived.is_automatic) == ("", "leave@news.example", True)


@pytest.mark.parametrize(
    "lines",
    [
        ['From: "anne@example.org" <eve@evil.example>'], ["From: anne@example.org, eve@evil.example"],
        ["From: anne@example.org", "From: eve@evil.example"], ["From: <anne@example.org> <eve@evil.example>"],
        ["From: =?utf-8?q?anne=40example.org?= <eve@evil.example>"],
    ],
)  # fmt: skip
def test_who_names_two_addresses_as_the_author_has_two_authors(lines: list[str]) -> None:
    assert set(read(with_head(*lines)).authors) == {"anne@example.org", "eve@evil.example"}


@pytest.mark.parametrize(
    "line",
    [
        "Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated; x=y", "Precedence: bulk", "Precedence: List",
        "List-Id: <news.example>", "X-Autoreply: yes", "X-Auto-Response-Suppress: All", "Return-Path: <>",
        "Content-Type: multipart/report; boundary=x", "Return-Path: <MAILER-DAEMON>",
    ],
)  # fmt: skip
def test_what_a_machine_sends_is_known_for_it(line: str) -> None:
    assert read(with_head(line)).is_automatic
    assert not read(with_head("Auto-Submitted: no", "Return-Path: <anne@example.org>")).is_automatic


TOO_MUCH = {
    "thirty megabytes": PLAIN + b"x" * 30_000_000,
    "a megabyte of header fields": b"X: y\r\n" * 200_000,
    "a header that never ends": b"X" * 70_000,
    "a field of nine kilobytes": b"X: " + b"y" * 9_000 + b"\r\n\r\nHi.",
    "six hundred fields": b"X: y\r\n" * 600 + b"\r\nHi.",
    "ten thousand nested parts": nested(10_000),
    "two dozen nested parts": nested(24),
    "a message in a message in a message": b"Content-Type: message/rfc822\r\n\r\n" * 49,
    "a digest of hundreds": b"Content-Type: multipart/digest; boundary=x\r\n\r\n" + b"--x\r\n\r\n\r\n" * 900,
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_is_refused_in_a_moment(name: str) -> None:
    began = time.process_time()
    with pytest.raises(TooMuch):
        read(TOO_MUCH[name])
    assert time.process_time() - began < 1


STRANGE = {
    "nothing at all": b"",
    "no header": b"Hi.",
    "noughts and high octets": b"\x00\xff\xfe" * 100,
    "a charset that does not exist": with_head("Content-Type: text/plain; charset=martian", "Subject: =?martian?q?x?="),
    "a charset that is a codec of something else": with_head("Content-Type: text/plain; charset=zip"),
    "base64 that is none": with_head("Content-Transfer-Encoding: base64", body="%%%%"),
    "brackets without end": with_head("From: " + "(" * 8000, "Content-Type: " + "(" * 8000),
    "a date that is none": with_head("Date: Mon, 99 Foo 99999 99:99:99 +9999"),
    "a boundary that never comes": with_head("Content-Type: multipart/mixed; boundary=x"),
    "a boundary of nothing": with_head("Content-Type: multipart/mixed; boundary="),
}


@pytest.mark.parametrize("name", STRANGE)
def test_whatever_strangers_send_is_read_or_refused_and_nothing_else(name: str) -> None:
    try:
        arrived = read(STRANGE[name])
    except TooMuch:
        return
    assert "\x00" not in arrived.words + arrived.subject


LONG = [b";" * 7900, b"; a=b" * 1500, b'; a="' * 1500, b"; a*0*=b" * 900]


@pytest.mark.parametrize("says", LONG, ids=range(len(LONG)))
def test_a_megabyte_of_parameters_is_read_in_a_moment(says: bytes) -> None:
    part = b"\r\n--b\r\nContent-Type: text/plain" + says[:5000] + b"\r\n\r\nHi."
    octets = b"Content-Type: multipart/mixed; boundary=b\r\n" + part * 180 + b"\r\n--b--"
    began = time.process_time()
    assert not read(octets).is_automatic
    assert time.process_time() - began < 2


@dataclass(frozen=True)
class Greeting:
    """A sort of the test's own."""

    outcome: Outcome = Outcome.DONE
    sort: ClassVar[str] = "greeting"

    def act(self, session: Session, arrived: Arrived, house: House) -> Outcome:
        counters.add(session, {"greetings": 1})
        return self.outcome


def greetings() -> int:
    with reading() as session:
        return counters.total(session, "greetings")


def greet(world: World, octets: bytes, outcome: Outcome = Outcome.DONE) -> Outcome:
    arrived, house = read(octets), house_of(world.parts)
    mark = door.mark_of(arrived, house.links)
    return acts.once(mark, "greeting", house.now, lambda session: Greeting(outcome).act(session, arrived, house))


def test_a_message_is_acted_on_once_however_often_it_comes(world: World) -> None:
    assert greet(world, PLAIN) is Outcome.DONE
    assert [greet(world, PLAIN), greet(world, b"Received: again\r\n" + PLAIN)] == [Outcome.REPEATED] * 2
    assert greetings() == 1 == world.count(Arrival)


def test_what_is_not_acted_on_is_not_remembered(world: World) -> None:
    assert door.take(read(PLAIN), house_of(world.parts)) is Outcome.UNCLEAR
    assert greet(world, PLAIN, Outcome.NOTHING) is Outcome.NOTHING
    assert world.count(Arrival) == 0
    assert greet(world, PLAIN) is Outcome.DONE


def test_an_act_that_fails_leaves_no_memory_so_it_is_done_the_next_time(world: World) -> None:
    def fail(session: Session) -> Outcome:
        counters.add(session, {"greetings": 1})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        acts.once(Mark(b"x" * 32, None), "greeting", world.clock.now(), fail)
    assert (world.count(Arrival), greetings()) == (0, 0)
