"""The right to erasure: first a mail, within an hour the person is gone, sealed proof stays (R-07, DEC-03)."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from subscriptions.actions import erase
from subscriptions.actions.erase import Erasure
from subscriptions.domain.address import parse
from subscriptions.store import evidence
from subscriptions.store.engine import reading
from subscriptions.store.models import Registration, Subscription
from tests.builders import ANNE, BART, NEWS, OFFERS, Movable, Office, World, owed, text_of, through
from tests.read_mails import flat
from tests.support.relay import Relay


@pytest.fixture
def mailed(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    """A world whose mails go through a real relay."""
    with through(relay, make_app, clock) as world:
        yield world


def key(world: World, address: str = ANNE) -> bytes:
    return world.parts.links.key(parse(address).folded)


def ask(world: World, address: str = ANNE) -> Erasure:
    return erase.ask(key(world, address), world.clock.now(), world.parts.policy, "command line")


def subscribed(world: World, relay: Relay, slug: str = NEWS) -> None:
    world.sign_up(ANNE, slug, name="Anne")
    world.deliver()
    row = world.registrations()[-1]
    assert world.post(world.parts.links.confirm_url(row.ref)).status_code == 200
    world.clock.forward(minutes=15)
    world.deliver()
    relay.forget()


def is_gone(world: World) -> bool:
    rows: list[Registration | Subscription] = [*world.registrations(), *world.subscriptions()]
    return not any(row.address or row.name for row in rows)


def test_first_a_mail_says_what_stays_and_until_when_then_the_person_is_gone(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    ask(mailed)
    assert not is_gone(mailed)
    mailed.run("deliver")
    (mail,) = relay.mails
    assert mail.recipients == (ANNE,)
    assert "1 January 2030" in text_of(mail.message)
    assert is_gone(mailed)


def test_at_the_ask_the_subscriptions_have_ended(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    ask(mailed)
    assert [one.state for one in mailed.subscriptions()] == ["unsubscribed"]
    assert Office(mailed).exported(NEWS) == []


def test_with_the_relay_down_the_person_is_gone_after_an_hour_all_the_same(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    relay.stop()
    ask(mailed)
    mailed.run("deliver")
    mailed.clock.forward(minutes=59, seconds=59)
    mailed.run("deliver")
    assert not is_gone(mailed)
    mailed.clock.forward(seconds=1)
    mailed.run("deliver")
    assert is_gone(mailed)


def test_a_mail_that_missed_the_hour_is_never_sent(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    relay.stop()
    ask(mailed)
    mailed.run("deliver")
    mailed.clock.forward(hours=1)
    mailed.run("deliver")
    relay.start()
    mailed.clock.forward(hours=1)
    mailed.run("deliver")
    assert relay.mails == []
    assert owed() == []


def test_a_mail_that_the_relay_refuses_for_good_does_not_hold_up_the_erasure(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    relay.behave("rcpt", "550 5.1.1 no such user")
    ask(mailed)
    mailed.run("deliver")
    assert is_gone(mailed)


def test_asked_again_the_first_hour_and_the_first_mail_hold(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    relay.stop()
    ask(mailed)
    mailed.clock.forward(minutes=50)
    assert ask(mailed).is_asked
    assert len(owed()) == 1
    mailed.clock.forward(minutes=10)
    mailed.run("deliver")
    assert is_gone(mailed)


def test_the_sealed_proof_has_neither_address_nor_name_and_is_whole(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    ask(mailed)
    mailed.run("deliver")
    (subscription,) = mailed.subscriptions()
    with reading() as session:
        proof = evidence.of_subscription(session, subscription.id)
    assert (subscription.state, subscription.address, subscription.name) == ("erased", None, None)
    assert [one.fact for one in proof] == ["registered", "mailed", "confirmed", "unsubscribed", "mailed", "erased"]
    assert ANNE not in str([one.details for one in proof])


def test_the_sealed_proof_ends_with_its_period(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    ask(mailed)
    mailed.run("deliver")
    mailed.clock.forward(days=366 * 4)
    mailed.run("purge")
    assert (mailed.subscriptions(), mailed.registrations(), mailed.evidence()) == ([], [], [])


def test_the_sealed_proof_of_one_who_confirmed_within_the_hour_ends_too(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    mailed.sign_up(ANNE, OFFERS)
    mailed.deliver()
    ask(mailed)
    mailed.post(mailed.parts.links.confirm_url(mailed.registrations()[-1].ref))
    mailed.run("deliver")
    assert is_gone(mailed)
    assert all(one.proof_until for one in mailed.subscriptions())


def test_of_one_who_only_waits_everything_goes(mailed: World, relay: Relay) -> None:
    mailed.sign_up(ANNE)
    mailed.deliver()
    ask(mailed)
    mailed.run("deliver")
    assert "we keep the times of our last emails" in flat(relay.mails[-1].message)
    assert (mailed.registrations(), mailed.evidence(), owed()) == ([], [], [])


def test_of_one_who_is_blocked_everything_goes(mailed: World) -> None:
    mailed.sign_up(ANNE)
    mailed.clock.forward(days=2)
    mailed.run("block")
    ask(mailed)
    mailed.run("deliver")
    assert (mailed.registrations(), mailed.evidence()) == ([], [])


def test_where_nothing_is_stored_there_is_nothing_to_erase(mailed: World, relay: Relay) -> None:
    assert not ask(mailed).is_asked
    assert owed() == []


def test_the_erased_cannot_be_erased_again(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    ask(mailed)
    mailed.run("deliver")
    assert not ask(mailed).is_asked


def test_a_link_that_was_sent_before_confirms_nothing_after_the_erasure(mailed: World) -> None:
    mailed.sign_up(ANNE)
    mailed.deliver()
    link = mailed.parts.links.confirm_url(mailed.registrations()[0].ref)
    ask(mailed)
    mailed.run("deliver")
    assert mailed.post(link).status_code == 410
    assert mailed.post(link + "/again").status_code == 410


def test_nobody_else_is_touched(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    mailed.sign_up(BART)
    mailed.deliver()
    ask(mailed)
    mailed.run("deliver")
    assert [one.address for one in mailed.registrations()] == [None, BART]


def test_the_erased_may_sign_up_anew(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    ask(mailed)
    mailed.run("deliver")
    mailed.clock.forward(minutes=15)
    subscribed(mailed, relay)
    assert [one.state for one in mailed.subscriptions()] == ["erased", "confirmed"]


def test_the_unsubscribe_link_of_the_erased_still_answers(mailed: World, relay: Relay) -> None:
    subscribed(mailed, relay)
    ask(mailed)
    mailed.run("deliver")
    assert mailed.post(mailed.leave_link(ANNE)).status_code == 200
