"""The alarm when bounces or spam reports rise: on Health, for monitoring, and once a day by email."""

from collections.abc import Callable

import pytest
from flask import Flask

from subscriptions.settings import Abuse
from tests.builders import NEWS, World, bearer, through
from tests.conftest import ManualClock
from tests.support.cases import ONE_DATABASE
from tests.support.relay import Relay
from tests.test_events import tell

PEOPLE = [f"reader{number}@example.org" for number in range(12)]


def warnings(world: World) -> list[str]:
    answer = world.get("/readyz", headers=bearer("read"))
    return [one for one in answer.get_json()["warnings"] if NEWS in one and "last 7 days" in one]


@pytest.mark.parametrize(("kind", "enough"), [("bounce", 10), ("complaint", 3)])
@ONE_DATABASE
def test_too_many_of_them_are_an_alarm_and_go_with_their_week(world: World, kind: str, enough: int) -> None:
    for address in PEOPLE:
        world.subscribe(address)
    for address in PEOPLE[: enough - 1]:
        tell(world, {"type": kind, "email": address, "hard": True})
    assert warnings(world) == []
    tell(world, {"type": kind, "email": PEOPLE[enough - 1], "hard": True})
    (said,) = warnings(world)
    assert f"{enough} of " in said
    world.clock.forward(days=8)
    assert warnings(world) == []


@ONE_DATABASE
def test_a_full_mailbox_counts_once_however_many_days_it_is_full(world: World) -> None:
    for address in PEOPLE[:3]:
        world.subscribe(address)
    for _ in range(4):
        for address in PEOPLE[:3]:
            tell(world, {"type": "bounce", "email": address, "status": "4.2.2"})
        world.clock.forward(days=1)
    assert warnings(world) == []


def test_the_operator_is_mailed_once_a_day(relay: Relay, make_app: Callable[..., Flask], clock: ManualClock) -> None:
    made = lambda **more: make_app(abuse=Abuse(alarm_to="operator@example.com"), **more)  # noqa: E731
    with through(relay, made, clock) as world:
        for address in PEOPLE[:4]:
            world.sign_up(address)
        world.deliver()
        from tests.builders import link_in, parse_mail

        for mail in [*relay.mails]:
            world.post(link_in(parse_mail(mail.raw), "confirm"))
        relay.forget()
        for address in PEOPLE[:3]:
            tell(world, {"type": "complaint", "email": address})
        for _ in range(3):
            world.run("numbers")
            world.deliver()
        (alarm,) = relay.mails
        assert alarm.recipients == ("operator@example.com",) and b"reported an email as" in alarm.raw
        assert b"reader" not in alarm.raw
        world.clock.forward(days=1)
        world.run("numbers")
        world.deliver()
        assert len(relay.mails) == 2
