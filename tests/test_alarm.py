"""The mail to the operator when the breaker opens (B-03, B-04)."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from subscriptions.settings import Abuse
from subscriptions.settings import Mail as MailSettings
from subscriptions.store.models import Evidence, Owed
from tests.builders import World, parse_mail, text_of
from tests.conftest import ManualClock
from tests.support.relay import Relay

BOSS = "operator@example.org"
LOW = Abuse(list_signups_per_minute=20, domain_signups_per_minute=10, alarm_to=BOSS)


@pytest.fixture
def guarded(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[World]:
    app = make_app(abuse=LOW)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def flood(world: World, domain: str, list_id: int = 1) -> None:
    for _ in range(11):
        world.parts.watch.note([list_id], domain)
    world.parts.watch.exchange(world.clock.now())


def test_it_says_with_numbers_what_happened_what_is_done_and_what_to_do(guarded: World) -> None:
    flood(guarded, "big.example")
    (mail,) = guarded.mails(BOSS)
    text = text_of(mail)
    assert mail["Subject"] == "Unusually many sign-ups at Newsletter"
    assert "- 11 sign-ups in a minute for addresses at big.example; at most 10 are\n  usual." in text
    assert "since 23 November 2026, 12:00 UTC" in " ".join(text.split())
    assert "yestwice abuse show" in text and "--since 2026-11-23T11:58:00Z" in text
    assert "big.example" in text_of(mail, "html")


def test_one_opening_causes_one_mail(guarded: World) -> None:
    for _ in range(5):
        flood(guarded, "big.example")
        guarded.clock.forward(minutes=5)
    assert len(guarded.mails(BOSS)) == 1


def test_a_second_cause_within_the_hour_waits_for_the_hour(guarded: World) -> None:
    flood(guarded, "big.example")
    guarded.clock.forward(minutes=55)
    flood(guarded, "great.example")
    assert len(guarded.mails(BOSS)) == 1
    guarded.clock.forward(minutes=5)
    guarded.parts.watch.exchange(guarded.clock.now())
    mails = guarded.mails(BOSS)
    assert len(mails) == 2 and "great.example" in text_of(mails[-1]) and "big.example" not in text_of(mails[-1])


def test_processes_that_notice_it_together_owe_one_mail(guarded: World, make_app: Callable[..., Flask]) -> None:
    other = World(make_app(abuse=LOW), guarded.client, guarded.clock)
    for world in (guarded, other):
        for _ in range(11):
            world.parts.watch.note([1], "big.example")
    for world in (guarded, other):
        world.parts.watch.exchange(guarded.clock.now())
    assert len(guarded.mails(BOSS)) == 1


def test_without_somebody_to_tell_no_mail_is_owed(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(abuse=Abuse(domain_signups_per_minute=10))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        flood(world, "big.example")
        assert world.count(Owed) == 0 and world.parts.watch.is_on(1, "big.example")


def test_the_mail_leaves_no_evidence_since_it_is_about_nobody(guarded: World) -> None:
    flood(guarded, "big.example")
    assert len(guarded.mails(BOSS)) == 1
    assert (guarded.count(Evidence), guarded.count(Owed)) == (0, 0)


def test_it_goes_through_the_relay_as_all_mails_do(
    make_app: Callable[..., Flask], clock: ManualClock, relay: Relay
) -> None:
    sent_by_smtp = MailSettings(transport="smtp", host=relay.host, port=relay.port)
    app = make_app(abuse=LOW, mail=sent_by_smtp)
    with app.app_context():
        world = World(app, app.test_client(), clock)
        flood(world, "big.example")
        world.deliver()
        world.parts.sender.stop()
    (mail,) = relay.mails
    assert mail.recipients == (BOSS,) and "big.example" in text_of(parse_mail(mail.raw))


def test_it_hides_the_name_of_a_domain_that_only_another_process_has_seen(
    guarded: World, make_app: Callable[..., Flask]
) -> None:
    flood(guarded, "big.example")
    other = World(make_app(abuse=LOW), guarded.client, guarded.clock)
    (mail,) = other.mails(BOSS)
    assert "an email domain that another process has logged" in " ".join(text_of(mail).split())
