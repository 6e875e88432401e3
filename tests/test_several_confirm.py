"""The mail for several lists: one page with a button for all and one for each, and evidence for each (L-02, E-03)."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from subscriptions.actions import sweep
from subscriptions.domain.evidence import Cause
from subscriptions.mail.rebuild import as_sent
from subscriptions.store.engine import reading
from subscriptions.store.models import Subscription
from tests.builders import ANNE, NEWS, OFFERS, World, text_of
from tests.several import EVENTS, ask, ask_by_form, facts, slugs_of, states, world
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE

__all__ = ["world"]

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PENDING, CONFIRMED = "pending", "confirmed"


def open_subscriptions(world: World) -> list[str]:
    lists = world.parts.catalogue.lists
    return [lists[one.list_id].slug for one in world.subscriptions() if one.state == CONFIRMED]


@pytest.fixture
def link(world: World) -> str:
    """Anne asked for three lists and opens the link of her mail."""
    ask(world, NEWS, OFFERS, EVENTS)
    return world.confirm_link(ANNE)


def test_the_page_offers_all_at_once_and_each_alone_and_ticks_nothing(world: World, link: str) -> None:
    page = world.get(link)
    assert page.status_code == 200
    assert "Subscribe to all 3" in page.text
    assert all(f">Only {name}<" in page.text for name in ("Newsletter", "Offers", "Events"))
    assert all(f"Yes to the {name}." in page.text for name in ("newsletter", "offers", "events"))
    assert 'type="checkbox"' not in page.text


def test_looking_at_the_page_changes_nothing(world: World, link: str) -> None:
    world.get(link)
    assert set(states(world).values()) == {PENDING}
    assert world.count(Subscription) == 0


def test_one_button_confirms_all_each_with_its_own_subscription_and_evidence(world: World, link: str) -> None:
    assert world.post(link).status_code == 200
    assert open_subscriptions(world) == [NEWS, OFFERS, EVENTS]
    for slug in (NEWS, OFFERS, EVENTS):
        assert facts(world, slug) == ["registered", "mailed", "confirmed"]
    assert len({row.subscription_id for row in world.registrations()}) == 3


def test_the_button_of_one_list_confirms_that_list_alone(world: World, link: str) -> None:
    page = world.post(link, data={"list": OFFERS})
    assert (page.status_code, open_subscriptions(world)) == (200, [OFFERS])
    assert states(world) == {NEWS: PENDING, OFFERS: CONFIRMED, EVENTS: PENDING}
    assert facts(world, NEWS) == ["registered", "mailed"]
    assert "You are subscribed" in page.text
    assert "Subscribe to both" in page.text


def test_what_was_not_chosen_can_be_confirmed_later_from_the_same_page(world: World, link: str) -> None:
    world.post(link, data={"list": OFFERS})
    world.clock.forward(hours=23)
    world.post(link, data={"list": EVENTS})
    assert open_subscriptions(world) == [OFFERS, EVENTS]
    world.post(link)
    assert sorted(open_subscriptions(world)) == sorted([OFFERS, EVENTS, NEWS])


def test_after_24_hours_what_was_not_chosen_is_too_late_and_what_was_stays(world: World, link: str) -> None:
    world.post(link, data={"list": OFFERS})
    world.clock.forward(hours=24)
    page = world.post(link)
    assert (page.status_code, open_subscriptions(world)) == (200, [OFFERS])
    assert "Too late for Newsletter and Events" in page.text


def test_when_all_are_too_late_a_fresh_mail_asks_for_all_of_them_again(world: World, link: str) -> None:
    world.clock.forward(hours=24)
    page = world.get(link)
    assert (page.status_code, world.post(link).status_code) == (410, 410)
    assert "Newsletter, Offers, and Events" in page.text
    assert world.post(f"{link}/again").status_code == 303
    assert world.mails(ANNE)[-1]["Subject"] == "Please confirm: Newsletter, Offers, and Events"
    assert len(world.registrations()) == 6


def test_a_fresh_mail_asks_for_what_is_too_late_and_for_nothing_else(world: World, link: str) -> None:
    world.post(link, data={"list": OFFERS})
    world.clock.forward(hours=24)
    world.post(f"{link}/again")
    assert world.mails(ANNE)[-1]["Subject"] == "Please confirm: Newsletter and Events"


def test_a_button_that_somebody_made_up_confirms_nothing(world: World, link: str) -> None:
    assert world.post(link, data={"list": "hidden"}).status_code == 200
    assert open_subscriptions(world) == []


def test_the_open_page_of_a_sign_up_vouches_for_no_more_than_one_list(world: World) -> None:
    handle = ask(world, NEWS, EVENTS).get_json()["registration"]
    answer = world.post(world.confirm_link(ANNE), data={"tab": handle})
    assert (answer.status_code, open_subscriptions(world)) == (200, [])
    assert "Subscribe to both" in answer.text and "data-tab" not in answer.text


def test_a_second_press_changes_nothing(world: World, link: str) -> None:
    world.post(link)
    before = [(one.id, one.at) for one in world.evidence()]
    world.clock.forward(hours=1)
    assert world.post(link).status_code == 200
    assert [(one.id, one.at) for one in world.evidence()] == before


def test_each_list_that_wants_one_sends_its_own_welcome(world: World, link: str) -> None:
    world.post(link)
    assert [mail["Subject"] for mail in world.mails(ANNE)[1:]] == ["You are subscribed: Offers"]


def test_leaving_one_list_leaves_the_others_subscribed(world: World, link: str) -> None:
    world.post(link)
    world.post(world.leave_link(ANNE, OFFERS))
    assert open_subscriptions(world) == [NEWS, EVENTS]
    assert world.get(link).status_code == 200


def test_the_link_works_although_the_first_of_its_lists_is_gone(world: World, link: str) -> None:
    first = world.registrations()[0]
    with reading() as session:
        from subscriptions.store import registrations

        registrations.remove(session, [first.id], Cause.CANCELLED, world.clock.now())
        session.commit()
    world.post(link, data={"list": EVENTS})
    assert open_subscriptions(world) == [EVENTS]


def test_this_was_not_me_deletes_them_all_and_asks_no_more(world: World, link: str) -> None:
    not_me = world.not_me_link(ANNE)
    assert "Newsletter, Offers, and Events" in world.get(not_me).text
    assert world.post(not_me).status_code == 200
    assert world.registrations() == []
    ask(world, NEWS, OFFERS)
    assert world.registrations() == []
    world.post(f"{not_me}/undo")
    ask(world, NEWS)
    assert len(world.registrations()) == 1
    assert world.post(link).status_code == 410


def test_this_was_not_me_ends_what_was_confirmed_and_deletes_what_was_not(world: World, link: str) -> None:
    world.post(link, data={"list": OFFERS})
    world.post(world.parts.links.not_me_url(*_about_first(world)))
    assert states(world) == {OFFERS: CONFIRMED}
    assert open_subscriptions(world) == []


def _about_first(world: World) -> tuple[bytes, int, bytes]:
    first = world.registrations()[0]
    return first.ref, first.list_id, first.key


def test_one_click_stops_each_of_the_lists_for_30_days_and_no_other(world: World, link: str) -> None:
    world.post(world.not_me_link(ANNE), data=ONE_CLICK)
    assert world.registrations() == []
    for slug in (NEWS, OFFERS, EVENTS):
        world.sign_up(ANNE, slug)
    assert world.registrations() == []
    world.sign_up(ANNE, "hidden")
    assert slugs_of(world, world.registrations()) == ["hidden"]
    world.clock.forward(days=30)
    ask(world, NEWS, OFFERS)
    assert sorted(states(world)) == sorted(["hidden", NEWS, OFFERS])


def test_each_is_purged_after_its_month_unless_it_was_confirmed(world: World, link: str) -> None:
    world.post(link, data={"list": OFFERS})
    world.clock.forward(days=30)
    world.block()
    sweep.purge(world.clock.now())
    assert states(world) == {OFFERS: CONFIRMED}
    assert world.get(link).status_code == 200


def test_the_evidence_of_each_names_the_mail_and_makes_it_again_byte_for_byte(world: World, link: str) -> None:
    world.post(link)
    mailed = [one for one in world.evidence() if one.fact == "mailed" and one.details["mail"] == "confirm"]
    assert [one.details["lists"] for one in mailed] == [[NEWS, OFFERS, EVENTS]] * 3
    with reading() as session:
        again = {as_sent(session, one.id, world.parts.links) for one in mailed}
    assert len(again) == 1
    assert again != {None}


def test_the_evidence_of_one_stands_although_the_others_were_purged(world: World, link: str) -> None:
    world.post(link, data={"list": EVENTS})
    world.clock.forward(days=30)
    sweep.purge(world.clock.now())
    [proof] = [one for one in world.evidence() if one.fact == "mailed" and one.details["mail"] == "confirm"]
    with reading() as session:
        assert as_sent(session, proof.id, world.parts.links) is not None


def test_explain_tells_of_each_list_what_became_of_the_mail(world: World) -> None:
    from subscriptions.cli.explain import story

    ask(world, NEWS, EVENTS)
    told = "\n".join(story(world.registrations()[0].key))
    assert told.count("The confirmation email is about to be sent.") == 2
    world.deliver()
    told = "\n".join(story(world.registrations()[0].key))
    assert told.count("the mail server took the confirmation email") == 2
    assert told.count("it is the same, byte for byte") == 2


def test_the_code_of_the_mail_confirms_all_and_the_page_says_which(world: World) -> None:
    handle = ask(world, NEWS, EVENTS).get_json()["registration"]
    code = re.search(r"^ {4}(\w{4}-\w{4})$", text_of(world.mails(ANNE)[0]), re.M)
    assert code is not None
    answer = world.post("/api/v1/confirmations", json={"registration": handle, "code": code[1]})
    assert (answer.status_code, answer.get_json()) == (200, {"status": "confirmed", "lists": [NEWS, EVENTS]})
    assert open_subscriptions(world) == [NEWS, EVENTS]


def test_another_mail_asks_for_the_same_lists_again(world: World) -> None:
    location = ask_by_form(world, NEWS, EVENTS, name="Anne").location
    world.clock.forward(minutes=15)
    handle = parse_qs(urlsplit(location).query)["r"][0]
    answer = world.post(urlsplit(location).path + f"?also={EVENTS}", data={"r": handle})
    assert "Newsletter and Events" in world.get(answer.location).text
    assert [mail["Subject"] for mail in world.mails(ANNE)] == ["Please confirm: Newsletter and Events"] * 2
    assert [row.name for row in world.registrations()] == ["Anne"] * 4
