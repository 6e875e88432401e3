"""The time machine of the try-out mode: anyone can watch block and purge (through HTTP)."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask

from app import create_app
from subscriptions import start
from subscriptions.jobs.jobs import NAMED
from subscriptions.settings import Mail, Settings
from subscriptions.store import meta
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import db
from tests.builders import ANNE, BART, NEWS, Office, World
from tests.conftest import ManualClock
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE


def move(world: World, forward: str, **headers: str) -> str:
    """Press one of the buttons; the page that follows, as text."""
    answer = world.post("/mailbox/clock", data={"forward": forward}, headers=headers)
    assert answer.status_code == 303
    return world.get(answer.headers["Location"]).get_data(as_text=True)


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@contextmanager
def another_process(settings: Settings, clock: ManualClock) -> Iterator[Flask]:
    """An application on the same database with a clock of its own."""
    app = create_app(settings, clock)
    start.prepare(app)
    yield app
    with app.app_context():
        db.engine.dispose()


STEPS = [("1h", timedelta(hours=1)), ("24h", timedelta(hours=24)), ("1month", timedelta(days=30))]


@pytest.mark.parametrize(("step", "by"), STEPS)
def test_each_button_moves_the_clock_by_what_it_says(world: World, step: str, by: timedelta) -> None:
    before = world.clock.now()
    move(world, step)
    assert world.clock.now() - before == by


def test_24_hours_block_and_the_page_says_how_many(world: World) -> None:
    for address in (ANNE, BART):
        world.sign_up(address)
    page = words(move(world, "24h"))
    assert "2 unconfirmed sign-ups were blocked." in page
    assert [one.state for one in world.registrations()] == ["blocked", "blocked"]
    assert Office(world).counts(NEWS)["blocked"] == 2


def test_a_month_deletes_and_the_page_says_how_many(world: World) -> None:
    world.sign_up(ANNE)
    move(world, "24h")
    page = words(move(world, "1month"))
    assert re.search(r"\b1 blocked sign-up was deleted", page)
    assert world.registrations() == []
    assert ANNE not in world.get("/mailbox").get_data(as_text=True)


def test_an_hour_sends_what_waited_and_blocks_nothing(world: World) -> None:
    world.sign_up(ANNE)
    world.deliver()
    world.sign_up(ANNE, "offers")
    move(world, "1h")
    assert len(world.mails(ANNE)) == 2
    assert [one.state for one in world.registrations()] == ["pending", "pending"]


def test_a_jump_makes_no_job_late_for_longer_than_seconds(world: World) -> None:
    for name in NAMED:  # as in a service that has been on for a while
        world.run(name)
    move(world, "1month")
    said = [one for one in world.get("/readyz").get_json()["problems"] if " is late" in one]
    assert [one for one in said if not one.startswith(("deliver ", "watch "))] == []


def test_the_confirmed_stay_whatever_the_time(world: World) -> None:
    world.subscribe(BART)
    for _ in range(14):
        move(world, "1month")
    assert [one.state for one in world.subscriptions()] == ["confirmed"]


def test_years_later_the_jobs_still_run_since_a_person_pressed(world: World) -> None:
    world.sign_up(ANNE)
    world.run("purge")
    world.clock.forward(days=500)
    move(world, "1h")
    assert world.registrations() == []


def test_the_page_says_how_far_the_clock_has_been_moved(world: World) -> None:
    move(world, "24h")
    assert "1 days" in words(move(world, "1h")) or "1 day" in words(world.get("/mailbox").get_data(as_text=True))


def test_another_process_follows_the_clock(world: World) -> None:
    world.sign_up(ANNE)
    link = world.confirm_link(ANNE)
    with another_process(world.parts.settings, ManualClock()) as other:
        move(world, "24h")
        answer = other.test_client().post(link.removeprefix(world.base_url), base_url=world.base_url)
    assert answer.status_code == 410


def test_two_processes_that_move_it_in_turn_never_turn_it_back(world: World) -> None:
    with transaction() as session:
        meta.put(session, "clock_ahead", str(timedelta(days=2).total_seconds()))
    move(world, "1h")
    with reading() as session:
        ahead = meta.get(session, "clock_ahead")
    assert ahead is not None
    assert float(ahead) == timedelta(days=2, hours=1).total_seconds()


def test_a_new_start_stands_where_the_clock_was_left(world: World, make_app: Callable[..., Flask]) -> None:
    move(world, "1month")
    before = world.clock.now()
    make_app()
    assert world.clock.now() == before


OURS, EVIL = "http://127.0.0.1:8000", "https://evil.example"
FOREIGN = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": EVIL}, {"Origin": "null"},
           {"Origin": "http://127.0.0.1:8001"}, {"Origin": EVIL, "Sec-Fetch-Site": "none"},
           {"Origin": "null", "Sec-Fetch-Site": "cross-site"}]  # fmt: skip
FROM_HERE = [{}, {"Origin": OURS}, {"Origin": OURS, "Sec-Fetch-Site": "same-origin"},
             {"Origin": "null", "Sec-Fetch-Site": "same-origin"}]  # fmt: skip


@pytest.mark.parametrize("said", FOREIGN)
def test_another_website_cannot_move_the_clock(world: World, said: dict[str, str]) -> None:
    before = world.clock.now()
    answer = world.post("/mailbox/clock", data={"forward": "1month"}, headers=said)
    assert answer.status_code == 403
    assert world.clock.now() == before


@pytest.mark.parametrize("said", FROM_HERE)
def test_our_own_page_moves_it_in_whatever_browser_and_tells_ourselves_where_it_was(
    world: World, said: dict[str, str]
) -> None:
    before = world.clock.now()
    assert world.get("/mailbox").headers["Referrer-Policy"] == "same-origin"
    assert world.post("/mailbox/clock", data={"forward": "1h"}, headers=said).status_code == 303
    assert world.clock.now() > before


@pytest.mark.parametrize("step", ["", "-1h", "1year", "24h "])
def test_a_step_that_does_not_exist_moves_nothing(world: World, step: str) -> None:
    before = world.clock.now()
    assert world.post("/mailbox/clock", data={"forward": step}).status_code == 303
    assert world.clock.now() == before


def test_opening_pages_moves_nothing(world: World) -> None:
    before = world.clock.now()
    assert world.get("/mailbox/clock").status_code == 405
    assert world.get("/mailbox?block=3&purge=x").status_code == 200
    assert world.clock.now() == before


def test_with_a_real_relay_there_is_no_time_machine(make_app: Callable[..., Flask]) -> None:
    client = make_app(mail=Mail("smtp")).test_client()
    for path in ("/mailbox", "/mailbox/1", "/mailbox/1/source", "/mailbox/clock"):
        assert client.get(path, base_url="http://127.0.0.1:8000").status_code == 404
    answer = client.post("/mailbox/clock", data={"forward": "1month"}, base_url="http://127.0.0.1:8000")
    assert answer.status_code == 404
