"""The link to one's own preferences: it works once, for half an hour, and an old one leads to a fresh one."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions.store.engine import transaction
from subscriptions.store.models import Owed, UsedOnce
from tests.builders import ANNE, BART, NEWS, OFFERS, World, link_in, owed, rows_of_every_table, through
from tests.preferences import Page, ask, link, session_of
from tests.read_mails import timed
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.relay import Relay
from tests.test_uniform import disowned, seen

pytestmark = BY_DAY_ON_SQLITE
NOT_THEIRS = "", "anne", BART, f"x{ANNE}", ANNE.replace("@", "+x@")


def test_looking_at_the_link_changes_nothing_and_offers_one_button(world: World) -> None:
    world.subscribe(ANNE)
    ask(world, ANNE)
    url, before = link(world, ANNE), rows_of_every_table()
    pages = [world.get(url), world.get(url, headers={"Sec-Purpose": "prefetch"})]
    assert [one.text.count("<form") for one in pages] == [1, 1]
    assert ANNE not in pages[0].text and rows_of_every_table() == before


def test_a_link_works_once_and_then_says_so(world: World) -> None:
    world.subscribe(ANNE)
    ask(world, ANNE)
    url = link(world, ANNE)
    assert [world.post(url).status_code, world.post(url).status_code, world.get(url).status_code] == [200, 410, 410]
    assert "This link has been used" in world.get(url).text and ANNE not in world.post(url).text


def test_a_link_works_until_the_last_second_of_thirty_minutes(world: World) -> None:
    world.subscribe(ANNE)
    ask(world, ANNE)
    url = link(world, ANNE)
    world.clock.forward(minutes=30, seconds=-1)
    assert world.get(url).status_code == 200
    world.clock.forward(seconds=1)
    assert [world.get(url).status_code, world.post(url).status_code] == [410, 410]
    assert "This link is too old" in world.get(url).text and world.count(UsedOnce) == 0


def test_the_half_hour_begins_when_the_mail_is_written(world: World) -> None:
    world.subscribe(ANNE)
    ask(world, ANNE)
    world.clock.forward(minutes=20)
    url = link(world, ANNE)
    world.clock.forward(minutes=29)
    assert world.post(url).status_code == 200


def test_a_mail_that_is_delivered_twice_carries_the_same_use(
    relay: Relay, make_app: Callable[..., Flask], clock: Any
) -> None:
    with through(relay, make_app, clock) as world:
        world.sign_up(ANNE)
        world.deliver()
        world.post(link_in(relay.mails[-1].message, "confirm"))
        clock.forward(minutes=15)
        ask(world, ANNE)
        [row] = owed()
        world.deliver()
        first = link_in(relay.mails[-1].message, "my-data")
        with transaction() as session:  # as after a crash between the relay's answer and the settling
            session.execute(sa.insert(Owed).values({c.name: getattr(row, c.name) for c in Owed.__table__.columns}))
        clock.forward(seconds=90)
        world.deliver()
        second = link_in(relay.mails[-1].message, "my-data")
        assert (len(relay.mails), first != second) == (3, True)
        assert [world.post(one).status_code for one in (second, first)] == [200, 410]


def test_what_was_used_is_forgotten_with_its_half_hour(world: World) -> None:
    world.subscribe(ANNE)
    Page.of(world, ANNE)
    assert world.count(UsedOnce) == 1
    world.clock.forward(minutes=30)
    world.run("tidy")
    assert world.count(UsedOnce) == 0


def test_an_old_link_gets_a_fresh_one_without_typing(world: World) -> None:
    world.subscribe(ANNE)
    ask(world, ANNE)
    old = link(world, ANNE)
    world.clock.forward(minutes=30)
    assert "We are sending you a new link" in world.post(f"{old}/again").text
    fresh = link(world, ANNE)
    assert (fresh != old, world.post(fresh).status_code) == (True, 200)


def test_fresh_links_have_a_budget_of_their_own_wait_for_five_minutes_and_say_so(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    assert "Check your inbox" in world.post(f"{page.link}/again").text
    world.deliver()
    for _ in range(3):
        assert timed("23 November 2026, 12:20 (UTC)") in world.post(f"{page.link}/again").text
    assert len(owed()) == 1
    world.clock.forward(minutes=5)
    assert world.post(link(world, ANNE)).status_code == 200


def test_a_fresh_link_comes_though_strangers_have_used_up_every_other_budget(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    for _ in range(12):
        world.clock.forward(minutes=15)
        world.sign_up(ANNE, OFFERS)
        ask(world, ANNE)
        world.deliver()
    assert "We are sending you a new link" in world.post(f"{page.link}/again").text


def test_a_link_of_somebody_who_is_gone_gets_a_refusal_in_words_and_leaves_nothing(world: World) -> None:
    links = world.parts.links
    token, before = links.preferences_token(bytes(16), bytes(16), bytes(range(16))), rows_of_every_table()
    assert "We cannot send you a new link" in world.post(f"/preferences/{token}/again").text
    after = rows_of_every_table()
    assert {name for name in after if after[name] != before[name]} <= {"counters"}


def test_a_page_that_is_closed_leads_to_a_fresh_link(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    world.clock.forward(minutes=30, seconds=-1)
    assert page.act("show").status_code == 200
    world.clock.forward(seconds=1)
    answer = page.act("leave", list=NEWS)
    assert (answer.status_code, world.subscriptions()[0].state) == (410, "confirmed")
    assert session_of(answer) == page.session and "We are sending you a new link" in page.act("again").text


@pytest.mark.parametrize("purpose", ["confirm", "session"])
def test_no_other_token_opens_the_page(world: World, purpose: str) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    token = {"confirm": world.parts.links.confirm_token(world.registrations()[0].ref), "session": page.session}[purpose]
    assert [act(f"/preferences/{token}").status_code for act in (world.get, world.post)] == [404, 404]


def test_only_the_session_of_the_page_may_act(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    forged = ["", page.session[:-1], page.link.rpartition("/")[2], page.session.swapcase()]
    answers = [world.post("/preferences/my/leave", data={"session": one, "list": NEWS}) for one in forged]
    assert {one.status_code for one in answers} == {404}
    assert [one.state for one in world.subscriptions()] == ["confirmed"]


def test_who_is_known_by_a_suppression_alone_gets_a_fresh_link_by_typing_the_address(world: World) -> None:
    disowned(world)
    world.clock.forward(days=40)
    world.run("purge")
    ask(world, ANNE)
    old = link(world, ANNE)
    world.clock.forward(hours=1)
    gone = world.post(old)
    assert (gone.status_code, 'name="email"' in gone.text, ANNE in gone.text) == (410, True, False)
    refused = [seen(world.post(f"{old}/again", data=said)) for said in ({}, *({"email": one} for one in NOT_THEIRS))]
    assert len(set(map(str, refused))) == 1 and "We cannot send you a new link" in str(refused[0]) and owed() == []
    for _ in range(2):  # a second press books no second mail
        assert "We are sending you a new link" in world.post(f"{old}/again", data={"email": f" {ANNE}"}).text
    assert len(owed()) == 1
    opened = world.post(link(world, ANNE))
    world.clock.forward(minutes=30)
    closed = world.post("/preferences/my/show", data={"session": session_of(opened)})
    assert (opened.status_code, closed.status_code, 'name="email"' in closed.text) == (200, 410, True)
    again = world.post("/preferences/my/again", data={"session": session_of(closed), "email": ANNE})
    assert "We are sending you a new link" in again.text and len(owed()) == 1


def test_whose_address_we_have_is_asked_for_none(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    assert 'name="email"' not in world.post(page.link).text
