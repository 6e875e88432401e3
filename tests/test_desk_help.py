"""What a manager does for somebody who asked: the email once more, the end of a sign-up, corrections, a new address."""

import pytest

from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.roles import Role
from subscriptions.store import audit
from subscriptions.store.engine import reading
from subscriptions.store.models import Address, Audit
from tests.builders import ANNE, BART, NEWS, OFFERS, World, link_in, owed, rows_of_every_table
from tests.desk import Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_desk_people import key_of, only, page_of

pytestmark = BY_DAY_ON_SQLITE

WHY = {"reason": "she called"}
CORRECT = WHY | {"name": "Anne Both", "their_locale": "de", "email": ANNE}


def done(person: Person, world: World, what: str, **fields: str) -> str:
    """The page after an act that went well."""
    answer = person.post(f"{page_of(world, ANNE)}/{what}", **fields)
    assert answer.status_code == 303, answer.text
    return person.get(answer.location).text


def newest() -> Audit:
    with reading() as session:
        return next(row for row in audit.newest(session, 9) if row.act not in ("people show", "people find"))


def test_the_same_email_goes_out_once_more_within_the_budget_and_the_deadline_stays(world: World) -> None:
    world.sign_up(ANNE)
    [first], deadline = world.mails(ANNE), world.registrations()[0].confirm_by
    mia = at_the_desk(world, Role.MANAGER)
    assert "as before" in mia.get(f"{page_of(world, ANNE)}/send-again").text
    early = mia.post(f"{page_of(world, ANNE)}/send-again", **WHY)
    assert early.status_code == 422
    assert 'The next one is possible on <time datetime="2026-11-23T12:15:00Z">' in early.text
    assert 'value="she called"' in early.text and len(world.mails(ANNE)) == 1
    world.clock.forward(minutes=15)
    assert "confirmation email once more" in done(mia, world, "send-again", **WHY)
    [mail] = owed()
    assert mail.drop_at == deadline == world.registrations()[0].confirm_by
    _, second = world.mails(ANNE)
    assert second["Message-ID"] != first["Message-ID"]
    assert (newest().act, newest().about, newest().reason) == ("people send again", key_of(world, ANNE), "she called")
    with reading() as session:
        row = session.get(Address, key_of(world, ANNE))
        assert row is not None and row.mails.count(",") == 1, "it counts like any other"
    world.post(link_in(second, "confirm"))
    assert len(world.subscriptions()) == 1 and world.get(link_in(first, "confirm")).status_code == 200


def test_what_has_not_left_or_may_not_leave_is_not_sent_again_and_the_page_says_why(world: World) -> None:
    world.sign_up(ANNE)
    ola, where = at_the_desk(world), f"{page_of(world, ANNE)}/send-again"
    waits = ola.post(where, **WHY)
    assert waits.status_code == 422 and "has not been sent yet" in waits.text and len(owed()) == 1
    world.deliver()
    world.clock.forward(minutes=15)
    done(ola, world, "suppress", scope="confirmations", **WHY)
    quiet = ola.post(where, **WHY)
    assert quiet.status_code == 422 and "A privacy officer can allow them" in quiet.text and owed() == []
    world.clock.forward(hours=24)
    ola.sign_in("owner@example.org")
    late = ola.post(where, **WHY)
    assert late.status_code == 409 and "is waiting any more" in late.text and owed() == []


def test_when_the_budget_opens_too_late_the_page_says_to_sign_them_up_anew(world: World) -> None:
    for wait in ({"minutes": 15}, {"minutes": 15}, {"hours": 24}, {"minutes": 15}, {"minutes": 15}):
        world.sign_up(ANNE)
        world.mails(ANNE)
        world.clock.forward(**wait)
    answer = at_the_desk(world, Role.MANAGER).post(f"{page_of(world, ANNE)}/send-again", **WHY)
    assert answer.status_code == 422
    assert '<time datetime="2026-12-23T12:00:00Z">' in answer.text
    assert "The time to confirm is over by then: sign them up again." in answer.text


def test_a_waiting_sign_up_is_cancelled_with_all_that_was_stored_of_it(world: World) -> None:
    world.sign_up(ANNE, name="Anne")
    world.deliver()
    mia = at_the_desk(world, Role.MANAGER)
    link = world.confirm_link(ANNE)
    assert "is deleted with everything that belongs to it" in mia.get(f"{page_of(world, ANNE)}/cancel").text
    assert "The sign-up is cancelled" in done(mia, world, "cancel", **WHY)
    assert (world.registrations(), world.evidence(), owed()) == ([], [], [])
    assert (world.post(link).status_code, mia.get(page_of(world, ANNE)).status_code) == (410, 404)
    assert (newest().act, newest().details) == ("people cancel", {"lists": [NEWS]})


def test_of_a_form_for_several_lists_one_is_cancelled_and_the_email_about_the_other_still_leaves(world: World) -> None:
    world.post("/subscribe", data={"email": ANNE, "lists": [NEWS, OFFERS]})
    mia = only(world, NEWS)
    assert "Offers" not in mia.get(f"{page_of(world, ANNE)}/cancel").text
    assert mia.post(f"{page_of(world, ANNE)}/cancel", lists=OFFERS, **WHY).status_code == 422
    assert mia.post(f"{page_of(world, ANNE)}/cancel", lists=NEWS, **WHY).status_code == 303
    assert [world.parts.catalogue.lists[row.list_id].slug for row in world.registrations()] == [OFFERS]
    [mail] = world.mails(ANNE)
    assert world.post(link_in(mail, "confirm")).status_code == 200
    assert [world.parts.catalogue.lists[row.list_id].slug for row in world.subscriptions()] == [OFFERS]


def test_details_are_corrected_at_once_and_the_evidence_says_which_and_where(world: World) -> None:
    world.subscribe(ANNE, name="Ann Both")
    mia = at_the_desk(world, Role.MANAGER)
    form = mia.get(f"{page_of(world, ANNE)}/correct").text
    assert 'value="Ann Both"' in form and f'value="{ANNE}"' in form
    page = done(mia, world, "correct", **CORRECT)
    assert "The details are corrected." in page and "Changed at the desk: Name, Language." in page
    [row] = world.subscriptions()
    assert (row.name, row.locale, row.address) == ("Anne Both", "de", ANNE)
    fact = world.evidence()[-1]
    assert (fact.fact, fact.channel, fact.actor) == (Fact.CORRECTED, Channel.DESK, "desk")
    assert "Ann" not in str(newest().details) and newest().act == "people correct"


def test_a_new_address_is_asked_first_and_the_old_one_stays_until_it_has_confirmed(world: World) -> None:
    world.subscribe(ANNE, name="Anne")
    world.subscribe(ANNE, OFFERS)
    mia = only(world, NEWS)
    page = done(mia, world, "correct", **WHY, email=BART, name="Anne", their_locale="en")
    assert "Nothing changes until they" in page and newest().act == "people move"
    assert {row.address for row in world.subscriptions()} == {ANNE}
    [asked] = world.mails(BART)
    sign_up = next(row for row in world.evidence() if row.fact is Fact.REGISTERED and row.channel is Channel.DESK)
    assert (sign_up.ip, sign_up.actor) == (None, "desk"), "whoever typed it is not whom it is about"
    world.post(link_in(asked, "confirm"))
    catalogue = world.parts.catalogue.lists
    left = {(row.address, catalogue[row.list_id].slug) for row in world.subscriptions() if row.is_open}
    assert left == {(BART, NEWS), (ANNE, OFFERS)}, "the list of others stays where it was"


WRONG = [
    ("send-again", {"reason": ""}, "cannot be empty"), ("cancel", {"reason": "a\0b"}, "a single line"),
    ("correct", {"email": "anne@"}, ""), ("correct", {"name": "x" * 101}, "at most 100"),
    ("correct", {"name": "a\0b"}, "not allowed"), ("correct", {"reason": f"asked {BART}"}, "leave out email addresses"),
    ("restrict", {"reason": " "}, "cannot be empty"), ("restrict", {"lists": OFFERS}, "at least one list"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "wrong", "said"), WRONG)
def test_what_is_not_filled_in_rightly_changes_nothing_and_stays_as_it_was_typed(
    world: World, what: str, wrong: dict[str, str], said: str
) -> None:
    waits = what in ("send-again", "cancel")
    (world.sign_up if waits else world.subscribe)(ANNE)
    ola = at_the_desk(world)
    before = rows_of_every_table()
    answer = ola.post(f"{page_of(world, ANNE)}/{what}", **({"lists": NEWS} | CORRECT | wrong))
    assert answer.status_code == 422 and said in answer.text
    assert rows_of_every_table() == before


TWICE = {"cancel": WHY, "correct": CORRECT, "restrict": WHY}


@pytest.mark.parametrize("what", TWICE)
def test_pressed_twice_nothing_is_changed_twice(world: World, what: str) -> None:
    world.subscribe(ANNE)
    if what == "cancel":
        world.sign_up(ANNE, OFFERS)
    ola = at_the_desk(world)
    done(ola, world, what, **TWICE[what])
    before = rows_of_every_table()
    answer = ola.post(f"{page_of(world, ANNE)}/{what}", **TWICE[what])
    assert answer.status_code == 409 and "Nothing was changed." in answer.text
    assert rows_of_every_table() == before


def test_who_is_restricted_is_kept_gets_nothing_and_is_told_before_it_ends(world: World) -> None:
    world.subscribe(ANNE)
    pia = at_the_desk(world, Role.PRIVACY)
    page = done(pia, world, "restrict", reason="disputes her address")
    assert "because their subscription is restricted" in page and "Restricted: disputes her address." in page
    assert world.subscriptions()[0].restricted and newest().reason == "disputes her address"
    where = f"{page_of(world, ANNE)}/unrestrict"
    assert "told first" in pia.get(where).text
    assert pia.post(where).status_code == 422 and world.subscriptions()[0].restricted
    assert pia.post(where, channel="letter", received="2027-01-01").status_code == 422
    page = done(pia, world, "unrestrict", channel="letter", received="2026-11-20")
    assert "No longer restricted; they were told before, by letter on 20 November 2026." in page
    assert not world.subscriptions()[0].restricted
    assert world.evidence()[-1].details == {"told": "letter", "told_on": "2026-11-20"}


def test_each_act_is_for_whose_role_has_it(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up(ANNE, OFFERS)
    manager = {"send-again", "cancel", "correct"}
    may = {Role.VIEWER: set(), Role.MANAGER: manager, Role.PRIVACY: {"restrict"}}
    for role, offered in may.items():
        person = at_the_desk(world, role)
        shown = person.get(page_of(world, ANNE)).text
        acts = (*manager, "restrict", "unrestrict")
        assert {one for one in acts if f'{page_of(world, ANNE)}/{one}"' in shown} == offered
    ola = at_the_desk(world)
    for what in (*manager, "restrict", "unrestrict"):
        assert ola.post(f"{page_of(world, BART)}/{what}", **CORRECT).status_code == 404


def test_a_new_address_that_wants_no_confirmation_emails_gets_none(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up(BART)
    world.post(world.not_me_link(BART))
    before = len(world.mails(BART))
    world.clock.forward(hours=24)
    done(at_the_desk(world), world, "correct", **(CORRECT | {"email": BART}))
    assert len(world.mails(BART)) == before and owed() == []
