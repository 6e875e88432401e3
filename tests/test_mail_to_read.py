"""Mail to read at the desk: what only a human understands, and the four things that can be done about it."""

import io
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.domain.arrivals import Outcome
from subscriptions.domain.roles import Role
from subscriptions.inbound.house import house_of
from subscriptions.inbound.letters import receive
from subscriptions.settings import Inbound
from subscriptions.store.models import LetterToRead, Request
from tests.builders import BART, World
from tests.conftest import ManualClock
from tests.desk import Person, at_the_desk
from tests.support.cases import ONE_DATABASE, each
from tests.support.dovecot import Dovecot
from tests.test_mailbox_polled import settings as of_mailbox

LEAVE = "leave@news.example"
pytestmark = ONE_DATABASE
Made = Callable[..., Flask]


def letter(subject: str = "My data", body: str = "Please tell me <b>everything</b>.", sender: str = BART) -> bytes:
    head = f"From: Bart <{sender}>\r\nTo: {LEAVE}\r\nMessage-ID: <{hash(subject)}@example.org>\r\nSubject: {subject}"
    return f"{head}\r\n\r\n{body}\r\n".encode()


@pytest.fixture
def world(make_app: Made, clock: ManualClock) -> Iterator[World]:
    app = make_app(inbound=Inbound(LEAVE))
    with app.app_context():
        yield World(app, app.test_client(), clock)


@pytest.fixture
def officer(world: World) -> Person:
    return at_the_desk(world, Role.OWNER)


def came(world: World, octets: bytes | None = None) -> str:
    """By pipe; its place at the desk."""
    assert receive(io.BytesIO(octets or letter()), house_of(world.parts)) is Outcome.UNCLEAR
    return "/admin/mail/k1"


def test_where_no_mail_is_received_there_is_no_such_page(make_app: Made, clock: ManualClock) -> None:
    app = make_app()
    with app.app_context():
        person = at_the_desk(World(app, app.test_client(), clock))
        assert person.get("/admin/mail").status_code == 404
        assert "Mail to read" not in person.get("/admin").text


def test_an_empty_page_says_that_all_is_well(officer: Person) -> None:
    assert "Nothing to read. 0 wishes were carried out this week." in officer.get("/admin/mail").text


def test_a_letter_is_shown_with_sender_and_subject_and_its_text_harms_nobody(world: World, officer: Person) -> None:
    place = came(world, letter("<script>alert(1)</script>"))
    page = officer.get("/admin/mail").text
    assert "&lt;script&gt;alert(1)" in page and f"Bart &lt;{BART}&gt;" in page
    assert all(button in page for button in ("Unsubscribe them", "Erasure request", "Answered", "Ignore"))
    assert "Please tell me &lt;b&gt;everything&lt;/b&gt;." in officer.get(place).text


@each("how", ["answered", "ignored"])
def test_what_is_answered_or_ignored_goes_and_a_second_press_says_so(world: World, officer: Person, how: str) -> None:
    receive(io.BytesIO(letter(how)), house_of(world.parts))
    place = f"/admin/mail/k{1 + ['answered', 'ignored'].index(how)}"
    answer: TestResponse = officer.post(f"{place}/{how}")
    assert answer.status_code == 303 and world.count(LetterToRead) == 0
    assert officer.post(f"{place}/{how}").status_code == 409


def test_the_sender_is_unsubscribed_with_the_hash_of_the_letter_as_evidence(world: World, officer: Person) -> None:
    world.subscribe(BART)
    place = came(world)
    assert "checked" in officer.get(f"{place}/unsubscribe").text
    answer = officer.post(f"{place}/unsubscribe", **{"channel": "email", "lists": "newsletter"})
    assert answer.status_code == 303
    (subscription,) = world.subscriptions()
    last = world.evidence()[-1]
    assert not subscription.is_open and len(last.details["message_sha256"]) == 64 and last.channel == "email"
    assert world.count(LetterToRead) == 0


def test_a_sender_who_is_subscribed_to_nothing_is_told_of_and_the_letter_stays(world: World, officer: Person) -> None:
    answer = officer.get(f"{came(world)}/unsubscribe")
    assert answer.status_code == 409 and "subscribed to nothing" in answer.text
    assert world.count(LetterToRead) == 1


@each("place", ["k2", "k99999999999999999999", "k", "x1", "i1-1", "kk1", "k-1"])
def test_what_is_no_letter_is_not_found_and_breaks_nothing(world: World, officer: Person, place: str) -> None:
    assert officer.get(f"/admin/mail/{place}").status_code == 404
    assert officer.get(f"/admin/mail/{place}/unsubscribe").status_code == 404
    assert officer.post(f"/admin/mail/{place}/ignored").status_code == 409


def test_an_erasure_request_is_filled_in_from_the_letter_and_ends_it(world: World, officer: Person) -> None:
    came(world)
    page = officer.get("/admin/requests/new?letter=k1").text
    assert BART in page and "Please tell me" in page
    form = {"kind": "erasure", "channel": "email", "email": BART, "words": "all of it", "identity": "called back"}
    assert officer.post("/admin/requests/new?letter=k1", **form).status_code == 303
    assert (world.count(Request), world.count(LetterToRead)) == (1, 0)


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.MANAGER, 200), (Role.PRIVACY, 200)])
def test_managers_and_privacy_officers_read_it_and_nobody_else(world: World, role: Role, status: int) -> None:
    came(world)
    person = at_the_desk(world, role)
    assert person.get("/admin/mail").status_code == status
    if status == 200:
        assert ("Erasure request" in person.get("/admin/mail").text) is (role is Role.PRIVACY)


def test_who_sees_some_lists_alone_reads_no_letters(world: World) -> None:
    came(world)
    person = at_the_desk(world, Role.PRIVACY, lists=[1])
    assert person.get("/admin/mail").status_code == 403
    assert person.get("/admin/requests/new?letter=k1").status_code == 404
    form = {"kind": "erasure", "channel": "email", "email": BART, "words": "all of it", "identity": "called back"}
    person.post("/admin/requests/new?letter=k1", **form)
    assert world.count(LetterToRead) == 1


def test_letters_in_the_mailbox_are_shown_as_they_are_now_and_read_there(make_app: Made, clock: ManualClock) -> None:
    with Dovecot() as dovecot:
        app = make_app(inbound=of_mailbox(dovecot.port))
        with app.app_context():
            world = World(app, app.test_client(), clock)
            world.subscribe(BART)
            dovecot.deliver(letter("First"), letter("Second"), b"Auto-Submitted: auto-replied\r\n" + letter("Away"))
            person = at_the_desk(world)
            page = person.get("/admin/mail").text
            assert page.index("Second") < page.index("First") and "Away" not in page
            assert dovecot.flags() == [{"\\Recent"}] * 3 and world.count(LetterToRead) == 0
            one, two = (part.partition("/unsubscribe")[0] for part in page.split('href="/admin/mail/')[1:])
            assert person.post(f"/admin/mail/{one}/answered").status_code == 303
            answer = person.post(f"/admin/mail/{two}/unsubscribe", **{"channel": "email", "lists": "newsletter"})
            assert answer.status_code == 303 and not world.subscriptions()[0].is_open
            assert ["\\Seen" in flags for flags in dovecot.flags()] == [True, True, False]
            dovecot.renumber()
            assert person.post(f"/admin/mail/{one}/answered").status_code == 409
            dovecot.refuses = True
            assert "cannot be read at the moment" in person.get("/admin/mail").text
            assert person.post(f"/admin/mail/{one}/answered").status_code == 503
            form = {"kind": "erasure", "channel": "email", "email": BART, "words": "all", "identity": "called back"}
            assert person.post(f"/admin/requests/new?letter={one}", **form).status_code == 303  # it is entered: said so
