"""The preferences page: every list with its switch, what is stored of a person, and never again."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from subscriptions.cli.explain import story
from subscriptions.settings import ListSettings
from subscriptions.store.engine import transaction
from subscriptions.store.models import Subscription
from tests.builders import ANNE, BART, HIDDEN, LISTS, NEWS, OFFERS, World
from tests.conftest import ManualClock
from tests.preferences import Page, key
from tests.read_mails import timed
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE

FIELDS = ListSettings(slug="club", name="Club", fields=("name", "company: Company or club"))


def states(world: World) -> dict[str, str]:
    slugs = {row.id: row.slug for row in world.parts.catalogue.lists.values()}
    return {slugs[one.list_id]: one.state for one in world.subscriptions()}


@pytest.fixture
def subscribed(world: World) -> Page:
    """Anne's page: she reads the newsletter."""
    world.subscribe(ANNE, name="Anne")
    return Page.of(world, ANNE)


def test_the_page_shows_every_list_of_the_address_and_every_public_one(world: World) -> None:
    world.subscribe(ANNE, HIDDEN)
    page = Page.of(world, ANNE).opened.text
    assert ANNE in page and f"Since {timed('23 November 2026, 12:00 (UTC)')}" in page
    assert [f'Leave<span class="away"> {name}</span>' in page for name in ("Hidden", "Newsletter")] == [True, False]
    assert all(f'Subscribe<span class="away"> to {name}</span>' in page for name in ("Newsletter", "Offers"))


def test_a_hidden_list_is_shown_to_nobody_who_is_not_on_it(subscribed: Page) -> None:
    assert "Hidden" not in subscribed.opened.text


def test_the_page_says_what_waits_and_what_was_not_confirmed(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    world.clock.forward(hours=24)
    world.sign_up(ANNE, OFFERS)
    world.clock.forward(minutes=15)
    page = Page.of(world, ANNE).opened.text
    assert f"You can confirm until {timed('25 November 2026, 12:00 (UTC)')}." in page
    assert f"We do not use it, and we will delete it on {timed('23 December 2026, 12:00 (UTC)')}." in page


def test_the_page_says_what_has_ended_and_what_is_restricted(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(ANNE, OFFERS)
    world.post(world.leave_link(ANNE, OFFERS))
    with transaction() as session:
        session.execute(sa.update(Subscription).where(Subscription.state == "confirmed").values(restricted=True))
    page = Page.of(world, ANNE).opened.text
    assert "Restricted: we keep this subscription but send nothing." in page
    assert f"Ended on {timed('23 November 2026, 12:30 (UTC)')}" in page


def test_nothing_is_shown_whose_time_is_over_although_no_job_has_run(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    world.clock.forward(days=29)
    world.subscribe(ANNE, OFFERS)
    assert "not confirmed" in Page.of(world, ANNE).opened.text
    world.clock.forward(days=1)
    assert "not confirmed" not in Page.of(world, ANNE).opened.text


def test_the_switch_off_ends_the_subscription_at_once_with_its_evidence(world: World, subscribed: Page) -> None:
    assert (
        subscribed.told("leave", list=NEWS) == "You have left Newsletter. You will get no more emails from this list."
    )
    [subscription] = world.subscriptions()
    assert (subscription.state, subscription.ended_at) == ("unsubscribed", world.clock.now())
    assert (world.evidence()[-1].fact, world.evidence()[-1].channel) == ("unsubscribed", "preferences")


def test_the_switch_on_is_a_new_double_opt_in(world: World, subscribed: Page) -> None:
    world.clock.forward(minutes=15)
    assert subscribed.join(OFFERS).startswith("We are sending you an email to confirm Offers.")
    assert states(world) == {NEWS: "confirmed"}
    new = world.registrations()[-1]
    assert (new.state, new.name, new.address) == ("pending", "Anne", ANNE)
    proof = next(one for one in world.evidence() if one.registration_id == new.id)
    assert (proof.channel, proof.details["wording"], proof.ip) == ("preferences", new.wording_id, "203.0.113.7")
    world.post(world.confirm_link(ANNE))
    assert states(world) == {NEWS: "confirmed", OFFERS: "confirmed"}


def test_coming_back_needs_a_new_confirmation(world: World, subscribed: Page) -> None:
    subscribed.act("leave", list=NEWS)
    world.clock.forward(minutes=15)
    subscribed.join(NEWS)
    assert states(world) == {NEWS: "unsubscribed"}
    world.post(world.confirm_link(ANNE))
    assert [one.state for one in world.subscriptions()] == ["unsubscribed", "confirmed"]


def test_the_switch_on_keeps_to_the_budget_and_says_when(world: World, subscribed: Page) -> None:
    assert "We are sending you an email to confirm Offers" in subscribed.join(OFFERS)
    subscribed.act("leave", list=NEWS)
    assert (
        f"We will send the confirmation email for Newsletter on {timed('23 November 2026, 12:30 (UTC)')}"
        in subscribed.join(NEWS)
    )
    # the mails of the first sign-up and of the lists just joined: three in 24 hours
    assert f"cannot send another email before {timed('24 November 2026, 12:00 (UTC)')}" in subscribed.join(OFFERS)
    assert len(world.registrations()) == 3


def test_a_list_is_joined_only_with_the_wording_that_stands_beside_its_button(world: World, subscribed: Page) -> None:
    rows = world.parts.catalogue
    of_another = rows.by_slug(NEWS).wording_id  # type: ignore[union-attr]
    answers = [subscribed.act("join", list=OFFERS, wording=wording) for wording in (of_another, "", "x")]
    assert ([one.status_code for one in answers], len(world.registrations())) == ([422] * 3, 1)


@pytest.mark.parametrize(
    ("act", "fields"), [("join", {"list": "nowhere"}), ("leave", {}), ("lift", {"scope": "x"}), ("dance", {})]
)
def test_an_act_that_does_not_exist_is_not_found(subscribed: Page, act: str, fields: dict[str, str]) -> None:
    assert subscribed.act(act, **fields).status_code == 404


def test_all_lists_are_left_by_one_button(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(ANNE, OFFERS)
    world.subscribe(BART)
    assert Page.of(world, ANNE).told("leave-all") == "You have left all lists. You will get no more newsletters."
    assert [one.state for one in world.subscriptions()] == ["unsubscribed", "unsubscribed", "confirmed"]


def test_a_name_is_corrected_at_once_with_its_evidence(world: World, subscribed: Page) -> None:
    assert subscribed.told("correct", name=" Anne Bonny ") == "Your details are saved."
    [subscription] = world.subscriptions()
    assert (subscription.state, subscription.name, subscription.locale) == ("confirmed", "Anne Bonny", "en")
    proof = world.evidence()[-1]
    assert (proof.fact, proof.details) == ("corrected", {"changed": ["name"]})
    assert "changed on their own page: name." in "\n".join(story(key(world, ANNE)))


def test_a_name_that_is_emptied_is_gone_from_the_sign_up_as_well(world: World, subscribed: Page) -> None:
    subscribed.act("correct", name="")
    assert [row.name for row in world.subscriptions()] == [row.name for row in world.registrations()] == [None]
    assert states(world) == {NEWS: "confirmed"}


def test_saving_what_stands_there_already_is_no_event(world: World, subscribed: Page) -> None:
    before = len(world.evidence())
    subscribed.act("correct", name="Anne")
    assert len(world.evidence()) == before


@pytest.mark.parametrize("name", ["x" * 101, "a\nb", "a\u2028b"])
def test_a_name_that_cannot_be_is_refused_and_nothing_changes(world: World, subscribed: Page, name: str) -> None:
    answer = subscribed.act("correct", name=name)
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True)
    assert world.subscriptions()[0].name == "Anne"


def test_fields_of_a_list_are_corrected_and_those_of_no_list_are_not_taken(make_app: Any, clock: ManualClock) -> None:
    app: Flask = make_app(lists=(*LISTS, FIELDS))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        world.subscribe(ANNE)
        world.subscribe(ANNE, "club")
        page = Page.of(world, ANNE)
        assert "Company or club" in page.opened.text
        page.told("correct", name="Anne", company="Sloop Revenge", salutation="Captain")
        assert [(one.name, one.fields) for one in world.subscriptions()] == [
            ("Anne", None),
            ("Anne", {"company": "Sloop Revenge"}),
        ]
        page.told("correct", company="")
        assert world.subscriptions()[1].fields is None


def test_a_language_that_there_is_not_changes_nothing(world: World, subscribed: Page) -> None:
    subscribed.told("correct", name="Anne", locale="tlh")
    assert world.subscriptions()[0].locale == "en"


def test_no_page_behind_the_link_is_kept_by_a_browser_or_found_by_a_search(subscribed: Page) -> None:
    for answer in (subscribed.opened, subscribed.act("show"), subscribed.act("leave", list=NEWS)):
        assert (answer.headers["Cache-Control"], answer.headers["X-Robots-Tag"]) == ("no-store", "noindex")
        assert "Set-Cookie" not in answer.headers


def test_asking_for_an_act_by_its_address_leads_to_the_beginning(subscribed: Page) -> None:
    answer = subscribed.world.get("/preferences/my/leave")
    assert (answer.status_code, answer.location) == (302, "/my-data")
