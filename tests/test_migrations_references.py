"""A database of 0.2.0, where each list of a form had a reference of its own: every mail goes on working."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from app import create_app
from subscriptions import start
from subscriptions.store import migrate
from subscriptions.store.engine import transaction
from subscriptions.store.models import db
from tests.builders import ANNE, BART, NEWS, OFFERS, Movable, World, link_in, owed, text_of
from tests.conftest import make_settings
from tests.several import EVENTS, LISTS, ask, states, wording_of, world
from tests.support.postgres import Databases

__all__ = ["world"]

Upgrade = Callable[..., World]


@pytest.fixture
def upgrade(
    world: World, database: str, request: pytest.FixtureRequest, tmp_path: Path, clock: Movable
) -> Iterator[Upgrade]:
    """Takes what the world has stored to a database as 0.2.0 would have written it, upgrades that, and goes on there.

    `without`: the id of a registration that is gone before.
    """
    if database == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.db'}"
    else:
        server: Databases = request.getfixturevalue("postgres")
        server.drop_database("old")
        url = server.create_database("old")
    app, now = create_app(make_settings(url, tmp_path, lists=LISTS), clock), db.engine

    contexts = ExitStack()

    def upgraded(without: int = 0) -> World:
        contexts.enter_context(app.app_context())
        contexts.callback(lambda: db.engine.dispose())
        config = Config()
        config.set_main_option("script_location", str(migrate.FOLDER))
        command.upgrade(config, "0002")
        _copy(now, db.engine)
        with transaction() as session:
            session.execute(sa.text("DELETE FROM registrations WHERE id = :id"), {"id": without})
        start.prepare(app)
        return World(app, app.test_client(), clock)

    with contexts:
        yield upgraded


def _copy(now: sa.Engine, old: sa.Engine) -> None:
    here, there = sa.MetaData(), sa.MetaData()
    here.reflect(now)
    there.reflect(old)
    with now.connect() as source, old.connect() as target, target.begin():
        known = here.tables.keys() - {"alembic_version"}
        for table in (table for table in there.sorted_tables if table.name in known):
            both: list[sa.ColumnElement[Any]] = [one for one in here.tables[table.name].c if one.name in table.c]
            if table.name == "wordings":
                both.append(here.tables["wordings"].c.valid_from.label("made_at"))
            which = sa.select(*both)
            if table.name == "counters":  # those of lists and days came later
                which = which.where(here.tables["counters"].c.list_id == 0)
            rows = [dict(row) for row in source.execute(which).mappings()]
            if not rows:
                continue
            target.execute(table.insert(), _as_they_were(rows) if table.name == "registrations" else rows)
            if old.dialect.name == "postgresql" and isinstance(table.primary_key.columns[0].type, sa.Integer):
                target.execute(sa.select(sa.func.setval(f"{table.name}_id_seq", sa.func.max(table.c.id))))


def _as_they_were(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of a form had its reference; each further one its own, which no mail named."""
    lists, met = Counter(row["ref"] for row in rows), set[bytes]()
    for row in sorted(rows, key=lambda row: row["id"]):
        ref = row["ref"]
        row["group_ref"] = ref if lists[ref] > 1 else None
        row["ref"] = row["id"].to_bytes(16) if ref in met else ref
        met.add(ref)
    return rows


def test_the_table_is_as_the_models_say_and_keeps_every_row(world: World, upgrade: Upgrade) -> None:
    ask(world, NEWS, OFFERS, EVENTS, name="Anne", company="Ex & Co")
    world.subscribe(BART, OFFERS, wording=wording_of(world, OFFERS))  # a form that named none stored none then
    before, proofs = world.registrations(), world.evidence()
    old = upgrade()
    with db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []
        if connection.dialect.name == "sqlite":
            made = connection.execute(sa.text("SELECT sql FROM sqlite_schema WHERE name = 'registrations'")).scalar()
            assert "AUTOINCREMENT" in str(made) and "CONSTRAINT fk_registrations_list_id" in str(made)
    columns = [column.name for column in before[0].__table__.columns]
    assert [[getattr(row, name) for name in columns] for row in old.registrations()] == [
        [getattr(row, name) for name in columns] for row in before
    ]
    assert [(one.id, one.registration_id) for one in old.evidence()] == [
        (one.id, one.registration_id) for one in proofs
    ]


def test_a_link_and_a_code_of_an_old_mail_confirm_each_of_its_lists(world: World, upgrade: Upgrade) -> None:
    handle = ask(world, NEWS, OFFERS, EVENTS).get_json()["registration"]
    [mail] = world.mails(ANNE)
    code = re.search(r"^ {4}(\w{4}-\w{4})$", text_of(mail), re.M)
    assert code is not None
    old = upgrade()
    old.post(link_in(mail, "confirm"), data={"list": OFFERS})
    assert states(old) == {NEWS: "pending", OFFERS: "confirmed", EVENTS: "pending"}
    answer = old.post("/api/v1/confirmations", json={"registration": handle, "code": code[1]})
    assert answer.get_json() == {"status": "confirmed", "lists": [NEWS, OFFERS, EVENTS]}


def test_this_was_not_me_of_an_old_mail_deletes_them_all(world: World, upgrade: Upgrade) -> None:
    ask(world, NEWS, EVENTS)
    not_me = world.not_me_link(ANNE)
    old = upgrade()
    assert "Newsletter and Events" in old.get(not_me).text
    old.post(not_me)
    assert old.registrations() == []


def test_a_link_works_although_the_first_of_its_lists_was_gone_before(world: World, upgrade: Upgrade) -> None:
    ask(world, NEWS, OFFERS, EVENTS)
    link = world.confirm_link(ANNE)
    old = upgrade(without=world.registrations()[0].id)
    old.post(link)
    assert states(old) == {OFFERS: "confirmed", EVENTS: "confirmed"}


def test_another_mail_of_an_old_page_asks_for_the_same_lists(world: World, upgrade: Upgrade) -> None:
    handle = ask(world, NEWS, EVENTS).get_json()["registration"]
    world.deliver()
    world.clock.forward(minutes=15)
    old = upgrade()
    old.post(f"/subscribe/{NEWS}/check-inbox", data={"r": handle})
    assert old.mails(ANNE)[-1]["Subject"] == "Please confirm: Newsletter and Events"
    assert len({row.ref for row in old.registrations()}) == 2


def test_a_mail_that_waited_names_all_its_lists_and_leaves_evidence_for_each(world: World, upgrade: Upgrade) -> None:
    ask(world, NEWS, EVENTS)
    old = upgrade()
    assert [mail["Subject"] for mail in old.mails(ANNE)] == ["Please confirm: Newsletter and Events"]
    assert [one.registration_id for one in old.evidence() if one.fact == "mailed"] == [1, 2]
    assert owed() == []


def test_no_number_of_a_registration_that_is_gone_comes_back(world: World, upgrade: Upgrade) -> None:
    ask(world, NEWS, EVENTS)
    last = world.registrations()[-1].id
    old = upgrade(without=last)
    old.sign_up(BART)
    assert old.registrations()[-1].id > last
