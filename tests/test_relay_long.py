"""The relay away for long, a wrong password, and a sender that dies at the worst moment."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.mail import settle
from tests.builders import Movable, World, owed, through
from tests.conftest import make_settings
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.elsewhere import sender
from tests.support.relay import Relay

pytestmark = BY_DAY_ON_SQLITE

PEOPLE = [f"reader{number}@example.org" for number in range(12)]
MANY = [f"reader{number}@example.org" for number in range(60)]


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def sign_up(world: World, people: list[str] = PEOPLE) -> None:
    for person in people:
        world.sign_up(person)


def wait(world: World, *, hours: float) -> int:
    """Let time pass with a look at the queue every 15 seconds of the first minute, then every quarter of an hour.

    After two hours it is looked at every hour.
    """
    sent = sum(_later(world, seconds=15) for _ in range(4))
    sent += sum(_later(world, minutes=15) for _ in range(round(min(hours, 2) * 4)))
    return sent + sum(_later(world, hours=1) for _ in range(round(hours) - 2))


def _later(world: World, **by: float) -> int:
    world.clock.forward(**by)
    return world.deliver()


def recipients(relay: Relay) -> list[str]:
    return sorted(to for mail in relay.mails for to in mail.recipients)


def test_a_relay_that_was_away_for_an_hour_gets_every_mail_once(world: World, relay: Relay) -> None:
    relay.stop()
    sign_up(world)
    assert wait(world, hours=1) == 0
    assert [one.tries for one in owed()] == [0] * len(PEOPLE)
    relay.start()
    assert wait(world, hours=0.25) == len(PEOPLE)
    assert recipients(relay) == sorted(PEOPLE)
    assert owed() == []


def test_a_relay_that_was_busy_for_an_hour_gets_every_mail_once(world: World, relay: Relay) -> None:
    relay.behave("rcpt", "451 4.3.0 busy")
    sign_up(world)
    assert wait(world, hours=1) == 0
    relay.accept()
    assert wait(world, hours=0.5) == len(PEOPLE)
    assert recipients(relay) == sorted(PEOPLE)


@pytest.mark.parametrize("trouble", ["away", "busy"])
def test_a_relay_that_was_gone_for_25_hours_gets_none_and_all_are_blocked(
    world: World, relay: Relay, trouble: str
) -> None:
    if trouble == "busy":
        relay.behave("rcpt", "451 4.3.0 busy")
    else:
        relay.stop()
    sign_up(world)
    wait(world, hours=25)
    relay.accept()
    if trouble == "away":
        relay.start()
    assert wait(world, hours=1) == 0
    assert (relay.mails, owed()) == ([], [])
    assert world.block() == len(PEOPLE)
    assert {one.state for one in world.registrations()} == {"blocked"}


def test_a_wrong_password_costs_no_mail_and_the_right_one_sends_them_all(
    make_app: Callable[..., Flask], clock: Movable, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Relay(security="starttls", login=("anne", "right")) as relay:
        monkeypatch.setenv("SSL_CERT_FILE", str(relay.ca_file))
        with through(relay, make_app, clock, security="starttls", username="anne", password="wrong") as world:
            sign_up(world)
            wait(world, hours=2)
            assert [(one.tries, one.taken_by) for one in owed()] == [(0, None)] * len(PEOPLE)
        with through(relay, make_app, clock, security="starttls", username="anne", password="right") as world:
            assert world.deliver() == len(PEOPLE)
            assert not [one for one in world.evidence() if one.fact == "mail given up"]
            assert pauses(world) == []
        assert recipients(relay) == sorted(PEOPLE)


def pauses(world: World) -> list[str]:
    found = world.get("/readyz", environ_base={"REMOTE_ADDR": "127.0.0.1"}).json
    assert found is not None
    return [problem for problem in found["problems"] if "relay" in problem]


@pytest.mark.parametrize("settled", [0, 30])
def test_a_sender_that_dies_before_the_settle_repeats_the_last_mails_alone_and_only_after_the_lease(
    world: World, relay: Relay, database_url: str, tmp_path: Path, settled: int
) -> None:
    sign_up(world, MANY)
    settings = make_settings(database_url, tmp_path, mail=world.parts.settings.mail)
    assert sender(settings, world.clock.now(), tmp_path, dies_after=settled).wait(60) == 9
    done, sent = settled_ids(world), set(ids(relay))
    assert done < sent
    world.deliver()
    assert all(Counter(ids(relay))[one] == 1 for one in sent)
    world.clock.forward(seconds=60)
    world.deliver()
    repeated = {one for one, times in Counter(ids(relay)).items() if times > 1}
    assert repeated == sent - done
    assert len(repeated) <= settle.OPEN_AT_MOST + 2
    assert set(recipients(relay)) == set(MANY)


def ids(relay: Relay) -> list[str]:
    return [str(mail.message["Message-ID"]) for mail in relay.mails]


def settled_ids(world: World) -> set[str]:
    return {row.details["message_id"] for row in world.evidence() if row.fact == "mailed"}
