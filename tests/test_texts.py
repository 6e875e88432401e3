"""One list in several languages: people see all of it in theirs, and each wording has an id of its own."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.parts import current_parts
from subscriptions.settings import ListSettings, ListTexts
from subscriptions.store.lists import wording_hash
from tests.builders import ANNE, LISTS, NEWS, OFFERS, Movable, World, link_in, text_of
from tests.preferences import ask
from tests.support.cases import each
from tests.test_settings import read, refused
from tests.typed import visit

OWN = ListSettings(
    slug=NEWS, name="The Letter", description="News of ours.", wording="Yes to the letter.", controller="The Society",
    postal_address="1 Street", privacy_contact="privacy@example.org", policy_url="https://example.org/privacy",
    fields=("name", "club: Your club\nWe invite clubs."), welcome=True,
)  # fmt: skip
DE = ListTexts("Der Brief", "Neues von uns.", "Ja zum Brief.", "https://example.org/datenschutz", "Der Verein",
               "Straße 1", "datenschutz@example.org", ("club: Ihr Verein\nWir laden Vereine ein.",))  # fmt: skip
FR = ListTexts(name="La lettre")
HIDDEN_IN_DE = ("The Letter", "News of ours", "Yes to", "The Society", "1 Street", "/privacy", "privacy@", "Your club")


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    lists = (replace(OWN, texts={"de": DE, "fr": FR}), replace(LISTS[1], texts={"de": ListTexts("Angebote")}))
    app = make_app(lists=lists)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def speaks_german(text: str, *says: str) -> None:
    assert [one for one in says if one not in text] == []
    assert [one for one in HIDDEN_IN_DE if one in text] == []


def test_every_page_and_mail_says_the_texts_of_its_readers_language(world: World) -> None:
    form = (DE.name, DE.wording, DE.controller, DE.policy_url, "Ihr Verein", "Wir laden Vereine ein.")
    for path in (f"/subscribe/{NEWS}", f"/embed/{NEWS}/frame", f"/subscribe?lists={NEWS},{OFFERS}"):
        speaks_german(world.get(f"{path}{'&' if '?' in path else '?'}lang=de").text, *form)
    speaks_german(str(world.get(f"/api/v1/lists/{NEWS}/form?lang=de").json), *form)
    snippet = world.get(f"/embed/{NEWS}?lang=de").text.partition('<h2 id="script"')[2]
    speaks_german(snippet, *form)
    legal = (DE.name, DE.controller, DE.postal_address, DE.privacy_contact)
    handle = visit(world, locale="de", name="Anne")
    speaks_german(world.get(f"/subscribe/{NEWS}/check-inbox?r={handle}&lang=de").text, *legal)
    mail = world.mails(ANNE)[-1]
    speaks_german(text_of(mail) + str(mail["Subject"]), *legal, DE.wording, DE.policy_url)
    speaks_german(world.get(world.confirm_link()).text, *legal, DE.wording)
    speaks_german(world.get(world.not_me_link()).text, *legal)
    speaks_german(world.post(world.confirm_link()).text, *legal)
    speaks_german(text_of(world.mails(ANNE)[-1]), *legal, DE.wording)
    speaks_german(world.get(world.leave_link(ANNE)).text, *legal)
    world.clock.forward(minutes=15)
    ask(world, ANNE)
    mail = world.mails(ANNE)[-1]
    speaks_german(text_of(mail), *legal[1:])
    speaks_german(world.post(link_in(mail, "my-data")).text, *legal, "Angebote", "Ihr Verein")
    speaks_german(world.post(world.leave_link(ANNE)).text, *legal)


def test_the_lists_own_wording_keeps_its_id_and_another_language_has_one_of_its_own(world: World) -> None:
    own = wording_hash(NEWS, OWN.wording, OWN.policy_url, OWN.controller)
    german = wording_hash(NEWS, DE.wording, DE.policy_url, DE.controller, "de")
    shown = {tag: re.findall(r'name="wording" value="(\w+)"', world.get(f"/subscribe/{NEWS}?lang={tag}").text)
             for tag in ("en", "de", "fr")}  # fmt: skip
    assert shown == {"en": [own[:16]], "de": [german[:16]], "fr": [own[:16]]}
    kept = world.parts.catalogue.wordings
    assert [(kept[id_].language, kept[id_].sha256) for id_ in (own[:16], german[:16])] == [("en", own), ("de", german)]
    assert kept[german[:16]].valid_from == world.clock.now()


def test_a_wording_names_list_and_controller_as_its_language_calls_them(make_app: Callable[..., Flask]) -> None:
    ja, oui = (
        ListTexts("Der Brief", wording="100 % „{name}“ von {controller}."),
        ListTexts(wording="{name}, {controller}"),
    )
    es = ListTexts(controller="Taller S.L.", wording="Sí a {name} de {controller}.")
    app = make_app(lists=(replace(OWN, wording="{name}!", texts={"de": ja, "fr": oui, "es": es}),))
    with app.app_context():
        said = {one.language: one.text for one in current_parts(app).catalogue.wordings.values()}
    assert said == {"en": "The Letter!", "de": "100 % „Der Brief“ von The Society.",
                    "fr": "The Letter, The Society", "es": "Sí a The Letter de Taller S.L."}  # fmt: skip


WHICH = [("de", DE.wording), ("de-AT", DE.wording), ("fr", OWN.wording), ("xx", OWN.wording)]


@pytest.mark.parametrize(("locale", "text"), WHICH)
def test_a_sign_up_that_vouches_for_none_gets_the_wording_in_its_language(world: World, locale: str, text: str) -> None:
    world.sign_up(locale=locale)
    [row] = world.registrations()
    assert world.parts.catalogue.wordings[row.wording_id or ""].text == text
    assert text in text_of(world.mails(ANNE)[-1])


def test_what_is_missing_in_a_language_stands_in_the_lists_own_and_says_so(world: World) -> None:
    page = world.get(f"/subscribe/{NEWS}?lang=fr").text
    assert "La lettre" in page and f'lang="en">{OWN.wording}' in page and f'lang="en">{OWN.description}' in page
    assert '<span lang="en">Your club</span>' in page and '<p class="hint" id="hint-club-newsletter" lang="en">' in page
    assert 'lang="de">Neues' in world.get(f"/subscribe/{NEWS}?lang=de").text
    world.sign_up(locale="fr")
    assert f'lang="en">{OWN.wording}' in world.get(world.confirm_link()).text
    assert re.search(r'<blockquote[^>]* lang="en"', text_of(world.mails(ANNE)[-1], "html"))


def test_the_lint_says_which_texts_are_missing(world: World) -> None:
    said = world.app.test_cli_runner().invoke(args=["mail", "lint", "--list", NEWS, "--mail", "confirm"]).stdout
    missing = "controller, description, label of club, policy_url, postal_address, privacy_contact, purpose of club"
    assert f'newsletter, fr: {missing}, wording not translated; shown in "en".' in said
    assert "newsletter, es: controller" in said and "newsletter, de:" not in said and "newsletter, en:" not in said


LIST = "[[lists]]\nslug = 'news'\nlocale = 'de-AT'\nfields = ['name', 'club: Verein']\n"


def test_texts_are_read_from_the_file_and_from_the_environment(tmp_path: Path) -> None:
    file = LIST + '[lists.texts.en]\nname = "Letter"\nfields = [{key = "club", label = "Club"}]\n[lists.texts.pt-br]\n'
    texts = read(tmp_path, file, LISTS__0__TEXTS__FR__NAME="Lettre").lists[0].texts
    assert texts == {"en": ListTexts("Letter", fields=("club: Club",)), "pt-BR": ListTexts(), "fr": ListTexts("Lettre")}


@each(
    ("spelled", "tag"), [("pt_BR", "pt-BR"), ("PT-br.UTF-8", "pt-BR"), ("ca@euro", "ca"), ("sr_latn_RS", "sr-Latn-RS")]
)
def test_a_language_of_texts_may_be_spelled_as_the_locale_of_a_list(tmp_path: Path, spelled: str, tag: str) -> None:
    assert [*read(tmp_path, LIST + f'[lists.texts."{spelled}"]\n').lists[0].texts] == [tag]
    assert read(tmp_path, f'[[lists]]\nslug = "news"\nlocale = "{spelled}"\n').lists[0].locale == tag


@each(
    "fields",
    ["'Firma!'", "'email: E-mail'", "7", "{key = 'club'}", "{key = 'Firma!', label = 'Firma', purpose = 'Post'}"],
)
def test_a_field_that_cannot_be_is_refused_with_both_ways_to_write_one(tmp_path: Path, fields: str) -> None:
    french = f"{LIST}[lists.texts.fr]\nfields = [{fields}]\n"
    for toml in (f"[[lists]]\nslug = 'news'\nfields = [{fields}]\n", french):
        [said] = refused(tmp_path, toml)
        assert '"company: Company" or { key = "company", label = "Company", purpose = "' in said and "\n" not in said


REFUSED = {
    "[lists.texts.xx]\n": "is not a known language",
    "[lists.texts.de]\n": "are in the list's own language",
    "[lists.texts.fr]\n[lists.texts.FR]\n": 'repeats the language "fr"',
    "[lists.texts.fr]\ntitle = 'x'\n": "title in [lists.texts.fr] of [[lists]] no. 1",
    '[lists.texts.fr]\nname = "a\\nb"\n': "must be a single line",
    "[lists.texts.fr]\nwording = ' '\n": "must say what people consent to",
    "[lists.texts.fr]\npolicy_url = 'x'\n": "must start with https://",
    "[lists.texts.fr]\nfields = ['name']\n": "fields in",
    "[lists.texts.fr]\nfields = ['team: Équipe']\n": "own fields (club)",
    "texts = 'fr'\n": "a table for each language",
    "[lists.texts]\nfr = 'Lettre'\n": "must be a table",
}


@pytest.mark.parametrize("toml", REFUSED)
def test_texts_that_cannot_be_are_refused_in_a_sentence(toml: str, tmp_path: Path) -> None:
    found = refused(tmp_path, LIST + toml)
    assert len(found) == 1 and REFUSED[toml] in found[0], found
