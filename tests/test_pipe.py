"""Mail by pipe: each letter is dealt with, kept, forwarded or left with the mail server; none is lost or doubled."""

import email.policy
import io
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.message import EmailMessage
from typing import cast

import pytest
from flask import Flask

from subscriptions.actions import arrived as acts
from subscriptions.actions import erase
from subscriptions.actions.arrived import Full
from subscriptions.domain.arrivals import LETTERS_AT_MOST, Outcome
from subscriptions.inbound.forward import forward
from subscriptions.inbound.house import house_of
from subscriptions.inbound.letters import KEPT_WHOLE, receive
from subscriptions.settings import Inbound
from subscriptions.settings import Mail as MailSettings
from subscriptions.store.engine import Unavailable, transaction
from subscriptions.store.models import Arrival, LetterToRead
from tests.builders import ANNE, BART, World, take_database_away
from tests.conftest import ManualClock
from tests.support.cases import ONE_DATABASE, each
from tests.support.relay import Relay

LEAVE = "leave@news.example"
HELLO = f"From: Bart <{BART}>\r\nTo: {LEAVE}\r\nMessage-ID: <1@example.org>\r\nSubject: Hello\r\n\r\nHi.\r\n".encode()
Made = Callable[..., Flask]


@pytest.fixture
def world(make_app: Made, clock: ManualClock) -> Iterator[World]:
    app = make_app(inbound=Inbound(LEAVE))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def came(world: World, octets: bytes) -> Outcome:
    return receive(io.BytesIO(octets), house_of(world.parts))


def kept() -> list[LetterToRead]:
    return [row for one in acts.letters() if (row := acts.letter(one.id))]


def test_a_letter_that_nobody_understands_is_kept_whole_and_once_however_often_it_comes(world: World) -> None:
    outcomes = [came(world, octets) for octets in (HELLO, HELLO, b"Received: again\r\n" + HELLO)]
    assert outcomes == [Outcome.UNCLEAR, Outcome.REPEATED, Outcome.REPEATED]
    (row,) = kept()
    assert (row.sender, row.subject, zlib.decompress(row.octets)) == (f"Bart <{BART}>", "Hello", HELLO)


def test_of_ten_deliveries_at_once_one_keeps_it(world: World) -> None:
    def deliver(_: int) -> Outcome:
        with world.app.app_context():
            return came(world, HELLO)

    with ThreadPoolExecutor(10) as pool:
        outcomes = [*pool.map(deliver, range(10))]
    assert sorted(outcomes) == [*[Outcome.REPEATED] * 9, Outcome.UNCLEAR] and len(kept()) == 1


HOSTILE = {
    "thirty megabytes": HELLO + b"x" * 30_000_000,
    "ten thousand nested parts": HELLO.replace(b"<1@", b"<2@").partition(b"\r\n\r\n")[0] + b"\r\n"
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(10_000)),
    "a megabyte of header": b"X: y\r\n" * 200_000 + HELLO,
    "nothing that is a message": b"\x00\xff" * 1000,
    "nothing": b"",
}  # fmt: skip


@ONE_DATABASE
@each("name", HOSTILE)
def test_what_is_too_much_is_kept_for_a_human_within_bounds(world: World, name: str) -> None:
    octets, before = HOSTILE[name], len(kept())
    assert came(world, octets) is Outcome.UNCLEAR
    row = kept()[before]
    inside = zlib.decompress(row.octets)
    assert row.size == len(octets) and octets.startswith(inside) and len(inside) <= KEPT_WHOLE
    if name in ("thirty megabytes", "ten thousand nested parts"):
        assert row.subject == "Hello" and row.key is not None


def test_an_answer_of_a_machine_is_nothing_to_read_and_is_counted(world: World) -> None:
    assert came(world, b"Auto-Submitted: auto-replied\r\n" + HELLO) is Outcome.NOTHING
    assert kept() == []
    assert "yestwice_arrived_automatic_nothing_total 1.0" in world.get("/metrics").text


@ONE_DATABASE
def test_nobody_signs_our_own_address_up_and_makes_us_write_to_ourselves(world: World) -> None:
    world.sign_up("leave+me@news.example")
    world.deliver()
    assert world.mails() == []


@ONE_DATABASE
def test_where_a_thousand_letters_wait_the_mail_server_keeps_the_next(world: World) -> None:
    row = {"at": world.clock.now(), "sender": "", "subject": "", "sha256": b"", "octets": b"", "size": 0}
    with transaction() as session:
        session.add_all(LetterToRead(is_to_forward=False, **row) for _ in range(LETTERS_AT_MOST))
    with pytest.raises(Full):
        came(world, HELLO)
    assert world.count(Arrival) == 0


@ONE_DATABASE
def test_while_the_database_is_away_nothing_is_taken(world: World) -> None:
    take_database_away()
    with pytest.raises(Unavailable):
        came(world, HELLO)


def test_letters_go_with_the_person_who_wrote_them(world: World) -> None:
    world.subscribe(BART)
    came(world, HELLO)
    came(world, HELLO.replace(BART.encode(), ANNE.encode()).replace(b"<1@", b"<2@"))
    erase.finish(world.parts.links.key(BART), world.clock.now(), world.parts.policy)
    assert [row.sender for row in kept()] == [f"Bart <{ANNE}>"]


# Forwarded


@pytest.fixture
def forwarding(relay: Relay, make_app: Made, clock: ManualClock) -> Iterator[World]:
    mail = MailSettings(transport="smtp", host=relay.host, port=relay.port, connections=1, timeout_seconds=1)
    app = make_app(mail=mail, inbound=Inbound(LEAVE, forward="office@example.net"))
    with app.app_context():
        yield World(app, app.test_client(), clock)


@ONE_DATABASE
def test_a_letter_is_forwarded_as_it_came_in_an_email_of_ours(forwarding: World, relay: Relay) -> None:
    came(forwarding, HELLO)
    assert forwarding.run("inbound") == 1 and forwarding.count(LetterToRead) == 0
    (mail,) = relay.mails
    message = cast(EmailMessage, message_from_bytes(mail.raw, policy=email.policy.default))
    (attached,) = message.iter_attachments()
    assert attached.get_content() == HELLO and attached.get_filename() == "letter.eml"
    assert "newsletter@example.org" in message["From"] and message["Auto-Submitted"] == "auto-generated"
    assert came(forwarding, mail.raw) is Outcome.NOTHING  # should it come back: no loop


@ONE_DATABASE
def test_a_subject_that_is_encoded_twice_puts_no_field_into_the_email_to_the_office(
    forwarding: World, relay: Relay
) -> None:
    twice = "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3D0D=3D0ABcc=3A=3D20x=40evil.example=3D0D=3D0A=3D0D=3D0AHi=3F=3D?="
    came(forwarding, HELLO.replace(b"Hello", twice.encode()))
    assert forwarding.run("inbound") == 1
    message = message_from_bytes(relay.mails[0].raw)
    assert message["Bcc"] is None and message.get_content_type() == "multipart/mixed"
    assert message["Subject"].strip().startswith("Not understood: = ?utf-8")


@ONE_DATABASE
def test_a_letter_waits_until_the_relay_takes_it_and_is_kept_at_the_desk_where_it_never_will(
    forwarding: World, relay: Relay
) -> None:
    came(forwarding, HELLO)
    relay.behave("end", "451 4.3.0 later")
    assert forwarding.run("inbound") == 0 and len(acts.letters(to_forward=True)) == 1
    relay.accept()
    relay.behave("end", "554 5.0.0 never")
    assert forwarding.run("inbound") == 0 and len(kept()) == 1


@ONE_DATABASE
def test_a_run_that_has_lost_its_job_forwards_nothing_that_another_may_be_forwarding(
    forwarding: World, relay: Relay
) -> None:
    came(forwarding, HELLO)
    assert forward(forwarding.parts, lambda: False) == 0
    assert (len(relay.mails), len(acts.letters(to_forward=True))) == (0, 1)
