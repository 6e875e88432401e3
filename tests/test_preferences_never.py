"""Never write to me again: asked once more, undone at once, lifted later by whoever owns the mailbox."""

import pytest

from subscriptions.actions.suppress import suppress
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.store import suppressions
from subscriptions.store.engine import reading
from tests.builders import ANNE, NEWS, OFFERS, World
from tests.preferences import Page, ask, key
from tests.test_uniform import disowned


def states(world: World) -> dict[str, str]:
    slugs = {row.id: row.slug for row in world.parts.catalogue.lists.values()}
    return {slugs[one.list_id]: one.state for one in world.subscriptions()}


def scopes(world: World, address: str = ANNE) -> list[str]:
    with reading() as session:
        return [one.scope for one in suppressions.active(session, key(world, address), world.clock.now())]


@pytest.fixture
def subscribed(world: World) -> Page:
    """Anne's page: she reads the newsletter."""
    world.subscribe(ANNE, name="Anne")
    return Page.of(world, ANNE)


def test_never_again_is_asked_once_more(world: World, subscribed: Page) -> None:
    answer = subscribed.act("never")
    assert "Nothing has happened yet." in answer.text and states(world) == {NEWS: "confirmed"}
    assert scopes(world) == []


def test_never_again_ends_everything_and_silences_every_list(world: World, subscribed: Page) -> None:
    world.sign_up(ANNE, OFFERS)
    assert (
        subscribed.told("never-surely")
        == "We will not write to you again about any list from Example Society and Newsletter."
    )
    assert (states(world), scopes(world), len(world.registrations())) == ({NEWS: "unsubscribed"}, ["all"], 1)
    assert world.evidence()[-1].channel == "preferences"
    sent = len(world.mails())
    world.clock.forward(days=1)
    for slug in (NEWS, OFFERS):
        world.sign_up(ANNE, slug)
    ask(world, ANNE)
    assert len(world.mails()) == sent


def test_never_again_is_undone_at_once_but_brings_nothing_back(world: World, subscribed: Page) -> None:
    answer = subscribed.act("never-surely")
    assert "Undo: allow emails to me again" in answer.text and "Subscribe<span" not in answer.text
    assert subscribed.act("join", list=OFFERS, wording="x").status_code == 404
    assert subscribed.told("lift", scope="all").startswith("We may write to you again.")
    assert (states(world), scopes(world)) == ({NEWS: "unsubscribed"}, [])


@pytest.mark.parametrize("scope", ["confirmations", "ask"], ids=["as the page says", "as a page of 0.2.0 says"])
def test_a_not_me_is_lifted_by_the_owner_of_the_mailbox(world: World, scope: str) -> None:
    disowned(world)
    world.clock.forward(minutes=15)
    page = Page.of(world, ANNE)
    assert "You do not want confirmation emails" in page.opened.text
    assert page.told("lift", scope=scope) == "Confirmation emails are allowed again."
    assert scopes(world) == []


def test_a_list_that_is_not_to_be_asked_for_says_so(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up(ANNE, OFFERS)
    world.post(world.not_me_link(ANNE), data={"List-Unsubscribe": "One-Click"})
    world.clock.forward(minutes=15)
    assert (
        Page.of(world, ANNE).join(OFFERS)
        == "You do not want confirmation emails. Allow them again first, then subscribe."
    )


def test_an_old_unsubscribe_link_offers_to_lift_never_again(world: World, subscribed: Page) -> None:
    subscribed.act("never-surely")
    link = world.leave_link(ANNE)
    answer = world.post(link)
    assert (answer.status_code, "You asked us never to write to you again." in answer.text) == (200, True)
    assert "We may write to you again" in world.post(f"{link}/lift").text and scopes(world) == []
    assert "never to write" not in world.post(link).text and world.get(f"{link}/lift").status_code == 405


def test_another_spelling_that_we_do_not_know_brings_no_mail_to_who_never_wants_any(world: World) -> None:
    owner, other = "victim@gmail.com", "v.i.ctim+{}@gmail.com"
    world.subscribe(owner)
    Page.of(world, owner).act("never-surely")
    before = len(world.mails())
    for number in range(3):
        world.clock.forward(days=31)
        world.run("purge")
        ask(world, other.format(number))
        assert len(world.mails()) == before


@pytest.mark.parametrize("known_by", ["subscription", "suppression", "not me alone"])
def test_a_spelling_that_we_know_by_itself_gets_its_page_though_another_objected(world: World, known_by: str) -> None:
    other = "anne+news@example.org"
    if known_by == "subscription":
        world.subscribe(other)
    world.sign_up(ANNE) if known_by == "not me alone" else world.subscribe(ANNE)
    if known_by == "not me alone":
        world.post(world.not_me_link(ANNE))
    else:
        Page.of(world, ANNE).act("never-surely")
    world.clock.forward(days=29 if known_by == "not me alone" else 31)
    if known_by == "suppression":
        suppress(
            key(world, other), SuppressionScope.CONFIRMATIONS, "by hand", world.clock.now(), world.parts.policy, "test"
        )
    assert Page.of(world, other).opened.status_code == 200
