"""Senders at work: several at once, slow ones, ones that stop, and a limit for all of them together."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from flask import Flask
from flask_mail import Message

from subscriptions.domain.evidence import Cause
from subscriptions.mail import settle
from subscriptions.mail.batch import Taken
from subscriptions.mail.lines import Line
from subscriptions.settings import ListSettings
from subscriptions.settings import Mail as MailSettings
from subscriptions.store import outbox, registrations
from subscriptions.store.engine import Unavailable, reading, transaction
from tests.builders import ANNE, BART, CRIS, LISTS, NEWS, OFFERS, Movable, World, owed, text_of

PEOPLE = [f"reader{number}@example.org" for number in range(40)]
PATIENCE = 10.0


@dataclass
class Meanwhile:
    """A line on which something happens before each mail is handed over."""

    line: Line
    happens: Callable[[], object]
    is_open = True

    def send(self, message: Message, envelope_from: str | tuple[str, str] | None = None) -> None:
        self.happens()
        self.line.send(message, envelope_from)

    def close(self) -> None:
        self.line.close()

    def cut(self) -> None:
        self.line.cut()


def meanwhile(world: World, happens: Callable[[], object]) -> None:
    """From now on this happens whenever the sender is about to hand a mail over, one after the other."""
    sender = world.parts.sender
    sender.connections = 1
    line = sender.new_line
    sender.new_line = lambda: Meanwhile(line(), happens)


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does to the database."""
    turn = threading.Event()
    for _ in range(int(PATIENCE * 100)):
        if condition():
            return
        turn.wait(0.01)
    raise TimeoutError


def sign_up(world: World, people: list[str]) -> None:
    for person in people:
        world.sign_up(person)


@pytest.fixture
def limited(make_app: Callable[..., Flask], clock: Movable) -> Callable[[int], World]:
    """Another process on the same database, that may send so many mails a minute."""

    def made(per_minute: int) -> World:
        app = make_app(mail=MailSettings(connections=1, max_per_minute=per_minute))
        return World(app, app.test_client(), clock)

    return made


def test_two_senders_at_once_send_each_mail_once(world: World, limited: Callable[[int], World]) -> None:
    sign_up(world, PEOPLE)
    other = limited(0)

    def send() -> None:
        with other.app.app_context():
            other.deliver()

    thread = threading.Thread(target=send)
    thread.start()
    world.deliver()
    thread.join()
    world.deliver()
    assert sorted(str(mail["To"]) for mail in world.mails()) == sorted(PEOPLE)


def test_mails_that_wait_behind_a_slow_relay_are_not_taken_by_another(world: World) -> None:
    """Fifteen seconds a mail: the fifth leaves when the first lease would be over."""
    taken: list[int] = []

    def slowly() -> None:
        until(lambda: all(one.due_at > world.clock.now() + timedelta(seconds=35) for one in owed()))
        world.clock.forward(seconds=15)
        with transaction() as session:
            taken.extend(outbox.take(session, "another", 10, world.clock.now()))

    sign_up(world, PEOPLE[:6])
    meanwhile(world, slowly)
    assert world.deliver() == 6
    assert taken == []


def test_the_state_is_read_again_when_the_mails_before_it_took_long(world: World) -> None:
    def disowned() -> None:
        world.clock.forward(seconds=6)
        for row in world.registrations()[1:]:
            world.post(world.parts.links.not_me_url(row.ref, row.list_id, row.key))

    sign_up(world, [ANNE, BART, CRIS])
    meanwhile(world, disowned)
    assert world.deliver() == 1
    assert [str(mail["To"]) for mail in world.mails()] == [ANNE]


def test_one_who_is_erased_while_the_mail_is_on_its_way_stops_nobody_else(world: World) -> None:
    def disowned() -> None:
        row = world.registrations()[0]
        world.post(world.parts.links.not_me_url(row.ref, row.list_id, row.key))

    sign_up(world, [ANNE, BART])
    meanwhile(world, disowned)
    world.deliver()
    assert (owed(), world.evidence(), world.registrations()) == ([], [], [])
    assert world.mails() == []


def test_no_mail_leaves_too_late_because_another_took_long(world: World) -> None:
    sign_up(world, [ANNE, BART])
    world.clock.forward(hours=23, minutes=59, seconds=58)
    meanwhile(world, lambda: world.clock.forward(seconds=2))
    assert world.deliver() == 1
    assert owed() == []


def test_a_sender_that_stops_ends_its_mail_and_gives_the_others_back(world: World) -> None:
    sender = world.parts.sender
    stopping = threading.Thread(target=sender.stop)

    def stop() -> None:
        stopping.start()
        until(sender._stopping.is_set)

    sign_up(world, PEOPLE[:4])
    meanwhile(world, stop)
    assert world.deliver() == 1
    stopping.join()
    assert [(one.taken_by, one.due_at) for one in owed()] == [(None, world.clock.now())] * 3
    assert world.deliver() == 0


def test_what_was_sent_and_cannot_be_settled_ends_the_sweep_and_is_repeated_after_the_lease(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("the database is away")

    sign_up(world, PEOPLE)
    with monkeypatch.context() as faults:
        faults.setattr(settle, "TRIES", 1)
        faults.setattr(settle, "BETWEEN", 0)
        faults.setattr(settle, "settle", away)
        with pytest.raises(Unavailable):
            world.deliver()
    assert len(owed()) == len(PEOPLE)
    world.clock.forward(seconds=60)
    assert world.deliver() == len(PEOPLE)
    ids = [str(mail["Message-ID"]) for mail in world.mails()]
    assert len(set(ids)) == len(PEOPLE)


def test_a_limit_a_minute_holds_for_all_senders_together(world: World, limited: Callable[[int], World]) -> None:
    one, another = limited(15), limited(15)
    sign_up(world, PEOPLE)
    sent = [each.deliver() for each in (one, another, one, another)]
    assert sum(sent) == 15
    world.clock.forward(minutes=1)
    assert another.deliver() + one.deliver() == 15
    world.clock.forward(minutes=1)
    assert one.deliver() == 10


def test_looking_without_mails_uses_nothing_of_the_limit(world: World, limited: Callable[[int], World]) -> None:
    sender = limited(3)
    for _ in range(5):
        assert sender.deliver() == 0
    sign_up(world, PEOPLE[:3])
    assert sender.deliver() == 3


@pytest.mark.parametrize("slug", [NEWS, "made-later"])
def test_a_sender_that_started_before_a_wording_or_a_list_was_made_writes_it_all_the_same(
    world: World, make_app: Callable[..., Flask], slug: str
) -> None:
    world.sign_up(BART)
    world.deliver()
    added = (replace(LISTS[0], wording="Yes, by the new wording."), ListSettings("made-later", wording="Yes, too."))
    newer = World((app := make_app(lists=added)), app.test_client(), world.clock)
    with app.app_context():
        row = newer.parts.catalogue.by_slug(slug)
        newer.sign_up(ANNE, slug, wording=row.wording_id if row else None)
    with world.app.app_context():
        assert world.deliver() == 1
    assert ("by the new wording" if slug == NEWS else "Yes, too.") in text_of(world.mails(ANNE)[0])


def test_a_welcome_repeats_the_wording_of_its_own_sign_up(world: World, make_app: Callable[..., Flask]) -> None:
    wordings = world.parts.catalogue.by_slug(OFFERS)
    assert wordings is not None
    world.sign_up(ANNE, OFFERS, wording=wordings.wording_id)
    changed = tuple(replace(one, wording="Yes, to something else.") for one in LISTS)
    newer = World((app := make_app(lists=changed)), app.test_client(), world.clock)
    with app.app_context():
        newer.post(newer.confirm_link(ANNE))
        assert "Yes, I would like" in text_of(newer.mails()[-1])


def test_a_mail_that_was_on_the_line_twice_leaves_one_proof(world: World) -> None:
    world.sign_up(ANNE)
    now, sender = world.clock.now(), world.parts.sender
    with reading() as session:
        (due,) = outbox.read_again(session, sender.hold.take(), now)
    message = sender.composer.compose(due, now)
    settle.settle([Taken(due, now, message, "250 taken")] * 2, [message.letter], now, world.parts.sender.hold)
    assert [one.fact for one in world.evidence()] == ["registered", "mailed"]
    assert owed() == []


def test_a_list_that_is_gone_while_the_mail_is_on_the_line_gets_no_proof(world: World) -> None:
    world.post("/api/v1/subscriptions", json={"email": ANNE, "lists": [NEWS, OFFERS]})
    now, sender = world.clock.now(), world.parts.sender
    with reading() as session:
        (due,) = outbox.read_again(session, sender.hold.take(), now)
        _, further = registrations.of_form(session, due.ref or b"")
    with transaction() as session:
        registrations.remove(session, [further.id], Cause.CANCELLED, now)
    message = sender.composer.compose(due, now)
    settle.settle([Taken(due, now, message, "250 taken")], [message.letter], now, world.parts.sender.hold)
    assert [(one.registration_id, one.fact) for one in world.evidence()] == [(1, "registered"), (1, "mailed")]
