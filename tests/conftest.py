"""The world of the tests: a real application on a real database, and a clock that only the test moves."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Playwright, sync_playwright

from app import create_app
from subscriptions import start
from subscriptions.clock import Clock
from subscriptions.look.pictures import known_picture
from subscriptions.settings import Abuse, Database, Mail, Server, Settings
from subscriptions.store.engine import transaction
from subscriptions.store.models import Meta, db
from tests.builders import LISTS, World
from tests.support.applications import Applications
from tests.support.browser import launch
from tests.support.databases import Kept
from tests.support.postgres import Databases, session_postgres
from tests.support.relay import Relay

pytest_plugins = ["tests.clause", "tests.upgraded"]  # what `pytest -m clause` says at its end; what 0.2.0 left

os.environ["TZ"] = "UTC"  # lists that name no time zone have this machine's, wherever the tests run
JOURNAL = "journal"  # its folder
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

# Nothing is timed: a busy machine is no failure. By day the same texts and histories each time, by night new ones.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True, max_examples=40, database=None)
hypothesis.settings.register_profile("night", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


@pytest.hookimpl(tryfirst=True)  # before those are left out that `-m` does not name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        of = getattr(item, "callspec", None)
        if of and of.params.get("database") == "postgresql" and item.get_closest_marker("by_day_on_sqlite"):
            item.add_marker(pytest.mark.drill)


class ManualClock(Clock):
    """Stands still until a test moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at + self.ahead

    def forward(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.now()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    with session_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def kept_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """The databases of this worker; a test finds its own as if it had just been made."""
    with closing(Kept(tmp_path_factory.mktemp("databases"), _migrate)) as databases:
        yield databases


@pytest.fixture(scope="session")
def applications() -> Applications:
    """Those that were made with the settings of earlier tests."""
    return Applications()


@pytest.fixture(scope="session")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("test")


@pytest.fixture
def tmp_path(_folder: Path) -> Path:
    """An empty folder; the same for all tests of a worker, so that they have the same settings."""
    shutil.rmtree(_folder)
    _folder.mkdir()
    known_picture.cache_clear()  # by path: the program reads a logo once
    return _folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database; every test that stores something runs on both."""
    return str(request.param)


@pytest.fixture
def database_url(database: str, request: pytest.FixtureRequest, kept_databases: Kept, tmp_path: Path) -> str:
    """The URL of a database that is this test's own, with the schema in it."""
    if database == "sqlite":
        return kept_databases.sqlite(tmp_path / "subscriptions.db")
    return kept_databases.postgresql(request.getfixturevalue("postgres"))


def _migrate(url: str, folder: Path) -> None:
    app = create_app(make_settings(url, folder))
    start.prepare(app)
    with app.app_context():
        with transaction() as session:  # a test tries out, or is live, as it likes
            session.execute(sa.delete(Meta).where(Meta.name == "mode"))
        db.engine.dispose()


def make_settings(url: str, folder: Path, **sections: object) -> Settings:
    """Settings for a test: three lists, its own data folder."""
    server = Server(data_dir=str(folder), journal=str(folder / JOURNAL), pepper="a pepper of the tests",
                    secret_keys=("a secret key of the tests",))  # fmt: skip
    # a test signs more people up than one network does in peace; the rest of the guard is on
    abuse = Abuse(proof_of_work_from="")
    mail = Mail(connections=1)  # so that mails arrive in the order in which they are owed
    world = {"server": server, "database": Database(url), "lists": LISTS, "abuse": abuse, "mail": mail, "root": folder}
    made = world | sections
    return Settings(**made)  # type: ignore[arg-type]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return make_settings(database_url, tmp_path)


@pytest.fixture
def make_app(
    database_url: str, tmp_path: Path, clock: ManualClock, applications: Applications
) -> Iterator[Callable[..., Flask]]:
    """Gives applications on this test's database, with sections of the configuration replaced."""
    made: list[tuple[Flask, bool]] = []

    def make(**sections: object) -> Flask:
        settings = make_settings(database_url, tmp_path, **sections)
        is_kept = not any(not one.name.startswith(("subscriptions.db", JOURNAL)) for one in tmp_path.iterdir())
        app = applications.take(settings, clock) if is_kept else applications.new(settings, clock)
        is_prepared = not made and settings == make_settings(database_url, tmp_path)
        made.append((app, is_kept))
        (start.follow if is_prepared else start.prepare)(app)
        return app

    yield make
    for app, is_kept in made:
        with app.app_context():
            db.engine.dispose()
        if is_kept:
            applications.give_back(app)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The application with its context pushed, in try-out mode, without scheduler."""
    app = make_app()
    with app.app_context():
        yield app


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Browser:
    """One for each worker; a test opens a context of its own, which knows nothing of the others."""
    return launch(playwright)


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay that listens, takes every mail, and fails on demand."""
    with Relay() as relay:
        yield relay


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def world(app: Flask, client: FlaskClient, clock: ManualClock) -> World:
    """People who act on the application, and its mailbox."""
    return World(app, client, clock)
