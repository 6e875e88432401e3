"""The desk brings a list in: a look first, two ways, the password where it begins, a report, and the way back."""

import io
import re
from datetime import timedelta

from werkzeug.test import TestResponse

from subscriptions.domain.imports import Stage
from subscriptions.domain.roles import Role
from subscriptions.store import audit
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Import
from tests.builders import ANNE, BART, NEWS, OFFERS, World
from tests.desk import PASSWORD, Person, at_the_desk
from tests.imports import lines, proved, the_import
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each

pytestmark = BY_DAY_ON_SQLITE
WAY = {"way": "evidence", "per_day": "200", "proof": PASSWORD}


def sent(mia: Person, text: str | bytes, name: str = "members.csv", slug: str = NEWS) -> TestResponse:
    octets = text.encode() if isinstance(text, str) else text
    return mia.post("/admin/import", list=slug, file=(io.BytesIO(octets), name))


def looked(mia: Person, text: str | bytes, name: str = "members.csv") -> str:
    """The address of the page that shows it."""
    answer = sent(mia, text, name)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def plain(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


def test_a_manager_looks_at_a_file_begins_reads_what_came_of_it_and_undoes_it(world: World) -> None:
    mia = at_the_desk(world, Role.MANAGER)
    where = looked(mia, lines([proved(ANNE, "<b>Anne"), proved(BART, ip="")]))
    page = mia.get(where)
    assert "&lt;b&gt;Anne" in page.text and "1 row: imported" in plain(page.text)
    assert "2 rows: invited in turn" in plain(page.text) and world.subscriptions() == []
    assert mia.post(f"{where}/start", **WAY).status_code == 303
    assert "It goes on by itself" in plain(mia.get(where).text)
    world.run("imports")
    page = mia.get(where)
    assert "1 row: neither an IP address nor a document" in plain(page.text)
    assert mia.get(f"{where}/report.csv").text.splitlines()[1:] == [
        f"2,{ANNE},yes,imported", f"3,{BART},no,neither an IP address nor a document"]  # fmt: skip
    assert "1 person" in plain(mia.get("/admin/import").text)
    assert mia.post(f"{where}/undo").status_code == 303 and world.subscriptions() == []
    told = plain(at_the_desk(world).get("/admin/audit").text)
    assert "began an import into Newsletter" in told and "undid an import of 1 person" in told


def test_where_an_import_begins_the_password_is_asked_for_once_more(world: World) -> None:
    mia = at_the_desk(world, Role.MANAGER)
    where = looked(mia, lines([proved(ANNE)]))
    world.clock.forward(minutes=20)
    asked = mia.post(f"{where}/start", way="evidence", per_day="200")
    assert asked.status_code == 200 and 'name="proof"' in asked.text and the_import().stage is Stage.LOOKED
    assert mia.post(f"{where}/start", **WAY).status_code == 303 and the_import().stage is Stage.READING


def test_columns_are_chosen_by_people_and_days_are_asked_for(world: World) -> None:
    mia = at_the_desk(world)
    where = looked(mia, lines([(ANNE, "01/02/2020", "03/02/2020", "203.0.113.9")], ("wer", "seit", "ja", "ip")))
    said = {"column-0": "email", "column-1": "registered_at", "column-2": "confirmed_at", "column-3": "confirmed_ip"}
    asked = mia.post(f"{where}/columns", **said)
    assert asked.status_code == 422 and "nobody can tell days from months" in asked.text
    said |= {"column-1": "registered_at:dmy", "column-2": "confirmed_at:dmy"}
    assert mia.post(f"{where}/columns", **said).status_code == 303
    assert "1 row: imported" in plain(mia.get(where).text)
    assert mia.post(f"{where}/columns", **{"column-0": "list_id"}).status_code == 422
    assert mia.post(f"{where}/columns", **{"column-1": "name"}).status_code == 422


@each(("octets", "name"), [
    (b"", "empty.csv"), (b"\0" * 100, "nothing"), (b"PK\x03\x04" + bytes(99), "broken.xlsx"), (b"{", "no.jsonl"),
    (",".join(map(str, range(10_000))).encode(), "wide.csv"), (b"\xff\xfe\x00", "half.csv"),
    (b"%PDF-1.4 \x80\x81", "x.pdf"),
])  # fmt: skip
def test_whatever_is_sent_is_looked_at_or_refused_and_never_an_error_of_ours(
    world: World, octets: bytes, name: str
) -> None:
    mia = at_the_desk(world, email=f"{name}@example.org")
    answer = sent(mia, octets, name)
    assert answer.status_code in (303, 422)
    if answer.status_code == 303:
        where = answer.headers["Location"]
        assert mia.get(where).status_code == 200
        assert mia.post(f"{where}/start", **WAY).status_code in (303, 422)


@ONE_DATABASE
def test_wrong_answers_are_told_and_change_nothing(world: World) -> None:
    mia = at_the_desk(world)
    where = looked(mia, lines([proved(ANNE)]))
    for wrong in ({"way": "third"}, {"per_day": "0"}, {"per_day": "-1"}, {"per_day": "99999999"},
                  {"document": f"folder of {ANNE}"}):  # fmt: skip
        assert mia.post(f"{where}/start", **(WAY | wrong)).status_code == 422, wrong
    assert the_import().stage is Stage.LOOKED
    assert mia.post(f"{where}/undo").status_code == mia.post(f"{where}/resume").status_code == 422
    assert mia.post("/admin/import", list=NEWS).status_code == 422


def test_who_sees_other_lists_alone_finds_nothing(world: World) -> None:
    where = looked(at_the_desk(world), lines([proved(ANNE)]))
    ola = at_the_desk(world, Role.MANAGER, lists=[2])
    assert (ola.get(where).status_code, ola.post(f"{where}/start", **WAY).status_code) == (404, 404)
    assert sent(ola, lines([proved(ANNE)])).status_code == 404
    assert sent(ola, lines([proved(ANNE)]), slug=OFFERS).status_code == 303
    assert "members.csv" in ola.get("/admin/import").text and ola.get("/admin/import").text.count("<bdi>members") == 1
    assert at_the_desk(world, Role.PRIVACY).get("/admin/import").status_code == 403


def test_the_same_file_again_says_that_it_adds_nobody(world: World) -> None:
    mia = at_the_desk(world)
    mia.post(f"{looked(mia, lines([proved(ANNE)]))}/start", **WAY)
    again = mia.post(f"{looked(mia, lines([proved(ANNE)]))}/start", **WAY)
    assert again.status_code == 422 and "it would add nobody" in again.text


def test_who_waits_is_told_with_the_day_by_which_all_are_asked(world: World) -> None:
    mia = at_the_desk(world)
    where = looked(mia, "".join(f"p{n}@example{n}.org\n" for n in range(4)), "people.txt")
    mia.post(f"{where}/start", **(WAY | {"way": "invite", "per_day": "1"}))
    world.run("imports")
    said = plain(mia.get(where).text)
    assert "3 people wait to be invited, at most 1 in a day. The last emails go out around 26 Nov 2026." in said


def test_a_halt_stands_on_the_start_page_until_somebody_goes_on(world: World) -> None:
    mia = at_the_desk(world)
    where = looked(mia, f"{ANNE}\n{BART}\n", "people.txt")
    assert mia.post(f"{where}/start", **(WAY | {"way": "invite", "per_day": "1"})).status_code == 303
    with transaction() as session:
        row = session.get(Import, the_import().id)
        assert row is not None
        row.stage, row.counted_from = Stage.HALTED, world.clock.now()
    assert "The invitations of an import have stopped" in mia.get("/admin").text
    assert "Go on all the same" in mia.get(where).text
    assert mia.post(f"{where}/resume", proof=PASSWORD).status_code == 303 and the_import().stage is Stage.INVITING
    with reading() as session:
        assert audit.newest(session, 1)[0].act == "import resume"


def test_what_is_never_begun_goes_with_its_file_within_a_day(world: World) -> None:
    mia = at_the_desk(world)
    where = looked(mia, lines([proved(ANNE)]))
    world.clock.forward(seconds=timedelta(days=1).total_seconds())
    world.run("imports")
    assert world.count(Import) == 0 and mia.get(where).status_code in (303, 404)
    assert [*(world.parts.settings.data_dir / "imports").glob("*")] == []
