"""Compiled mails: bounded in memory, kept as long as evidence names them; and since when each version has run."""

import importlib
import json
import pkgutil
from datetime import UTC, datetime, timedelta
from functools import _lru_cache_wrapper
from itertools import permutations
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions import mail as mail_room
from subscriptions import start
from subscriptions.actions import sweep
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.mail.compose import COMPILED_AT_MOST, Composer
from subscriptions.mail.rebuild import as_sent
from subscriptions.store import compiled_mails, meta, outbox_sql
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Letter, db
from subscriptions.store.trips import in_trips, trip
from tests.builders import ANNE, BART, World
from tests.support.cases import ONE_DATABASE, each

LONG_AGO = timedelta(days=2)


def keep(now: datetime, *ids: str) -> None:
    with in_trips() as connection, trip(connection, last=True) as out:
        compiled_mails.keep(out, dict.fromkeys(ids, b"x"), now)


def kept() -> set[str]:
    with reading() as session:
        return set(session.scalars(sa.select(Letter.id)))


def test_a_compiled_mail_goes_a_day_after_the_last_evidence_that_names_it(world: World) -> None:
    world.subscribe(BART)
    world.sign_up(ANNE, locale="de")
    world.deliver()
    keep(world.clock.now(), "unnamed")
    named = kept() - {"unnamed"}
    world.clock.forward(hours=23)
    world.run("purge")
    assert kept() == {*named, "unnamed"}
    world.clock.forward(hours=2)
    world.run("purge")
    assert kept() == named and len(named) == 2
    world.clock.forward(days=31)  # the sign-up that nobody confirmed goes, and the only mail in German with it
    world.run("purge")
    assert len(kept()) == 1
    with reading() as session:
        [proof] = [one for one in world.evidence() if one.fact == "mailed"]
        assert as_sent(session, proof.id, world.parts.links)


def test_one_that_a_sender_keeps_again_stays(world: World) -> None:
    now = world.clock.now()
    keep(now - LONG_AGO, "again", "idle")
    keep(now, "again")
    assert sweep.forget_compiled(now) == 1
    assert kept() == {"again"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_one_that_is_just_being_kept_is_passed_over(world: World) -> None:
    now = world.clock.now()
    keep(now - LONG_AGO, "again")
    with in_trips() as connection:
        with trip(connection) as out:
            compiled_mails.keep(out, {"again": b"x"}, now)
        assert sweep.forget_compiled(now) == 0
        with trip(connection, last=True) as out:
            out.ask("SELECT 1")
    assert kept() == {"again"}


def test_what_evidence_names_is_looked_up_by_an_index(world: World) -> None:
    """A first-rate answer on a million rows, and asked once an hour."""
    with transaction() as session:
        is_postgres = db.engine.dialect.name == "postgresql"
        if is_postgres:
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        with trip(session) as out:
            pg, sqlite = f"EXPLAIN {outbox_sql.PG_FORGET}", f"EXPLAIN QUERY PLAN {outbox_sql.SQLITE_FORGET}"
            plan = out.ask(pg if is_postgres else sqlite, (datetime.now(UTC), 1))
        assert "ix_evidence_template" in str(plan())


NAMES = [one.name for one in pkgutil.iter_modules(mail_room.__path__)]


@each("name", NAMES)
def test_no_cache_of_mails_grows_without_end(name: str) -> None:
    module = importlib.import_module(f"subscriptions.mail.{name}")
    caches = [one for one in vars(module).values() if isinstance(one, _lru_cache_wrapper)]
    assert all(one.cache_parameters()["maxsize"] for one in caches)


def test_visitors_who_choose_every_order_of_lists_do_not_fill_the_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = world.parts
    monkeypatch.setattr("subscriptions.mail.compose.COMPILED_AT_MOST", 3)
    composer = Composer(world.app.jinja_env, parts.settings, parts.links, lambda: parts.catalogue, parts.languages)
    monkeypatch.setattr(composer._templates, "get_template", lambda name: world.app.jinja_env.from_string("x"))
    rows = [(row, None) for row in parts.catalogue.configured]
    for order in permutations(rows):
        composer.letter(MailKind.CONFIRM, order, "en")
    assert composer._compiled.cache_info().currsize == 3 < COMPILED_AT_MOST


def test_each_version_is_noted_once_at_its_first_start(
    app: Flask, make_app: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noted() -> list[list[str]]:
        with reading() as session:
            return [line.split() for line in (meta.get(session, "versions") or "").splitlines()]

    [[_, this]] = noted()
    start.prepare(app)
    assert [version for _, version in noted()] == [this] == [start.__version__]
    for version in ("9.9", this):
        clock.forward(days=1)
        monkeypatch.setattr(start, "__version__", version)
        start.prepare(app)
        start.prepare(app)
    assert [version for _, version in noted()] == [this, "9.9", this]
    assert noted()[-1][0] == "2026-11-25T12:00:00Z"


@ONE_DATABASE
def test_the_template_comes_first_in_the_evidence_of_a_mail_as_its_index_reads_it(world: World) -> None:
    world.subscribe(ANNE)
    mailed = sa.text("SELECT details FROM evidence WHERE fact = 'mailed'")
    with db.engine.connect() as connection:
        told = [row[0] for row in connection.execute(mailed)]
    assert told and all(text[14:30] == json.loads(text)["template"] for text in told)
