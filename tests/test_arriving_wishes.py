"""Revocation by mail (issue 12; F-14, W-04, W-05, M-05, M-07): what acts, what asks back, and what does nothing."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from email.header import Header
from email.message import EmailMessage

import pytest
from flask import Flask

from subscriptions.domain.arrivals import Outcome
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.inbound import door
from subscriptions.inbound.house import house_of
from subscriptions.inbound.message import read
from subscriptions.links.by_mail import tag_in
from subscriptions.settings import Inbound
from subscriptions.store.models import Arrival, Owed, Request, Suppression
from tests.builders import ANNE, BART, NEWS, OFFERS, World, link_in, text_of
from tests.support.cases import ONE_DATABASE, each
from tests.support.letters_home import LEAVE, OURS, letter, signed, trusted

INBOUND = Inbound(address=LEAVE, authserv_ids=(OURS,))
Make = Callable[..., Flask]


def world_of(make_app: Make, clock: object, inbound: Inbound) -> Iterator[World]:
    app = make_app(inbound=inbound)
    with app.app_context():
        yield World(app, app.test_client(), clock)  # type: ignore[arg-type]


@pytest.fixture
def world(make_app: Make, clock: object) -> Iterator[World]:
    yield from world_of(make_app, clock, INBOUND)


@pytest.fixture
def tagging(make_app: Make, clock: object) -> Iterator[World]:
    yield from world_of(make_app, clock, replace(INBOUND, token_in="address"))


def take(world: World, octets: bytes) -> Outcome:
    return door.take(read(octets), replace(house_of(world.parts), dkim_key=None))


def write(world: World, words: str = "bitte abmelden", *above: str, **fields: str | None) -> bytes:
    return letter(world.clock.now(), words, *above, **fields)


def states(world: World) -> list[State]:
    return [row.state for row in world.subscriptions()]


def kinds(world: World, to: str = BART) -> list[str]:
    """What was mailed since the welcome, by what it answers."""
    return [mail["Subject"] for mail in world.mails(to) if mail["In-Reply-To"]]


def token(world: World, slug: str = NEWS) -> str:
    return world.leave_link(slug=slug).rpartition("/")[2]


def mailto(mail: EmailMessage) -> str:
    [first, second] = str(mail["List-Unsubscribe"]).split(",")
    assert first.startswith("<https://") or first.startswith("<http://")
    return second.strip().strip("<>")


def test_a_reply_of_an_aligned_author_ends_it_and_is_acknowledged_once(world: World) -> None:
    world.subscribe()
    mail = trusted(signed(write(world, "bitte abmelden\n\nVon meinem iPhone gesendet", Message_ID="<me@example.org>")))
    assert [take(world, mail) for _ in range(3)] == [Outcome.DONE, Outcome.REPEATED, Outcome.REPEATED]
    assert states(world) == [State.UNSUBSCRIBED]
    [answer] = [mail for mail in world.mails(BART) if mail["In-Reply-To"]]
    assert answer["In-Reply-To"] == answer["References"] == "<me@example.org>"
    assert answer["Auto-Submitted"] == "auto-replied" and answer.get_all("Auto-Submitted") == ["auto-replied"]
    assert "unsubscribed from Newsletter" in " ".join(text_of(answer).split())
    assert "List-Unsubscribe" not in answer and "Newsletter" in text_of(answer, "html")
    [fact] = [fact for fact in world.evidence() if fact.fact == "unsubscribed"]
    assert fact.channel == Channel.EMAIL and fact.details["message_sha256"] == read(mail).sha256.hex()


def test_a_forged_reply_changes_nothing_and_brings_one_mail_with_one_button(world: World) -> None:
    world.subscribe()
    world.subscribe(slug=OFFERS)
    assert [take(world, write(world)) for _ in range(3)] == [Outcome.ASKED, Outcome.NOTHING, Outcome.NOTHING]
    assert states(world) == [State.CONFIRMED] * 2
    [asked] = [mail for mail in world.mails(BART) if mail["In-Reply-To"]]
    assert asked["Auto-Submitted"] == "auto-replied" and "nothing has changed yet" in " ".join(text_of(asked).split())
    page = world.get(link_in(asked, "unsubscribe"))
    assert "Leave all lists?" in page.text and states(world) == [State.CONFIRMED] * 2
    assert "no longer on any list" in world.post(link_in(asked, "unsubscribe")).text
    assert states(world) == [State.UNSUBSCRIBED] * 2
    world.clock.forward(days=8)
    world.run("tidy")
    world.subscribe()
    assert take(world, write(world)) is Outcome.ASKED


def test_a_mail_without_words_asks_back_and_what_says_more_is_for_a_human(world: World) -> None:
    world.subscribe()
    assert take(world, trusted(signed(write(world, "Thank you, lovely issue")))) is Outcome.UNCLEAR
    assert take(world, trusted(signed(write(world, "please do not unsubscribe me")))) is Outcome.UNCLEAR
    assert take(world, trusted(signed(write(world, "", Subject="")))) is Outcome.ASKED
    assert states(world) == [State.CONFIRMED] and len(kinds(world)) == 1


def test_a_stranger_learns_of_nobody_and_mails_nobody(world: World) -> None:
    world.sign_up(ANNE)
    world.deliver()
    for address in ("nobody@example.org", ANNE):
        assert take(world, write(world, From=address)) is Outcome.NOTHING
        assert take(world, trusted(signed(write(world, From=address)))) is Outcome.NOTHING
    assert world.count(Owed) == world.count(Arrival) == 0


def by_client(world: World) -> dict[str, bytes]:
    """The unsubscribe mails of mail programs, with our mailto; each of a new day, with no signature."""
    subject = f"unsubscribe {token(world)}"
    return {
        "Gmail": write(world, "This message was automatically generated by Gmail.", Subject=subject),
        "Apple Mail": write(
            world, 'Apple Mail sent this email to unsubscribe from the message "News".', Subject=subject
        ),
        "Thunderbird": write(world, "", Subject=subject),
        "Outlook": write(world, "<html><body></body></html>", Subject=subject, Content_Type="text/html"),
        "one that adds a Re": write(world, "", Subject=f"Re: Unsubscribe {token(world)}"),
        "one that folds it": write(world, "", Subject=f"unsubscribe\r\n {token(world)[:50]}\r\n {token(world)[50:]}"),
        "one that encodes it": write(world, "", Subject=f"unsubscribe%20{token(world)}"),
        "one that encodes it twice": write(world, "", Subject=f"unsubscribe%2520{token(world)}"),
        "one that writes encoded words": write(world, "", Subject=Header(subject, "utf-8").encode(linesep="\r\n")),
        "one that calls itself automatic": write(world, "", "Auto-Submitted: auto-generated", Subject=subject),
        "one of another address": write(world, "", From="bart.private@example.net", Subject=subject),
        "one of an empty sender": write(world, "", "Return-Path: <>", Subject=subject),
    }


@pytest.mark.parametrize("client", by_client.__annotations__ and [
    "Gmail", "Apple Mail", "Thunderbird", "Outlook", "one that adds a Re", "one that folds it", "one that encodes it",
    "one that encodes it twice", "one that writes encoded words", "one that calls itself automatic",
    "one of another address", "one of an empty sender"])  # fmt: skip
@ONE_DATABASE
def test_the_unsubscribe_mail_of_a_mail_program_acts_alone(world: World, client: str) -> None:
    world.subscribe()
    world.subscribe(slug=OFFERS)
    assert take(world, by_client(world)[client]) is Outcome.DONE
    assert states(world) == [State.UNSUBSCRIBED, State.CONFIRMED]
    is_machine = client in ("one that calls itself automatic", "one of an empty sender")
    assert len(kinds(world)) == (0 if is_machine else 1)


NOT_OURS = ["x" * 27 + "." + "y" * 43, "", "{token}"[:-2], "not-me {token}"]


def test_a_token_of_another_installation_or_purpose_is_none(world: World) -> None:
    world.subscribe()
    other = world.parts.links.preferences_token(bytes(16), bytes(16))
    for word in (f"unsubscribe {'x' * 27}.{'y' * 43}", f"not-me {token(world)}", f"unsubscribe {other}",
                 f"unsubscribe {token(world)[:-1]}A", f"unsubscribe {token(world).swapcase()}"):  # fmt: skip
        assert take(world, write(world, "", Subject=word)) in (Outcome.UNCLEAR, Outcome.NOTHING)
    assert states(world) == [State.CONFIRMED]


AUTOMATIC = [
    "Auto-Submitted: auto-replied", "Precedence: bulk", "List-Id: <friends.example.org>", "Return-Path: <>",
    "X-Autoreply: yes",
]  # fmt: skip


@ONE_DATABASE
def test_nothing_automatic_is_a_wish_or_gets_an_answer(world: World) -> None:
    world.subscribe()
    for line in AUTOMATIC:
        assert take(world, trusted(signed(write(world, "unsubscribe", line)))) is Outcome.NOTHING
        assert take(world, write(world, "", line)) is Outcome.NOTHING
        assert take(world, write(world, "I am away until Monday.", line, Subject="Out of office")) is Outcome.NOTHING
    assert states(world) == [State.CONFIRMED] and kinds(world) == []


def test_a_vacation_responder_that_answers_our_answer_ends_there(world: World) -> None:
    world.subscribe()
    assert take(world, trusted(signed(write(world)))) is Outcome.DONE
    [answer] = [mail for mail in world.mails(BART) if mail["In-Reply-To"]]
    away = write(world, "I am away.", "Auto-Submitted: auto-replied", Subject=f"Re: {answer['Subject']}",
                 In_Reply_To=answer["Message-ID"])  # fmt: skip
    assert take(world, away) is Outcome.NOTHING and len(kinds(world)) == 1


def test_who_comes_back_and_leaves_again_within_a_week_is_told_once(world: World) -> None:
    told = []
    for days in (0, 1, 7):
        world.clock.forward(days=days)
        world.run("tidy")
        world.subscribe()
        assert take(world, trusted(signed(write(world)))) is Outcome.DONE
        told.append(len(kinds(world)))
    assert (states(world), told) == ([State.UNSUBSCRIBED] * 3, [1, 1, 2])


def test_without_naming_a_list_all_of_them_end_and_the_answer_names_them(world: World) -> None:
    world.subscribe()
    world.subscribe(slug=OFFERS)
    assert take(world, trusted(signed(write(world)))) is Outcome.DONE
    [answer] = [mail for mail in world.mails(BART) if mail["In-Reply-To"]]
    assert states(world) == [State.UNSUBSCRIBED] * 2 and "Newsletter and Offers" in " ".join(text_of(answer).split())


def test_please_delete_ends_at_once_and_enters_a_request_for_the_officer(world: World) -> None:
    world.subscribe()
    assert take(world, trusted(signed(write(world, "Bitte löschen!")))) is Outcome.DONE
    assert states(world) == [State.UNSUBSCRIBED]
    with world.app.app_context():
        from subscriptions.store.engine import reading

        with reading() as session:
            [request] = session.query(Request).all()
    assert (request.kind, request.channel, request.words) == ("erasure", "email", "Bitte löschen!")
    assert request.identity == "an email from the address, which was checked" and request.address == BART
    assert any("We have your request" in mail["Subject"] for mail in world.mails(BART))


def test_please_delete_of_a_forged_author_only_asks_back(world: World) -> None:
    world.subscribe()
    assert take(world, write(world, "Bitte löschen")) is Outcome.ASKED
    assert (states(world), world.count(Request)) == ([State.CONFIRMED], 0)


def test_a_mail_to_the_mailto_of_a_confirmation_mail_does_what_its_one_click_does(world: World) -> None:
    world.sign_up(ANNE)
    address, _, subject = mailto(world.mails(ANNE)[0]).removeprefix("mailto:").partition("?subject=")
    assert address == LEAVE and subject.startswith("not-me%20")
    assert take(world, write(world, "", From=ANNE, Subject=subject.replace("%20", " "))) is Outcome.DONE
    assert world.registrations() == [] and world.count(Suppression) == 1 and kinds(world, ANNE) == []


def test_the_mailto_of_our_mails_carries_the_token_of_their_link(world: World) -> None:
    world.subscribe(slug=OFFERS)
    welcome = world.mails(BART)[-1]
    assert (
        mailto(welcome) == f"mailto:{LEAVE}?subject=unsubscribe%20{link_in(welcome, 'unsubscribe').rpartition('/')[2]}"
    )
    assert all(len(line) < 900 for line in welcome.as_bytes().splitlines())


def test_where_the_address_takes_it_the_token_stands_there(tagging: World) -> None:
    tagging.subscribe(slug=OFFERS)
    address, _, subject = mailto(tagging.mails(BART)[-1]).removeprefix("mailto:").partition("?subject=")
    assert subject == "unsubscribe" and tag_in(address, LEAVE)
    assert len(address.rpartition("@")[0]) <= 64
    mail = write(tagging, "", To=address.upper(), From="other@example.net", Subject="")
    assert take(tagging, mail) is Outcome.DONE and states(tagging) == [State.UNSUBSCRIBED]


def test_an_installation_that_takes_no_mail_promises_none(make_app: Make, clock: object) -> None:
    for world in world_of(make_app, clock, Inbound()):
        world.subscribe(slug=OFFERS)
        assert "mailto" not in str(world.mails(BART)[-1]["List-Unsubscribe"])


@each("field", [{"From": "bart@example.org, anne@example.org"}, {"From": "nobody"}, {"From": None}])
@ONE_DATABASE
def test_a_wish_of_no_author_or_of_two_is_for_a_human(world: World, field: dict[str, str | None]) -> None:
    assert take(world, trusted(signed(write(world, **field)))) is Outcome.UNCLEAR
