"""The databases of released versions, loaded as they were left, for the version at hand to start on."""

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg
import sqlalchemy as sa
from flask import Flask
from jinja2 import BytecodeCache

from app import create_app
from subscriptions import start
from subscriptions.clock import Clock
from subscriptions.settings import Settings
from subscriptions.settings.file import load
from tests.support.postgres import Databases
from tests.support.relay import Relay

V0_2_0 = Path(__file__).resolve().parents[1] / "fixtures" / "v0_2_0"
LATER = sorted((V0_2_0.parent / "versions").glob("v*"))  # a folder for each version after that one
LEFT_AT = datetime.fromisoformat("2026-11-20T12:00:00Z")  # when the fixture ends; what waits in it waits from here on


def load_dump(kind: str, url: str, folder: Path = V0_2_0) -> None:
    """Fill an empty database with what that version left; the rows are written as SQLite reads them."""
    schema, rows = ((folder / name).read_text("utf-8") for name in (f"{kind}.sql", "rows.sql"))
    if kind == "sqlite":
        with contextlib.closing(sqlite3.connect(str(sa.make_url(url).database))) as connection:
            connection.executescript(f"BEGIN; {schema} {rows} COMMIT;")
        return
    rows = re.sub(r"\bX'([0-9a-f]*)'", r"'\\x\1'", rows)
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as postgres:
        postgres.execute(f"SET timezone TO 'UTC'; {schema} {rows}".encode())


class Left:
    """Hands out databases as 0.2.0 left them; each kind is loaded once, and then copied."""

    def __init__(self, folder: Path, postgres: Callable[[], Databases]) -> None:
        self._folder, self._postgres = folder, postgres
        self._loaded: set[str] = set()
        self._number = 0

    def database(self, kind: str) -> str:
        """The URL of one of one's own."""
        self._number += 1
        return self._sqlite() if kind == "sqlite" else self._postgresql()

    def _sqlite(self) -> str:
        source = self._folder / "left.db"
        if not source.exists():
            load_dump("sqlite", f"sqlite:///{source}")
        return f"sqlite:///{shutil.copyfile(source, self._folder / f'{self._number}.db')}"

    def _postgresql(self) -> str:
        source, server = f"left_{abs(hash(str(self._folder))):x}", self._postgres()
        if source not in self._loaded:
            load_dump("postgresql", server.create_database(source))
            self._loaded.add(source)
        return server.create_database(f"{source}_{self._number}", source)


def settings_of(url: str, folder: Path, relay: Relay, **environment: str) -> Settings:
    """The configuration of the fixture, as the version at hand reads it; SECTION__KEY goes before."""
    ours = {"CONFIG": str(V0_2_0 / "config.toml"), "DATABASE__URL": url, "SERVER__DATA_DIR": str(folder)}
    ours |= {"MAIL__HOST": relay.host, "MAIL__PORT": str(relay.port)} | environment
    return load({f"SUBSCRIPTIONS_{name}": value for name, value in ours.items()}, folder)


def start_on(settings: Settings, clock: Clock, compiled: BytecodeCache | None = None) -> Flask:
    """The application of the version at hand; migrations run."""
    app = create_app(settings, clock)
    app.jinja_env.bytecode_cache = compiled
    start.prepare(app)
    return app
