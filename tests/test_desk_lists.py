"""Lists at the desk: made, written, kept; what is typed is held to the rules of the file, and nothing typed is lost."""

import re
from dataclasses import replace
from typing import Any

from werkzeug.test import TestResponse

from subscriptions.domain.roles import Role
from subscriptions.settings import ListSettings
from subscriptions.store import audit
from subscriptions.store.engine import reading
from subscriptions.store.lists import told
from subscriptions.store.models import List
from subscriptions.web.admin import list_form
from subscriptions.web.admin.lists import difference, slug_of
from tests.builders import ANNE, BART, LISTS, NEWS, OFFERS, World
from tests.desk import Person, at_the_desk
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_lists_owned import WHOLE, change, create

pytestmark = BY_DAY_ON_SQLITE

PATH = "/admin/lists/concerts"


def the_list(world: World, slug: str = "concerts") -> List:
    return next(row for row in world.parts.catalogue.lists.values() if row.slug == slug)


def as_typed(said: ListSettings) -> dict[str, Any]:
    """The fields of the form as a browser sends them."""
    form = list_form.filled_with(said)
    ticked = {"own.welcome": "1" if said.welcome else None, "own.public": "1" if said.public else None}
    return form.typed | ticked | {"keys": form.keys, "tags": form.tags}


def mark_of(page: TestResponse) -> str:
    found = re.search(r'name="mark" value="(\w+)"', page.text)
    assert found
    return found[1]


def save(person: Person, mark: str | None = None, path: str = PATH, **typed: Any) -> TestResponse:
    return person.post(path, mark=mark or mark_of(person.get(path)), **as_typed(WHOLE) | typed)


def test_whoever_makes_a_list_types_its_name_and_writes_its_texts_next(world: World) -> None:
    owner = at_the_desk(world)
    made = owner.post("/admin/lists", name="Der große Brief", slug="", language="de", timezone="Europe/Berlin")
    assert made.location == "/admin/lists/der-grosse-brief?done=made"
    page = owner.get(made.location).text
    assert "To do before you go live: Responsible person or organisation, Postal address, Contact for privacy," in page
    row = the_list(world, "der-grosse-brief")
    assert (row.name, row.locale, row.timezone, row.draft) == ("Der große Brief", "de", "Europe/Berlin", True)
    before = told(row, world.parts.catalogue.wordings)
    path, typed = made.location.partition("?")[0], as_typed(before) | {"own.controller": "Verein e. V."}
    assert owner.post(path, mark=mark_of(owner.get(path)), **typed).status_code == 303
    after = told(the_list(world, "der-grosse-brief"), world.parts.catalogue.wordings)
    assert before.wording != after.wording and "Verein e. V." in after.wording, "the usual text names who sends"
    again = owner.post("/admin/lists", name="Der große Brief", slug="", language="de", timezone="")
    assert again.status_code == 422 and "There is a list with that address already" in again.text
    assert 'value="Der große Brief"' in again.text


UNMADE: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "Name: must be a single line"), ({"slug": "Über uns"}, "its form: must have only a-z"),
    ({"name": "x" * 10_000}, "Name: must be a single line"), ({"name": "a\0b"}, "must be a single line"),
    ({"name": "日本"}, "must have only"), ({"timezone": "Berlin"}, "perhaps you mean"),
    ({"language": "%_"}, "Language: must be a language tag"), ({"slug": NEWS}, "list with that address already"),
]  # fmt: skip


def test_a_list_that_cannot_be_made_says_why_and_keeps_what_was_typed(world: World) -> None:
    owner, mistakes = at_the_desk(world), []
    for typed, says in UNMADE:
        answer = owner.post("/admin/lists", **{"name": "Kept", "slug": "", "language": "en", "timezone": ""} | typed)
        kept = "name" in typed or 'value="Kept"' in answer.text
        if answer.status_code != 422 or says not in answer.text or not kept:
            mistakes.append((typed, answer.status_code))
    assert mistakes == [] and len(world.parts.catalogue.lists) == len(LISTS)


def _audit() -> list[Any]:
    with reading() as session:
        return [*audit.newest(session, 5)]


def test_what_is_saved_is_what_everybody_reads_and_the_audit_says_who_changed_what(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    texts = {"own.name": "Evening letter", "own.confirmed_text": "Hello.\r\n\r\nSee https://example.org/first."}
    saved = save(
        manager, **texts, **{"own.public": None, "keys": ["given_name"], "own.fields": "company: Club | For us."}
    )
    assert saved.status_code == 303 and "Saved." in manager.get(saved.location).text
    row = the_list(world)
    assert (row.name, row.public, row.confirmed_text) == (
        "Evening letter", False, "Hello.\n\nSee https://example.org/first."
    )  # fmt: skip
    assert row.fields == ["given_name", "company: Club\nFor us."]
    assert "Evening letter" in world.get("/subscribe/concerts").text
    [newest, *_] = _audit()
    assert newest.act == "lists edit" and newest.details["list"] == "concerts"
    assert newest.details["changed"] == ["confirmed_text", "fields", "name", "public"]
    typed = as_typed(told(row, world.parts.catalogue.wordings))
    twice = manager.post(PATH, mark=mark_of(manager.get(PATH)), **typed)
    assert twice.location.endswith("done=same") and _audit()[0].id == newest.id


WRONG: list[tuple[str, str, str]] = [
    ("own.policy_url", "javascript:alert(1)", "must start with https:// or http://"),
    ("own.wording", "   ", "must say what people consent to"), ("own.name", "a\nb", "must be a single line"),
    ("own.colour", "red", "must be a colour"), ("own.sender", "nobody", "must be one address"),
    ("own.description", "a\0b", "must not contain control characters"), ("own.origins", "https://x.example/", "origin"),
    ("own.confirmed_url", "https://elsewhere.example/", "must be on one of"), ("own.fields", "No Key", "contains"),
    ("own.welcome_text", "x" * 2001, "at most 2,000 characters"), ("own.locale", "english!", "language tag"),
    ("own.postal_address", "x" * 10_001, "at most 10,000 characters"), ("own.timezone", "Berlin", "Europe/Berlin"),
    ("own.wording", "QzXcodeXzQ", "must not contain"), ("de.policy_url", "nowhere", "must start with"),
]  # fmt: skip


def test_what_the_file_may_not_say_the_desk_may_not_either_and_what_was_typed_stays(world: World) -> None:
    create(world)
    manager, before = at_the_desk(world, Role.MANAGER), the_list(world)
    mistakes = []
    for field, text, says in WRONG:
        answer = save(manager, **{field: text, "own.description": "Typed beside it"} | {field: text}, tags=["de"])
        kept = field == "own.description" or "Typed beside it" in answer.text
        if answer.status_code != 422 or says not in answer.text or not kept or 'aria-invalid="true"' not in answer.text:
            mistakes.append((field, answer.status_code, says))
    assert mistakes == [] and the_list(world).wording_id == before.wording_id


def test_two_who_write_at_once_are_shown_both_texts_and_the_second_decides(world: World) -> None:
    create(world)
    ola, bea = at_the_desk(world), at_the_desk(world, Role.MANAGER)
    before = mark_of(bea.get(PATH))
    assert save(ola, **{"own.name": "Ola’s letter"}).status_code == 303
    stale = save(bea, before, **{"own.name": "Bea’s letter"})
    assert stale.status_code == 409 and the_list(world).name == "Ola’s letter"
    assert "<del>Ola’s letter</del>" in stale.text and "<ins>Bea’s letter</ins>" in stale.text
    assert save(bea, mark_of(stale), **{"own.name": "Bea’s letter"}).status_code == 303
    assert the_list(world).name == "Bea’s letter"


def test_a_list_of_the_file_is_shown_and_changed_only_once_it_was_taken_over(world: World) -> None:
    owner, manager = at_the_desk(world), at_the_desk(world, Role.MANAGER)
    path, typed = f"/admin/lists/{OFFERS}", as_typed(LISTS[1]) | {"own.name": "Bargains"}
    page = owner.get(path)
    assert "set in config.toml" in page.text and "disabled" in page.text and "Take it over" in page.text
    assert "Take it over" not in manager.get(path).text
    refused = manager.post(path, mark=mark_of(page), **typed)
    assert refused.status_code == 422 and "Take it over before you change it here." in refused.text
    taken = owner.post(f"{path}/take-over")
    assert "You can remove its [[lists]]" in owner.get(taken.location).text
    assert manager.post(path, mark=mark_of(manager.get(path)), **typed).status_code == 303
    assert the_list(world, OFFERS).name == "Bargains"


def test_nobody_types_the_address_of_a_list_or_a_file_of_the_server(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    assert save(manager, **{"own.slug": "other", "own.logo": "/etc/passwd", "own.owner": "file"}).status_code == 303
    assert (the_list(world).slug, the_list(world).logo) == ("concerts", "")


def test_languages_come_and_go_and_a_wording_is_written_from_its_parts_in_each(world: World) -> None:
    create(world)
    manager = at_the_desk(world, Role.MANAGER)
    added = save(manager, do="language", language="de", **{"own.description": "Not saved yet"})
    assert 'name="de.wording"' in added.text and "Not saved yet" in added.text and the_list(world).texts == {}
    parts = {"own.often": "once a month", "own.about": "our concerts", "own.controller": "Taller S.L."}
    written = save(manager, do="compose.own", **parts)
    text = "Please send me “Concert letter” of Taller S.L. by email, once a month, about our concerts."
    assert text in written.text and the_list(world).texts == {}
    german = {"de.name": "Konzertbrief", "de.wording": "Ja, den Konzertbrief der Example Society.", "tags": ["de"]}
    assert save(manager, **german).status_code == 303
    row = the_list(world)
    assert row.said_in("de").name == "Konzertbrief" and row.said_in("de").wording_id != row.wording_id
    assert save(manager, **german, **{"de.remove": "1"}).status_code == 303
    assert the_list(world).texts == {}


def test_a_changed_wording_is_a_version_and_who_agreed_to_the_earlier_one_keeps_it(world: World) -> None:
    create(world)
    for address in (ANNE, BART):
        world.subscribe(address, "concerts")
    text = told(the_list(world), world.parts.catalogue.wordings).wording
    world.clock.forward(days=3)
    change(world, "concerts", wording=text.replace("at any time", "whenever I like"))
    page = at_the_desk(world, Role.VIEWER).get(f"{PATH}/wordings").text
    assert "2 people agreed to an earlier text and keep it. For anything it does not cover, ask them again." in page
    assert "<ins>whenever</ins>" in page
    assert page.index("whenever") < page.index("2 subscribers agreed to it")
    assert "0 subscribers agreed to it" in page and page.count("in use") == 1


def test_a_difference_shows_the_words_that_went_and_came_and_escapes_them() -> None:
    assert difference("a <b> c", "a d c") == "a <del>&lt;b&gt;</del><ins>d</ins> c"
    assert difference("same", "same") == "same" and slug_of("Día & Noche!") == "dia-noche"


def test_a_list_goes_to_the_archive_and_comes_back_by_an_owner_alone(world: World) -> None:
    create(world)
    owner, manager = at_the_desk(world), at_the_desk(world, Role.MANAGER)
    assert manager.post(f"{PATH}/archive").status_code == 403
    assert owner.post(f"{PATH}/archive").status_code == 303 and world.get("/subscribe/concerts").status_code == 404
    assert "Restore" in owner.get("/admin/lists").text and "in the archive" in manager.get(PATH).text
    assert owner.post(f"{PATH}/restore").status_code == 303 and world.get("/subscribe/concerts").status_code == 200
    assert owner.post(f"/admin/lists/{NEWS}/archive").status_code == 422, "the file decides"
    assert [owner.post("/admin/lists/" + "9" * 30 + "/archive").status_code, owner.get(f"{PATH}x").status_code] == [
        404
    ] * 2


def test_a_list_of_others_is_not_there(world: World) -> None:
    create(world)
    news = the_list(world, NEWS)
    eve = at_the_desk(world, Role.MANAGER, lists=[news.id])
    assert "Concert letter" not in eve.get("/admin/lists").text
    gets = [eve.get(f"{PATH}{tail}").status_code for tail in ("", "/wordings", "/site", "/preview", "/preview.css")]
    posts = [eve.post(f"{PATH}{tail}").status_code for tail in ("", "/site", "/preview")]
    assert gets == [404] * 5 and posts == [404] * 3


def test_a_viewer_looks_and_changes_nothing(world: World) -> None:
    create(world, replace(WHOLE, description="Every Sunday"))
    viewer = at_the_desk(world, Role.VIEWER)
    page = viewer.get(PATH).text
    assert "Every Sunday" in page and "<fieldset class=\"bare\" disabled>" in page and ">Save<" not in page.replace(
        'aria-hidden="true">Save<', "")  # fmt: skip
    assert viewer.post(PATH, **{"own.name": "Mine"}).status_code == 403 and the_list(world).name == "Concert letter"
