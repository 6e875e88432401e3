"""Who is not asked, and who is never written to: set by button, one-click and command; lifted; undone (B-05, T-04)."""

from dataclasses import replace

import pytest

from app import create_app
from subscriptions import start
from subscriptions.actions import suppress
from subscriptions.domain.address import parse
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.settings import BadSettings, Settings
from subscriptions.store import suppressions
from subscriptions.store.engine import reading
from subscriptions.store.models import Suppression, db
from tests.builders import ANNE, BART, HIDDEN, NEWS, OFFERS, Office, World

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def key(world: World, address: str = ANNE) -> bytes:
    return world.parts.links.key(parse(address).folded)


def standing(world: World, address: str = ANNE) -> list[tuple[str, bool, bool]]:
    """Scope, for one list alone?, for a time alone?"""
    with reading() as session:
        found = suppressions.active(session, key(world, address), world.clock.now())
        return [(one.scope, one.list_id is not None, one.until is not None) for one in found]


def by_command(world: World, scope: str, address: str = ANNE) -> int:
    return suppress.suppress(
        key(world, address), SuppressionScope(scope), "a letter", world.clock.now(), world.parts.policy, "command line"
    )


def asked(world: World, slug: str = NEWS, address: str = ANNE) -> bool:
    """Whether a sign-up now causes a mail; the answer is the same."""
    before = len(world.mails(address))
    assert world.sign_up(address, slug).status_code == 202
    return len(world.mails(address)) > before


def test_the_button_erases_the_sign_up_and_asks_this_address_no_more(world: World) -> None:
    world.sign_up(ANNE)
    link = world.not_me_link(ANNE)
    assert world.post(link).status_code == 200
    assert (world.registrations(), world.evidence()) == ([], [])
    assert standing(world) == [("confirmations", False, False)]
    world.clock.forward(days=365)
    assert [asked(world, slug) for slug in (NEWS, OFFERS, HIDDEN)] == [False, False, False]


def test_opening_the_not_me_page_changes_nothing(world: World) -> None:
    world.sign_up(ANNE)
    link = world.not_me_link(ANNE)
    assert [world.get(link).status_code for _ in range(3)] == [200, 200, 200]
    assert len(world.registrations()) == 1
    assert standing(world) == []


@pytest.mark.parametrize("shape", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_on_the_confirmation_mail_holds_for_this_list_and_30_days(world: World, shape: str) -> None:
    world.sign_up(ANNE)
    header = str(world.mails(ANNE)[0]["List-Unsubscribe"]).strip("<>")
    assert world.post(header + "/", data=ONE_CLICK, content_type=shape).status_code == 200
    assert world.registrations() == []
    assert standing(world) == [("confirmations", True, True)]
    world.clock.forward(days=1)
    assert asked(world, NEWS) is False
    assert asked(world, OFFERS) is True


@pytest.mark.parametrize(("seconds", "again"), [(-1, False), (0, True)])
def test_the_one_click_suppression_ends_after_30_days_without_any_sweep(
    world: World, seconds: int, again: bool
) -> None:
    world.sign_up(ANNE)
    world.post(world.not_me_link(ANNE), data=ONE_CLICK)
    world.clock.forward(days=30, seconds=seconds)
    assert asked(world) is again


def test_a_second_one_click_does_not_prolong_the_first(world: World) -> None:
    world.sign_up(ANNE)
    link = world.not_me_link(ANNE)
    world.post(link, data=ONE_CLICK)
    world.clock.forward(days=20)
    world.post(link, data=ONE_CLICK)
    world.clock.forward(days=10)
    assert asked(world) is True


@pytest.mark.parametrize("data", [{}, ONE_CLICK], ids=["button", "one-click"])
def test_pressed_after_the_confirmation_it_ends_this_subscription_alone(world: World, data: dict[str, str]) -> None:
    world.subscribe(ANNE, OFFERS)
    world.sign_up(ANNE, NEWS)
    link, not_me = world.confirm_link(ANNE), world.not_me_link(ANNE)
    world.post(link)
    assert world.post(not_me, data=data).status_code == 200
    assert [one.state for one in world.subscriptions()] == ["confirmed", "unsubscribed"]
    assert [one.fact for one in world.evidence()][-2:] == ["disowned", "unsubscribed"]


def test_scope_confirmations_leaves_the_subscriptions_and_the_exports_as_they_are(world: World) -> None:
    world.subscribe(ANNE)
    assert by_command(world, "confirmations") == 0
    assert Office(world).exported(NEWS) == [ANNE]
    assert asked(world) is False


def test_scope_all_ends_every_subscription_and_what_waits_to_be_confirmed(world: World) -> None:
    world.subscribe(ANNE, NEWS)
    world.subscribe(ANNE, OFFERS)
    world.sign_up(ANNE, HIDDEN)
    link = world.confirm_link(ANNE)
    assert by_command(world, "all") == 2
    assert [one.state for one in world.subscriptions()] == ["unsubscribed", "unsubscribed"]
    assert world.post(link).status_code == 410
    assert Office(world).exported(NEWS) == Office(world).exported(OFFERS) == []
    assert [asked(world, slug) for slug in (NEWS, OFFERS, HIDDEN)] == [False, False, False]


def test_a_mail_that_was_owed_before_the_suppression_is_not_sent(world: World) -> None:
    world.subscribe(BART, OFFERS)
    world.sign_up(ANNE)
    world.sign_up(BART, OFFERS)
    by_command(world, "confirmations")
    by_command(world, "all", BART)
    assert world.deliver() == 0


def test_an_owner_may_still_press_a_confirm_link_that_was_sent_before_scope_confirmations(world: World) -> None:
    world.sign_up(ANNE)
    link = world.confirm_link(ANNE)
    by_command(world, "confirmations")
    assert world.post(link).status_code == 200


def test_leaving_a_list_suppresses_nothing(world: World) -> None:
    world.subscribe(ANNE)
    world.post(world.leave_link(ANNE))
    assert standing(world) == []
    assert asked(world) is True


@pytest.mark.parametrize("data", [{}, ONE_CLICK], ids=["button", "one-click"])
def test_the_undo_lifts_what_this_link_has_set(world: World, data: dict[str, str]) -> None:
    world.sign_up(ANNE)
    link = world.not_me_link(ANNE)
    world.post(link, data=data)
    assert world.post(link + "/undo").status_code == 200
    assert standing(world) == []
    world.clock.forward(minutes=15)
    assert asked(world) is True


def test_the_undo_lifts_nothing_that_another_has_set(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    first = world.not_me_link(ANNE)
    world.clock.forward(minutes=15)
    world.sign_up(ANNE, OFFERS)
    second = world.not_me_link(ANNE)
    for link in (first, second):
        world.post(link)
    by_command(world, "all")
    world.post(first + "/undo")
    assert sorted(standing(world)) == [("all", False, False), ("confirmations", False, False)]
    assert asked(world) is False


def test_the_undo_opens_no_subscription_again(world: World) -> None:
    world.sign_up(ANNE)
    link, not_me = world.confirm_link(ANNE), world.not_me_link(ANNE)
    world.post(link)
    world.post(not_me)
    world.post(not_me + "/undo")
    assert [one.state for one in world.subscriptions()] == ["unsubscribed"]


@pytest.mark.parametrize("scope", [*SuppressionScope, None])
def test_lifting_one_scope_leaves_the_other(world: World, scope: SuppressionScope | None) -> None:
    by_command(world, "confirmations")
    by_command(world, "all")
    assert suppress.lift(key(world), scope) == (1 if scope else 2)
    assert [one[0] for one in standing(world)] == [other for other in SuppressionScope if scope and other != scope]


def test_an_address_that_never_signed_up_can_be_suppressed(world: World) -> None:
    by_command(world, "all")
    assert asked(world) is False
    assert world.registrations() == []


def test_the_protection_holds_however_the_address_is_spelled(world: World) -> None:
    by_command(world, "confirmations", "Anne@EXAMPLE.org")
    assert asked(world, address=ANNE) is False


def test_a_suppression_holds_a_keyed_hash_and_nothing_of_the_person() -> None:
    assert set(Suppression.__table__.columns.keys()) == {
        "id", "key", "mailbox", "scope", "list_id", "reason", "set_at", "until", "set_by",
        "controller",
    }  # fmt: skip


def test_the_purge_keeps_a_suppression_for_good(world: World) -> None:
    world.sign_up(ANNE)
    world.post(world.not_me_link(ANNE))
    world.clock.forward(days=3650)
    world.run("purge")
    assert asked(world) is False


def test_a_start_with_another_pepper_is_refused_in_one_sentence(world: World, settings: Settings) -> None:
    other = create_app(replace(settings, server=replace(settings.server, pepper="quite another pepper")))
    with pytest.raises(BadSettings, match="pepper") as refused:
        start.prepare(other)
    assert "quite another" not in str(refused.value)
    with other.app_context():
        db.engine.dispose()
