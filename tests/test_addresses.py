"""The row of an address goes with the last that is known of it, and never from under a sign-up."""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from subscriptions.actions import sweep
from subscriptions.store import addresses
from subscriptions.store.models import db
from subscriptions.store.trips import Trip
from tests.builders import ANNE, BART, World

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


@on_postgresql
def test_an_address_that_a_sign_up_holds_is_passed_over_without_waiting(world: World) -> None:
    held, _ = both_over(world)
    with db.engine.connect() as other:
        other.execute(HOLD, {"key": held})
        sweep.purge(world.clock.now())
    assert known(world) == {held}
