"""What a stranger, or a person behind a mailbox of their own, would try with the rights that everybody has."""

import json

import pytest
import sqlalchemy as sa

from subscriptions.domain.policy import FILED
from subscriptions.domain.roles import Role
from subscriptions.store import audit
from subscriptions.store.engine import reading
from subscriptions.store.models import db
from tests.builders import ANNE, NEWS, World
from tests.desk import at_the_desk
from tests.preferences import Page, key
from tests.test_requests import PRIVACY, stored
from tests.test_seals_tampered import hand


def test_many_addresses_of_one_person_do_not_flood_the_officer(world: World) -> None:
    pages = []
    for number in range(FILED.count // 5 + 1):
        world.subscribe(address := f"person{number}@example.org")
        pages.append(Page.of(world, address))
    for page in pages:
        for number in range(5):
            assert "We have your request." in page.told("write", kind="other", words=f"No. {number}", list=NEWS)
    world.deliver()
    assert len(world.mails(PRIVACY)) == FILED.count
    officer = at_the_desk(world, Role.PRIVACY).get("/admin/requests").text
    assert officer.count("Something else, ") == 5 * len(pages), "the desk has them all"
    world.clock.forward(days=1, minutes=1)
    page = Page.of(world, "person0@example.org")
    page.told("write", kind="other", words="The next day", list=NEWS)
    world.deliver()
    assert len(world.mails(PRIVACY)) == FILED.count + 1


@pytest.mark.parametrize("controller", ["\x00", "x" * 10_000, "Nobody we know"])
def test_an_objection_to_nobody_is_not_lifted(world: World, controller: str) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    assert page.act("lift", scope="all", controller=controller).status_code == 404


def test_half_a_character_in_what_is_stored_does_not_keep_it_from_its_owner(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    if db.engine.dialect.name == "sqlite":
        with db.engine.begin() as connection:
            for (name,) in connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(sa.text(f"DROP TRIGGER {name}"))
            connection.execute(sa.text("UPDATE evidence SET details = '{\"reply\": \"\\udc80\"}'"))
    else:
        with db.engine.begin() as connection:
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            connection.execute(sa.text("UPDATE evidence SET details = '{\"reply\": \"\\udc80\"}'"))
    found = json.loads(page.act("json").text)
    assert found["stored"]["evidence"][0]["details"] == {"reply": "\udc80"}
    assert page.act("csv").status_code == 200 and page.act("stored").status_code == 200


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
