"""One field of many people is corrected after a look at how many, and nothing but what was typed is written."""

from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.roles import Role
from subscriptions.web.admin.correct_many import MOST_LINES
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, World, rows_of_every_table
from tests.desk import Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.test_desk_back import plain
from tests.test_desk_people import only

pytestmark = BY_DAY_ON_SQLITE

WHERE = "/admin/people/correct"
LINES = f"{ANNE.upper()}; Anne, née Both\n\n{BART},Bart\nnobody@example.org\tNobody\n"
SENT = {"list": NEWS, "field": "name", "lines": LINES, "reason": "the club's register"}


def names(world: World) -> dict[str | None, str | None]:
    return {row.address: row.name for row in world.subscriptions()}


def test_names_are_corrected_after_a_look_once_and_with_evidence(world: World) -> None:
    world.subscribe(ANNE, name="Ann")
    world.subscribe(BART, name="Bart")
    world.subscribe(CRIS, name="Cris")
    mia, before = at_the_desk(world, Role.MANAGER), rows_of_every_table()
    look = mia.post(WHERE, **SENT)
    assert look.status_code == 200 and rows_of_every_table() == before | {"audit": before["audit"] + 1}
    assert "looked up 2 people of Newsletter to correct." in at_the_desk(world).get("/admin/audit").text
    said = " ".join(plain(look.text).split())
    assert "1 person will be corrected. 1 is stored like that already. 1 address is not subscribed" in said
    page = mia.post(WHERE, **SENT, sure="1").text
    assert "1 person has been corrected." in page and LINES.split("\n")[0] not in page
    assert names(world) == {ANNE: "Anne, née Both", BART: "Bart", CRIS: "Cris"}
    [fact] = [row for row in world.evidence() if row.fact is Fact.CORRECTED]
    assert (fact.channel, fact.actor, fact.details) == (Channel.DESK, "desk", {"changed": ["name"]})
    assert "0 people have been corrected." in mia.post(WHERE, **SENT, sure="1").text


def test_only_the_people_of_the_list_are_corrected_and_a_list_of_others_is_not_there(world: World) -> None:
    world.subscribe(ANNE, OFFERS, name="Ann")
    mia = only(world, NEWS)
    assert "There is nothing to correct." in mia.post(WHERE, **SENT).text
    mia.post(WHERE, **SENT, sure="1")
    assert mia.post(WHERE, **(SENT | {"list": OFFERS, "sure": "1"})).status_code == 404
    assert names(world) == {ANNE: "Ann"}
    assert at_the_desk(world, Role.PRIVACY).post(WHERE, **SENT).status_code == 403


WRONG = [
    ({"field": "owl"}, "choose what is to be corrected"), ({"lines": " \n"}, "add the addresses"),
    ({"lines": "a@b.example,x\n" * (MOST_LINES + 1)}, "at most 2000 lines"), ({"lines": ANNE}, "Line 1 cannot be used"),
    ({"lines": f"{ANNE},x\nowl,Owl"}, "Line 2 cannot be used"), ({"lines": f"{ANNE},{'x' * 101}"}, "Line 1 cannot"),
    ({"lines": f"{ANNE},a\x07b"}, "Line 1 cannot be used"), ({"reason": ""}, "reason"),
]  # fmt: skip


@each(("wrong", "said"), WRONG)
def test_what_is_wrong_is_named_stays_typed_and_changes_nothing(world: World, wrong: dict[str, str], said: str) -> None:
    mia = Person(world)
    if mia.sign_in("mia@example.net").status_code != 303:
        mia = at_the_desk(world, Role.MANAGER, "mia@example.net")
        world.subscribe(ANNE, name="Ann")
    answer = mia.post(WHERE, **(SENT | wrong), sure="1")
    assert answer.status_code == 422 and said in answer.text
    assert names(world) == {ANNE: "Ann"}
