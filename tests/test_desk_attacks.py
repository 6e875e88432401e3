"""What somebody with a browser and bad intent tries at the desk, signed in or not."""

import csv
import io
import threading
import time
from collections.abc import Callable

import pytest
from werkzeug.datastructures import MultiDict

from subscriptions import passwords
from subscriptions.actions import tokens
from subscriptions.domain.policy import TokenScope
from subscriptions.domain.roles import Role
from subscriptions.store import export_marks
from subscriptions.store.audit import Act
from subscriptions.store.engine import transaction
from subscriptions.store.models import ActorKind
from subscriptions.web.admin import list_form, list_site
from subscriptions.web.admin.lists import difference
from subscriptions.web.intake import pasted
from tests.builders import ANNE, NEWS, World
from tests.desk import OLA, PASSWORD, Person, at_the_desk, invited
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.test_desk_exports import take
from tests.test_desk_lists import PATH, the_list
from tests.test_desk_people import page_of
from tests.test_lists_owned import change, create

pytestmark = BY_DAY_ON_SQLITE
QUICKLY = 15.0  # seconds, also where the machine is busy; what is tried here took minutes


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


# Somebody of the desk, against others of it


def test_who_is_signed_in_cannot_use_up_the_tries_of_another_account(world: World) -> None:
    ola, eve = at_the_desk(world, email=OLA), at_the_desk(world, Role.VIEWER, "eve@example.org")
    ola.post("/admin/sign-out")
    for number in range(22):
        eve.ip = f"198.51.100.{number}"
        assert eve.sign_in(OLA, "wrong").status_code in (422, 429)
    assert ola.sign_in().status_code == 303, "Ola's own browser"


def test_the_audit_is_for_who_sees_every_list(world: World) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    some = at_the_desk(world, Role.PRIVACY, lists=[row.id])
    assert some.get("/admin/audit").status_code == 403
    assert some.post("/admin/audit", about=ANNE).status_code == 403
    assert at_the_desk(world, Role.PRIVACY, "all@example.org").get("/admin/audit").status_code == 200


def test_a_site_that_is_allowed_changes_nothing_else_of_what_somebody_has_just_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(world)
    manager, asked = at_the_desk(world, Role.MANAGER), list_site.site.asked

    def meanwhile(typed: str, rows: object) -> object:
        monkeypatch.setattr(list_site.site, "asked", asked)
        change(world, "concerts", description="Written meanwhile.")
        return asked(typed, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(list_site.site, "asked", meanwhile)
    assert manager.post(f"{PATH}/site", site="www.verein.example").status_code == 303
    row = the_list(world)
    assert (row.description, "https://www.verein.example" in row.origins) == ("Written meanwhile.", True)


# What takes long


@each("text", ["a " * 5_000, "a b " * 2_500, "a\n" * 5_000])
def test_long_consent_texts_are_compared_quickly(text: str) -> None:
    other = text[:2_000] + "c d " + text[2_004:]
    assert seconds(lambda: difference(text, text[::-1] + "c")) < QUICKLY
    shown = difference(f"first {text}", f"first {other}")
    assert shown.startswith("first a") and "<ins>" in shown and len(shown) < len(text) * 3


def test_addresses_that_are_read_slowly_come_back_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasted, "MOST_UNUSUAL", 2)
    found = pasted.read("ä@example.org\nö@example.org\nü@example.org\nO'Neil@example.org\n".encode())
    assert found.addresses == ["ä@example.org", "ö@example.org", "o'neil@example.org"]
    assert found.bad == [(3, "ü@example.org")]


def test_a_form_has_no_languages_without_end() -> None:
    """A page with 20,000 took 5 s to refuse, and as many known ones would take minutes to show."""
    form = MultiDict(("tags", f"x{number}") for number in range(20_000))
    assert list_form.sent(form).tags == [f"x{number}" for number in range(list_form.MOST_LANGUAGES)]


# What no database and no calendar holds


@each("before", ["99999999999999999999", "9223372036854775808", "-1", "0", "x", "1" * 5_000])
def test_the_audit_has_no_page_before_the_end_of_numbers(world: World, before: str) -> None:
    pia = Person(world)
    if pia.sign_in().status_code != 303:
        pia = at_the_desk(world, email=OLA)
    assert pia.get(f"/admin/audit?before={before}").status_code == 200


def test_a_day_before_time_began_is_told(world: World) -> None:
    world.subscribe(ANNE)
    owner = at_the_desk(world)
    answer = owner.post(f"{page_of(world, ANNE)}/unsubscribe", channel="email", received="0001-01-01")
    assert answer.status_code == 422 and "as in the example" in answer.text
    sent = {"list": NEWS, "way": "email", "left_on": "0001-01-01", "addresses": ANNE}
    assert owner.post("/admin/export/back", **sent).status_code == 422


# What a stranger types and somebody else opens


@pytest.mark.parametrize("layout", ["listmonk", "mailchimp", "thunderbird"])
def test_no_name_begins_a_formula_in_a_file_for_another_program(world: World, layout: str) -> None:
    world.subscribe(ANNE, name="=cmd|' /C calc'!A0")
    _, (_, *cells) = csv.reader(io.StringIO(take(at_the_desk(world), "everyone", layout)))
    assert [cell for cell in cells if cell.startswith("=")] == [] and any("'=cmd" in cell for cell in cells)


def test_an_account_whose_password_was_taken_away_is_answered_as_slowly_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    class Hasher:
        def verify(self, of: str, _: str) -> bool:
            hashed.append(of)
            return True

    monkeypatch.setattr(passwords, "_hasher", Hasher)
    assert not passwords.matches(PASSWORD, "!") and not passwords.matches(PASSWORD, None)
    assert len(set(hashed)) == 1 and hashed[0].startswith("$argon2id$")


# Two at the same moment


def put_mark(world: World) -> None:
    with transaction() as session:
        export_marks.put(session, 1, "csv", added=world.clock.now(), removed=world.clock.now())


def invite(world: World) -> None:
    invited(world, "new@example.org")


def make_token(world: World) -> None:
    now = world.clock.now()
    tokens.create("sender", TokenScope.READ, now, Act(now, ActorKind.COMMAND, "root", "tokens create"))


@pytest.mark.parametrize("act", [put_mark, invite, make_token])
def test_of_two_who_press_at_the_same_moment_none_breaks(world: World, act: Callable[[World], None]) -> None:
    """Each looks whether it is there, before either has written it."""
    both, errors = threading.Barrier(8), list[BaseException]()

    def press() -> None:
        with world.app.app_context():
            both.wait()
            try:
                act(world)
            except tokens.Refused:
                return
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
