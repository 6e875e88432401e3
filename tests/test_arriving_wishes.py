"""Revocation by mail (issue 12; F-14, W-04, W-05, M-05, M-07): what acts, what asks back, and what does nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from subscriptions.domain.arrivals import Outcome
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.domain.policy import REQUESTS
from subscriptions.inbound.message import read
from subscriptions.links.by_mail import tagged
from subscriptions.store.engine import reading
from subscriptions.store.models import Arrival, Owed, Request
from tests.arriving import INBOUND, Make, answers, states, take, token, world_of, write
from tests.builders import ANNE, BART, OFFERS, Movable, World, link_in, text_of
from tests.returned import spam_report
from tests.support.cases import ONE_DATABASE, each
from tests.support.letters_home import LEAVE, signed, trusted


@pytest.fixture
def world(make_app: Make, clock: Movable) -> Iterator[World]:
    yield from world_of(make_app, clock, INBOUND)


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
    assert "no longer on any of" in world.post(link_in(asked, "unsubscribe")).text
    assert states(world) == [State.UNSUBSCRIBED] * 2


def test_who_wrote_lately_is_asked_again_after_a_week_at_the_earliest(world: World) -> None:
    world.subscribe()
    asked = []
    for days in (0, 1, 5, 1):
        world.clock.forward(days=days)
        world.run("tidy")
        asked.append((take(world, write(world)), len(answers(world))))
    assert asked == [(Outcome.ASKED, 1), (Outcome.NOTHING, 1), (Outcome.NOTHING, 1), (Outcome.ASKED, 2)]


def test_nobody_is_asked_who_has_left(world: World) -> None:
    world.subscribe()
    world.post(world.leave_link())
    assert take(world, write(world)) is Outcome.NOTHING and answers(world) == []


def test_a_letter_that_is_a_file_is_for_a_human_though_it_has_no_words(world: World) -> None:
    world.subscribe()
    scanned = write(world, "JVBERi0=", Content_Type="application/pdf", Content_Transfer_Encoding="base64")
    assert take(world, scanned) is Outcome.UNCLEAR and answers(world) == []


def test_a_wish_to_be_erased_that_cannot_be_checked_is_not_lost_once_all_lists_are_left(world: World) -> None:
    world.subscribe()
    world.post(world.leave_link())
    assert take(world, write(world, "Please delete my data.")) is Outcome.UNCLEAR and answers(world) == []


def test_a_mail_without_words_asks_back_and_what_says_more_is_for_a_human(world: World) -> None:
    world.subscribe()
    assert take(world, trusted(signed(write(world, "Thank you, lovely issue")))) is Outcome.UNCLEAR
    assert take(world, trusted(signed(write(world, "please do not unsubscribe me")))) is Outcome.UNCLEAR
    assert take(world, trusted(signed(write(world, "", Subject="")))) is Outcome.ASKED
    assert "wants to" not in text_of(world.mails(BART)[-1])  # nobody has said so
    assert states(world) == [State.CONFIRMED] and len(answers(world)) == 1


def test_a_stranger_learns_of_nobody_and_mails_nobody(world: World) -> None:
    world.sign_up(ANNE)
    world.deliver()
    for address in ("nobody@example.org", ANNE):
        assert take(world, write(world, "", From=address)) is Outcome.NOTHING
        # who is subscribed with another address has said what they want: a human looks for that one
        assert take(world, write(world, From=address)) is Outcome.UNCLEAR
        assert take(world, trusted(signed(write(world, From=address)))) is Outcome.UNCLEAR
    assert world.count(Owed) == world.count(Arrival) == 0


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
    assert states(world) == [State.CONFIRMED] and answers(world) == []


def test_a_vacation_responder_that_answers_our_answer_ends_there(world: World) -> None:
    world.subscribe()
    assert take(world, trusted(signed(write(world)))) is Outcome.DONE
    [answer] = [mail for mail in world.mails(BART) if mail["In-Reply-To"]]
    away = write(world, "I am away.", "Auto-Submitted: auto-replied", Subject=f"Re: {answer['Subject']}",
                 In_Reply_To=answer["Message-ID"])  # fmt: skip
    assert take(world, away) is Outcome.NOTHING and len(answers(world)) == 1


def test_who_comes_back_and_leaves_again_within_a_week_is_told_once(world: World) -> None:
    told = []
    for days in (0, 1, 7):
        world.clock.forward(days=days)
        world.run("tidy")
        world.subscribe()
        assert take(world, trusted(signed(write(world)))) is Outcome.DONE
        told.append(len(answers(world)))
    assert (states(world), told) == ([State.UNSUBSCRIBED] * 3, [1, 1, 2])


def test_without_naming_a_list_all_of_them_end_and_the_answer_names_them(world: World) -> None:
    world.subscribe()
    world.subscribe(slug=OFFERS)
    assert take(world, trusted(signed(write(world)))) is Outcome.DONE
    [answer] = [mail for mail in world.mails(BART) if mail["In-Reply-To"]]
    assert states(world) == [State.UNSUBSCRIBED] * 2 and "Newsletter and Offers" in " ".join(text_of(answer).split())


def test_who_writes_to_the_address_of_a_list_leaves_that_one_alone(world: World) -> None:
    world.subscribe()
    world.subscribe(slug=OFFERS)
    assert take(world, trusted(signed(write(world, To=tagged(LEAVE, OFFERS))))) is Outcome.DONE
    assert states(world) == [State.CONFIRMED, State.UNSUBSCRIBED]


def test_who_writes_to_the_address_of_a_list_that_is_none_does_not_leave_all_of_them(world: World) -> None:
    world.subscribe()
    for tag in ("nowhere", "a" * 48):
        assert take(world, trusted(signed(write(world, To=tagged(LEAVE, tag))))) is Outcome.UNCLEAR, tag
    assert states(world) == [State.CONFIRMED]


def test_please_delete_ends_at_once_and_enters_a_request_for_the_officer(world: World) -> None:
    world.subscribe()
    assert take(world, trusted(signed(write(world, "Bitte löschen!")))) is Outcome.DONE
    assert states(world) == [State.UNSUBSCRIBED]
    with reading() as session:
        [request] = session.scalars(select(Request))
    assert (request.kind, request.channel, request.words) == ("erasure", "email", "Bitte löschen!")
    assert request.identity == "an email from the address, which was checked" and request.address == BART
    assert any("We have your request" in mail["Subject"] for mail in world.mails(BART))


def test_please_delete_of_a_forged_author_only_asks_back(world: World) -> None:
    world.subscribe()
    assert take(world, write(world, "Bitte löschen")) is Outcome.ASKED
    assert (states(world), world.count(Request)) == ([State.CONFIRMED], 0)


@each("field", [{"From": "bart@example.org, anne@example.org"}, {"From": "nobody"}, {"From": None}])
@ONE_DATABASE
def test_a_wish_of_no_author_or_of_two_is_for_a_human(world: World, field: dict[str, str | None]) -> None:
    assert take(world, trusted(signed(write(world, **field)))) is Outcome.UNCLEAR


def test_the_email_with_one_button_that_is_reported_as_spam_ends_all_it_is_about(world: World) -> None:
    world.subscribe()
    world.subscribe(slug=OFFERS)
    assert take(world, write(world)) is Outcome.ASKED
    asked = next(mail for mail in world.mails(BART) if mail["In-Reply-To"])
    link = str(asked["List-Unsubscribe"]).split(">")[0].strip("<")
    assert take(world, spam_report(link)) is Outcome.DONE
    assert states(world) == [State.UNSUBSCRIBED] * 2


def test_a_wish_of_before_somebody_came_back_is_for_a_human(world: World) -> None:
    world.subscribe()
    late = trusted(signed(write(world)))
    by_token = write(world, "", Subject=f"unsubscribe {token(world)}")
    world.post(world.leave_link())
    world.clock.forward(days=3)
    world.subscribe()
    assert take(world, late) is Outcome.UNCLEAR
    assert take(world, by_token) is Outcome.UNCLEAR
    assert states(world)[-1] is State.CONFIRMED
    assert take(world, write(world, "", Subject=f"unsubscribe {token(world)}")) is Outcome.DONE


def test_a_request_for_which_there_is_no_room_is_for_a_human_and_the_list_ends_all_the_same(world: World) -> None:
    world.subscribe()
    for _ in range(REQUESTS.count):
        assert take(world, trusted(signed(write(world, "Bitte löschen!")))) is Outcome.DONE
    world.subscribe()
    assert take(world, trusted(signed(write(world, "Bitte löschen!")))) is Outcome.UNCLEAR
    assert (states(world)[-1], world.count(Request)) == (State.UNSUBSCRIBED, REQUESTS.count)


@ONE_DATABASE
def test_another_letter_is_another_mailbox_and_not_the_same_in_large(world: World) -> None:
    world.subscribe("strasse@example.org")
    octets = trusted(signed(write(world, From="straße@example.org")))
    assert take(world, octets) is Outcome.UNCLEAR
    assert states(world) == [State.CONFIRMED]
