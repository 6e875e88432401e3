"""Lists belong to the file or to the desk, and each of the two touches its own alone."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from flask import Flask

from subscriptions.actions import Refused, go_live
from subscriptions.actions import lists as acts
from subscriptions.parts import current_parts
from subscriptions.settings import ListSettings, Mail
from subscriptions.store.audit import Act
from subscriptions.store.lists import told
from subscriptions.store.models import ActorKind, Owner
from tests.builders import ANNE, LISTS, NEWS, OFFERS, World
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE

WHOLE = replace(LISTS[0], slug="concerts", name="Concert letter")
DRAFT = replace(WHOLE, policy_url="")
NONE = {"lists": (ListSettings(),), "names_lists": False}
LIVE = Mail(transport="smtp", port=9)
MakeApp = Callable[..., Flask]


def act(world: World) -> Act:
    return Act(world.clock.now(), ActorKind.COMMAND, "root", "lists")


def create(world: World, said: ListSettings = WHOLE) -> None:
    acts.create(asdict(said), world.clock.now(), act(world))
    world.parts.follow()


def change(world: World, slug: str, **values: Any) -> bool:
    row = next(one for one in world.parts.catalogue.lists.values() if one.slug == slug)
    said = replace(told(row, world.parts.catalogue.wordings), **values)
    done = acts.change(asdict(said), world.clock.now(), act(world))
    world.parts.follow()
    return done


def owners(app: Flask) -> dict[str, Owner]:
    with app.app_context():
        current_parts(app).follow()
        return {row.slug: row.owner for row in current_parts(app).catalogue.kept}


def kept_at_the_desk(app: Flask) -> list[str]:
    return [one for one in current_parts(app).warnings if "is kept at the desk" in one]


def test_a_start_leaves_the_lists_of_the_desk_alone_and_archives_those_no_longer_in_the_file(
    world: World, make_app: MakeApp
) -> None:
    create(world)
    world.subscribe(ANNE, OFFERS)
    fewer = make_app(lists=LISTS[:1])
    assert owners(fewer) == {NEWS: Owner.FILE, "concerts": Owner.DESK}
    with fewer.app_context():
        again = World(fewer, fewer.test_client(), world.clock)
        assert again.sign_up(ANNE, "concerts").status_code == 202
        assert again.sign_up(ANNE, OFFERS).status_code == 404
        assert [row.state for row in again.subscriptions()] == ["confirmed"], "nobody is lost"


def test_the_built_in_list_is_for_the_first_of_file_and_desk_who_says_something(
    world: World, make_app: MakeApp
) -> None:
    assert owners(make_app(**NONE)) == {NEWS: Owner.BUILT_IN}
    named = make_app(lists=(replace(LISTS[0], name="Named"),))
    assert owners(named) == {NEWS: Owner.FILE} and current_parts(named).catalogue.configured[0].name == "Named"
    unnamed = make_app(**NONE)
    assert owners(unnamed) == {NEWS: Owner.BUILT_IN} and current_parts(unnamed).catalogue.configured[0].name == "Named"
    with unnamed.app_context():
        assert change(World(unnamed, unnamed.test_client(), world.clock), NEWS, name="Of the desk")
    file = make_app(lists=LISTS)
    assert owners(file)[NEWS] is Owner.DESK and current_parts(file).catalogue.configured[-1].name == "Of the desk"
    assert [f'"{NEWS}"' in one for one in kept_at_the_desk(file)] == [True]


def test_a_list_that_was_taken_over_is_what_the_desk_says_at_every_later_start(world: World, make_app: MakeApp) -> None:
    with pytest.raises(Refused, match="Take it over"):
        change(world, OFFERS, name="Bargains")
    acts.take_over(OFFERS, act(world))
    world.parts.follow()
    assert change(world, OFFERS, name="Bargains")
    again = make_app(lists=LISTS)
    assert owners(again) == {NEWS: Owner.FILE, OFFERS: Owner.DESK, LISTS[2].slug: Owner.FILE}
    assert [row.name for row in current_parts(again).catalogue.configured] == ["Newsletter", "Bargains", "Hidden"]
    assert len(kept_at_the_desk(again)) == 1 and kept_at_the_desk(make_app(lists=LISTS[:1])) == []


def test_a_change_reaches_every_other_process_at_its_next_look_and_forms_of_before_still_work(
    world: World, make_app: MakeApp
) -> None:
    create(world)
    other = make_app(lists=LISTS)
    current_parts(other).follow()
    before = world.parts.catalogue.by_slug("concerts")
    assert before and change(world, "concerts", wording="Yes, send me the Concert letter of Example Society, weekly.")
    with other.app_context():
        current_parts().follow()
        row = current_parts().catalogue.by_slug("concerts")
        assert row and row.wording_id != before.wording_id
    world.sign_up(ANNE, "concerts", wording=before.wording_id)
    assert [one.wording_id for one in world.registrations()] == [before.wording_id]


def test_a_draft_takes_sign_ups_while_things_are_tried_out_and_none_on_a_live_service_until_it_is_whole(
    world: World, make_app: MakeApp
) -> None:
    create(world, DRAFT)
    assert world.sign_up(ANNE, "concerts").status_code == 202
    go_live.clear(act(world), is_live=True)
    with (app := make_app(mail=LIVE, lists=LISTS)).app_context():
        live = World(app, app.test_client(), world.clock)
        page = live.get("/subscribe/concerts")
        assert page.status_code == 404 and "does not take sign-ups yet" in page.text
        assert live.sign_up(ANNE, "concerts").status_code == 404
        assert "Concert letter" not in live.get("/").text + live.get("/subscribe").text
        assert change(live, "concerts", policy_url="https://example.org/privacy")
        assert live.get("/subscribe/concerts").status_code == 200
        assert live.sign_up(ANNE, "concerts").status_code == 202
        with pytest.raises(Refused, match="must keep"):
            change(live, "concerts", policy_url="")


def test_one_list_always_takes_sign_ups_and_an_archived_one_comes_back_with_its_people(world: World) -> None:
    create(world)
    world.subscribe(ANNE, "concerts")
    acts.archive("concerts", act(world))
    world.parts.follow()
    assert world.sign_up(ANNE, "concerts").status_code == 404 and len(world.subscriptions()) == 1
    acts.restore("concerts", act(world))
    for slug in (NEWS, OFFERS, LISTS[2].slug):
        acts.take_over(slug, act(world))
    for slug in (NEWS, OFFERS, LISTS[2].slug):
        acts.archive(slug, act(world))
    world.parts.follow()
    assert [row.slug for row in world.parts.catalogue.configured] == ["concerts"]
    with pytest.raises(Refused, match="No other list"):
        acts.archive("concerts", act(world))


def test_our_own_addresses_are_those_of_the_lists_of_the_desk_too(world: World) -> None:
    assert world.parts.mailable.own.isdisjoint({"contact@concerts.example"})
    create(world, replace(WHOLE, privacy_contact="contact@concerts.example"))
    assert "contact@concerts.example" in world.parts.mailable.own


def test_findings_name_a_list_of_the_desk_as_they_do_one_of_the_file(world: World, make_app: MakeApp) -> None:
    app = make_app(mail=LIVE, lists=LISTS[:1])
    with app.app_context():
        live = World(app, app.test_client(), world.clock)
        assert [one for one in live.parts.warnings if "concerts" in one] == []
        create(live, replace(WHOLE, wording="Yes, write to me."))
        assert len([one for one in live.parts.warnings if '"concerts"' in one]) == 1
