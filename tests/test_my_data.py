"""My data: everything that is stored is shown and can be taken, by the person alone, and nothing of others."""

import csv
import io
import json
from typing import Any

import pytest
import sqlalchemy as sa

from subscriptions.domain.lifecycle import Registration as State
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Evidence, db
from subscriptions.store.person import NOT_SHOWN
from tests.builders import ANNE, BART, NEWS, OFFERS, World, rows_of_every_table
from tests.losses import hold
from tests.preferences import Page, ask, key, session_of
from tests.read_mails import timed
from tests.support.cases import BY_DAY_ON_SQLITE

pytestmark = BY_DAY_ON_SQLITE


@pytest.fixture
def mine(world: World) -> Page:
    """Anne's page: she reads the newsletter, and her sign-up for the offers waits."""
    world.subscribe(ANNE, name="Anne", remote_addr="203.0.113.9")
    world.sign_up(ANNE, OFFERS)
    world.sign_up(BART)
    return Page.of(world, ANNE)


def taken(page: Page) -> dict[str, Any]:
    answer = page.act("json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    found: dict[str, Any] = json.loads(answer.text)
    return found


def holding(of: bytes, address: str) -> dict[str, int]:
    """How many rows of each table have the key or the address of somebody in them, in any column; or hang on those."""
    found: dict[str, int] = {}
    with reading() as session:
        everything = {table: session.execute(sa.select(table)).mappings().all() for table in db.metadata.sorted_tables}
        theirs = {(table.name, row["id"]) for table, rows in everything.items() for row in rows
                  if "id" in row and table.name in ("registrations", "subscriptions") and row["key"] == of}  # fmt: skip
        for table, rows in everything.items():
            for row in rows:
                hangs = any(row.get(f"{name[:-1]}_id") == id_ for name, id_ in theirs)
                if hangs or of in row.values() or any(address in str(value) for value in row.values()):
                    found[table.name] = found.get(table.name, 0) + 1
    return found


def test_every_row_of_every_table_that_has_something_of_the_person_is_in_the_copy(world: World, mine: Page) -> None:
    mine.act("write", kind="other", words="Hello there.")
    world.deliver()
    hold(world)
    stored = taken(mine)["stored"]
    assert {table: len(rows) for table, rows in stored.items() if rows and table != "counted_keys"} == holding(
        key(world, ANNE), ANNE
    )
    assert len(stored["counted_keys"]) == 2  # the words and this download


def test_the_copy_has_every_field_as_it_stands_in_the_database(world: World, mine: Page) -> None:
    stored = taken(mine)["stored"]
    for table in db.metadata.sorted_tables:
        for told in stored.get(table.name, ()):
            assert told.keys() == {column.key for column in table.columns}
    [row] = [row for row in world.subscriptions() if row.key == key(world, ANNE)]
    [told] = stored["subscriptions"]
    assert (told["name"], told["address"], told["locale"], told["state"]) == ("Anne", ANNE, "en", "confirmed")
    assert (told["key"], told["confirmed_at"]) == (row.key.hex(), "2026-11-23T12:00:00Z")


def test_the_copy_says_whom_to_ask_who_gets_it_how_long_and_what_was_agreed_to(mine: Page) -> None:
    told = taken(mine)
    assert told["format"] == "yestwice-my-data-1" and told["address"] == ANNE
    assert {"name": "Example Society", "address": "1 Example Street", "contact": "privacy@example.org",
            "lists": [NEWS]} in told["controllers"]  # fmt: skip
    assert any(text.startswith("Yes, I would like to receive") for text in told["texts_agreed_to"].values())
    assert len(told["emails"]) == 3 and any("12 months after the confirmation" in one for one in told["kept"])
    assert told["recipients"][0].startswith("Example Society, who sends Newsletter")


def test_the_table_has_a_line_for_each_field_and_no_formula(world: World) -> None:
    world.subscribe(ANNE, name="=1+1")
    lines = [*csv.reader(io.StringIO(Page.of(world, ANNE).act("csv").text))]
    assert lines[0] == ["table", "row", "field", "value"]
    assert ["subscriptions", "1", "name", "'=1+1"] in lines and ["subscriptions", "1", "address", ANNE] in lines


def test_an_ip_address_is_shown_only_where_a_confirmation_came_from_it(world: World, mine: Page) -> None:
    facts = taken(mine)["stored"]["evidence"]
    assert {(row["fact"], row["ip"]) for row in facts if row["ip"]} == {
        ("registered", NOT_SHOWN), ("confirmed", "203.0.113.7"), ("registered", "203.0.113.7"),
    }  # fmt: skip
    page = mine.act("stored").text
    assert "203.0.113.9" not in page + json.dumps(facts) and "203.0.113.7" in page
    assert "not shown, because it may be somebody else’s" in page


def test_the_page_shows_the_sentence_agreed_to_and_the_email_without_links_that_work(mine: Page) -> None:
    page = mine.act("stored").text
    assert "This is the sentence you agreed to" in page and "Yes, I would like to receive" in page
    assert "This is the email we sent" in page and f"Subject: {'Please confirm: Newsletter'}" in page
    assert mine.world.post(f"/confirm/{page.partition('/confirm/')[2][:64]}").status_code == 404


def test_a_waiting_and_a_blocked_sign_up_are_shown_and_stay_as_they_are(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    world.clock.forward(hours=24)
    world.sign_up(ANNE, OFFERS)
    world.clock.forward(minutes=15)
    page = Page.of(world, ANNE)
    before = [(row.state, row.confirm_by) for row in world.registrations()]
    assert {row["list_id"] for row in taken(page)["stored"]["registrations"]} == {1, 2}
    assert "Newsletter" in page.act("stored").text
    assert [(row.state, row.confirm_by) for row in world.registrations()] == before
    assert before[0][0] in (State.PENDING, State.BLOCKED)


def test_an_erased_person_still_sees_the_proof_that_is_kept(world: World, mine: Page) -> None:
    mine.act("erase-surely")
    world.run("deliver")
    world.clock.forward(days=31)
    again = Page.of(world, ANNE)
    stored = taken(again)["stored"]
    assert [row["state"] for row in stored["subscriptions"]] == ["erased"] and len(stored["evidence"]) > 3


def test_a_hold_is_told_with_its_reason_and_not_who_placed_it(world: World, mine: Page) -> None:
    hold(world)
    assert "Legal hold since " in (page := mine.act("stored").text) and ": a dispute." in page
    [told] = taken(mine)["stored"]["holds"]
    assert (told["reason"], told["placed_by"], told["lifted_by"]) == ("a dispute", NOT_SHOWN, None)


def test_a_copy_is_taken_three_times_in_a_day_and_then_the_reason_is_told(world: World, mine: Page) -> None:
    assert [mine.act(kind).mimetype for kind in ("json", "csv", "json")] == [
        "application/json", "text/csv", "application/json"]  # fmt: skip
    told = mine.told("csv")
    assert "3 times in 24 hours" in told and timed("24 November 2026, 12:15 (UTC)") in told
    assert mine.act("stored").status_code == 200
    assert "You have left Newsletter" in mine.told("leave", list=NEWS)
    assert "We will not write" in mine.told("never-surely")


def test_to_take_a_copy_confirms_nothing_and_changes_nothing_of_the_person(world: World, mine: Page) -> None:
    before = rows_of_every_table()
    taken(mine), mine.act("stored"), mine.act("csv")
    after = rows_of_every_table()
    assert {name for name in after if after[name] != before[name]} == {"counted_keys"}


def test_the_old_path_and_its_links_go_on_working(world: World) -> None:
    world.subscribe(ANNE)
    assert world.get("/preferences").text == world.get("/my-data").text
    ask(world, ANNE)
    token = world.parts.links.preferences_token(bytes(16), key(world, ANNE))
    assert world.get(f"/preferences/{token}").status_code == 200
    opened = world.post(f"/preferences/{token}")
    shown = world.post("/preferences/my/show", data={"session": session_of(opened)})
    assert shown.status_code == 200 and 'action="/my-data/my/leave"' in shown.text


def test_a_visit_is_prolonged_once_and_no_longer(world: World, mine: Page) -> None:
    world.clock.forward(minutes=25)
    longer = mine.act("more-time")
    assert "You have more time now." in longer.text and timed("23 November 2026, 13:10 (UTC)") in longer.text
    mine.session = session_of(longer)
    world.clock.forward(minutes=20)
    assert "I need more time" not in mine.act("show").text
    assert "You have had more time already." in mine.told("more-time")
    world.clock.forward(minutes=10)
    assert mine.act("show").status_code == 410


def test_a_session_of_one_purpose_opens_nothing_else(world: World, mine: Page) -> None:
    prolonged = session_of(mine.act("more-time"))
    for token in (mine.session, prolonged):
        for path in (f"/my-data/{token}", f"/confirm/{token}", f"/unsubscribe/{token}", f"/not-me/{token}"):
            assert world.get(path).status_code == 404
    for token in (world.leave_link(ANNE).rpartition("/")[2], mine.link.rpartition("/")[2], "x", ""):
        assert world.post("/my-data/my/erase-surely", data={"session": token}).status_code == 404


def test_an_unknown_address_is_answered_alike_and_told_by_mail_once_in_30_days(world: World) -> None:
    world.subscribe(BART)
    answers = [ask(world, address) for address in (BART, ANNE)]
    assert answers[0].status_code == answers[1].status_code and answers[0].location == answers[1].location
    [mail] = world.mails(ANNE)
    assert mail["Subject"].startswith("We store nothing about this address")
    for days in (1, 28):
        world.clock.forward(days=days)
        world.run("purge")
        ask(world, ANNE)
    assert len(world.mails(ANNE)) == 1
    world.clock.forward(days=1, minutes=1)
    world.run("purge")
    ask(world, ANNE)
    with transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Evidence).where(Evidence.fact == "mailed")) == 2
