"""Before a restriction is lifted the person is told (GDPR 18(3)): by a mail that the desk owes, or as it says."""

from subscriptions.domain.roles import Role
from subscriptions.store.engine import transaction
from tests.builders import ANNE, NEWS, Office, World, owed, text_of
from tests.desk import Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_desk_people import page_of

pytestmark = BY_DAY_ON_SQLITE


def restricted(world: World) -> Person:
    world.subscribe(ANNE)
    otto = at_the_desk(world, Role.PRIVACY)
    assert otto.post(f"{page_of(world, ANNE)}/restrict", reason="in dispute", lists=NEWS).status_code == 303
    return otto


def lift(world: World, who: Person) -> int:
    return who.post(f"{page_of(world, ANNE)}/unrestrict", channel="mail", lists=NEWS).status_code


def test_it_is_lifted_once_the_mail_about_it_has_left_and_not_before(world: World) -> None:
    otto = restricted(world)
    assert lift(world, otto) == 303 and [row.mail for row in owed()] == ["unrestricting"]
    assert world.subscriptions()[0].restricted and Office(world).exported(NEWS) == []
    world.run("deliver")
    mail = world.mails(ANNE)[-1]
    assert mail["Subject"] == "You will get emails again: Newsletter" and "Article 18(3)" in text_of(mail)
    assert not world.subscriptions()[0].restricted and Office(world).exported(NEWS) == [ANNE]
    assert "they were told before, by email on" in otto.get(page_of(world, ANNE)).text


def test_pressed_twice_it_is_told_once(world: World) -> None:
    otto = restricted(world)
    assert [lift(world, otto), lift(world, otto)] == [303, 409] and len(owed()) == 1


def test_where_the_mail_never_leaves_the_restriction_stays_and_can_be_lifted_another_way(world: World) -> None:
    otto = restricted(world)
    lift(world, otto)
    with transaction() as session:
        session.delete(session.merge(owed()[0]))  # as the relay's refusal leaves it
    world.run("deliver")
    [row] = world.subscriptions()
    assert row.restricted and row.unrestrict_at is None
    answer = otto.post(f"{page_of(world, ANNE)}/unrestrict", channel="phone", lists=NEWS)
    assert answer.status_code == 303 and not world.subscriptions()[0].restricted


def test_who_leaves_meanwhile_gets_no_mail_about_it(world: World) -> None:
    otto = restricted(world)
    lift(world, otto)
    world.post(world.leave_link(ANNE))
    world.run("deliver")
    assert [row.state for row in world.subscriptions()] == ["unsubscribed"]
    assert not [mail for mail in world.mails(ANNE) if "again" in mail["Subject"]]


def test_a_mail_about_an_earlier_restriction_lifts_none_that_came_later(world: World) -> None:
    otto = restricted(world)
    lift(world, otto)
    world.run("deliver")
    world.clock.forward(days=1)
    otto = at_the_desk(world, Role.PRIVACY, "otto@example.org")
    otto.post(f"{page_of(world, ANNE)}/restrict", reason="in dispute again", lists=NEWS)
    lift(world, otto)
    with transaction() as session:
        session.delete(session.merge(owed()[0]))
    world.run("deliver")
    assert world.subscriptions()[0].restricted
