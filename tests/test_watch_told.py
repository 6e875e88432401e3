"""How an operator hears that the breaker is on: the log, the health page, the metrics."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions.store import traffic
from subscriptions.store.engine import transaction
from subscriptions.store.models import Meta
from tests.builders import World
from tests.conftest import ManualClock
from tests.test_watch import LOW, look, note, watch


@pytest.fixture
def abused(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[World]:
    """A service whose thresholds a test can reach."""
    app = make_app(abuse=LOW)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def test_it_says_in_the_log_why_it_opened_once_and_without_an_address(
    abused: World, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(11):
        abused.sign_up(f"canary{n}@big.example", remote_addr=f"203.0.113.{n}")
    with caplog.at_level(logging.ERROR):
        look(abused)
        look(abused)
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    said: dict[str, Any] = vars(line)
    assert said["why"] == "11 sign-ups in a minute for addresses at big.example; at most 10 are usual"
    assert "canary" not in str(said)


def test_health_says_why_without_turning_red_and_metrics_count_it(abused: World) -> None:
    note(watch(abused), 21)
    look(abused)
    details = abused.get("/readyz").get_json()
    assert details["breaker"] == [
        '21 sign-ups in a minute for the list "newsletter"; at most 20 are usual; on until 2026-11-23T12:15:00Z'
    ]
    assert not [one for one in details["problems"] if "breaker" in one]
    found = abused.get("/metrics").text
    assert "yestwice_breaker 1.0" in found and 'yestwice_breaker_on{scope="list"} 1.0' in found
    assert 'yestwice_breaker_on{scope="all"} 0.0' in found


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_processes_decide_one_after_the_other(abused: World) -> None:
    """On SQLite whoever writes is alone anyway."""
    free = sa.select(Meta.name).where(Meta.name == "openings").with_for_update(skip_locked=True)
    with transaction() as session:
        traffic.hold_openings(session)
        with transaction() as other:
            assert other.scalar(free) is None
    with transaction() as other:
        assert other.scalar(free) == "openings"
