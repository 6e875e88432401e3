"""A real PostgreSQL for the tests: TEST_POSTGRES_URL's server, or one of our own that can be stopped."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

import psycopg
import sqlalchemy as sa
from psycopg import sql

from tests.support import postgres_programs
from tests.support.lifeline import Lifeline, end_orphans
from tests.support.ports import LOOPBACK, free_port

CAREFUL = {"max_connections": "200", "shared_buffers": "64MB", "unix_socket_directories": ""}
# Commits still reach the operating system, so that stop("immediate") loses none.
QUICK = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
INITDB = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")

StopMode = Literal["smart", "fast", "immediate"]


class Databases:
    """A running server, whoever started it."""

    def __init__(self, admin: str) -> None:
        self._admin = sa.make_url(admin)

    def url(self, database: str) -> str:
        url = self._admin.set(drivername="postgresql+psycopg", database=database)
        return url.render_as_string(hide_password=False)

    def create_database(self, name: str, template: str = "template1") -> str:
        """Makes it and returns its URL; copies the template, to which nobody may be connected, in milliseconds."""
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(command.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drops it if it is there, and throws its users out."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, command: sql.Composed) -> None:
        url = self._admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(command)


class PostgresServer(Databases):
    """A server of our own in a temporary folder; durable=True leaves fsync on, on a disk."""

    def __init__(self, *, durable: bool = False) -> None:
        self.port = free_port()
        super().__init__(f"postgresql://postgres@{LOOPBACK}:{self.port}/postgres")
        self._durable = durable
        self._settings = CAREFUL if durable else CAREFUL | QUICK
        self._folder: Path | None = None
        self._lifeline: Lifeline | None = None
        self._programs = Path()

    def start(self) -> None:
        """Starts it, the second time with the data and on the port of the first."""
        folder = self._folder or self._prepare()
        options = {"port": str(self.port), "listen_addresses": LOOPBACK, **self._settings}
        flags = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        try:
            self._run("pg_ctl", "start", "-w", "-s", "-D", folder / "data", "-l", folder / "log", "-o", flags)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{(folder / 'log').read_text()}") from error

    def stop(self, mode: StopMode = "fast") -> None:
        """Stops it; 'immediate' is a crash. The data stays for the next start()."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode, "-D", self.folder / "data")

    @property
    def folder(self) -> Path:
        if self._folder is None:
            raise RuntimeError("start the server first")
        return self._folder

    @property
    def running(self) -> bool:
        return self._folder is not None and (self._folder / "data" / "postmaster.pid").exists()

    def remove(self) -> None:
        """Stops it and deletes its data."""
        if self.running:
            self.stop("immediate")
        if self._lifeline is not None:
            self._lifeline.let_go()
            self._folder = self._lifeline = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _prepare(self) -> Path:
        self._folder = folder = postgres_programs.make_folder(on_disk=self._durable)
        self._lifeline = Lifeline(folder)
        self._programs = postgres_programs.usable_from(folder)
        self._run("initdb", "-D", folder / "data", *INITDB)
        return folder

    def _run(self, program: str, *arguments: str | Path) -> None:
        postgres_programs.run(self._programs / program, *arguments, folder=self.folder)


@contextmanager
def session_postgres() -> Iterator[Databases]:
    """The server for a whole test run: TEST_POSTGRES_URL's, else a quick one of our own."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield Databases(url)
    else:
        for where in postgres_programs.PLACES:
            end_orphans(where)
        with PostgresServer() as server:
            yield server
