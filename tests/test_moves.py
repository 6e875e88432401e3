"""Another address: a double opt-in of its own, and a notice to the old one (L-14)."""

import pytest
import sqlalchemy as sa

from subscriptions.actions import erase
from subscriptions.cli.explain import story
from subscriptions.mail.rebuild import as_sent
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Owed, Registration, Subscription
from tests.builders import ANNE, BART, NEWS, OFFERS, World, text_of
from tests.preferences import Page, key
from tests.test_uniform import STATES

NEW = "anne@example.net"


def moving(world: World, *slugs: str) -> Page:
    for slug in slugs or (NEWS,):
        world.subscribe(ANNE, slug, name="Anne")
    page = Page.of(world, ANNE)
    told = page.told("move", email=NEW)
    assert told.startswith(f"If we can write to <bdi>{NEW}</bdi>") and told.endswith(
        "Nothing changes until you confirm."
    )
    return page


def told_to(world: World, address: str) -> list[str]:
    return [mail["Subject"] for mail in world.mails(address)]


def by_address(world: World) -> list[tuple[str | None, str]]:
    return [(one.address, one.state) for one in world.subscriptions()]


def test_the_old_address_stays_until_the_new_one_confirms(world: World) -> None:
    moving(world)
    new = world.registrations()[-1]
    assert (new.address, new.name, new.state, new.replaces) == (NEW, "Anne", "pending", key(world, ANNE))
    assert by_address(world) == [(ANNE, "confirmed")]
    world.post(world.confirm_link(NEW))
    assert by_address(world) == [(ANNE, "unsubscribed"), (NEW, "confirmed")]
    assert world.registrations()[-1].replaces is None


@pytest.mark.parametrize("slugs", [(NEWS,), (NEWS, OFFERS)])
def test_the_mail_and_the_page_say_what_moves_and_that_the_old_address_ends(
    world: World, slugs: tuple[str, ...]
) -> None:
    moving(world, *slugs)
    [mail] = world.mails(NEW)
    assert str(mail["Subject"]).startswith("Move your subscriptions here: Newsletter")
    for part in ("plain", "html"):
        text = " ".join(text_of(mail, part).split())
        assert "subscribes this address and ends the subscriptions of the old one" in text
        assert "sign-up yours" not in text and "code" not in text.replace('class="code"', "").lower()
    link = world.confirm_link(NEW)
    page = world.get(link).text
    assert "the subscription of your old address ends" in page and page.count("<form") == 1
    done = world.post(link)
    names = " and ".join(row.name for row in world.parts.catalogue.by_slugs(slugs))
    assert "<h1>Your subscriptions have moved</h1>" in done.text and "Your old address no longer is." in done.text
    assert f"<bdi>{NEW}</bdi></strong> is now subscribed to <strong>{names}</strong>" in done.text
    assert "Move my subscriptions here</button>" in page and page.count('class="consent"') == len(slugs)
    world.post(link)
    assert "You are subscribed" in world.get(link).text


def test_a_move_that_comes_too_late_leads_to_where_it_is_asked_for(world: World) -> None:
    moving(world)
    link = world.confirm_link(NEW)
    world.clock.forward(hours=24)
    late = world.get(link)
    assert late.status_code == 410 and "are still with your old address" in late.text and "/again" not in late.text


def test_a_move_that_was_mailed_before_there_was_a_mail_for_it_goes_on(world: World) -> None:
    moving(world)
    with transaction() as session:
        session.execute(sa.update(Owed).values(mail="confirm"))
    link = world.confirm_link(NEW)
    assert "Move my subscriptions here" in world.get(link).text
    world.post(link)
    assert by_address(world) == [(ANNE, "unsubscribed"), (NEW, "confirmed")]


def test_a_move_that_nobody_confirms_changes_nothing_and_is_purged(world: World) -> None:
    moving(world)
    link = world.confirm_link(NEW)
    world.clock.forward(hours=24)
    assert world.post(link).status_code == 410
    world.clock.forward(days=30)
    world.run("purge")
    assert (by_address(world), len(world.registrations())) == ([(ANNE, "confirmed")], 1)


def test_the_old_mailbox_is_told_once_and_what_to_do(world: World) -> None:
    moving(world)
    world.post(world.confirm_link(NEW))
    assert told_to(world, ANNE)[-1] == "Your address was changed: Example Society"
    text = " ".join(text_of(world.mails(ANNE)[-1]).split())
    assert "NOT YOU?" in text and "privacy@example.org" in text and NEW not in text
    assert "http://127.0.0.1:8000/my-data " in text


def test_the_end_of_the_old_one_stands_in_its_evidence(world: World) -> None:
    moving(world)
    assert "Once confirmed, this replaces the subscription of another address." in "\n".join(story(key(world, NEW)))
    world.post(world.confirm_link(NEW))
    ended = next(one for one in world.evidence() if one.fact == "unsubscribed")
    assert (ended.details, ended.at) == ({"reason": "moved to another address"}, world.clock.now())
    assert "unsubscribed by the button: moved to another address." in "\n".join(story(key(world, ANNE)))


def test_both_mails_about_it_can_be_made_again_as_they_were(world: World) -> None:
    moving(world)
    world.post(world.confirm_link(NEW))
    world.deliver()
    with reading() as session:
        sent = [one for one in world.evidence() if one.fact == "mailed"]
        assert {"preferences", "address_changed"} <= {one.details["mail"] for one in sent}
        assert all(as_sent(session, one.id, world.parts.links) for one in sent)


def test_all_lists_move_by_one_mail_and_one_notice(world: World) -> None:
    moving(world, NEWS, OFFERS)
    before = len(world.mails(ANNE))
    assert len(world.mails(NEW)) == 1
    world.post(world.confirm_link(NEW))
    assert sorted(by_address(world)) == sorted(
        [(ANNE, "unsubscribed"), (ANNE, "unsubscribed"), (NEW, "confirmed"), (NEW, "confirmed")]
    )
    assert len(world.mails(ANNE)) == before + 1


def test_a_list_that_was_left_meanwhile_only_begins_at_the_new_address(world: World) -> None:
    page = moving(world)
    page.act("leave", list=NEWS)
    before = len(world.mails(ANNE))
    world.post(world.confirm_link(NEW))
    assert by_address(world) == [(ANNE, "unsubscribed"), (NEW, "confirmed")]
    assert len(world.mails(ANNE)) == before


def test_what_is_restricted_does_not_move(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(ANNE, OFFERS)
    with transaction() as session:
        session.execute(sa.update(Subscription).values(restricted=Subscription.id == 1))
    Page.of(world, ANNE).act("move", email=NEW)
    rows = world.registrations()[2:]
    assert [row.list_id for row in rows] == [world.subscriptions()[1].list_id]


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_told_about_the_other_address(world: World, state: str) -> None:
    STATES[state](world)
    world.subscribe(BART)
    page = Page.of(world, BART)
    told = [page.act("move", email=one).text.replace(one, "*") for one in (ANNE, "nobody@example.org")]
    assert told[0] == told[1]


@pytest.mark.parametrize("typed", [ANNE, "ANNE@example.org", "", "anne"])
def test_the_same_address_or_none_is_no_move(world: World, typed: str) -> None:
    world.subscribe(ANNE)
    answer = Page.of(world, ANNE).act("move", email=typed)
    assert (answer.status_code, len(world.registrations())) == (422, 1)


def test_moves_are_limited_by_network_like_sign_ups(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    answers = [world.sign_up(f"visitor@{n}.example.net").status_code for n in range(198)]
    assert (answers.count(202), page.act("move", email=NEW).status_code) == (198, 429)


def test_the_key_of_an_erased_address_stays_in_no_sign_up_of_another(world: World) -> None:
    moving(world)
    erase.finish(key(world, ANNE), world.clock.now(), world.parts.policy)
    with reading() as session:
        assert session.scalars(sa.select(Registration.replaces)).all() == [None, None]


def test_an_address_that_somebody_moved_away_from_can_be_moved_to(world: World) -> None:
    moving(world)
    world.post(world.confirm_link(NEW))
    world.clock.forward(minutes=15)
    world.subscribe(BART)
    Page.of(world, BART).act("move", email=ANNE)
    world.post(world.confirm_link(ANNE))
    assert sorted(one for one in by_address(world) if one[1] == "confirmed") == [
        (NEW, "confirmed"),
        (ANNE, "confirmed"),
    ]


def test_from_one_address_a_few_others_are_written_to_in_a_day_and_no_more(world: World) -> None:
    """Who has one mailbox would otherwise flood any number of others, past the proof of work."""
    page = moving(world)
    for n in range(2, 6):
        page.told("move", email=f"{n}@example.net")
    world.clock.forward(minutes=20)
    assert page.told("move", email="6@example.net").startswith("We cannot send another email before ")
    assert [len(world.mails(f"{n}@example.net")) for n in range(2, 7)] == [1, 1, 1, 1, 0]
    world.clock.forward(hours=23, minutes=40)
    assert (
        Page.of(world, ANNE)
        .told("move", email="6@example.net")
        .startswith("If we can write to <bdi>6@example.net</bdi>")
    )
