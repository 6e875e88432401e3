"""The feed of changes: a sender that reads it misses nothing, and of an erased person it is told the id alone."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from subscriptions.actions import correct, leave, on_behalf
from subscriptions.actions.leave import Withdrawal
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.store.audit import Act
from subscriptions.store.models import ActorKind, db
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, Office, World
from tests.preferences import key
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.test_audit import rows
from tests.test_seals_told import erase


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def changes(office: Office, cursor: str = "", more: str = "") -> dict[str, Any]:
    office.world.run("seal")
    answer = office.get(f"/api/v1/changes?cursor={cursor}{more}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()  # type: ignore[no-any-return]


def act(world: World) -> Act:
    return Act(world.clock.now(), ActorKind.COMMAND, "test", "test")


def restrict(world: World, address: str, *, lift: bool = False) -> None:
    lists = [row.id for row in world.parts.catalogue.configured]
    details = {"told": "by email", "told_on": "2026-11-23"} if lift else {"reason": "a letter"}
    assert on_behalf.restrict(key(world, address), lists, details, world.clock.now(), act(world), lift=lift)


def test_a_whole_life_is_told_in_order_each_change_once(office: Office) -> None:
    world, cursor = office.world, ""
    seen: list[tuple[str, str, str]] = []

    def read() -> list[dict[str, Any]]:
        nonlocal cursor
        told = changes(office, cursor)
        cursor = told["next"]
        seen.extend((one["change"], one["status"], one["email"]) for one in told["changes"])
        return told["changes"]  # type: ignore[no-any-return]

    world.sign_up(BART)
    assert read() == []
    world.post(world.confirm_link(BART))
    (confirmed,) = read()
    correct.correct(key(world, BART), {"name": "Bart"}, None, {1: ["name"]}, world.clock.now())
    assert read()[0]["name"] == "Bart"
    restrict(world, BART)
    assert read()[0]["restricted"] is True
    restrict(world, BART, lift=True)
    assert read()[0]["restricted"] is False
    bounced = Withdrawal(Event.BOUNCE, Channel.RELAY, "550 no such mailbox")
    leave.leave(key(world, BART), None, bounced, world.clock.now(), world.parts.policy)
    read()
    world.clock.forward(minutes=15)
    world.subscribe(BART)
    world.post(world.leave_link(BART))
    last = read()
    assert [change for change, _, _ in seen] == [
        "confirmed", "corrected", "restricted", "unrestricted", "bounced", "confirmed", "unsubscribed",
    ]  # fmt: skip
    assert {email for *_, email in seen} == {BART} and {one["id"] for one in [confirmed, *last]} == {confirmed["id"]}
    assert read() == [] and changes(office, cursor) == {"changes": [], "next": cursor}


def test_of_an_erased_person_every_entry_carries_the_id_alone(office: Office) -> None:
    world = office.world
    world.subscribe(BART)
    world.subscribe(CRIS)
    (before, _), ((exported, _), _) = changes(office)["changes"], _exported(office, NEWS)
    erase(world, BART)
    told = changes(office)["changes"]
    theirs = [one for one in told if one["id"] == before["id"]]
    assert [one["change"] for one in theirs] == ["confirmed", "unsubscribed", "erased"]
    assert all(one.keys() == {"cursor", "id", "list", "change", "at", "status"} for one in theirs)
    assert {one["status"] for one in theirs} == {"erased"} and BART not in json.dumps(told)
    assert exported == before["id"]


def _exported(office: Office, slug: str) -> list[tuple[str, str]]:
    lines = office.get(f"/api/v1/lists/{slug}/export?format=jsonl", "export").get_data(as_text=True).splitlines()
    return [(one["id"], one["email"]) for one in map(json.loads, lines)]


def test_an_id_is_of_one_address_on_one_list_and_stays(office: Office) -> None:
    for slug in (NEWS, OFFERS):
        office.world.subscribe(BART, slug)
    office.world.subscribe(ANNE)
    found = {(one["list"], one["email"]): one["id"] for one in changes(office)["changes"]}
    assert len({*found.values()}) == 3
    assert [(found[NEWS, email], email) for email in (BART, ANNE)] == _exported(office, NEWS)


def test_pages_of_one_list_lead_through_all_of_it(office: Office) -> None:
    for address in (ANNE, BART, CRIS):
        for slug in (NEWS, OFFERS):
            office.world.subscribe(address, slug)
    cursor, found = "", []
    for _ in range(4):
        told = changes(office, cursor, f"&limit=1&list={OFFERS}")
        found += [one["email"] for one in told["changes"]]
        cursor = told["next"]
    assert found == [ANNE, BART, CRIS] and told["changes"] == []


def test_of_a_quiet_list_what_others_have_is_not_looked_through_again(office: Office) -> None:
    for address in (ANNE, BART):
        office.world.subscribe(address, NEWS)
    assert changes(office, "", f"&list={OFFERS}") == {"changes": [], "next": changes(office)["next"]}


def test_what_is_not_sealed_yet_is_told_later_and_not_passed_over(office: Office) -> None:
    office.world.subscribe(BART)
    first = changes(office)["next"]
    office.world.subscribe(CRIS)
    assert office.get(f"/api/v1/changes?cursor={first}").get_json() == {"changes": [], "next": first}
    assert [one["email"] for one in changes(office, first)["changes"]] == [CRIS]


WRONG = {"cursor=x": 422, "cursor=-1": 422, "cursor=1.5": 422, "cursor=%00": 422, "cursor=²": 422, "limit=0": 422,
         "cursor=9999999999999999999": 422, "limit=1001": 422, "limit=x": 422, "list=nowhere": 404, "list=": 404,
         "list=%25": 404, "cursor=999999": 409, f"cursor={'1' * 10_000}": 422, f"list={'x' * 10_000}": 404}  # fmt: skip


@BY_DAY_ON_SQLITE
@each(("query", "status"), [*WRONG.items()])
def test_what_is_asked_wrongly_is_refused_and_nothing_breaks(office: Office, query: str, status: int) -> None:
    answer = office.get(f"/api/v1/changes?{query}")
    assert answer.status_code == status and answer.mimetype == "application/problem+json"


def test_it_asks_for_a_token_that_reads_and_the_audit_counts_it(office: Office) -> None:
    assert office.world.get("/api/v1/changes").status_code == 401
    assert office.get("/api/v1/changes", "export").status_code == 403
    assert office.get("/api/v1/changes").status_code == 200
    office.world.run("tidy")
    office.world.clock.forward(hours=1)
    office.world.run("tidy")
    assert [(one.act, one.actor, one.count) for one in rows()] == [("read", "read", 1)]


def test_after_the_people_of_the_try_out_are_gone_an_old_cursor_is_refused(office: Office) -> None:
    office.world.subscribe(BART)
    cursor = changes(office)["next"]
    with db.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM leaves"))
    assert office.get(f"/api/v1/changes?cursor={cursor}").status_code == 409
