"""Asking for the link to one's own preferences: the answer tells nobody anything, and the mail keeps to the budget."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from subscriptions.actions.suppress import lift, suppress
from subscriptions.cli.explain import story
from subscriptions.settings import Limits
from subscriptions.store import vacuum
from subscriptions.store.engine import transaction
from subscriptions.store.models import Owed
from tests.builders import ANNE, BART, NEWS, OFFERS, World, owed, rows_of_every_table, text_of
from tests.preferences import Page, ask, key, link
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each
from tests.test_uniform import STATES, disowned, seen

pytestmark = BY_DAY_ON_SQLITE

NOBODY = "nobody@example.org"


def objected(world: World, address: str = ANNE) -> None:
    suppress(key(world, address), "all", "objection", world.clock.now(), world.parts.policy, "test")


@pytest.mark.parametrize("state", STATES)
def test_the_answer_does_not_tell_whether_an_address_is_known(world: World, state: str) -> None:
    STATES[state](world)
    told = [(seen(answer), seen(world.get(answer.location))) for answer in (ask(world, ANNE), ask(world, NOBODY))]
    assert told[0] == told[1] and told[0][0][0] == 303


@pytest.mark.parametrize("state", ["confirmed", "pending", "blocked", "unsubscribed", "bounced", "restricted"])
def test_whoever_is_known_is_mailed_the_link(world: World, state: str) -> None:
    STATES[state](world)
    world.clock.forward(minutes=15)
    assert Page.of(world, ANNE).opened.status_code == 200


def test_whoever_is_known_by_a_suppression_alone_is_mailed_and_then_forgotten(world: World) -> None:
    disowned(world)
    world.clock.forward(minutes=15)
    ask(world, ANNE)
    assert [(row.address, row.subscription_id, row.registration_id) for row in owed()] == [(ANNE, None, None)]
    assert world.post(link(world, ANNE)).status_code == 200
    assert (owed(), world.evidence()) == ([], [])


def test_an_address_in_the_outbox_waits_no_longer_than_its_mail_may(world: World) -> None:
    disowned(world)
    world.clock.forward(minutes=15)
    ask(world, ANNE)
    for minutes, left in ((59, 1), (1, 0)):
        now = world.clock.forward(minutes=minutes)
        with transaction() as session:
            vacuum.forget_short_lived(session, now, now, world.parts.policy)
        assert world.count(Owed) == left


def test_an_unknown_address_is_told_so_and_leaves_no_more_than_its_keyed_hash_for_30_days(world: World) -> None:
    before = rows_of_every_table()
    ask(world, NOBODY)
    after = rows_of_every_table()
    assert {name for name in after if after[name] != before[name]} <= {
        "counted_keys",
        "counters",
        "outbox",
        "addresses",
    }
    [mail] = world.mails()
    assert mail["Subject"].startswith("We store nothing") and owed() == []
    world.clock.forward(days=30)
    world.run("purge")
    world.run("tidy")
    left = rows_of_every_table()
    assert (left["addresses"], left["outbox"]) == (before["addresses"], before["outbox"])


def test_no_stranger_can_make_us_write_to_who_wants_no_mail_at_all(world: World) -> None:
    world.subscribe(ANNE)
    objected(world)
    sent = len(world.mails())
    ask(world, ANNE)
    assert (len(owed()), len(world.mails())) == (0, sent)


@pytest.mark.parametrize("known", [True, False])
def test_who_objects_while_the_mail_waits_is_not_mailed(world: World, known: bool) -> None:
    if known:
        world.subscribe(ANNE)
    else:
        disowned(world)
        world.clock.forward(minutes=15)
    sent = len(world.mails())
    ask(world, ANNE)
    objected(world)
    assert (len(world.mails()), owed()) == (sent, [])


def test_the_mail_goes_to_the_address_as_it_was_confirmed(world: World) -> None:
    world.subscribe("Anne@example.org")
    ask(world, "aNNE@EXAMPLE.org")
    assert world.mails()[-1]["To"] == "Anne@example.org"


def test_the_mail_says_when_it_was_asked_for_and_offers_no_advertising(world: World) -> None:
    world.subscribe(ANNE, name="Anne")
    ask(world, ANNE)
    mail = world.mails(ANNE)[-1]
    text = " ".join(text_of(mail).split())
    assert "Requested: 23 November 2026, 12:15 (UTC)" in text and "We cannot tell who it was." in text
    assert "Not you?".upper() in text and "List-Unsubscribe" not in mail


def links_sent(world: World) -> int:
    """So far: copies of the mailbox are kept for a day of real time, and the clock of the tests is another."""
    return sum("subscriptions and data" in mail["Subject"] for mail in world.mails())


def test_no_sign_up_of_a_stranger_shuts_the_owner_out_and_no_request_stops_a_sign_up(world: World) -> None:
    for _ in range(3):
        world.sign_up(ANNE)
        world.clock.forward(minutes=15)
    ask(world, ANNE)
    assert links_sent(world) == 1
    world.clock.forward(days=1)
    ask(world, ANNE)
    world.sign_up(ANNE)
    assert (links_sent(world), len(world.mails(ANNE))) == (2, 6)


@each(("rests", "mails"), [
    ([{"seconds": 299}], 1), ([{"minutes": 5}], 2), ([{"minutes": 5}] * 3, 3),
    ([{"minutes": 5}, {"minutes": 5}, {"hours": 23, "minutes": 50}], 4),
    ([{"hours": 12}] * 10, 10), ([{"hours": 12}] * 9 + [{"days": 25, "hours": 12}], 11),
])  # fmt: skip
@ONE_DATABASE
def test_typed_requests_cause_one_mail_in_five_minutes_three_a_day_and_ten_in_30_days(
    make_app: Callable[..., Flask], clock: Any, rests: list[dict[str, int]], mails: int
) -> None:
    app = make_app()
    with app.app_context():
        world = World(app, app.test_client(), clock)
        world.subscribe(address := f"{len(rests)}-{mails}@example.org")
        ask(world, address)
        world.deliver()
        for rest in rests:
            clock.forward(**rest)
            ask(world, address)
            world.deliver()
        assert len([mail for mail in world.mails(address) if "subscriptions and data" in mail["Subject"]]) == mails


def test_while_confirmations_are_suppressed_a_typed_request_causes_one_mail_in_30_days(world: World) -> None:
    world.subscribe(ANNE)
    world.post(world.not_me_link(ANNE))
    for days in (0, 1, 28, 1):
        world.clock.forward(days=days)
        ask(world, ANNE.replace("@", "+x@"))  # also by another spelling
        world.deliver()
        ask(world, ANNE)
    assert links_sent(world) == 2


def test_requests_for_other_spellings_of_a_mailbox_share_its_budget(world: World) -> None:
    for n in range(2):
        world.subscribe(f"anne+{n}@example.org")
    for n in range(2):
        ask(world, f"anne+{n}@example.org")
    assert links_sent(world) == 1


def test_a_network_is_limited_over_sign_ups_and_questions_alike(make_app: Callable[..., Flask], clock: Any) -> None:
    app = make_app(limits=Limits(signups_per_network="2/1h"))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        world.sign_up(ANNE)
        assert [ask(world, BART).status_code, ask(world, BART).status_code] == [303, 429]
        answer = ask(world, ANNE)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")


@pytest.mark.parametrize("typed", ["", "anne", "anne@example", "a\x00@example.org"])
def test_what_is_no_address_is_said_beside_the_field(world: World, typed: str) -> None:
    answer = ask(world, typed)
    assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text


def test_a_lifted_suppression_leaves_nothing_of_who_was_known_by_it_alone(world: World) -> None:
    disowned(world)
    world.clock.forward(minutes=15)
    ask(world, ANNE)
    world.mails(ANNE)
    lift(key(world, ANNE))
    world.clock.forward(days=30)
    world.run("purge")
    left = {name: count for name, count in rows_of_every_table().items() if count}
    assert not left.keys() & {"addresses", "suppressions", "mailbox", "outbox", "registrations", "evidence"}


def explained(world: World) -> str:
    return "\n".join(story(key(world, ANNE)))


def test_only_sign_ups_are_counted_and_one_on_the_own_page_says_so(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    world.clock.forward(minutes=15)
    ask(world, ANNE)
    assert "Signed up 1 time in all." in explained(world)
    page.join(OFFERS)
    page.act("leave", list=NEWS)
    assert "signed up on their own page" in explained(world) and "Signed up 2 times in all." in explained(world)
    assert "unsubscribed on their own page: left on the preferences page." in explained(world)
    assert "by preferences" not in explained(world)
