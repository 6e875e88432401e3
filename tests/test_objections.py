"""An objection to one controller (GDPR 21): its lists, those that it makes later too, and nobody else's."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions.store.engine import transaction
from subscriptions.store.models import Subscription, Suppression
from tests.builders import ANNE, NEWS, OFFERS, Office, World
from tests.conftest import ManualClock
from tests.controllers import LETTERS, TWO_CONTROLLERS
from tests.preferences import Page
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE
MORE = replace(TWO_CONTROLLERS[0], slug="more", name="More")


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[World]:
    app = make_app(lists=TWO_CONTROLLERS)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def open_lists(world: World) -> list[str]:
    return [world.parts.catalogue.lists[row.list_id].slug for row in world.subscriptions() if row.is_open]


def objecting(world: World) -> Page:
    """Anne, who reads all three lists, and wants nothing more from the society."""
    for slug in (NEWS, LETTERS, OFFERS):
        world.clock.forward(days=1)
        world.subscribe(ANNE, slug)
    page = Page.of(world, ANNE)
    asked = page.act("never").text
    assert "Nothing more from Example Society" in asked and "Nothing more from The Club" in asked
    assert "Nothing more from Secret Ltd" not in asked  # who is on no list of theirs is offered none
    assert page.told("never-surely", list=NEWS) == (
        "We will not write to you again about any list from Example Society."
    )
    return page


def test_it_ends_that_controllers_lists_and_leaves_the_others(world: World) -> None:
    page = objecting(world)
    assert open_lists(world) == [OFFERS]
    assert {row.details.get("reason") for row in world.evidence() if row.fact == "unsubscribed"} == {
        "never write to me again"
    }
    shown = page.act("show").text
    assert "You asked us not to write to you about some lists" in shown and "Allow emails to me again" in shown
    assert 'Leave<span class="away"> <span lang="en">Offers' in shown or "Offers</span></button>" in shown


def test_a_sign_up_for_its_lists_is_answered_alike_and_comes_to_nothing(world: World) -> None:
    objecting(world)
    world.clock.forward(days=31)
    mails = len(world.mails())
    answers = [world.sign_up(ANNE, slug) for slug in (NEWS, LETTERS)]
    assert [answer.status_code for answer in answers] == [202, 202] and len(world.mails()) == mails
    assert len([row for row in world.registrations() if row.subscription_id is None]) == 0


def test_the_others_go_on_writing_and_take_sign_ups(world: World) -> None:
    page = objecting(world)
    page.told("leave", list=OFFERS)
    world.clock.forward(days=31)
    world.subscribe(ANNE, OFFERS)
    assert open_lists(world) == [OFFERS] and Office(world).exported(OFFERS) == [ANNE]
    assert Office(world).exported(NEWS) == []


def test_an_export_leaves_out_who_objected_even_where_a_subscription_is_open(world: World) -> None:
    objecting(world)
    with transaction() as session:  # as a subscription that an import has brought would be
        session.execute(sa.update(Subscription).values(state="confirmed", ended_at=None))
    office = Office(world)
    assert [office.exported(slug) for slug in (NEWS, LETTERS, OFFERS)] == [[], [], [ANNE]]


def test_the_link_to_ones_own_page_still_comes_for_it_is_asked_for(world: World) -> None:
    objecting(world)
    world.clock.forward(days=31)
    assert Page.of(world, ANNE).opened.status_code == 200


def test_it_is_undone_at_once_and_brings_nothing_back(world: World) -> None:
    page = objecting(world)
    assert page.told("lift", scope="all", controller="The Club").startswith("We may write") and world.count(Suppression)
    assert page.told("lift", scope="all", controller="Example Society").startswith("We may write")
    assert world.count(Suppression) == 0 and open_lists(world) == [OFFERS]


def test_an_old_unsubscribe_link_lifts_it_for_that_controller_alone(world: World) -> None:
    page = objecting(world)
    page.told("never-surely", list=OFFERS)
    link = world.leave_link(ANNE, NEWS)
    assert "You asked us never to write to you again." in world.post(link).text
    world.post(f"{link}/lift")
    with transaction() as session:
        assert {*session.scalars(sa.select(Suppression.controller))} == {"The Club"}


def test_a_list_that_the_controller_makes_later_is_objected_to_as_well(
    world: World, make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    objecting(world)
    later = make_app(lists=(*TWO_CONTROLLERS, MORE))
    with later.app_context():
        other = World(later, later.test_client(), clock)
        clock.forward(days=31)
        mails = len(other.mails())
        assert other.sign_up(ANNE, "more").status_code == 202 and len(other.mails()) == mails
        assert other.sign_up("dora@example.org", "more").status_code == 202 and len(other.mails()) == mails + 1


def test_a_controller_that_changes_its_name_is_still_objected_to(
    world: World, make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    objecting(world)
    renamed = [replace(one, controller="Example Society e.V.") if one.controller == "Example Society" else one
               for one in (*TWO_CONTROLLERS, MORE)]  # fmt: skip
    later = make_app(lists=tuple(renamed))
    with later.app_context(), transaction() as session:
        rows = session.execute(sa.select(Suppression.controller, Suppression.list_id)).all()
    assert {name for name, _ in rows} == {"Example Society e.V."} and len(rows) == 3


def test_what_waits_to_be_confirmed_goes_with_it_and_the_rest_of_its_form_stays(world: World) -> None:
    world.subscribe(ANNE, OFFERS)
    page = Page.of(world, ANNE)
    world.clock.forward(days=1)
    world.post("/subscribe", data={"email": ANNE, "lists": [NEWS, LETTERS, "hidden"]})
    waiting = [row for row in world.registrations() if row.subscription_id is None]
    page = Page.of(world, ANNE)
    page.told("never-surely", list=NEWS)
    left = [row for row in world.registrations() if row.subscription_id is None]
    names = [world.parts.catalogue.lists[row.list_id].slug for row in left]
    assert NEWS not in names and LETTERS not in names and len(waiting) >= len(left)


def test_an_erasure_with_never_again_leaves_a_keyed_hash_that_stops_every_mail(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    page.told("erase-surely", never="1")
    world.run("deliver")
    world.clock.forward(days=31)
    world.run("purge")
    mails = len(world.mails())
    world.sign_up(ANNE)
    assert len(world.mails()) == mails and world.count(Suppression) == 1
