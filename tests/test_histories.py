"""Random histories: whatever people, the operator, the clock and the relay do, no promise is broken."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.settings import Abuse
from subscriptions.store.models import db
from tests.builders import ANNE, BART, NEWS, OFFERS, through
from tests.conftest import NOON, ManualClock
from tests.history import History
from tests.history_own import OwnHistory
from tests.support.relay import Relay

STAYS = {"lists", "wordings", "meta", "jobs", "letters", "evidence", "audit"}

people, slugs, which = st.sampled_from([ANNE, BART]), st.sampled_from([NEWS, OFFERS]), st.integers(0, 2)
minutes = st.sampled_from([1, 15, 15, 15, 60, 12 * 60, 24 * 60, 10 * 24 * 60, 30 * 24 * 60])


def often(times: int, *parts: str | st.SearchStrategy[Any]) -> list[st.SearchStrategy[tuple[Any, ...]]]:
    """The act, so many times among the acts to choose from."""
    return [st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts))] * times


ACTS = [
    *often(4, "sign_up", people, slugs), *often(2, "sign_up", people, NEWS, OFFERS),
    *often(5, "confirm", which), *often(2, "confirm", which, st.just(True)), *often(2, "disown", which),
    *often(1, "one_click", which), *often(2, "undo", which), *often(2, "leave", people, slugs),
    *often(1, "suppress", people, st.sampled_from(SuppressionScope)), *often(1, "lift", people),
    *often(1, "erase", people), *often(5, "wait", minutes), *often(4, "deliver"), *often(1, "relay"),
    *often(1, "ask_link", people), *often(2, "move", people), *often(1, "never", people),
    *often(1, "leave_all", people), *often(1, "lift_own", people, st.sampled_from(SuppressionScope)),
    *often(1, "job", st.sampled_from(["block", "purge", "tidy"])),
]  # fmt: skip
acts = st.lists(st.integers(0, len(ACTS) - 1).flatmap(ACTS.__getitem__), min_size=12, max_size=40)


def _without_proof(make_app: Callable[..., Flask]) -> Callable[..., Flask]:
    """All histories happen in one minute of one program, which would be an attack."""
    return lambda **sections: make_app(**sections, abuse=Abuse(proof_of_work="off"))


@pytest.fixture
def begin(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[Callable[[], History]]:
    """Begins a history: nobody has signed up, it is noon, the relay is there."""
    with Relay() as relay, through(relay, _without_proof(make_app), clock) as world:
        if db.engine.dialect.name == "sqlite":
            # a power cut is no part of these histories, and waiting for the disk is most of their time
            db.engine.dispose()
            sa.event.listen(db.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))

        def anew() -> History:
            with db.engine.begin() as connection:
                first, tables = ("registrations", "subscriptions"), db.metadata.tables  # with them goes their evidence
                for name in (*first, *(one.name for one in reversed(db.metadata.sorted_tables))):
                    if name not in STAYS:
                        connection.execute(tables[name].delete())
                connection.execute(sa.text("UPDATE jobs SET pause_until = NULL, error = NULL, ended_at = NULL"))
            clock.at = NOON
            relay.forget()
            relay.stop()
            relay.start()
            return OwnHistory(world, relay)

        yield anew


def live(history: History, acts: list[tuple[Any, ...]]) -> None:
    for name, *details in acts:
        getattr(history, "relay_" if name == "relay" else name)(*details)
        history.check()


def random_histories(by_day: int, by_night: int) -> settings:
    """The same few by day, other ones each night (`make drills`)."""
    is_night = settings.get_current_profile_name() == "night"
    slow_is_fine = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=by_night if is_night else by_day, suppress_health_check=slow_is_fine)


TOLD_BEFORE: list[list[tuple[Any, ...]]] = [
    # a mail that is owed when the operator suppresses the address
    [("sign_up", ANNE, NEWS), ("suppress", ANNE, SuppressionScope.CONFIRMATIONS), ("deliver",)],
    # two links set the same, one of them takes it back
    [("sign_up", ANNE, NEWS), ("sign_up", ANNE, OFFERS), ("wait", 15), ("deliver",), ("disown", 0), ("disown", 1),
     ("undo", 0), ("wait", 60), ("sign_up", ANNE, NEWS), ("deliver",)],
    # the link of an earlier subscription, pressed in a later one
    [("sign_up", ANNE, NEWS), ("confirm", 0), ("leave", ANNE, NEWS), ("wait", 15), ("sign_up", ANNE, NEWS),
     ("confirm", 0), ("confirm", 1), ("disown", 1), ("confirm", 0)],
    # the relay comes back after the 24 hours
    [("relay",), ("sign_up", ANNE, NEWS), ("deliver",), ("wait", 24 * 60), ("relay",), ("deliver",), ("confirm", 0)],
    # confirmed within the hour of an erasure
    [("sign_up", ANNE, NEWS), ("sign_up", ANNE, OFFERS), ("confirm", 1), ("relay",), ("erase", ANNE), ("confirm", 0),
     ("deliver",), ("wait", 60), ("deliver",), ("confirm", 0)],
    # told once that she is subscribed, and never again once she has objected
    [("sign_up", ANNE, OFFERS), ("deliver",), ("confirm", 0), ("deliver",), ("wait", 15), ("sign_up", ANNE, OFFERS),
     ("suppress", ANNE, SuppressionScope.ALL), ("deliver",), ("wait", 60), ("sign_up", ANNE, OFFERS), ("deliver",)],
    # moves to another address, comes back as somebody new, and nobody is told whom it must not be told
    [("sign_up", ANNE, NEWS, OFFERS), ("confirm", 0), ("wait", 15), ("move", ANNE), ("confirm", 1, True), ("deliver",),
     ("ask_link", ANNE), ("confirm", 0), ("never", ANNE), ("deliver",), ("ask_link", ANNE), ("deliver",)],
]  # fmt: skip


@pytest.mark.parametrize("acts", TOLD_BEFORE)
def test_the_histories_that_are_easily_got_wrong(begin: Callable[[], History], acts: list[tuple[Any, ...]]) -> None:
    live(begin(), acts)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@random_histories(by_day=6, by_night=300)
@given(acts)
def test_no_history_breaks_a_promise(begin: Callable[[], History], acts: list[tuple[Any, ...]]) -> None:
    live(begin(), acts)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@random_histories(by_day=2, by_night=60)
@given(acts)
def test_no_history_breaks_a_promise_on_postgresql(begin: Callable[[], History], acts: list[tuple[Any, ...]]) -> None:
    live(begin(), acts)
