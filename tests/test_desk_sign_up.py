"""Signing somebody up at the desk: a mail asks them as it would after a form, and nobody is confirmed by hand."""

import pytest

from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.roles import Role
from subscriptions.store import audit
from subscriptions.store.engine import reading
from tests.builders import ANNE, BART, NEWS, OFFERS, World, link_in, owed, rows_of_every_table
from tests.desk import Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.test_desk_people import NOBODY, find, key_of, only, page_of

pytestmark = BY_DAY_ON_SQLITE

WHERE = "/admin/people/sign-up"
ASKED = {"filled": "1", "email": ANNE, "lists": NEWS, "how": "paper", "asked_on": "2026-11-20", "their_locale": "en"}


def test_who_asked_on_paper_gets_an_email_and_is_subscribed_once_they_confirm(world: World) -> None:
    mia = at_the_desk(world, Role.MANAGER)
    answer = mia.post(WHERE, **ASKED, name="Anne Both")
    assert (answer.status_code, answer.location) == (303, f"{page_of(world, ANNE)}?done=sign_up")
    page = mia.get(answer.location).text
    assert "We are sending them an email to confirm." in page and "they have not confirmed" in page
    assert "Signed up at the desk, as they asked on paper on 20 November 2026" in page
    [row], [fact] = world.registrations(), world.evidence()
    assert (row.state, row.name, world.subscriptions()) == (State.PENDING, "Anne Both", [])
    assert (fact.channel, fact.actor, fact.ip, fact.details["vouched"]) == (Channel.DESK, "desk", None, False)
    assert (fact.details["asked"], fact.details["asked_on"]) == ("paper", "2026-11-20") and "site" not in fact.details
    assert row.wording_id == world.parts.catalogue.by_slug(NEWS).wording_id  # type: ignore[union-attr]
    with reading() as session:
        noted = next(one for one in audit.newest(session, 9) if one.act == "people sign up")
    assert noted.about == key_of(world, ANNE)
    assert noted.details == {"lists": [NEWS], "asked": "paper", "asked_on": "2026-11-20"}
    world.post(link_in(world.mails(ANNE)[-1], "confirm"), environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert [one.address for one in world.subscriptions()] == [ANNE]
    assert next(one for one in world.evidence() if one.fact is Fact.CONFIRMED).ip == "192.0.2.9"


def test_a_search_for_nobody_leads_to_the_form_with_the_address_which_stands_in_no_url(world: World) -> None:
    mia = at_the_desk(world, Role.MANAGER)
    page = find(mia, NOBODY)
    assert f'action="{WHERE}"' in page and f'name="email" value="{NOBODY}"' in page
    form = mia.post(WHERE, email=NOBODY)
    assert form.status_code == 200 and f'value="{NOBODY}"' in form.text and owed() == []
    assert f'action="{WHERE}"' not in find(at_the_desk(world, Role.PRIVACY), NOBODY)


def outcome(person: Person, world: World, address: str) -> str:
    answer = person.post(WHERE, **(ASKED | {"email": address}))
    assert answer.status_code == 303
    page = person.get(answer.location).text
    return page.replace(address, "").replace(key_of(world, address).hex(), "")


def test_a_blocked_address_is_signed_up_as_an_unknown_one(world: World) -> None:
    world.sign_up(ANNE)
    world.deliver()
    world.clock.forward(hours=25)
    mia = at_the_desk(world, Role.MANAGER)
    assert outcome(mia, world, ANNE) == outcome(mia, world, NOBODY)
    assert [row.address for row in world.registrations()] == [ANNE, ANNE, NOBODY]


def test_who_is_subscribed_or_waiting_is_not_asked_again(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up(BART)
    mia = at_the_desk(world, Role.MANAGER)
    before = rows_of_every_table()
    for address in (ANNE, BART):
        answer = mia.post(WHERE, **(ASKED | {"email": address}))
        assert answer.status_code == 409 and "Nothing was changed." in answer.text
    assert rows_of_every_table() == before
    assert mia.post(WHERE, **(ASKED | {"lists": OFFERS})).status_code == 303, "but for another list"


def test_what_cannot_be_mailed_is_said_and_what_was_typed_stays(world: World) -> None:
    world.sign_up(ANNE)
    world.post(world.not_me_link(ANNE))
    mia = at_the_desk(world, Role.MANAGER)
    quiet = mia.post(WHERE, **ASKED)
    assert quiet.status_code == 422 and "A privacy officer can allow them" in quiet.text
    assert f'value="{ANNE}"' in quiet.text
    never = mia.post(WHERE, **(ASKED | {"email": "postmaster@example.org"}))
    assert never.status_code == 422 and "is never sent email" in never.text
    with reading() as session:
        assert [one for one in audit.newest(session, 9) if one.act == "people sign up"] == [], "nothing came of it"


def test_a_likely_slip_is_asked_about_once(world: World) -> None:
    mia = at_the_desk(world, Role.MANAGER)
    slip = ASKED | {"email": "anne@gmial.com"}
    first = mia.post(WHERE, **slip)
    assert first.status_code == 422 and "Did you mean anne@gmail.com?" in first.text
    assert 'name="hint_seen" value="anne@gmial.com"' in first.text and owed() == []
    assert mia.post(WHERE, **slip, hint_seen="anne@gmial.com").status_code == 303


WRONG = [
    ({"email": "anne"}, ""), ({"email": ""}, ""), ({"email": "a\0@example.org"}, ""), ({"email": "x" * 10_000}, ""),
    ({"how": ""}, "how they asked"), ({"how": "owl"}, "how they asked"), ({"lists": ""}, "at least one list"),
    ({"asked_on": "2027-01-01"}, "in the future"), ({"asked_on": "soon\0"}, "the date"),
    ({"name": "x" * 101}, "at most"), ({"their_locale": "%"}, "language tag"),
]  # fmt: skip


@each(("wrong", "said"), WRONG)
def test_what_is_not_filled_in_rightly_signs_nobody_up_and_stays_in_the_form(
    world: World, wrong: dict[str, str], said: str
) -> None:
    mia = Person(world)
    if mia.sign_in("mia@example.net").status_code != 303:
        mia = at_the_desk(world, Role.MANAGER, "mia@example.net")
    fields = {name: text for name, text in (ASKED | wrong).items() if text or name != "lists"}
    answer = mia.post(WHERE, **fields)
    assert answer.status_code == 422 and said in answer.text and world.registrations() == []


def test_nobody_is_signed_up_for_a_list_of_others_or_vouched_for(world: World) -> None:
    mia = only(world, NEWS)
    assert mia.post(WHERE, **(ASKED | {"lists": OFFERS})).status_code == 404
    assert "Offers" not in mia.get(WHERE).text and world.registrations() == []
    wording = world.parts.catalogue.by_slug(NEWS).wording_id  # type: ignore[union-attr]
    assert mia.post(WHERE, **ASKED, **{f"wording-{NEWS}": wording}).status_code == 303
    assert [row.vouched for row in world.registrations()] == [False]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.PRIVACY])
def test_signing_up_is_for_managers_and_owners(world: World, role: Role) -> None:
    person = at_the_desk(world, role)
    assert (person.get(WHERE).status_code, person.post(WHERE, **ASKED).status_code) == (403, 403)
