"""Limits and abuse at the desk: what is usual, what happens, and the clean-up after an attack."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from subscriptions import disposable
from subscriptions.domain.roles import Role
from subscriptions.settings import Limits
from subscriptions.store import audit
from subscriptions.store.engine import reading
from subscriptions.store.models import ActorKind, Suppression
from tests.builders import ANNE, BART, CRIS, LISTS, NEWS, Movable, World, rows_of_every_table
from tests.desk import PASSWORD, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_desk_people import only

pytestmark = BY_DAY_ON_SQLITE

WINDOW = {"since": "2026-11-23T11:00", "until": "", "network": "203.0.113.0/24", "list": ""}


def test_the_page_says_what_is_usual_and_what_happens(world: World) -> None:
    world.sign_up(ANNE)
    page = at_the_desk(world, Role.PRIVACY).get("/admin/abuse").text
    for told in ("Nothing unusual is happening.", "1 in 15 minutes, 3 in 24 hours, 5 in 30 days",
                 "network: 200 in 1 hour", "minute: 600 in all, 300 for a list, 100 for a mail domain", "config.toml",
                 "This list came with version", "yestwice abuse refresh FILE"):  # fmt: skip
        assert told in page


def test_the_sign_ups_of_an_attack_are_cancelled_after_a_look_and_with_the_password(world: World) -> None:
    world.subscribe(CRIS)
    world.sign_up(ANNE)
    world.sign_up(BART, remote_addr="192.0.2.1")
    world.clock.forward(minutes=30)
    pia, before = at_the_desk(world, Role.PRIVACY), rows_of_every_table()
    look = pia.post("/admin/abuse/look", **WINDOW)
    assert "1 sign-up that was never confirmed will be deleted." in look.text and rows_of_every_table() == before
    world.clock.forward(minutes=10)
    assert "Your password, please" in pia.post("/admin/abuse/cancel", **WINDOW).text
    done = pia.post("/admin/abuse/cancel", **WINDOW, proof=PASSWORD)
    assert "1 sign-up is cancelled." in done.text and "cancelled 1 sign-up of an attack" in done.text
    assert sorted(row.address or "" for row in world.registrations()) == [BART, CRIS]
    assert world.count(Suppression) == 1 and len(world.subscriptions()) == 1
    with reading() as session:
        row = audit.newest(session, 1)[0]
    assert (row.act, row.actor_kind, row.count) == ("abuse cancel done", ActorKind.ACCOUNT, 1)
    assert "0 sign-ups are cancelled." in pia.post("/admin/abuse/cancel", **WINDOW).text


WRONG = [({"since": ""}, "when it began"), ({"since": "soon"}, "like 2026-"), ({"network": "anne\0"}, "203.0.113.0/24"),
         ({"until": "2026-11-23T10:00"}, "later than the beginning"), ({"since": "0001-01-01T00:00"}, "")]  # fmt: skip


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_a_window_that_is_none_is_said_and_stays_in_the_form(world: World, wrong: dict[str, str], said: str) -> None:
    world.sign_up(ANNE)
    answer = at_the_desk(world).post("/admin/abuse/look", **(WINDOW | wrong))
    assert answer.status_code == (422 if said else 200) and said in answer.text
    assert len(world.registrations()) == 1


def test_it_is_for_who_sees_every_list(world: World) -> None:
    world.sign_up(ANNE)
    for person in (only(world, NEWS, Role.PRIVACY), at_the_desk(world, Role.MANAGER)):
        assert person.get("/admin/abuse").status_code == 403
        assert person.post("/admin/abuse/cancel", **WINDOW).status_code == 403
    assert len(world.registrations()) == 1


def test_it_counts_busy_networks_without_naming_one_and_says_how_old_the_list_of_domains_is(
    make_app: Callable[..., Flask], clock: Movable, tmp_path: Path
) -> None:
    file = tmp_path / disposable.FILE
    file.write_text("throwaway.example\n")
    os.utime(file, (at := datetime(2026, 3, 3, 9, tzinfo=UTC).timestamp(), at))
    app = make_app(
        limits=Limits(signups_per_network="3/1h"),
        lists=(replace(LISTS[0], timezone="UTC"),),
    )
    with app.app_context():
        world = World(app, app.test_client(), clock)
        pia = at_the_desk(world, Role.PRIVACY)
        assert "busiest" not in pia.get("/admin/abuse").text
        for number in range(5):
            world.sign_up(f"a{number}@example.org", remote_addr="192.0.2.1")
        world.sign_up(ANNE, remote_addr="198.51.100.9")
        page = pia.get("/admin/abuse").text
        assert "1 network has reached its limit" in page and "From the busiest one came 5 sign-ups." in page
        assert "192.0.2" not in page and "1 throw-away mail domain is known." in page
        assert 'renewed on <time datetime="2026-03-03T09:00:00Z">3 March 2026' in page
        world.clock.forward(hours=1)
        assert "reached its limit" not in pia.get("/admin/abuse").text


def test_where_nothing_is_watched_the_page_does_not_say_that_nothing_happens(
    make_app: Callable[..., Flask], clock: Movable
) -> None:
    with (app := make_app(limits=Limits(signups_per_network=""))).app_context():
        page = at_the_desk(World(app, app.test_client(), clock)).get("/admin/abuse").text
    assert "Nothing is watched here" in page and "Nothing unusual" not in page and "last hour" not in page
