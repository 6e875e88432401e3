"""Which language a reader gets, and that pages say so and keep it; made-up languages are in brackets."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import gettext
from werkzeug.test import TestResponse

from subscriptions import languages
from subscriptions.languages import Languages, direction, own_name, words
from tests.builders import ANNE, LISTS, NEWS, Movable, World, text_of
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each
from tests.support.catalogues import HOME, TEMPLATE, bracketed

pytestmark = BY_DAY_ON_SQLITE

FORM = f"/subscribe/{NEWS}"
AR = {"Accept-Language": "ar;q=0.9, en;q=0.1"}
IN_NOVEMBER = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return bracketed(tmp_path / "translations", "ar", "de", "pt_BR")


@pytest.fixture
def worlds(
    folder: Path, make_app: Callable[..., Flask], clock: Movable, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], World]:
    """Makes a world that speaks them all; its lists have this locale."""
    monkeypatch.setattr(languages, "FOLDER", folder)

    def made(locale: str) -> World:
        app = make_app(lists=tuple(replace(one, locale=locale) for one in LISTS))
        return World(app, app.test_client(), clock)

    return made


@pytest.fixture
def world(worlds: Callable[[str], World], request: pytest.FixtureRequest) -> object:
    """Where lists are English unless a test says otherwise."""
    made = worlds(getattr(request, "param", "en"))
    with made.app.app_context():
        yield made


def spoken(answer: TestResponse) -> str:
    """The language of a page, which its tag and its header name alike."""
    found = re.search(r'<html lang="([^"]+)" dir="(ltr|rtl)">', answer.text)
    assert found is not None
    assert answer.headers.getlist("Content-Language") == [found[1]]
    assert found[2] == direction(found[1])
    assert ("⟦" in answer.text) is (found[1] != "en")
    return found[1]


def test_there_is_english_and_every_language_with_a_compiled_catalogue(folder: Path) -> None:
    (folder / "xx").mkdir()
    assert Languages(folder).tags == ["en", "ar", "de", "pt-BR"]


@each(
    ("asked", "accepted", "of_list", "best"),
    [
        (None, [], "en", "en"), (None, [], "de", "de"), (None, [], "de-AT", "de"), (None, [], "pl", "en"),
        (None, ["ar", "de"], "en", "ar"), (None, ["pl", "*", "de-CH"], "en", "de"), (None, ["pl"], "de", "de"),
        ("ar", ["de"], "en", "ar"), ("AR-eg", ["de"], "en", "ar"), ("pl", ["de"], "en", "de"), ("", [], "ar", "ar"),
        ("pt_br", [], "en", "pt-BR"), ("pt", [], "en", "en"), ("x" * 9999 + "-", [], "de", "de"),
    ],
)  # fmt: skip
def test_what_is_asked_goes_before_what_is_accepted_and_that_before_the_list(
    folder: Path, asked: str | None, accepted: list[str], of_list: str, best: str
) -> None:
    assert Languages(folder).best(asked, accepted, of_list) == best


@pytest.mark.parametrize(
    ("tag", "runs", "name", "time"),
    [
        ("en", "ltr", "English", "23 November 2026, 09:15 (UTC)"),
        ("de", "ltr", "Deutsch", "23. November 2026, 09:15 (UTC)"),
        ("fr", "ltr", "français", "23 novembre 2026, 09:15 (UTC)"),
        ("es", "ltr", "español", "23 de noviembre de 2026, 9:15 (UTC)"),
        ("ar", "rtl", "العربية", None),
        ("pt-BR", "ltr", "português (Brasil)", None),
    ],
)
def test_a_language_has_a_direction_a_name_of_its_own_and_its_way_to_write_a_time(
    tag: str, runs: str, name: str, time: str | None
) -> None:
    assert (direction(tag), own_name(tag)) == (runs, name)
    assert time is None or words(IN_NOVEMBER, tag) == time


@ONE_DATABASE
@pytest.mark.parametrize(
    ("world", "query", "headers", "tag"),
    [
        ("en", "", {}, "en"), ("de-AT", "", {}, "de"), ("pl", "", {}, "en"), ("de", "", AR, "ar"),
        ("de", "", {"Accept-Language": "ar;q=0, pl"}, "de"), ("de", "?lang=pt-BR", AR, "pt-BR"),
        ("de", "?lang=en", AR, "en"), ("de", "?lang=xx", AR, "ar"), ("de", "?lang=%00%0d", {}, "de"),
    ],
    indirect=["world"],
)  # fmt: skip
@each("path", ["/", FORM, f"{FORM}/check-inbox", "/nowhere"])
def test_every_page_speaks_the_best_language_and_says_which(
    world: World, path: str, query: str, headers: dict[str, str], tag: str
) -> None:
    assert spoken(world.get(path + query, headers=headers)) == tag


def test_pages_behind_a_link_speak_the_language_of_the_sign_up_not_of_the_browser(world: World) -> None:
    world.sign_up(ANNE, locale="ar-EG")
    pages = [world.confirm_link(), world.not_me_link()]
    world.post(pages[0])
    assert [spoken(world.get(page, headers={"Accept-Language": "de"})) for page in pages] == ["ar", "ar"]
    assert spoken(world.get(world.leave_link(ANNE), headers={"Accept-Language": "de"})) == "ar"
    assert spoken(world.get(f"{pages[0]}?lang=en")) == "en"


def test_a_button_that_erases_the_sign_up_leaves_its_language_to_the_pages_after_it(world: World) -> None:
    world.sign_up(ANNE, locale="ar")
    done = world.post(world.not_me_link())
    undo = re.search(r'action="([^"]+/undo[^"]*)"', done.text)
    assert undo is not None
    assert (spoken(done), spoken(world.post(undo[1]))) == ("ar", "ar")


@pytest.mark.parametrize("headers", [{}, {"Accept-Language": "de"}, AR])
def test_the_form_carries_its_language_to_the_next_page_and_into_the_mail(
    world: World, headers: dict[str, str]
) -> None:
    page = world.get(f"{FORM}?lang=ar", headers=headers)
    action, locale = re.search(r'action="([^"]+)"', page.text), re.search(r'name="locale" value="([^"]+)"', page.text)
    assert action is not None and locale is not None
    sent = world.post(action[1], data={"email": ANNE, "locale": locale[1]}, headers=headers)
    assert spoken(world.get(sent.location, headers=headers)) == "ar"
    assert world.registrations()[0].locale == "ar"
    assert str(world.mails(ANNE)[0]["Subject"]).startswith("⟦ar: ")


@pytest.mark.parametrize("world", ["de-AT"], indirect=True)
def test_the_list_keeps_its_own_shade_of_the_language_of_the_page(world: World) -> None:
    assert 'name="locale" value="de-AT"' in world.get(FORM).text
    world.sign_up_by_form(ANNE)
    assert world.registrations()[0].locale == "de-AT"


@pytest.mark.parametrize("headers", [{}, {"Accept-Language": "en"}, {"Accept-Language": "pl, de;q=0.1"}])
def test_links_name_a_language_only_where_the_next_page_would_choose_another(
    world: World, headers: dict[str, str]
) -> None:
    for path in ("/", FORM):
        page = world.get(path, headers=headers).text.partition('<ul class="languages">')[0]
        assert "lang=" not in page.replace("<html lang=", "").replace(' lang="', "")


def test_problems_of_a_form_are_told_in_its_language_and_those_of_json_in_english(world: World) -> None:
    wrong = {"email": "no address", "name": "x" * 101}
    page = world.post(FORM, data=wrong, headers=AR)
    assert "⟦ar: ⟦ar: Name⟧: at most 100 characters.⟧" in page.text
    assert "⟦ar: The @ sign is missing." in page.text
    problem = world.sign_up(wrong["email"], name=wrong["name"], headers=AR)
    assert "⟦" not in problem.text
    assert "at most 100 characters" in problem.text


def test_a_visitor_finds_each_language_by_its_own_name_and_stays_on_the_page(world: World) -> None:
    handle = world.sign_up().get_json()["registration"]
    page = world.get(f"{FORM}/check-inbox?r={handle}&x=y", headers=AR).text
    links = re.findall(r'<a href="([^"]+)" lang="([^"]+)" hreflang="([^"]+)"( aria-current="true")?>([^<]+)</a>', page)
    assert [(tag, other, bool(here), name) for _, tag, other, here, name in links] == [
        ("en", "en", False, "English"), ("ar", "ar", True, "العربية"), ("de", "de", False, "Deutsch"),
        ("pt-BR", "pt-BR", False, "português (Brasil)"),
    ]  # fmt: skip
    for url, tag, *_ in links:
        assert f"r={handle}" in url and "x=y" not in url
        assert spoken(world.get(url.replace("&amp;", "&"), headers=AR)) == tag


def test_where_there_is_one_language_nothing_offers_another(
    make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    page = make_app().test_client().get(FORM, base_url="http://127.0.0.1:8000")
    assert (spoken(page), "hreflang" in page.text) == ("en", False)


def test_a_mail_that_is_written_during_a_request_leaves_the_page_in_its_language(world: World) -> None:
    world.sign_up(ANNE, locale="de")
    with world.app.test_request_context(FORM, headers=AR):
        before = gettext("Hello,")
        assert "⟦de: " in text_of(world.mails(ANNE)[0])
        assert before == gettext("Hello,") == "⟦ar: Hello,⟧"


def test_the_list_of_texts_is_what_code_and_templates_hold(tmp_path: Path) -> None:
    makefile = (HOME / "Makefile").read_text("utf-8").replace("\\\n", " ")
    line = re.search(r"^EXTRACT := (.*)", makefile, re.M)
    assert line is not None
    command = [Path(sys.executable).with_name("pybabel"), "--quiet", *shlex.split(line[1])]
    subprocess.run([*command, f"--output-file={tmp_path}/now.pot", "."], cwd=HOME, check=True)
    assert (tmp_path / "now.pot").read_text("utf-8") == TEMPLATE.read_text("utf-8"), "run make translations"


def test_every_catalogue_is_whole_and_keeps_what_is_filled_in() -> None:
    with TEMPLATE.open("rb") as file:
        wanted = {one.id for one in read_po(file) if one.id}
    for path in sorted(HOME.glob("translations/*/LC_MESSAGES/messages.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parts[-3])
        said = {one.id for one in catalogue if one.id and one.string and all(one.string) and not one.fuzzy}
        assert wanted - said == set(), path
        assert not list(catalogue.check()), path
        assert path.with_suffix(".mo").exists(), path
