"""Exports at the desk: everyone once, then who is to be added and removed, as another program takes it."""

import csv
import hashlib
import io
import json
from email.utils import parseaddr
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from subscriptions.domain.roles import Role
from subscriptions.export import stream, xlsx
from subscriptions.store import audit
from subscriptions.store.engine import reading
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, World
from tests.desk import PASSWORD, Person, at_the_desk
from tests.test_desk_people import page_of


def take(person: Person, what: str, layout: str = "csv", slug: str = NEWS) -> str:
    answer = person.post("/admin/export", list=slug, layout=layout, what=what, proof=PASSWORD)
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"], answer.text
    return answer.text


def addresses(text: str) -> list[str]:
    return [row["email"] for row in csv.DictReader(io.StringIO(text))]


def test_after_everyone_only_what_has_changed_is_to_be_added_and_removed(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(BART)
    mia = at_the_desk(world, Role.MANAGER)
    assert "2 people to take along" in mia.get(f"/admin/export?list={NEWS}").text
    assert addresses(take(mia, "everyone")) == [ANNE, BART]
    assert "0 to add, 0 to remove" in mia.get(f"/admin/export?list={NEWS}").text
    world.clock.forward(minutes=30)
    world.subscribe(CRIS)
    world.post(world.leave_link(ANNE))
    world.clock.forward(minutes=1)  # what is committed about an export is named by the next one again
    assert "1 to add, 1 to remove" in mia.get(f"/admin/export?list={NEWS}").text
    assert (addresses(take(mia, "add")), addresses(take(mia, "remove"))) == ([CRIS], [ANNE])
    assert "0 to add, 0 to remove" in mia.get(f"/admin/export?list={NEWS}").text
    assert "3 people" not in mia.get(f"/admin/export?list={NEWS}&layout=listmonk").text, "each layout remembers its own"


def test_the_page_opens_with_what_was_taken_last_so_that_nobody_who_left_is_forgotten(world: World) -> None:
    world.subscribe(ANNE, slug=OFFERS)
    mia = at_the_desk(world, Role.MANAGER)
    assert "1 person to take along" not in mia.get("/admin/export").text, "the first list, for nobody in particular"
    take(mia, "everyone", "listmonk", OFFERS)
    world.clock.forward(minutes=2)
    world.post(world.leave_link(ANNE, OFFERS))
    page = mia.get("/admin/export").text
    assert "0 to add, 1 to remove" in page and "“Remove” in listmonk" in page
    assert "0 people to take along" in mia.get(f"/admin/export?list={NEWS}").text
    assert "0 people to take along" in mia.get("/admin/export?layout=csv").text
    other = at_the_desk(world, Role.MANAGER, "other@example.org", [1])
    assert "to take along" in other.get("/admin/export").text, "of lists that one may see"


def test_a_workbook_has_the_columns_of_csv_and_nothing_in_it_is_a_formula(world: World) -> None:
    world.subscribe("=cmd@example.org", name='=1+1 <&"')
    world.subscribe(ANNE, name="Ä")
    mia = at_the_desk(world, Role.MANAGER)
    answer = mia.post("/admin/export", list=NEWS, layout="xlsx", what="everyone", proof=PASSWORD)
    assert answer.mimetype == xlsx.TYPE and answer.headers["Content-Disposition"].endswith('.xlsx"')
    with ZipFile(io.BytesIO(answer.data)) as book:
        assert book.testzip() is None and "[Content_Types].xml" in book.namelist()
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 our own
    rows = [["".join(cell.itertext()) for cell in row] for row in sheet.iter(f"{{{xlsx._MAIN}}}row")]
    assert tuple(rows[0]) == stream.COLUMNS
    assert [row[:2] for row in rows[1:]] == [["=cmd@example.org", '=1+1 <&"'], [ANNE, "Ä"]]
    cells = [cell for cell in sheet.iter(f"{{{xlsx._MAIN}}}c") if len(cell)]
    assert {cell.get("t") for cell in cells} == {"inlineStr"}
    assert "0 to add, 0 to remove" in mia.get(f"/admin/export?list={NEWS}&layout=xlsx").text


def test_a_workbook_says_what_was_typed_also_where_excel_would_read_a_character(world: World) -> None:
    world.subscribe(ANNE, name="_x0041_ _xyz_")
    mia = at_the_desk(world, Role.MANAGER)
    answer = mia.post("/admin/export", list=NEWS, layout="xlsx", what="everyone", proof=PASSWORD)
    with ZipFile(io.BytesIO(answer.data)) as book:
        assert ">_x005F_x0041_ _xyz_<" in book.read("xl/worksheets/sheet1.xml").decode()


def test_more_people_than_a_sheet_has_rows_get_a_sentence_instead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.subscribe(ANNE)
    world.subscribe(BART)
    monkeypatch.setattr(xlsx, "MOST", 1)
    mia = at_the_desk(world, Role.MANAGER)
    answer = mia.post("/admin/export", list=NEWS, layout="xlsx", what="everyone", proof=PASSWORD)
    assert answer.status_code == 422 and "at most 1 rows" in answer.text


def test_who_is_no_longer_restricted_is_to_be_added_again(world: World) -> None:
    world.subscribe(ANNE)
    mia, pia = at_the_desk(world, Role.MANAGER), at_the_desk(world, Role.PRIVACY)
    take(mia, "everyone")
    world.clock.forward(minutes=2)
    pia.post(f"{page_of(world, ANNE)}/restrict", reason="asked by letter")
    assert (addresses(take(mia, "remove")), "0 to add" in mia.get(f"/admin/export?list={NEWS}").text) == ([ANNE], True)
    world.clock.forward(minutes=2)
    pia.post(f"{page_of(world, ANNE)}/unrestrict", channel="email")
    assert "1 to add, 0 to remove" in mia.get(f"/admin/export?list={NEWS}").text
    assert addresses(take(mia, "add")) == [ANNE]


def test_what_was_taken_in_part_is_offered_again(world: World) -> None:
    world.subscribe(ANNE)
    mia = at_the_desk(world, Role.MANAGER)
    take(mia, "everyone")
    world.clock.forward(minutes=30)
    world.subscribe(BART)
    where = {"base_url": world.base_url, "environ_base": {"REMOTE_ADDR": mia.ip}, "buffered": False}
    data = {"list": NEWS, "layout": "csv", "what": "add", "csrf": mia.csrf(), "proof": PASSWORD}
    answer = mia.client.post("/admin/export", data=data, headers={"Sec-Fetch-Site": "same-origin"}, **where)
    next(iter(answer.response))
    answer.close()
    assert "1 to add" in mia.get(f"/admin/export?list={NEWS}").text
    assert addresses(take(mia, "add")) == [BART]


def test_whoever_left_and_came_back_is_not_to_be_removed_and_whoever_gets_nothing_any_more_is(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(BART)
    mia = at_the_desk(world, Role.MANAGER)
    take(mia, "everyone")
    world.clock.forward(minutes=30)
    world.post(world.leave_link(ANNE))
    world.subscribe(ANNE)
    never = ["suppressions", "add", BART, "--scope", "all", "--reason", "x", "--yes"]
    run = world.app.test_cli_runner().invoke(args=never)
    assert run.exit_code == 0, run.output
    assert (addresses(take(mia, "remove")), addresses(take(mia, "add"))) == ([BART], [ANNE])


def test_each_layout_is_what_its_program_reads(world: World) -> None:
    world.subscribe(ANNE, name="Anne = Example")
    mia = at_the_desk(world, Role.MANAGER)
    files = {layout: take(mia, "everyone", layout) for layout in ("listmonk", "mailman3", "mailchimp", "thunderbird")}
    [row] = csv.DictReader(io.StringIO(files["listmonk"]))
    attributes = json.loads(row["attributes"])
    assert (row["email"], row["name"]) == (ANNE, "Anne = Example")
    assert attributes["unsubscribe_url"].startswith(f"{world.base_url}/unsubscribe/") and attributes["confirmed_at"]
    assert [parseaddr(line) for line in files["mailman3"].splitlines()] == [("Anne = Example", ANNE)]
    assert [row["Email Address"] for row in csv.DictReader(io.StringIO(files["mailchimp"]))] == [ANNE]
    [merged] = csv.DictReader(io.StringIO(files["thunderbird"]))
    assert (merged["Email"], merged["Unsubscribe"]) == (ANNE, attributes["unsubscribe_url"])


WRONG = [{"list": "nothing"}, {"list": OFFERS}, {"layout": "pdf"}, {"what": "all"}, {"what": "remove"}]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_list_of_others_and_what_there_is_not_is_404_and_leaves_no_trace(world: World, wrong: dict[str, str]) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    mia = at_the_desk(world, Role.MANAGER, lists=[row.id])
    fields = {"list": NEWS, "layout": "csv", "what": "everyone"} | wrong
    assert mia.post("/admin/export", **fields).status_code == 404
    with reading() as session:
        assert [row.act for row in audit.newest(session, 9)] == ["accounts invite"]


def test_the_audit_knows_who_took_how_many_and_the_hash_of_the_file(world: World) -> None:

    world.subscribe(ANNE)
    mia = at_the_desk(world, Role.MANAGER)
    text = take(mia, "everyone")
    with reading() as session:
        taken, begun, *_ = audit.newest(session, 9)
    assert (begun.act, begun.count, begun.actor_kind) == ("export", 1, "account")
    assert taken.details["sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_whoever_came_with_a_later_file_and_left_is_removed_and_so_is_who_left_by_a_letter_of_long_ago(
    world: World,
) -> None:
    world.subscribe(BART)
    mia = at_the_desk(world, Role.MANAGER)
    take(mia, "everyone")
    world.subscribe(ANNE)
    take(mia, "add")
    world.clock.forward(minutes=1)
    world.post(world.leave_link(ANNE))
    letter = ["unsubscribe", BART, "--channel", "letter", "--received", "2026-11-23T12:00:00Z"]
    assert world.app.test_cli_runner().invoke(args=letter).exit_code == 0
    assert addresses(take(mia, "remove")) == [BART, ANNE]


def test_whoever_confirmed_in_the_minute_of_an_export_is_in_the_next_one_as_well(world: World) -> None:
    world.sign_up(ANNE)
    world.post(world.confirm_link(ANNE))
    mia = at_the_desk(world, Role.MANAGER)
    take(mia, "everyone")
    assert addresses(take(mia, "add")) == [ANNE], "its commit may have been behind the reading"
    world.clock.forward(minutes=1, seconds=1)
    take(mia, "add")
    world.clock.forward(minutes=2)
    assert addresses(take(mia, "add")) == []


def test_whom_an_erasure_has_taken_the_page_counts_since_no_file_can_name_them(world: World) -> None:
    world.subscribe(ANNE)
    mia = at_the_desk(world, Role.MANAGER)
    take(mia, "everyone")
    world.clock.forward(minutes=2)
    assert world.app.test_cli_runner().invoke(args=["erase", ANNE, "--yes"]).exit_code == 0
    assert "1 person was erased here since" in mia.get(f"/admin/export?list={NEWS}").text
    assert addresses(take(mia, "remove")) == []


def test_whom_a_format_leaves_out_is_counted_beside_it(world: World) -> None:
    world.subscribe("=cmd@example.org")
    world.subscribe("-mia@example.org")
    mia = at_the_desk(world, Role.MANAGER)
    for layout, is_said in {"csv": True, "excel": True, "xlsx": False, "jsonl": False, "listmonk": False}.items():
        page = mia.get(f"/admin/export?list={NEWS}&layout={layout}").text
        assert ("1 address is not in this format" in page) is is_said, layout
        if layout != "xlsx":  # whose rows are read above
            assert ("=cmd@example.org" not in take(mia, "everyone", layout)) is is_said, layout
