"""What was typed when a session had ended comes back after the sign-in, and is sent by a press alone."""

import io
import json
import re
from html import unescape

import pytest

from subscriptions.domain.roles import Role
from subscriptions.store import tokens
from subscriptions.store.engine import reading
from tests.builders import World
from tests.desk import OLA, PASSWORD, Person, at_the_desk, code, second_factor
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE
REASON = 'Said so: "please" & <b>thank you</b>\r\nä 🦉 %_'


@pytest.fixture
def ola(world: World) -> Person:
    return at_the_desk(world, email=OLA)


def hidden(page: str) -> dict[str, str]:
    """The last form's fields that nobody sees."""
    return {name: unescape(text) for name, text in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}


def sent_late(person: Person, path: str = "/admin/tokens", **fields: object) -> str:
    """A form that is sent when the session has ended: the page that answers."""
    mark = person.csrf()
    person.world.clock.forward(hours=1)
    return person.post(path, csrf=mark, **fields).text


def made() -> list[str]:
    with reading() as session:
        return [row.name for row in tokens.all_of(session)]


def test_it_comes_back_after_a_wrong_password_as_well_and_nothing_is_done_without_the_press(
    world: World, ola: Person
) -> None:
    page = sent_late(ola, name=REASON, scope="read")
    assert "Your session has ended" in page and "are not kept" not in page
    carried = hidden(page)
    again = ola.sign_in(password="wrong", **carried)
    assert again.status_code == 422 and hidden(again.text) == carried
    page = ola.sign_in(**carried).text
    assert "You are signed in again" in page and made() == []
    fields = hidden(page)
    assert (fields["name"], fields["scope"]) == (REASON, "read") and 'action="/admin/tokens"' in page
    assert "one line" in ola.post("/admin/tokens", **fields).text, "the mark is the new session's"
    assert ola.post("/admin/tokens", **(fields | {"name": "my-sender"})).status_code == 200 and made() == ["my-sender"]


def test_it_comes_through_the_second_step_as_well(world: World, ola: Person) -> None:
    secret, _ = second_factor(ola)
    step = ola.sign_in(**hidden(sent_late(ola, name="my-sender", scope="read"))).text
    page = ola.post("/admin/second-step", code=code(world, secret), **(hidden(step) | {"csrf": None})).text
    assert "You are signed in again" in page and hidden(page)["name"] == "my-sender"


def test_whoever_sits_at_the_machine_gets_it_back_by_the_press_that_signs_in(world: World) -> None:
    here = Person(world, "127.0.0.1")
    here.post("/admin/from-here", csrf=None)
    carried = hidden(sent_late(here, name="my-sender", scope="read")) | {"csrf": None}
    assert hidden(here.post("/admin/from-here", **carried).text)["name"] == "my-sender"


SECRET = "not to be written anywhere"


@each("name", ["password", "proof", "code", "credential", "proof_key", "csrf"])
def test_no_password_and_no_code_is_ever_carried(world: World, name: str) -> None:
    person = at_the_desk(world, Role.VIEWER, f"{name}@example.org")
    world.clock.forward(hours=1)
    assert SECRET not in person.post("/admin/account/password", **{"reason": "x", name: SECRET}).text
    kept = json.dumps([["reason", "x"], [name, SECRET]])
    answer = person.sign_in(f"{name}@example.org", then="/admin/tokens", kept=kept)
    assert "signed in again" in answer.text and SECRET not in answer.text


HOSTILE = ["", "x", "[", "[" * 9_000, "{}", "7", "[7]", "null", '["ab"]', '[["a","b","c"]]', '[["\\ud800"]]', "\0"]


@each("kept", HOSTILE)
def test_what_is_none_of_ours_leads_on_as_if_nothing_had_been_typed(world: World, kept: str) -> None:
    if Person(world).sign_in().status_code != 303:
        at_the_desk(world, email=OLA)
    answer = Person(world).sign_in(then="/admin/audit", kept=kept)
    assert (answer.status_code, answer.location) == (303, "/admin/audit")


def test_files_and_texts_without_end_are_not_carried_and_the_page_says_so(world: World, ola: Person) -> None:
    page = sent_late(ola, name="my-sender", file=(io.BytesIO(b"text"), "a.csv"))
    assert "are not kept" in page and hidden(page)["kept"] == '[["name", "my-sender"]]'
    # the limit of a form is 64 KiB, unless its row says otherwise, so this is as long as it gets
    text = "ä" * 10_000
    page = sent_late(ola, name=text)
    assert json.loads(hidden(page)["kept"]) == [["name", text]]
    assert hidden(ola.sign_in(**hidden(page)).text)["name"] == text


def test_another_site_cannot_have_anything_carried(world: World) -> None:
    answer = Person(world).post("/admin/tokens", {"Sec-Fetch-Site": "cross-site"}, name="my-sender", password=PASSWORD)
    assert answer.status_code == 403 and "my-sender" not in answer.text
