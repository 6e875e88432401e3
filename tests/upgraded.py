"""Fixtures for tests of upgrades: `upgraded()` starts the version at hand on what 0.2.0 left at noon."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from subscriptions.store.models import db
from tests.support.postgres import Databases
from tests.support.relay import Relay
from tests.support.upgrade import LEFT_AT, Left, settings_of, start_on

Upgraded = Callable[..., Flask]


@pytest.fixture(scope="session")
def left(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Left:
    def postgres() -> Databases:
        server: Databases = request.getfixturevalue("postgres")
        return server

    return Left(tmp_path_factory.mktemp("left"), postgres)


@pytest.fixture
def left_url(database: str, left: Left) -> str:
    """The URL of a database of this test's own, as 0.2.0 left it."""
    return left.database(database)


@pytest.fixture
def upgraded(left_url: str, tmp_path: Path, clock: Any, relay: Relay) -> Iterator[Upgraded]:
    """Starts the version at hand on it, once or several times; settings of the environment by SECTION__KEY."""
    from tests.support.applications import COMPILED  # which loads this module

    made: list[Flask] = []
    clock.at = LEFT_AT

    def start(**environment: str) -> Flask:
        made.append(start_on(settings_of(left_url, tmp_path, relay, **environment), clock, COMPILED))
        return made[-1]

    root = logging.getLogger()  # commands send the log of their process to stderr
    handlers, level = root.handlers[:], root.level
    yield start
    root.handlers[:], root.level = handlers, level
    for app in made:
        with app.app_context():
            db.engine.dispose()
