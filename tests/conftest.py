"""The world of the tests: a real application on a real database, and a clock that only the test moves."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from app import create_app
from subscriptions import start
from subscriptions.clock import Clock
from subscriptions.settings import Abuse, Database, Server, Settings
from subscriptions.store.models import db
from tests.builders import LISTS, World
from tests.support.postgres import Databases, session_postgres
from tests.support.relay import Relay

pytest_plugins = ["tests.clause", "tests.upgraded"]  # what `pytest -m clause` says at its end; what 0.2.0 left

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

hypothesis.settings.register_profile("house", deadline=None)  # nothing is timed: a busy machine is no failure
hypothesis.settings.load_profile("house")


class Compiled(BytecodeCache):
    """Templates as code, for all applications of the tests: to compile them is a quarter of the time of a test."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()
_compile_builder = Rule._compile_builder


def _built_when_needed(self: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    """What writes the URLs of a route; a test writes few, and to compile that for all is half of making an app."""

    @cache
    def made() -> Callable[..., Any]:
        return _compile_builder(self, append_unknown)

    return lambda rule, *values, **more: made()(rule, *values, **more)


Rule._compile_builder = _built_when_needed  # type: ignore[assignment]


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
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Databases with the schema and nothing else, made at the first use: a test starts from a copy."""
    return {"folder": str(tmp_path_factory.mktemp("templates"))}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database; every test that stores something runs on both."""
    return str(request.param)


@pytest.fixture
def database_url(
    database: str, request: pytest.FixtureRequest, templates: dict[str, str], tmp_path: Path
) -> Iterator[str]:
    """The URL of a database of this test's own, with the schema in it."""
    if database == "sqlite":
        yield _sqlite_copy(templates, tmp_path)
        return
    server: Databases = request.getfixturevalue("postgres")
    name = f"t{abs(hash(request.node.nodeid)):x}_{tmp_path.name[-20:].lower()}".replace("-", "_")[:60]
    url = server.create_database(name, _postgres_template(server, templates))
    yield url
    server.drop_database(name)


def _sqlite_copy(templates: dict[str, str], tmp_path: Path) -> str:
    source = Path(templates["folder"]) / "template.db"
    if not source.exists():
        _migrate(f"sqlite:///{source}", source.parent)
    target = tmp_path / "subscriptions.db"
    shutil.copyfile(source, target)
    return f"sqlite:///{target}"


def _postgres_template(server: Databases, templates: dict[str, str]) -> str:
    name = f"template_{Path(templates['folder']).name}_{abs(hash(templates['folder'])):x}"[:60].lower()
    if "postgresql" not in templates:
        server.drop_database(name)
        _migrate(server.create_database(name), Path(templates["folder"]))
        templates["postgresql"] = name
    return name


def _migrate(url: str, folder: Path) -> None:
    app = create_app(make_settings(url, folder))
    start.prepare(app)
    with app.app_context():
        db.engine.dispose()


def make_settings(url: str, folder: Path, **sections: object) -> Settings:
    """Settings for a test: three lists, its own data folder."""
    server = Server(data_dir=str(folder), pepper="a pepper of the tests", secret_keys=("a secret key of the tests",))
    # a test signs more people up than one network does in peace; the rest of the guard is on
    abuse = Abuse(proof_of_work_from="")
    made = {"server": server, "database": Database(url), "lists": LISTS, "abuse": abuse, "root": folder} | sections
    return Settings(**made)  # type: ignore[arg-type]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return make_settings(database_url, tmp_path)


@pytest.fixture
def make_app(database_url: str, tmp_path: Path, clock: ManualClock) -> Iterator[Callable[..., Flask]]:
    """Makes applications on this test's database, with sections of the configuration replaced."""
    made: list[Flask] = []

    def make(**sections: object) -> Flask:
        app = create_app(make_settings(database_url, tmp_path, **sections), clock)
        app.jinja_env.bytecode_cache = COMPILED
        start.prepare(app)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The application with its context pushed, in try-out mode, without scheduler."""
    app = make_app()
    with app.app_context():
        yield app


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
