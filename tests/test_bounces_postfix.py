"""Bounces from a real Postfix: an issue to a mailbox that does not exist ends that subscription, and no other."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound import door
from subscriptions.inbound.house import house_of
from subscriptions.inbound.message import read
from subscriptions.settings import Inbound
from tests.builders import World, link_in, parse_mail, through
from tests.conftest import ManualClock
from tests.support.postfix import Postfix
from tests.support.relay import Relay
from tests.support.server import until
from tests.test_example_send import exported, send

pytestmark = pytest.mark.drill
GONE, HERE = "nobody@example.net", "bart@example.org"


@pytest.mark.parametrize("token_in", ["address", "subject"])
def test_an_issue_to_a_mailbox_that_does_not_exist_ends_that_subscription_alone(
    relay: Relay, make_app: Callable[..., Flask], clock: ManualClock, tmp_path: Path, token_in: str
) -> None:
    made = partial(make_app, inbound=Inbound(address="leave@news.test", token_in=token_in))
    with (
        Postfix(tmp_path, ["news.test"], routes={"example.org": relay.port}) as postfix,
        through(relay, made, clock, envelope_sender="bounces@news.test") as world,
    ):
        _subscribe(world, relay)
        done = send(postfix, tmp_path, exported(world))  # type: ignore[arg-type]
        assert done.returncode == 0, done.stderr
        until(lambda: len(postfix.delivered()) == 1)
        (came_back,) = postfix.delivered()
        world.clock.at = world.clock.real_now()  # type: ignore[attr-defined]
        assert door.take(read(came_back), house_of(world.parts)) is Outcome.DONE
        assert {row.address: str(row.state) for row in world.subscriptions()} == {GONE: "bounced", HERE: "confirmed"}
        assert "5.1.1" in world.evidence()[-1].details["reply"]


def _subscribe(world: World, relay: Relay) -> None:
    """As if the mailbox had gone meanwhile: its confirmation mail still arrived."""
    for address in (GONE, HERE):
        world.sign_up(address)
        world.deliver()
        world.post(link_in(parse_mail(relay.mails[-1].raw), "confirm"))
        world.clock.forward(minutes=15)
    relay.forget()
