"""What the service says of itself and of what was typed, at the desk in the language of the page."""

from collections.abc import Callable
from dataclasses import replace

from flask import Flask

from subscriptions.domain.roles import Role
from subscriptions.domain.texts import Sentence
from subscriptions.parts import current_parts
from subscriptions.settings import ListSettings, Mail
from tests.builders import ANNE, LISTS, Movable, World
from tests.desk import at_the_desk
from tests.support.cases import ONE_DATABASE
from tests.test_desk_lists import PATH, as_typed, mark_of
from tests.test_desk_people import find, page_of
from tests.test_lists_owned import WHOLE, create

GERMAN = {"Accept-Language": "de"}
WRONG = [
    ("own.colour", "red", "muss eine Farbe sein, etwa „#14634b“."),
    ("own.timezone", "Berlin", "ist „Berlin“, also keine Zeitzone wie „Europe/Berlin“; gemeint ist"),
    ("own.confirmed_url", "https://elsewhere.example/", "muss auf einer der Websites der Liste liegen (bisher keine)."),
    ("own.fields", "No Key", "enthält „No Key“: Möglich sind"),
    ("de.policy_url", "nowhere", "muss mit https:// oder http:// beginnen."),
    ("own.description", "a\0b", "darf keine Steuerzeichen enthalten."),
]  # fmt: skip


def test_a_sentence_is_english_and_is_told_in_another_language_with_all_that_stands_in_it() -> None:
    said = Sentence("%(who)s has no %(what)s: 100%%", who="Anne", what=Sentence("name"))
    assert said == "Anne has no name: 100%" and f"{said}" == said
    german = {"%(who)s has no %(what)s: 100%%": "%(what)s fehlt %(who)s: 100 %%", "name": "Name"}
    assert said.told(german.__getitem__) == "Name fehlt Anne: 100 %"


@ONE_DATABASE
def test_health_tells_findings_in_the_language_of_the_page(make_app: Callable[..., Flask], clock: Movable) -> None:
    lists = (ListSettings(timezone="UTC"), replace(LISTS[1], fields=("company: Company",)))
    with (app := make_app(mail=Mail(transport="smtp", port=9), lists=lists)).app_context():
        assert {type(one) for one in current_parts(app).warnings} == {Sentence}
        page = at_the_desk(World(app, app.test_client(), clock)).get("/admin/health", headers=GERMAN).text
    assert "Der Liste „newsletter“ fehlt" in page and '<span lang="en">' not in page


@ONE_DATABASE
def test_what_is_wrong_with_a_list_is_told_in_the_language_of_the_page(world: World) -> None:
    create(world)
    manager, mistakes = at_the_desk(world, Role.MANAGER), []
    for field, text, says in WRONG:
        typed = as_typed(WHOLE) | {field: text, "tags": ["de"]}
        answer = manager.post(PATH, headers=GERMAN, mark=mark_of(manager.get(PATH)), **typed)
        if answer.status_code != 422 or says not in answer.text:
            mistakes.append(field)
    assert mistakes == []


@ONE_DATABASE
def test_a_persons_page_names_fields_as_the_form_does(world: World) -> None:
    world.subscribe(ANNE, name="Anne")
    page = find(at_the_desk(world, Role.PRIVACY), ANNE)
    assert "Also filled in: Name." in page
    done = at_the_desk(world, Role.MANAGER).post(
        f"{page_of(world, ANNE)}/correct", name="Anne Both", their_locale="de", email=ANNE, reason="she called"
    )
    assert done.status_code == 303
    german = at_the_desk(world).get(page_of(world, ANNE), headers=GERMAN).text
    assert "Außerdem ausgefüllt: Name." in german and "In der Verwaltung geändert: Name, Sprache." in german
