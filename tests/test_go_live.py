"""How a database that things were tried out in becomes live, and that the two are never mixed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from app import create_app
from subscriptions import fits, start
from subscriptions.parts import current_parts
from subscriptions.settings import BadSettings, Mail
from subscriptions.store import meta, mode
from subscriptions.store.engine import WentLive, reading, transaction
from subscriptions.store.models import Audit, Captured, Job, Token, db
from tests.builders import ANNE, BART, CRIS, Movable, World, bearer, rows_of_every_table
from tests.losses import hold
from tests.preferences import Page
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_commands import logging_as_it_was
from tests.upgraded import Upgraded

__all__ = ["logging_as_it_was"]
SMTP = Mail(transport="smtp", port=9)
MADE_UP = {"registrations", "subscriptions", "evidence", "addresses", "outbox", "mailbox", "suppressions", "counters",
           "counted_keys", "letters", "requests", "holds", "leaves", "seals", "removals"}  # fmt: skip


@pytest.fixture
def tried(world: World) -> World:
    """A database in which people were made up: one subscribed a month ahead, one said no, one waits."""
    start.prepare(world.app)
    bearer("read")
    world.subscribe(BART)
    world.post("/mailbox/clock", data={"forward": "1month"})
    world.subscribe(CRIS)
    world.sign_up(ANNE)
    world.post(world.not_me_link(ANNE))
    world.sign_up("dora@example.org")
    Page.of(world, BART).act("write", kind="other", words="Hello there.")
    hold(world, BART)
    world.run("seal")
    return world


@contextmanager
def with_relay(world: World) -> Iterator[Flask]:
    """By the configuration with which mails leave."""
    app = create_app(replace(world.parts.settings, mail=SMTP), world.clock)  # type: ignore[arg-type]
    with app.app_context():
        try:
            yield app
        finally:
            db.engine.dispose()


def command(world: World, *args: str) -> Result:
    with with_relay(world) as app:
        return app.test_cli_runner().invoke(args=list(args))


def starts(world: World) -> None:
    with with_relay(world) as app:
        start.prepare(app)


def go_live(world: World, *args: str) -> Result:
    return command(world, "go-live", *args)


def jump(world: World) -> str | None:
    with reading() as session:
        return meta.get(session, mode.CLOCK_AHEAD)


def test_what_was_tried_out_is_mailed_to_nobody_before_go_live(tried: World) -> None:
    before = rows_of_every_table()
    with pytest.raises(BadSettings, match="yestwice go-live"):
        starts(tried)
    result = command(tried, "export", "newsletter")
    assert (result.exit_code, result.stdout) == (1, "") and "yestwice go-live" in result.stderr
    assert rows_of_every_table() == before


def test_before_0_4_0_the_answers_to_mails_tell_that_it_was_tried_out(tried: World) -> None:
    with transaction() as session:
        session.execute(sa.text("DELETE FROM meta WHERE name IN ('mode', 'clock_ahead')"))
        session.execute(sa.text("DELETE FROM mailbox"))
    with pytest.raises(BadSettings, match="yestwice go-live"):
        starts(tried)


def test_go_live_removes_what_was_made_up_and_keeps_lists_texts_and_tokens(tried: World) -> None:
    before = rows_of_every_table()
    assert not [name for name in MADE_UP if not before[name]] and jump(tried)
    result = go_live(tried, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "4 persons, 3 sign-ups, 2 subscriptions, 1 suppressions, 1 requests, 1 holds" in result.stdout
    after = rows_of_every_table()
    assert {name for name in before if not after[name]} >= MADE_UP
    assert not [name for name in mode.STAYS - {"meta", "audit"} if after[name] != before[name]]
    assert jump(tried) is None
    starts(tried)


def test_go_live_ends_what_the_audit_says_of_people_who_were_made_up(tried: World) -> None:
    run = tried.app.test_cli_runner().invoke
    run(args=["suppressions", "add", ANNE, "--scope", "all", "--reason", "Anne wrote a letter", "--yes"])
    with reading() as session:
        assert [row.reason for row in session.query(Audit) if row.about] == ["Anne wrote a letter"]
    go_live(tried, "--yes")
    with reading() as session:
        kept = [(row.act, row.about, row.reason) for row in session.query(Audit).order_by(Audit.id)]
    assert kept[-2:] == [("suppressions add", None, None), ("go-live", None, None)]


def test_go_live_leaves_no_time_that_has_not_come(tried: World) -> None:
    ahead = tried.clock.now().replace(year=2040)
    with transaction() as session:
        session.execute(sa.update(Token).values(used_at=ahead))
        session.execute(sa.update(Job).values(ended_at=ahead, slot=10**9))
    go_live(tried, "--yes")
    with reading() as session:
        assert session.scalars(sa.select(Token.used_at)).one() < ahead
        assert {*session.execute(sa.select(Job.ended_at, Job.slot))} == {(None, 0)}


def test_without_a_terminal_and_without_yes_go_live_changes_nothing(tried: World) -> None:
    before = rows_of_every_table()
    result = go_live(tried)
    assert result.exit_code == 2 and "2 subscriptions" in result.stderr and "--yes" in result.stderr
    assert rows_of_every_table() == before and jump(tried)


def test_go_live_is_all_or_nothing(tried: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows_of_every_table()
    monkeypatch.setattr(mode, "note", lambda *_: 1 / 0)
    assert isinstance(go_live(tried, "--yes").exception, ZeroDivisionError)
    assert rows_of_every_table() == before and jump(tried)


def test_go_live_removes_nobody_from_a_live_database(tried: World, make_app: Callable[..., Flask]) -> None:
    go_live(tried, "--yes")
    app = make_app(mail=SMTP)
    with app.app_context():
        World(app, app.test_client(), tried.clock).sign_up(ANNE)
        before = rows_of_every_table()
        result = go_live(tried, "--yes")
        assert result.exit_code == 0 and "already live" in result.stdout
        assert rows_of_every_table() == before


@pytest.fixture
def served(tried: World) -> Iterator[World]:
    """As a process that serves in try-out mode holds it."""
    fits.hold_try_out(tried.parts.settings)
    yield tried
    while fits._held:
        fits._held.pop().close()


def test_go_live_waits_for_the_end_of_whoever_serves_in_try_out_mode(served: World) -> None:
    before = rows_of_every_table()
    result = go_live(served, "--yes")
    assert result.exit_code == 1 and "still running" in result.stderr
    assert rows_of_every_table() == before


def test_nobody_begins_to_try_out_while_go_live_asks(tried: World) -> None:
    with fits.nobody_tries_out(tried.parts.settings), pytest.raises(BadSettings, match="go-live` is running"):
        start.serve(tried.app)


def test_a_process_in_try_out_mode_that_is_left_over_keeps_no_mail_and_takes_no_sign_up(tried: World) -> None:
    tried.parts.follow()
    go_live(tried, "--yes")
    with pytest.raises(WentLive):
        tried.parts.follow()
    assert tried.sign_up(ANNE).status_code == 503 and tried.registrations() == []
    assert tried.get("/healthz").status_code == 200


def test_a_fresh_database_is_live_at_once_and_is_not_tried_out_beside_people(make_app: Callable[..., Flask]) -> None:
    app = make_app(mail=SMTP)
    make_app()  # nobody is in it: things may be tried out
    make_app(mail=SMTP)  # and it is live again, with nobody to ask about
    assert app.test_client().post("/api/v1/subscriptions", json={"email": ANNE, "list": "newsletter"}).status_code < 300
    with pytest.raises(BadSettings, match="This database is live"):
        make_app()


def test_beside_a_hold_alone_nothing_is_tried_out(make_app: Callable[..., Flask], clock: Movable) -> None:
    app = make_app(mail=SMTP)
    with app.app_context():
        hold(World(app, app.test_client(), clock))
    with pytest.raises(BadSettings, match="This database is live"):
        make_app()


def test_where_nobody_was_made_up_the_try_out_ends_by_itself_with_all_that_it_left(world: World) -> None:
    start.prepare(world.app)
    world.post("/mailbox/clock", data={"forward": "1month"})
    with transaction() as session:
        session.add(Captured(at=world.clock.now(), real_at=world.clock.now(), mail="test", source=b"x"))
    assert jump(world)
    starts(world)
    with reading() as session:
        assert mode.noted(session) is mode.Mode.LIVE
    assert jump(world) is None and rows_of_every_table()["mailbox"] == 0


def test_where_nobody_was_made_up_it_does_not_end_beneath_whoever_still_serves(world: World) -> None:
    start.prepare(world.app)
    with fits.nobody_tries_out(world.parts.settings), pytest.raises(BadSettings, match="yestwice go-live"):
        starts(world)  # it is held, by whomever
    starts(world)


@BY_DAY_ON_SQLITE
def test_one_of_before_0_4_0_from_which_a_relay_took_mails_is_live_and_says_so_until_it_is_acknowledged(
    upgraded: Upgraded,
) -> None:
    upgraded()
    app = upgraded()  # a command may have been first
    assert [one for one in current_parts(app).warnings if "counts as live" in one]
    with app.app_context():
        before = rows_of_every_table()
        assert app.test_cli_runner().invoke(args=["go-live"]).exit_code == 0
        assert rows_of_every_table() == before
    assert not [one for one in current_parts(upgraded()).warnings if "counts as live" in one]


def test_a_live_database_of_before_0_4_0_is_not_tried_out(upgraded: Upgraded) -> None:
    with pytest.raises(BadSettings, match="This database is live"):
        upgraded(MAIL__TRANSPORT="mailbox", SERVER__BASE_URL="http://127.0.0.1:8000")
