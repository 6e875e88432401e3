"""Back from the sender: who left there ends here, after a look at how many, once, with evidence of the file."""

import hashlib
import io
import re

from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.roles import Role
from subscriptions.store import audit
from subscriptions.store.engine import reading
from subscriptions.web.intake import pasted
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, World, rows_of_every_table
from tests.desk import Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.test_desk_people import key_of, only

pytestmark = BY_DAY_ON_SQLITE

WHERE = "/admin/export/back"
PASTED = f"email,name\n{ANNE},Anne\n{BART.upper()};Bart\nnobody@example.org\nno address here\n"
SENT = {"list": NEWS, "way": "sender", "left_on": "2026-11-23", "addresses": PASTED}


def carried(page: str) -> dict[str, str]:
    """The fields of the button."""
    form = page.partition('id="look"')[2].partition("</form>")[0]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def plain(page: str) -> str:
    return re.sub("<[^>]+>", "", page)


def open_of(world: World) -> list[str | None]:
    return [row.address for row in world.subscriptions() if row.is_open]


def test_who_left_at_the_sender_ends_here_after_a_look_and_the_rest_is_counted(world: World) -> None:
    for address in (ANNE, BART, CRIS):
        world.subscribe(address)
    world.subscribe(ANNE, OFFERS)
    mia, before = at_the_desk(world, Role.MANAGER), rows_of_every_table()
    look = mia.post(WHERE, **SENT)
    assert look.status_code == 200 and "2 addresses get Newsletter and will be unsubscribed" in plain(look.text)
    assert "1 address is not subscribed" in look.text and "Line 5: <bdi>no address here" in look.text
    assert rows_of_every_table() == before | {"audit": before["audit"] + 1}
    assert "looked up which of 3 addresses are subscribed to Newsletter." in at_the_desk(world).get("/admin/audit").text
    assert "<textarea" in look.text and "no address here\n</textarea>" in look.text
    page = mia.post(WHERE, **carried(look.text)).text
    assert "2 subscriptions have ended. 1 address was not subscribed." in page
    assert open_of(world) == [CRIS, ANNE]
    ended = [row for row in world.evidence() if row.fact is Fact.UNSUBSCRIBED]
    sha256 = hashlib.sha256(PASTED.encode()).hexdigest()
    assert {(row.channel, row.actor) for row in ended} == {(Channel.DESK, "desk")}
    assert {row.details["sha256"] for row in ended} == {sha256}
    assert {row.details["received"] for row in ended} == {"2026-11-23T00:00:00+00:00"}
    with reading() as session:
        row = audit.newest(session, 1)[0]
    assert (row.act, row.count, row.details) == ("people back", 2, {"list": NEWS, "way": "sender", "sha256": sha256})
    again = mia.post(WHERE, **carried(look.text)).text
    assert "0 subscriptions have ended." in again and open_of(world) == [CRIS, ANNE]
    assert "left in the newsletter program" in mia.get(f"/admin/people/{key_of(world, ANNE).hex()}").text


def test_a_file_says_it_as_well_and_many_can_be_unsubscribed_who_wrote_a_letter(world: World) -> None:
    world.subscribe(ANNE)
    mia, octets = at_the_desk(world, Role.MANAGER), f"Name;Address\r\nÄnne;{ANNE}\r\n".encode("cp1252")
    file = (io.BytesIO(octets), "left.csv")
    look = mia.post(WHERE, **{**SENT, "way": "letter", "addresses": "", "file": file})
    assert "1 address gets Newsletter" in plain(look.text) and "no address" not in look.text
    mia.post(WHERE, **carried(look.text))
    fact = world.evidence()[-1]
    assert (fact.channel, fact.details["reason"]) == (Channel.LETTER, "revoked by letter")
    assert fact.details["sha256"] == hashlib.sha256(octets).hexdigest() and open_of(world) == []


def test_nothing_ends_that_was_not_looked_at(world: World) -> None:
    world.subscribe(ANNE)
    mia = at_the_desk(world, Role.MANAGER)
    looked = carried(mia.post(WHERE, **SENT).text)
    for name, other in (("slug", OFFERS), ("keys", key_of(world, BART).hex()), ("day", "2020-01-01"), ("mark", "00"),
                        ("sha256", "x"), ("total", "9"), ("way", "phone"), ("mark", "ä\0")):  # fmt: skip
        assert mia.post(WHERE, **(looked | {name: other})).status_code == 404, name
    assert open_of(world) == [ANNE]


def test_a_list_of_others_is_not_there(world: World) -> None:
    mia = only(world, NEWS)
    assert mia.post(WHERE, **(SENT | {"list": OFFERS})).status_code == 404
    world.subscribe(ANNE, OFFERS)
    theirs = carried(at_the_desk(world).post(WHERE, **(SENT | {"list": OFFERS})).text)
    assert theirs["slug"] == OFFERS and mia.post(WHERE, **(theirs | {"csrf": mia.csrf()})).status_code == 404
    assert open_of(world) == [ANNE]
    assert at_the_desk(world, Role.PRIVACY).post(WHERE, **SENT).status_code == 403


WRONG = [
    ({"way": "owl"}, "how they told you"), ({"left_on": "2027-01-01"}, "in the future"), ({"left_on": "x"}, "date"),
    ({"addresses": " \n"}, "add the addresses"), ({"addresses": "a@b.example\n" * 100_001}, "at once"),
]  # fmt: skip


@each(("wrong", "said"), WRONG)
def test_what_is_not_filled_in_rightly_is_said(world: World, wrong: dict[str, str], said: str) -> None:
    mia = Person(world)
    if mia.sign_in("mia@example.net").status_code != 303:
        mia = at_the_desk(world, Role.MANAGER, "mia@example.net")
    answer = mia.post(WHERE, **(SENT | wrong))
    assert answer.status_code == 422 and said in answer.text


TEXTS = [
    (f"{ANNE}\n{BART}".encode(), [ANNE, BART], []), (f"{ANNE}\r{BART}\r".encode(), [ANNE, BART], []),
    (f"\ufeff{ANNE}".encode(), [ANNE], []), (f'"Anne, née Both" <{ANNE}>\n'.encode(), [ANNE], []),
    (f"mail\tname\n{ANNE}\tÄnne".encode("utf-16"), [ANNE], []), (f"{ANNE}\n".encode("utf-16-le"), [ANNE], []),
    (f"{ANNE}\n".encode("utf-16-be"), [ANNE], []), (f"Änne;{ANNE}".encode("cp1252"), [ANNE], []),
    (f'"1","{ANNE}","{BART}"'.encode(), [ANNE], []), (f"{ANNE}\n{ANNE.upper()}\n\n".encode(), [ANNE], []),
    (b"email\nx\n\ny@\n", [], [(2, "x"), (4, "y@")]), (b"x@\n", [], [(1, "x@")]), (b"\0\xff\n%_", [], []),
    (b"", [], []),
]  # fmt: skip


@each(("octets", "addresses", "bad"), TEXTS)
def test_addresses_are_read_in_any_encoding_and_bad_lines_by_their_number(
    octets: bytes, addresses: list[str], bad: list[tuple[int, str]]
) -> None:
    assert pasted.read(octets) == (addresses, bad)
