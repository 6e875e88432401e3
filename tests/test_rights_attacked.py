"""What a stranger, or a person behind a mailbox of their own, would try with the rights that everybody has."""

import json
from datetime import date

import pytest
import sqlalchemy as sa

from subscriptions.actions import holds
from subscriptions.actions.holds import Wanted
from subscriptions.domain.evidence import Channel
from subscriptions.domain.policy import FILED, REQUESTS
from subscriptions.domain.roles import Role
from subscriptions.store import audit
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading
from subscriptions.store.models import ActorKind, db
from subscriptions.store.person import NOT_SHOWN
from tests.builders import ANNE, NEWS, World
from tests.desk import at_the_desk
from tests.preferences import Page, key
from tests.support.cases import ONE_DATABASE
from tests.test_requests import PRIVACY


def test_many_addresses_of_one_person_do_not_flood_the_officer(world: World) -> None:
    senders = FILED.count // REQUESTS.count + 1
    for person in range(senders):
        world.subscribe(address := f"person{person}@example.org")
        page = Page.of(world, address)
        for number in range(REQUESTS.count):
            assert "We have your request." in page.told("write", kind="other", words=f"No. {number}", list=NEWS)
    world.deliver()
    assert len(world.mails(PRIVACY)) == FILED.count
    officer = at_the_desk(world, Role.PRIVACY).get("/admin/requests").text
    assert officer.count("Something else, ") == REQUESTS.count * senders, "the desk has them all"
    world.clock.forward(days=1, minutes=1)
    Page.of(world, address).told("write", kind="other", words="The next day", list=NEWS)
    world.deliver()
    assert len(world.mails(PRIVACY)) == FILED.count + 1


@pytest.mark.parametrize("controller", ["\x00", "x" * 10_000, "Nobody we know"])
def test_an_objection_to_nobody_is_not_lifted(world: World, controller: str) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    assert page.act("lift", scope="all", controller=controller).status_code == 404


@ONE_DATABASE
def test_half_a_character_in_what_is_stored_does_not_keep_it_from_its_owner(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER evidence_is_append_only"))
        connection.execute(sa.text("UPDATE evidence SET details = replace(details, '{', '{\"said\":\"\\udc80\",')"))
    for kind in ("json", "csv"):
        assert page.act(kind).status_code == 200, kind


@pytest.mark.parametrize("number", [2**63, int("9" * 30)])
def test_no_request_has_a_number_beyond_all(world: World, number: int) -> None:
    officer = at_the_desk(world, Role.PRIVACY)
    assert officer.get(f"/admin/requests/{number}").status_code == 404
    assert officer.post(f"/admin/requests/{number}/answer", words="Yes").status_code == 404
    assert officer.get(f"/admin/requests/{2**63 - 1}").status_code == 404


def test_who_looks_at_the_list_of_requests_stands_in_the_audit(world: World) -> None:
    world.subscribe(ANNE)
    Page.of(world, ANNE).told("write", kind="other", words="Hello", list=NEWS)
    at_the_desk(world, Role.PRIVACY).get("/admin/requests")
    with reading() as session:
        row = next(row for row in audit.newest(session, 9) if row.act == "requests show")
    assert row.count == 1


def test_who_is_known_by_a_legal_hold_alone_is_not_told_that_nothing_is_stored(world: World) -> None:
    now = world.clock.now()
    act = Act(now, ActorKind.COMMAND, "root", "people hold")
    holds.place(key(world, ANNE), Wanted(None, "a suit", date(2027, 1, 1)), Channel.COMMAND, act)
    page = Page.of(world, ANNE)
    assert [mail["Subject"].partition(":")[0] for mail in world.mails(ANNE)] == ["Your subscriptions and data"]
    [hold] = json.loads(page.act("json").text)["stored"]["holds"]
    assert (hold["reason"], hold["review_on"], hold["placed_by"]) == ("a suit", "2027-01-01", NOT_SHOWN)
    assert "a suit" in page.act("stored").text
