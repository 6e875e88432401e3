"""What happens beside something else, at the very moment at which it matters."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from subscriptions.store import addresses, registrations
from subscriptions.store.engine import Contention, transaction
from subscriptions.store.models import db
from tests.builders import ANNE, BART, World
from tests.support.server import until

pytestmark = [
    pytest.mark.postgres,  # SQLite has one writer: nothing happens beside it
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]


@contextmanager
def somebody_holds(address: str) -> Iterator[None]:
    """Another transaction acts on that registration until the block ends."""
    with db.engine.connect() as connection, connection.begin():
        row = sa.text("SELECT id FROM registrations WHERE address = :address FOR UPDATE")
        assert connection.execute(row, {"address": address}).all()
        yield


def somebody_waits() -> bool:
    with db.engine.connect() as connection:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(connection.scalar(sa.text(waits)))


@pytest.fixture
def beside(app: Flask) -> Iterator[ThreadPoolExecutor]:
    """A thread beside the test's own, in the application."""
    with ThreadPoolExecutor(1, initializer=lambda: app.app_context().push()) as pool:
        yield pool


def test_blocking_passes_over_one_that_somebody_acts_on(world: World, beside: ThreadPoolExecutor) -> None:
    world.sign_up(ANNE)
    world.sign_up(BART)
    world.clock.forward(hours=24)
    with somebody_holds(ANNE):
        assert beside.submit(world.run, "block").result(10) == 1
    assert world.run("block") == 1


def test_a_purge_waits_for_those_whom_somebody_acts_on_rather_than_leave_them_to_the_next(
    world: World, beside: ThreadPoolExecutor
) -> None:
    world.sign_up(ANNE)
    world.sign_up(BART)
    world.clock.forward(days=30)
    with somebody_holds(ANNE):
        purge = beside.submit(world.run, "purge")
        until(somebody_waits)
    assert purge.result(10) == 2
    assert world.registrations() == []


def test_a_sign_up_does_not_wait_for_a_sweep_that_is_under_way(world: World, beside: ThreadPoolExecutor) -> None:
    world.sign_up(ANNE)
    world.clock.forward(days=30)
    with somebody_holds(ANNE):  # as the sweep does, for the time of a batch
        assert beside.submit(world.sign_up, ANNE).result(10).status_code == 202


def test_a_purge_that_was_in_a_deadlock_is_tried_once_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sign_up(ANNE)
    world.clock.forward(days=30)
    real, tries = registrations.to_purge_at, iter([Contention("40P01")])

    def once(*asked: Any) -> Any:
        for trouble in tries:
            raise trouble
        return real(*asked)

    monkeypatch.setattr(registrations, "to_purge_at", once)
    assert world.run("purge") == 1


def disowned(world: World, links: dict[str, str]) -> None:
    assert world.post(links["not-me"]).status_code == 200


def confirmed(world: World, links: dict[str, str]) -> None:
    assert world.post(links["confirm"]).status_code == 200


@pytest.mark.parametrize(
    ("meanwhile", "status", "facts"),
    [(disowned, 410, []), (confirmed, 200, ["registered", "mailed", "confirmed"])],
)
def test_a_press_is_judged_by_what_is_there_once_the_address_is_held(
    world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[..., None], status: int, facts: list[str]
) -> None:
    world.sign_up(ANNE)
    links = {"confirm": world.confirm_link(ANNE), "not-me": world.not_me_link(ANNE)}
    real, acts = addresses.lock, iter([meanwhile])

    def late(session: Session, *keys: bytes | None) -> None:
        for act in acts:  # between the first look and the lock
            act(world, links)
        real(session, *keys)

    monkeypatch.setattr(addresses, "lock", late)
    assert world.post(links["confirm"]).status_code == status
    assert [one.fact for one in world.evidence()] == facts


def test_two_who_disown_at_once_wait_for_each_other_though_the_address_is_no_longer_known(
    world: World, beside: ThreadPoolExecutor
) -> None:
    world.sign_up(ANNE)
    link = world.not_me_link(ANNE)
    world.clock.forward(days=30)
    world.run("purge")
    with transaction() as session:
        addresses.lock_or_create(session, world.parts.links.key(ANNE))
        press = beside.submit(world.post, link)
        until(somebody_waits)
    assert press.result(10).status_code == 200
