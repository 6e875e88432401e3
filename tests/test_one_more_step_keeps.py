"""One more step of every kind of form: several lists, voluntary fields, and hints on the address."""

from collections.abc import Callable
from dataclasses import replace

from flask import Flask

from tests.builders import ANNE, LISTS, NEWS, OFFERS, World
from tests.support.work import fields_of
from tests.test_one_more_step import FORM, step

SEVERAL = {"lists": [NEWS, OFFERS], "email": ANNE, "name": "Anne", "website": "x"}


def test_one_more_step_keeps_every_list_that_was_chosen(world: World) -> None:
    page = world.post("/subscribe?lists=newsletter,offers", data=SEVERAL)
    fields = fields_of(page.text)
    assert (page.status_code, fields.getlist("lists"), fields["name"]) == (422, [NEWS, OFFERS], "Anne")
    assert 'action="/subscribe?lists=newsletter,offers"' in page.text
    world.clock.forward(seconds=10)
    assert world.post("/subscribe?lists=newsletter,offers", data=fields).status_code == 303
    assert {row.list_id for row in world.registrations()} == {row.id for row in world.parts.catalogue.configured[:2]}


def test_a_step_for_one_list_is_none_for_several(world: World) -> None:
    token = step(world)["step"]
    world.clock.forward(seconds=10)
    assert world.post("/subscribe", data=SEVERAL | {"website": "", "step": token}).status_code == 422
    assert world.registrations() == []


def test_the_fields_of_a_list_survive_the_step(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(lists=(replace(LISTS[0], fields=("given_name", "company: Company or club")),))
    with app.app_context():
        other = World(app, app.test_client(), world.clock)
        fields = step(other, given_name="Anne", company="Rowing & Co")
        assert (fields["given_name"], fields["company"], "name" in fields) == ("Anne", "Rowing & Co", False)


def test_after_the_step_no_hint_asks_for_another(world: World) -> None:
    fields = step(world, email="anna@gmial.com")
    world.clock.forward(seconds=10)
    assert world.post(FORM, data=fields).status_code == 303


def test_the_address_that_was_chosen_instead_is_the_one_of_the_step(world: World) -> None:
    fields = step(world, email="anna@gmial.com", hint_seen="anna@gmial.com", use="anna@gmail.com")
    assert fields["email"] == "anna@gmail.com"
    world.clock.forward(seconds=10)
    assert world.post(FORM, data=fields).status_code == 303
    assert [row.address for row in world.registrations()] == ["anna@gmail.com"]
