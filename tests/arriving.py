"""Mail that comes, in the tests: an application that takes it, and what Bart writes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage

from flask import Flask

from subscriptions.domain.arrivals import Outcome
from subscriptions.domain.lifecycle import Subscription as State
from subscriptions.inbound import door
from subscriptions.inbound.house import house_of
from subscriptions.inbound.message import read
from subscriptions.settings import Inbound
from tests.builders import BART, NEWS, Movable, World
from tests.support.letters_home import LEAVE, OURS, letter

INBOUND = Inbound(address=LEAVE, authserv_ids=(OURS,))
Make = Callable[..., Flask]


def world_of(make_app: Make, clock: Movable, inbound: Inbound) -> Iterator[World]:
    app = make_app(inbound=inbound)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def take(world: World, octets: bytes) -> Outcome:
    return door.take(read(octets), replace(house_of(world.parts), dkim_key=None))


def write(world: World, words: str = "bitte abmelden", *above: str, **fields: str | None) -> bytes:
    return letter(world.clock.now(), words, *above, **fields)


def states(world: World) -> list[State]:
    return [row.state for row in world.subscriptions()]


def answers(world: World, to: str = BART) -> list[str]:
    """What was mailed since the welcome, by what it answers."""
    return [mail["Subject"] for mail in world.mails(to) if mail["In-Reply-To"]]


def token(world: World, slug: str = NEWS) -> str:
    return world.leave_link(slug=slug).rpartition("/")[2]


def mailto(mail: EmailMessage) -> str:
    [first, second] = str(mail["List-Unsubscribe"]).split(",")
    assert first.startswith("<https://") or first.startswith("<http://")
    return second.strip().strip("<>")
