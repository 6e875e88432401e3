"""The outbox: what is owed, who takes it, when it leaves, and when it never does (M-17, architecture decision 3)."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest

from subscriptions.actions import erase, suppress
from subscriptions.domain.address import parse
from subscriptions.domain.lifecycle import Suppress
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.store import counters, outbox, suppressions
from subscriptions.store.engine import transaction
from subscriptions.store.models import Owed, Subscription
from tests.builders import ANNE, BART, CRIS, HIDDEN, NEWS, OFFERS, World, owed, rows_of_every_table

PEOPLE = (ANNE, BART, CRIS)


def key(world: World, address: str = ANNE) -> bytes:
    return world.parts.links.key(parse(address).folded)


def take(world: World, me: str, at_most: int = 10) -> list[int]:
    with transaction() as session:
        return outbox.take(session, me, at_most, world.clock.now())


def kinds(world: World, address: str = ANNE) -> list[str]:
    """What has arrived so far, by the beginnings of the subjects."""
    return [str(mail["Subject"]).partition(":")[0] for mail in world.mails(address)]


CONFIRM, WELCOME, ALREADY = "Please confirm", "You are subscribed", "You are already subscribed"


def test_a_sign_up_owes_its_mail_in_the_same_transaction(world: World) -> None:
    world.sign_up()
    assert [(one.mail, one.tries, one.taken_by, one.note) for one in owed()] == [("confirm", 0, None, None)]
    assert owed()[0].drop_at == world.registrations()[0].confirm_by


def test_a_sign_up_that_fails_at_its_end_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows_of_every_table()
    monkeypatch.setattr(counters, "write", lambda *_: 1 / 0)
    assert world.sign_up().status_code == 500
    assert rows_of_every_table() == before


def test_a_confirmation_that_cannot_owe_its_welcome_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sign_up(ANNE, OFFERS)
    link = world.confirm_link()
    before = rows_of_every_table()
    monkeypatch.setattr(outbox, "owe", lambda *_, **__: 1 / 0)
    assert world.post(link).status_code == 500
    assert rows_of_every_table() == before
    assert world.registrations()[0].state == "pending"


def test_nothing_of_the_person_and_no_text_waits_in_the_outbox(world: World) -> None:
    world.sign_up(name="Anne Example")
    columns = {column.name for column in Owed.__table__.columns}
    assert columns == {
        "id", "mail", "mid", "registration_id", "subscription_id", "owed_at", "due_at", "drop_at", "taken_by", "tries",
        "note", "address", "refusal", "refused_at", "mailbox", "domain", "sent_before", "request_id", "answers",
    }  # fmt: skip
    assert [row.address for row in owed()] == [None]  # only for the owner of a mailbox of whom no row is left


def test_a_mail_taken_by_one_process_is_taken_by_no_other(world: World) -> None:
    world.sign_up()
    assert len(take(world, "one")) == 1
    assert take(world, "another") == []
    assert world.deliver() == 0


def test_the_lease_of_a_process_that_died_ends_after_a_minute(world: World) -> None:
    world.sign_up()
    ids = take(world, "one")
    world.clock.forward(seconds=59)
    assert take(world, "another") == []
    world.clock.forward(seconds=1)
    assert take(world, "another") == ids


def test_only_its_holder_can_renew_a_lease(world: World) -> None:
    world.sign_up()
    ids = take(world, "one")
    world.clock.forward(seconds=30)
    for who, until in (("another", 30), ("one", 60)):
        with transaction() as session:
            outbox.renew(session, who, ids, world.clock.now())
        assert owed()[0].due_at == world.clock.now() + timedelta(seconds=until)


def test_who_has_lost_a_mail_to_another_cannot_put_it_off(world: World) -> None:
    world.sign_up()
    ids = take(world, "one")
    world.clock.forward(seconds=60)
    take(world, "another")
    with transaction() as session:
        outbox.put_off(session, "one", ids[0], world.clock.now(), "451")
    assert (owed()[0].taken_by, owed()[0].tries) == ("another", 0)


def test_what_is_given_back_may_be_sent_at_once(world: World) -> None:
    world.sign_up()
    ids = take(world, "one")
    with transaction() as session:
        assert outbox.give_back(session, "one", world.clock.now()) == 1
    assert take(world, "another") == ids


def test_a_mail_leaves_until_the_last_second_of_24_hours(world: World) -> None:
    world.sign_up()
    world.clock.forward(hours=23, minutes=59, seconds=59)
    assert world.deliver() == 1


def test_a_mail_not_sent_in_24_hours_is_never_sent(world: World) -> None:
    world.sign_up()
    world.clock.forward(hours=24)
    assert world.deliver() == 0
    assert (owed(), kinds(world)) == ([], [])


def disown(world: World) -> None:
    row = world.registrations()[0]
    world.post(world.parts.links.not_me_url(row.ref, row.list_id, row.key))


def by_command(world: World, scope: str) -> None:
    now, policy = world.clock.now(), world.parts.policy
    suppress.suppress(key(world), SuppressionScope(scope), "a letter", now, policy, "the operator")


def erased(world: World) -> None:
    erase.ask(key(world), world.clock.now(), world.parts.policy, "the operator")
    erase.finish(key(world), world.clock.now(), world.parts.policy)


def restrict(world: World) -> None:
    with transaction() as session:
        session.query(Subscription).update({"restricted": True})


def leave(world: World) -> None:
    world.post(world.leave_link(ANNE, OFFERS))


@pytest.mark.parametrize(
    "act", [disown, erased, lambda world: by_command(world, "confirmations"), lambda world: by_command(world, "all")]
)
def test_no_confirmation_mail_leaves_after(world: World, act: Callable[[World], None]) -> None:
    world.sign_up()
    act(world)
    assert world.deliver() == 0
    assert owed() == []


@pytest.mark.parametrize("act", [leave, erased, restrict, lambda world: by_command(world, "all")])
def test_no_welcome_leaves_after(world: World, act: Callable[[World], None]) -> None:
    world.sign_up(ANNE, OFFERS)
    world.post(world.confirm_link())
    act(world)
    assert kinds(world) in ([CONFIRM], [CONFIRM, "We are erasing your data"], [])
    assert WELCOME not in kinds(world)
    assert owed() == []


@pytest.mark.parametrize("scopes", [*permutations(SuppressionScope)])
def test_of_two_suppressions_the_wider_one_stops_a_mail(world: World, scopes: tuple[SuppressionScope, ...]) -> None:
    world.sign_up(ANNE, OFFERS)
    world.post(world.confirm_link())
    with transaction() as session:
        for scope in scopes:
            suppressions.add(session, key(world), Suppress(scope), "a test", world.clock.now())
    assert WELCOME not in kinds(world) and owed() == []


@pytest.mark.parametrize("act", [leave, erased, restrict, *(lambda w, s=s: by_command(w, s) for s in SuppressionScope)])
def test_no_notice_of_an_open_subscription_leaves_after(world: World, act: Callable[[World], None]) -> None:
    world.subscribe(ANNE, OFFERS)
    world.sign_up(ANNE, OFFERS)
    assert "already_subscribed" in [one.mail for one in owed()]
    act(world)
    assert ALREADY not in kinds(world)
    assert owed() == []


def test_a_blocked_person_is_not_mailed_though_the_mail_could_still_leave(world: World) -> None:
    world.sign_up()
    with transaction() as session:
        session.query(Owed).update({"drop_at": world.clock.now() + timedelta(days=9)})
    world.clock.forward(hours=24)
    assert world.deliver() == 0
    assert world.block() == 1
    assert owed() == []


def test_a_sign_up_for_another_list_is_mailed_when_the_15_minutes_end(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    world.sign_up(ANNE, OFFERS)
    assert world.deliver() == 1
    world.clock.forward(minutes=14, seconds=59)
    assert world.deliver() == 0
    world.clock.forward(seconds=1)
    assert world.deliver() == 1


@pytest.mark.parametrize(("slug", "mails"), [(NEWS, [CONFIRM]), (OFFERS, [CONFIRM, WELCOME])])
def test_a_welcome_leaves_only_where_the_list_wants_one(world: World, slug: str, mails: list[str]) -> None:
    world.subscribe(ANNE, slug)
    assert kinds(world) == mails


def test_a_second_press_and_a_second_sign_up_cause_no_second_welcome(world: World) -> None:
    world.sign_up(ANNE, OFFERS)
    link = world.confirm_link()
    world.clock.forward(minutes=15)
    world.sign_up(ANNE, OFFERS)
    for each in (link, link, world.confirm_link()):
        assert world.post(each).status_code == 200
    assert kinds(world) == [CONFIRM, CONFIRM, WELCOME]


def test_already_subscribed_is_told_once_in_30_days(world: World) -> None:
    world.subscribe(ANNE)
    for days in (0, 1, 28, 1):
        world.clock.forward(days=days)
        world.sign_up(ANNE)
        world.deliver()
    assert kinds(world) == [CONFIRM, ALREADY, ALREADY]


def test_already_subscribed_is_not_told_beyond_the_budget_and_counts_in_it(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up(ANNE)
    world.sign_up(ANNE, HIDDEN)
    assert (kinds(world), [one.mail for one in owed()]) == ([CONFIRM, ALREADY], ["confirm"])
    world.clock.forward(days=30)
    world.sign_up(ANNE, HIDDEN)
    world.sign_up(ANNE)
    assert kinds(world).count(ALREADY) == 1
