"""The mailbox that is read by IMAP, with a real Dovecot: what is ours is done, and private letters stay untouched."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound import poll
from subscriptions.inbound.imap import NoMailbox
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import NAMED
from subscriptions.settings import Inbound
from subscriptions.store.engine import Unavailable
from subscriptions.store.models import Arrival, LetterToRead
from tests.builders import BART, World, take_database_away
from tests.conftest import ManualClock
from tests.desk import at_the_desk
from tests.support.cases import ONE_DATABASE
from tests.support.certificates import Certificate, ca_file, server_context
from tests.support.dovecot import PASSWORD, USER, Dovecot
from tests.support.ports import free_port

LEAVE = "leave@news.example"
PRIVATE = f"From: Cleo <cleo@example.org>\r\nTo: {LEAVE}\r\nSubject: Lunch?\r\n\r\nAt noon?\r\n".encode()
pytestmark = ONE_DATABASE
Made = Callable[..., Flask]


def settings(port: int, **more: str) -> Inbound:
    login = {"imap_username": USER, "imap_password": PASSWORD, "imap_security": "none"}
    return Inbound(LEAVE, imap_host="localhost", imap_port=port, **(login | more))


@contextmanager
def reading(make_app: Made, clock: ManualClock, port: int, **more: str) -> Iterator[World]:
    app = make_app(inbound=settings(port, **more))
    with app.app_context():
        yield World(app, app.test_client(), clock)


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with Dovecot() as server:
        yield server


@pytest.fixture
def world(make_app: Made, clock: ManualClock, dovecot: Dovecot) -> Iterator[World]:
    with reading(make_app, clock, dovecot.port) as world:
        yield world


def wish(world: World, address: str = BART, number: int = 1) -> bytes:
    """As a mail program writes it that follows List-Unsubscribe."""
    token = world.leave_link(address).rpartition("/")[2]
    head = f"From: {address}\r\nTo: {LEAVE}\r\nMessage-ID: <{number}@example.org>\r\nSubject: unsubscribe {token}"
    return f"{head}\r\n\r\n\r\n".encode()


def polled(world: World) -> dict[Outcome, int]:
    return dict(poll.poll(world.parts))


def test_private_letters_stay_as_they_are_unread_and_unstored(world: World, dovecot: Dovecot) -> None:
    dovecot.deliver(PRIVATE, PRIVATE + b"Or one?\r\n")
    assert polled(world) == {Outcome.UNCLEAR: 2}
    assert dovecot.flags() == [{"\\Recent"}] * 2
    assert (world.count(Arrival), world.count(LetterToRead)) == (0, 0)
    assert polled(world) == {}


def test_a_wish_is_done_and_marked_as_read_and_the_letters_around_it_are_not(world: World, dovecot: Dovecot) -> None:
    world.subscribe(BART)
    dovecot.deliver(PRIVATE, wish(world), PRIVATE)
    assert polled(world) == {Outcome.UNCLEAR: 2, Outcome.DONE: 1}
    assert [("\\Seen" in flags) for flags in dovecot.flags()] == [False, True, False]
    (subscription,) = world.subscriptions()
    assert not subscription.is_open


def test_what_another_mail_program_changes_meanwhile_is_taken_for_no_message(world: World, dovecot: Dovecot) -> None:
    world.subscribe(BART)
    dovecot.deliver(PRIVATE, wish(world))
    dovecot.tells = b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS ())\r\n"
    assert polled(world) == {Outcome.UNCLEAR: 1, Outcome.DONE: 1}
    assert [("\\Seen" in flags) for flags in dovecot.flags()] == [False, True]


def test_what_comes_later_is_looked_at_later(world: World, dovecot: Dovecot) -> None:
    for number in range(2):
        dovecot.deliver(PRIVATE)
        assert polled(world) == {Outcome.UNCLEAR: 1}, number


def test_where_the_server_numbers_anew_all_is_looked_at_again_and_nothing_is_done_twice(
    world: World, dovecot: Dovecot
) -> None:
    world.subscribe(BART)
    dovecot.deliver(wish(world))
    assert polled(world) == {Outcome.DONE: 1}
    dovecot.renumber()
    assert polled(world) == {Outcome.REPEATED: 1}


def test_two_that_look_at_one_mailbox_at_once_do_each_wish_once(world: World, dovecot: Dovecot) -> None:
    world.subscribe(BART)
    dovecot.deliver(*(wish(world, number=number) for number in range(5)))

    def look(_: int) -> Counter[Outcome]:
        with world.app.app_context():
            return poll.poll(world.parts)

    with ThreadPoolExecutor(2) as pool:
        both = sum(pool.map(look, range(2)), Counter[Outcome]())
    assert both[Outcome.DONE] == 1 and len([fact for fact in world.evidence() if fact.fact == "unsubscribed"]) == 1


def test_a_run_that_died_before_it_noted_how_far_it_had_come_does_nothing_twice(world: World, dovecot: Dovecot) -> None:
    world.subscribe(BART)
    dovecot.deliver(wish(world))
    polled(world)
    poll.acts.note("inbound_seen", "")
    assert polled(world) == {Outcome.REPEATED: 1}


def test_letters_of_long_ago_are_nobodys_wish_of_today(world: World, clock: ManualClock, dovecot: Dovecot) -> None:
    world.subscribe(BART)
    dovecot.deliver(wish(world))
    clock.forward(days=60)
    assert polled(world) == {}


def test_a_letter_of_thirty_megabytes_is_not_even_fetched(world: World, dovecot: Dovecot) -> None:
    dovecot.deliver(PRIVATE + b"x" * 76 + b"\r\n", PRIVATE + b"x\r\n" * 10_000_000)
    assert polled(world) == {Outcome.UNCLEAR: 2}


def test_when_the_database_goes_away_the_wish_stays_and_is_done_the_next_time(
    world: World, dovecot: Dovecot, make_app: Made
) -> None:
    dovecot.deliver(wish(world))
    take_database_away()
    with pytest.raises(Unavailable):
        polled(world)
    assert dovecot.flags() == [{"\\Recent"}]


REFUSED = {
    "imap_username": {"imap_username": "somebody"}, "imap_password": {"imap_password": "wrong"},
    "imap_folder": {"imap_folder": "Nowhere"},
}  # fmt: skip


@pytest.mark.parametrize("setting", REFUSED)
def test_what_is_wrong_with_the_mailbox_is_said_with_the_setting_to_look_at(
    make_app: Made, clock: ManualClock, dovecot: Dovecot, setting: str
) -> None:
    with reading(make_app, clock, dovecot.port, **REFUSED[setting]) as world:
        with pytest.raises(NoMailbox, match=setting):
            polled(world)
        world.run("inbound")  # it is a finding, and no failure of the job
        fault = poll.fault()
        assert fault is not None and setting in fault.why and PASSWORD not in fault.why


def test_a_mailbox_that_cannot_be_read_is_tried_less_and_less_often_and_a_person_may_ask_at_once(
    world: World, clock: ManualClock, dovecot: Dovecot
) -> None:
    dovecot.refuses = True
    for _ in range(120):
        lease.run(NAMED["inbound"], world.parts)
        clock.forward(minutes=1)
    assert 5 < dovecot.logins < 15
    assert "imap_username" in at_the_desk(world).get("/admin/health").text
    ready = world.get("/readyz").get_json()
    assert "imap_password" in str(ready["warnings"]) and "inbound" not in str(ready["problems"])
    dovecot.refuses = False
    assert poll.poll(world.parts, asked=True) == {} and poll.fault() is None


@pytest.mark.parametrize("certificate", [*Certificate][:3])
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_is_checked_before_the_password_crosses_the_network(
    tmp_path: Path,
    make_app: Made,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
    certificate: Certificate,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file()))
    tls = server_context(certificate)
    with (
        Dovecot(tls, starttls=security == "starttls") as server,
        reading(make_app, clock, server.port, imap_security=security) as world,
    ):
        if certificate is Certificate.GOOD:
            assert polled(world) == {}
        else:
            with pytest.raises(NoMailbox, match="certificate"):
                polled(world)
        assert server.logins == (certificate is Certificate.GOOD)


def test_a_server_that_is_not_there_is_said_in_a_sentence(make_app: Made, clock: ManualClock) -> None:
    with reading(make_app, clock, free_port()) as world, pytest.raises(NoMailbox, match="imap_host"):
        polled(world)


def test_who_asks_for_a_look_reads_why_there_is_none_and_the_name_of_the_server_as_it_is(
    world: World, dovecot: Dovecot
) -> None:
    dovecot.refuses = True
    done = world.app.test_cli_runner().invoke(args=["mail", "poll"])
    assert done.exit_code == 1
    assert f"The mailbox cannot be read: localhost:{dovecot.port} refuses the login" in done.stderr
