"""What is done about a person at the desk: with a reason and a look first, once, and noted in the audit."""

import pytest

from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.roles import Role
from subscriptions.store import audit, suppressions
from subscriptions.store.engine import reading
from subscriptions.store.models import Suppression
from tests.builders import ANNE, BART, NEWS, OFFERS, World, owed, rows_of_every_table
from tests.desk import PASSWORD, Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_desk_people import find, key_of, only, page_of

pytestmark = BY_DAY_ON_SQLITE

HOW = {"channel": "letter", "lists": NEWS}
WHY = {"reason": "asked by letter"}
ACTS = {"unsubscribe": HOW, "suppress": WHY | {"scope": "all"}, "lift": WHY, "erase": WHY}


def open_lists(world: World) -> list[str]:
    return [world.parts.catalogue.lists[row.list_id].slug for row in world.subscriptions() if row.is_open]


def done(person: Person, world: World, what: str, **fields: str) -> str:
    """The page after an act that went well."""
    answer = person.post(f"{page_of(world, ANNE)}/{what}", **fields)
    assert answer.status_code == 303, answer.text
    return person.get(answer.location).text


def test_who_said_so_by_letter_is_unsubscribed_from_the_lists_chosen_with_the_day_and_the_way(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(ANNE, OFFERS)
    world.clock.forward(days=3)
    mia = at_the_desk(world, Role.MANAGER)
    form = mia.get(f"{page_of(world, ANNE)}/unsubscribe").text
    assert "From which lists" in form and 'max="2026-11-26"' in form
    page = done(mia, world, "unsubscribe", **HOW, received="2026-11-25")
    assert "They are unsubscribed." in page and "unsubscribed on <time" in page
    assert open_lists(world) == [OFFERS]
    [ended] = [row for row in world.subscriptions() if not row.is_open]
    assert ended.ended_at is not None and ended.ended_at.isoformat() == "2026-11-25T00:00:00+00:00"
    [fact] = [row for row in world.evidence() if row.fact is Fact.UNSUBSCRIBED]
    assert (fact.channel, fact.actor, fact.details["reason"]) == (Channel.LETTER, "desk", "revoked by letter")
    with reading() as session:
        row = next(row for row in audit.newest(session, 9) if row.act == "people unsubscribe")
    assert (row.about, row.details) == (key_of(world, ANNE), {"list": NEWS, "channel": "letter"})


REFUSED = [
    ("unsubscribe", {"channel": ""}, "how they told you"), ("unsubscribe", {"channel": "owl"}, "how they told you"),
    ("unsubscribe", {"received": "2027-01-01"}, "in the future"), ("unsubscribe", {"received": "soon"}, "the date"),
    ("unsubscribe", {"lists": OFFERS}, "at least one list"), ("suppress", {"scope": "none"}, "which emails"),
    ("suppress", {"reason": " "}, "cannot be empty"), ("erase", {"reason": "a\nb"}, "a single line"),
    ("erase", {"reason": f"says {BART}"}, "leave out email addresses"), ("lift", {"reason": "x" * 201}, "at most 200"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "wrong", "said"), REFUSED)
def test_what_is_not_filled_in_rightly_changes_nothing_and_stays_in_the_form(
    world: World, what: str, wrong: dict[str, str], said: str
) -> None:
    world.subscribe(ANNE)
    ola = at_the_desk(world)
    if what == "lift":
        done(ola, world, "suppress", **WHY, scope="confirmations")
    before = rows_of_every_table()
    answer = ola.post(f"{page_of(world, ANNE)}/{what}", **(ACTS[what] | wrong))
    assert answer.status_code == 422 and said in answer.text
    assert rows_of_every_table() == before and open_lists(world) == [NEWS]


@pytest.mark.parametrize("what", ACTS)
def test_pressed_twice_an_act_says_so_and_changes_nothing_twice(world: World, what: str) -> None:
    world.subscribe(ANNE)
    ola = at_the_desk(world)
    if what == "lift":
        done(ola, world, "suppress", **WHY, scope="confirmations")
    done(ola, world, what, **ACTS[what])
    before = rows_of_every_table()
    answer = ola.post(f"{page_of(world, ANNE)}/{what}", **ACTS[what])
    assert answer.status_code == 409 and "Nothing was changed." in answer.text
    assert rows_of_every_table() == before
    stale = ola.get(f"{page_of(world, ANNE)}/{what}")
    assert stale.status_code == 409 and "Nothing was changed." in stale.text


def test_emails_are_stopped_with_a_reason_and_allowed_again(world: World) -> None:
    world.subscribe(ANNE)
    pia = at_the_desk(world, Role.PRIVACY)
    assert "1 subscription ends" in pia.get(f"{page_of(world, ANNE)}/suppress").text
    page = done(pia, world, "suppress", **WHY, scope="all")
    assert "Emails to this person are stopped." in page and "gets no email at all (asked by letter, set on" in page
    assert open_lists(world) == []
    assert "gets no email at all" in pia.get(f"{page_of(world, ANNE)}/lift").text
    assert "are allowed again" in done(pia, world, "lift", **WHY)
    assert world.count(Suppression) == 0 and open_lists(world) == [], "nobody is subscribed by that"
    with reading() as session:
        acts = [(row.act, row.reason) for row in audit.newest(session, 9) if row.reason]
    assert acts == [("people lift", "asked by letter"), ("people suppress", "asked by letter")]


def test_confirmation_emails_alone_are_stopped_while_the_subscription_stays(world: World) -> None:
    world.subscribe(ANNE)
    page = done(at_the_desk(world, Role.PRIVACY), world, "suppress", **WHY, scope="confirmations")
    assert "has been getting Newsletter" in page and "gets no confirmation emails (asked by letter" in page
    with reading() as session:
        [one] = suppressions.active(session, key_of(world, ANNE), world.clock.now())
    assert one.scope is SuppressionScope.CONFIRMATIONS


def test_erasing_says_first_what_stays_asks_for_the_password_and_mails_the_person(world: World) -> None:
    world.subscribe(ANNE)
    pia = at_the_desk(world, Role.PRIVACY)
    where = f"{page_of(world, ANNE)}/erase"
    assert "we keep the proof of your consent" in pia.get(where).text
    world.clock.forward(minutes=10)
    asked = pia.post(where, **WHY)
    assert "Your password, please" in asked.text and open_lists(world) == [NEWS]
    answer = pia.post(where, **WHY, proof=PASSWORD)
    assert answer.status_code == 303 and "This person is being erased." in pia.get(answer.location).text
    [fact] = [row for row in world.evidence() if row.fact is Fact.UNSUBSCRIBED]
    assert (fact.channel, fact.actor, [one.mail for one in owed()]) == (Channel.DESK, "desk", ["erased"])
    world.run("deliver")
    assert [row.address for row in world.subscriptions()] == [None]
    assert "erased" in find(pia, ANNE) and ANNE not in pia.get(page_of(world, ANNE)).text


def test_who_sees_some_lists_ends_nothing_on_others(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(ANNE, OFFERS)
    mia, pia = only(world, NEWS), only(world, NEWS, Role.PRIVACY)
    assert "From which lists" not in mia.get(f"{page_of(world, ANNE)}/unsubscribe").text
    assert mia.post(f"{page_of(world, ANNE)}/unsubscribe", channel="phone", lists=OFFERS).status_code == 422
    for what in ("suppress", "lift", "erase"):
        assert f"/{what}" not in find(pia, ANNE)
        answer = pia.post(f"{page_of(world, ANNE)}/{what}", **ACTS[what])
        assert answer.status_code == 403 and "concerns every list" in answer.text
    assert open_lists(world) == [NEWS, OFFERS]
    done(mia, world, "unsubscribe", channel="phone")
    assert open_lists(world) == [OFFERS]


def test_each_act_is_for_whose_role_has_it_and_on_nobody_unknown(world: World) -> None:
    world.subscribe(ANNE)
    may = {Role.VIEWER: set(), Role.MANAGER: {"unsubscribe"}, Role.PRIVACY: {"suppress", "erase"}}
    for role, offered in may.items():
        person = at_the_desk(world, role)
        shown = person.get(page_of(world, ANNE)).text
        assert {what for what in ACTS if f'{page_of(world, ANNE)}/{what}"' in shown} == offered
        for what in ACTS.keys() - offered - ({"lift"} if role is Role.PRIVACY else set()):
            assert person.post(f"{page_of(world, ANNE)}/{what}", **ACTS[what]).status_code == 403
    ola = at_the_desk(world)
    assert {ola.post(f"{page_of(world, BART)}/{what}", **ACTS[what]).status_code for what in ACTS} == {404}
    assert open_lists(world) == [NEWS]
