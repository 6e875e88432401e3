"""The whole drill with real processes: people sign up while a backup is made, people say no, the database is lost."""

import json
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from subscriptions.backup import archive
from tests.backups import everything
from tests.builders import BART, CRIS, link_in
from tests.support.forked import Process, fork, ran
from tests.support.postgres import Databases
from tests.support.relay import Relay
from tests.support.server import Server, flask, until
from tests.support.sql import emptied, execute, number

pytestmark = pytest.mark.drill  # by day test_restore_again.py holds the same without processes
DORA, ERIK = "dora@example.org", "erik@example.org"


class House:
    """A live service in a folder of its own, and its commands."""

    def __init__(self, folder: Path, url: str, relay: Relay) -> None:
        self.folder, self.url, self.relay = folder, url, relay
        self.server = Server(folder, url, relay=relay)

    def start(self) -> "Process":
        self.server.start()
        return self.server.process

    def command(self, *args: str) -> str:
        result = ran(self._program(*args), self.server._environment, self.folder)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def begun(self, *args: str) -> Process:
        return fork(self._program(*args), self.server._environment, self.folder / "out", self.folder / "err")

    def _program(self, *args: str) -> tuple[str, ...]:
        return flask(*args)

    def subscribes(self, who: str) -> None:
        before = len(self.relay.mails)
        self.signs_up(who)
        self.press(link_in(self.relay.wait_for(before + 1)[-1].message, "confirm"))

    def signs_up(self, who: str) -> None:
        status, _, said = self.server.ask("POST", "/api/v1/subscriptions", json.dumps({"email": who}))
        assert status == 202, said

    def press(self, url: str) -> None:
        path = "/" + url.split("/", 3)[3]
        assert self.server.ask("POST", path, "by=page", "application/x-www-form-urlencoded")[0] == 200

    def exported(self) -> dict[str, str]:
        """Whom the sender may mail, each with the link to leave by."""
        lines = map(json.loads, self.command("export", "newsletter", "--format", "jsonl").splitlines())
        return {line["email"]: line["unsubscribe_url"] for line in lines}


@pytest.fixture
def url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if database == "sqlite":
        return f"sqlite:///{tmp_path / 'drill.db'}"
    server: Databases = request.getfixturevalue("postgres")
    return server.create_database(f"drill_{uuid.uuid4().hex}")


@pytest.fixture
def house(tmp_path: Path, url: str, relay: Relay) -> Iterator[House]:
    made = House(tmp_path, url, relay)
    with made.server:
        yield made


def test_the_database_is_lost_and_nobody_who_said_no_is_mailed_again(house: House, tmp_path: Path) -> None:
    for who in (BART, CRIS, DORA, ERIK):
        house.subscribes(who)
    over = threading.Event()
    strangers = threading.Thread(target=_sign_up_until, args=(house, over))
    strangers.start()
    backup, key = str(tmp_path / "today"), ("--key-file", str(tmp_path / "key"))
    house.command("backup", backup, *key)
    over.set()
    strangers.join()
    house.press(house.exported()[CRIS])
    house.command("erase", DORA, "--yes")
    house.command("suppressions", "add", ERIK, "--scope", "all", "--reason", "asked", "--yes")
    assert house.server.stop() == 0
    lost = emptied(house.url) if house.url.startswith("postgresql") else _deleted(house.url)
    assert lost == house.url
    said = house.command("restore", backup, *key, "--yes")
    assert "subscriptions ended 3, people erased 1" in said and "suppressions set 1" in said
    house.relay.forget()
    house.start()
    assert list(house.exported()) == [BART]
    house.command("jobs", "run", "seal")
    assert json.loads(house.command("evidence", "verify", "--json"))["wrong"] is None
    assert number(house.url, "SELECT count(*) FROM registrations WHERE address = :who", who=DORA) == 0
    house.signs_up(ERIK)
    house.subscribes("fritz@example.org")
    assert [mail.recipients for mail in house.relay.mails] == [("fritz@example.org",)]


def _sign_up_until(house: House, over: threading.Event) -> None:
    for count in range(400):
        house.signs_up(f"stranger{count}@example.com")
        if over.is_set() and count > 10:
            return


def _deleted(url: str) -> str:
    path = Path(url.removeprefix("sqlite:///"))
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()
    return url


def test_a_restore_whose_process_is_killed_leaves_what_was_there(house: House, tmp_path: Path) -> None:
    house.subscribes(BART)
    assert house.server.stop() == 0
    execute(house.url, MANY)
    backup = str(tmp_path / "today")
    house.command("backup", backup)
    execute(house.url, "DELETE FROM used_once")
    execute(house.url, "UPDATE jobs SET ended_at = NULL WHERE name = 'deliver'")
    before = everything(house.url)
    restoring = house.begun("restore", backup, "--yes")
    until(lambda: _writes(house, tmp_path))
    restoring.send_signal(signal.SIGKILL)
    assert restoring.wait(30) != 0
    assert everything(house.url) == before
    assert "Restored" in house.command("restore", backup, "--yes")
    house.start()
    assert list(house.exported()) == [BART]
    with archive.opened(Path(backup), None) as reader:
        reader.check(lambda _: None)


# rows that take a while: letters, which nothing refers to
MANY = ("INSERT INTO letters (id, source, made_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < 200000) SELECT 'x' || i, '', '2026-11-23 12:00:00' FROM n")  # fmt: skip


def _writes(house: House, folder: Path) -> bool:
    """Whether it is amid its one transaction."""
    if house.url.startswith("sqlite"):
        log = folder / "drill.db-wal"
        return log.exists() and log.stat().st_size > 2**20
    active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO letters%'"
    return number(house.url, active) > 0
