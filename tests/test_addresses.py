"""The row of an address goes with the last that is known of it, and never from under a sign-up."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from subscriptions.actions import cancel as cancelling
from subscriptions.actions import sweep
from subscriptions.actions.cancel import Window
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.store import addresses, counters
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Address, db
from subscriptions.store.trips import Trip
from tests.builders import ANNE, BART, NEWS, OFFERS, World

TAGGED = "anne+x@example.org"
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
HOLD = sa.text("SELECT 1 FROM addresses WHERE key = :key FOR UPDATE NOWAIT")


def known(world: World) -> set[bytes]:
    with db.engine.connect() as connection:
        return {bytes(key) for (key,) in connection.execute(sa.text("SELECT key FROM addresses"))}


def both_over(world: World) -> list[bytes]:
    """The keys of two addresses of which the sweep is about to delete all."""
    for address in (ANNE, BART):
        world.sign_up(address)
    world.clock.forward(days=62)
    sweep.forget_times(world.clock.now(), world.parts.policy)
    return sorted(known(world))


@on_postgresql
def test_nothing_is_decided_on_an_address_before_it_is_held(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, forget, refused = both_over(world), addresses.forget, []

    def look(out: Trip, some: Sequence[bytes]) -> None:
        for key in keys:
            with db.engine.connect() as other, pytest.raises(sa.exc.OperationalError, match="could not obtain lock"):
                other.execute(HOLD, {"key": key})
            refused.append(key)
        forget(out, some)

    monkeypatch.setattr(addresses, "forget", look)
    sweep.purge(world.clock.now())
    assert refused == keys and known(world) == set()


def confirm(world: World) -> None:
    world.post(world.confirm_link(TAGGED))


def disown(world: World) -> None:
    world.post(world.not_me_link(TAGGED))


def cancel(world: World) -> None:
    now = world.clock.now()
    assert [*cancelling.cancel(Window(now - timedelta(hours=1), now + timedelta(hours=1)), now, "a test")]


@on_postgresql
@pytest.mark.parametrize("act", [lambda world: world.sign_up(TAGGED, OFFERS), confirm, disown, cancel])
def test_an_act_holds_the_address_and_its_mailbox(
    world: World, act: Callable[[World], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sign_up(TAGGED)
    world.deliver()
    write, refused, keys = counters.write, [], sorted(known(world))

    def look(out: Trip, *counts: dict[str, int]) -> None:
        for key in keys:
            with db.engine.connect() as other, pytest.raises(sa.exc.OperationalError, match="could not obtain lock"):
                other.execute(HOLD, {"key": key})
            refused.append(key)
        write(out, *counts)

    monkeypatch.setattr(counters, "write", look)
    act(world)
    assert len(keys) == 2 and refused == keys


@on_postgresql
def test_an_address_that_a_sign_up_holds_is_passed_over_without_waiting(world: World) -> None:
    held, _ = both_over(world)
    with db.engine.connect() as other:
        other.execute(HOLD, {"key": held})
        sweep.purge(world.clock.now())
    assert known(world) == {held}


def test_a_mail_that_reached_nobody_gives_its_budget_back(world: World) -> None:
    """At once, or where it waited; of another kind, or of an address that is gone, it changes nothing."""
    for slug in (NEWS, OFFERS):
        world.sign_up(TAGGED, slug)
    [mailbox] = {row.mailbox for row in world.registrations()}
    assert mailbox
    for n, mail in enumerate((MailKind.PREFERENCES, MailKind.CONFIRM, MailKind.CONFIRM, MailKind.CONFIRM)):
        with transaction() as session:
            addresses.give_back(session, mailbox, mail, world.clock.now())
            addresses.give_back(session, bytes(16), mail, world.clock.now())
        with reading() as session:
            mails = session.get_one(Address, mailbox).mails
        assert len([*filter(None, mails.split(","))]) == max(2 - n, 0)
    world.sign_up(ANNE)
    assert len(world.mails(ANNE)) == 1
