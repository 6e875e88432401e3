"""A person's page at the desk: one verdict, what happened in plain words, and proofs for those who may see them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from subscriptions.actions import suppress
from subscriptions.domain.lifecycle import Registration, Subscription
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.roles import Role
from subscriptions.store.engine import transaction
from subscriptions.store.models import Subscription as Row
from tests.builders import ANNE, LISTS, NEWS, OFFERS, Movable, World
from tests.desk import at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_desk_people import find, key_of, page_of

pytestmark = BY_DAY_ON_SQLITE


def leave(world: World) -> None:
    world.subscribe(ANNE)
    world.post(world.leave_link(ANNE))


def restrict(world: World) -> None:
    world.subscribe(ANNE)
    with transaction() as session:
        for row in world.subscriptions():
            session.merge(row).restricted = True


def bounce(world: World) -> None:
    world.subscribe(ANNE)
    with transaction() as session:
        row = session.get(Row, world.subscriptions()[0].id)
        assert row is not None
        row.state, row.ended_at = Subscription.BOUNCED, world.clock.now()


def silence(world: World) -> None:
    world.sign_up(ANNE, OFFERS)
    key, now = key_of(world, ANNE), world.clock.now()
    suppress.suppress(key, SuppressionScope.ALL, "asked by letter", now, world.parts.policy, "command line")


def again(world: World) -> None:
    leave(world)
    world.sign_up(ANNE)


def disown(world: World) -> None:
    world.sign_up(ANNE)
    world.post(world.not_me_link(ANNE))


VERDICTS: list[tuple[Callable[[World], object], str]] = [
    (lambda world: world.subscribe(ANNE), "has been getting Newsletter since <time"),
    (lambda world: world.sign_up(ANNE), "does not get Newsletter yet, because they have not confirmed. They can until"),
    (leave, "does not get Newsletter, because they unsubscribed on <time"),
    (restrict, "does not get Newsletter, because their subscription is restricted."),
    (bounce, "does not get Newsletter, because emails to this address came back on <time"),
    (silence, "is on no list. All emails to this address are stopped."),
    (disown, "is on no list. Confirmation emails to this address are stopped."),
    (again, "does not get Newsletter yet, because they have not confirmed."),
]


@pytest.mark.parametrize(("happened", "verdict"), VERDICTS)
def test_one_verdict_on_top_says_whether_they_get_it_and_why_not(
    world: World, happened: Callable[[World], object], verdict: str
) -> None:
    happened(world)
    page = find(at_the_desk(world, Role.PRIVACY), ANNE)
    assert verdict in page and page.count('<p class="lead">') == 1


def test_the_story_is_told_in_plain_words_with_its_times_in_the_zone_of_the_list(
    make_app: Callable[..., Flask], clock: Movable
) -> None:
    app = make_app(lists=(LISTS[0], replace(LISTS[1], timezone="Asia/Tokyo")))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        world.subscribe(ANNE, OFFERS)
        world.post(world.leave_link(ANNE, OFFERS))
        page = find(at_the_desk(world, Role.MANAGER), ANNE)
    assert '<time datetime="2026-11-23T12:00:00Z">23 November 2026, 21:00 (' in page
    told = ["Signed up by a website’s own form or a program", "The mail server took the confirmation email.",
            "Confirmed by the button", "Unsubscribed by", "Its proof is kept until"]  # fmt: skip
    places = [page.find(one) for one in told]
    assert -1 not in places and places == sorted(places), places


def test_ips_and_mails_are_for_privacy_and_what_was_agreed_to_for_all(world: World) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    world.subscribe(ANNE, remote_addr="192.0.2.55", wording=row.wording_id)
    wording = world.parts.catalogue.wordings[row.wording_id].text.splitlines()[0]
    mia, pia = find(at_the_desk(world, Role.MANAGER), ANNE), find(at_the_desk(world, Role.PRIVACY), ANNE)
    assert wording in mia and wording in pia and "The mail server said:" in mia
    assert "IP address: 192.0.2.55" in pia and "Message-ID:" in pia
    assert "192.0.2.55" not in mia and "203.0.113.7" not in mia and "Message-ID:" not in mia
    for link in (world.leave_link(ANNE), world.not_me_link(ANNE)):
        assert link.rpartition("/")[2] not in pia, "nobody gets a link of hers that works"


def test_what_comes_next_and_what_stands_against_mails_is_said(world: World) -> None:
    world.sign_up(ANNE)
    mia = at_the_desk(world, Role.MANAGER)
    page = find(mia, ANNE)
    assert "Not confirmed yet. It can" in page and "The confirmation email is about to be sent." in page
    world.post(world.not_me_link(ANNE))
    assert mia.get(page_of(world, ANNE)).status_code == 404
    page = find(at_the_desk(world, Role.PRIVACY), ANNE)
    assert "Stopped: this address gets no confirmation emails (this was not me, set on" in page


def test_what_somebody_typed_is_shown_and_never_run(world: World) -> None:
    world.subscribe(ANNE, name="<b>Anne</b>")
    evil = "<script>alert(1)</script>"
    key, now = key_of(world, ANNE), world.clock.now()
    suppress.suppress(key, SuppressionScope.CONFIRMATIONS, evil, now, world.parts.policy, "command line")
    page = find(at_the_desk(world, Role.PRIVACY), ANNE)
    assert evil not in page and "&lt;script&gt;" in page and "<b>Anne" not in page


@pytest.mark.parametrize("key", ["x", "00", "zz" * 16, "00" * 16, "AB" * 16, "00" * 17, "%00", "anne@example.org"])
def test_a_key_that_is_none_or_of_nobody_is_404(world: World, key: str) -> None:
    assert at_the_desk(world).get(f"/admin/people/{key}").status_code == 404


def test_a_page_reads_in_the_language_of_its_reader(world: World) -> None:
    world.subscribe(ANNE)
    pia = at_the_desk(world, Role.PRIVACY)
    for tag, day in (("de", "23. November 2026"), ("fr", "23 novembre 2026"), ("es", "23 de noviembre de 2026")):
        answer = pia.get(page_of(world, ANNE), headers={"Accept-Language": tag})
        assert answer.status_code == 200 and f'lang="{tag}"' in answer.text and day in answer.text


def test_a_sign_up_that_led_to_a_subscription_is_told_with_it(world: World) -> None:
    world.subscribe(ANNE)
    assert world.registrations()[0].state is Registration.CONFIRMED
    assert find(at_the_desk(world, Role.MANAGER), ANNE).count("<h2") == 1
