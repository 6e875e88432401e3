"""The consent texts: each change is a version, and old evidence still names the text that was shown (E-02, F-15)."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from subscriptions.store.engine import reading
from subscriptions.store.lists import wording_hash
from subscriptions.store.models import Evidence, Wording
from tests.builders import ANNE, LISTS, NEWS, OFFERS, Movable, World, text_of

Configure = Callable[..., World]
OLD, NEW = "Ja – ich möchte den Brief, „sofort“.\n  Zweite Zeile.", "Yes, I would like the other letter."


@pytest.fixture
def configure(make_app: Callable[..., Flask], clock: Movable) -> Iterator[Configure]:
    """Starts the service anew on the same database, with this wording of the newsletter."""
    with ExitStack() as contexts:

        def start(text: str, **changed: Any) -> World:
            app = make_app(lists=(replace(LISTS[0], wording=text, **changed), *LISTS[1:]))
            contexts.enter_context(app.app_context())
            return World(app, app.test_client(), clock)

        yield start


def registered(world: World) -> Evidence:
    (found,) = [one for one in world.evidence() if one.fact == "registered"]
    return found


def shown_wording(world: World) -> str:
    found = re.search(r'name="wording" value="([0-9a-f]+)"', world.get(f"/subscribe/{NEWS}").get_data(as_text=True))
    assert found is not None
    return found[1]


def wording_of(world: World, one: Evidence) -> Wording:
    with reading() as session:
        found = session.get(Wording, one.details["wording"])
        assert found is not None
        session.expunge_all()
        return found


def test_old_evidence_resolves_to_the_old_wording_byte_for_byte(configure: Configure) -> None:
    world = configure(OLD)
    world.sign_up_by_form(ANNE, wording=shown_wording(world))
    world.post(world.confirm_link(ANNE))
    world = configure(NEW)
    one = registered(world)
    assert wording_of(world, one).text == OLD
    assert one.details["wording_sha256"] == wording_hash(NEWS, OLD, LISTS[0].policy_url, LISTS[0].controller)
    assert wording_of(world, one).sha256 == one.details["wording_sha256"]


@pytest.mark.parametrize("changed", [{"policy_url": "https://example.org/v2"}, {"controller": "Another Society"}])
def test_another_policy_or_controller_is_a_new_version_too(configure: Configure, changed: dict[str, str]) -> None:
    first = shown_wording(configure(OLD))
    assert shown_wording(configure(OLD, **changed)) != first


def test_the_same_wording_again_is_the_same_version(configure: Configure) -> None:
    versions = [shown_wording(configure(text)) for text in (OLD, NEW, OLD)]
    assert versions[0] == versions[2] != versions[1]


def test_a_form_that_is_out_of_date_is_accepted_and_named(configure: Configure) -> None:
    old = shown_wording(configure(OLD))
    world = configure(NEW)
    assert world.sign_up_by_form(ANNE, wording=old).status_code == 303
    assert wording_of(world, registered(world)).text == OLD
    assert OLD.splitlines()[0] in world.get(world.confirm_link(ANNE)).get_data(as_text=True)


@pytest.mark.parametrize("wording", ["0123456789abcdef", "of another list"])
def test_a_wording_that_this_list_never_had_is_refused(world: World, wording: str) -> None:
    if wording == "of another list":
        row = world.parts.catalogue.by_slug(OFFERS)
        wording = row.wording_id if row else ""
    assert world.sign_up_by_form(ANNE, wording=wording).status_code == 422
    assert world.sign_up(ANNE, wording=wording).status_code == 422
    assert world.registrations() == []


def test_the_wording_of_the_sign_up_holds_though_it_was_not_vouched_for_and_another_is_in_force(
    configure: Configure,
) -> None:
    configure(OLD).sign_up(ANNE)
    world = configure(NEW)
    assert OLD.splitlines()[0] in text_of(world.mails(ANNE)[-1])
    page = world.get(world.confirm_link(ANNE)).text
    assert OLD.splitlines()[0] in page and NEW not in page
    world.post(world.confirm_link(ANNE))
    assert {one.details["wording"] for one in world.evidence() if "wording" in one.details} == {
        wording_hash(NEWS, OLD, LISTS[0].policy_url, LISTS[0].controller)[:16]
    }
