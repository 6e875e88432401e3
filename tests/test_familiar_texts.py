"""The catalogues of the familiar form: no text of a familiar list addresses anybody formally, and none is left over."""

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from subscriptions.languages import FOLDER
from tests.support.cases import each
from tests.support.formal import formally
from tests.test_page_texts import is_of_desk
from translations.familiar import update

TAGS = ["de", "fr", "es"]
PLACES = re.compile(r"%\(\w+\)[sd]")


def catalogue(tag: str, name: str) -> Catalog:
    with (FOLDER / tag / "LC_MESSAGES" / f"{name}.po").open("rb") as file:
        return read_po(file, locale=tag)


def said(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else [*message.string]


def pairs(tag: str) -> Iterator[tuple[Message, Message]]:
    """Each familiar text with the formal one."""
    formal = catalogue(tag, "messages")
    for message in catalogue(tag, "familiar"):
        if message.id:
            other = formal.get(message.id)
            assert other is not None, f"{message.id}: no longer a text, run make translations"
            yield message, other


@each("tag", TAGS)
def test_a_familiar_text_differs_from_the_formal_one_and_fills_in_the_same(tag: str) -> None:
    for own, formal in pairs(tag):
        assert said(own) != said(formal), own.id
        places = [[sorted(PLACES.findall(text)) for text in said(one)] for one in (own, formal)]
        assert places[0] == places[1], own.id
        assert not own.fuzzy and all(said(own)), own.id


@each("tag", TAGS)
def test_no_text_that_a_reader_of_a_familiar_list_gets_is_formal(tag: str) -> None:
    own = catalogue(tag, "familiar")
    for formal in catalogue(tag, "messages"):
        for text in said(own.get(formal.id) or formal) if formal.id and not is_of_desk(formal) else ():
            assert formally(text, tag) == [], text


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("de", "Wenn Sie möchten"), ("de", "Ihre Adresse"), ("de", "für Ihren Namen"), ("de", "Öffnen Sie den Link"),
        ("fr", "Ouvrez le lien"), ("fr", "Vous le pouvez"), ("fr", "dans votre boîte"), ("fr", "Veuillez patienter"),
        ("es", "Abra el enlace"), ("es", "Es para usted"), ("es", "Mire en su bandeja"), ("es", "Podemos escribirle"),
    ],
)  # fmt: skip
def test_what_counts_as_formal_would_be_found(tag: str, text: str) -> None:
    assert formally(text, tag)


@each("tag", TAGS)
def test_the_compiled_catalogue_is_the_one_that_people_read(tag: str) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue(tag, "familiar"))
    assert compiled.getvalue() == (FOLDER / tag / "LC_MESSAGES/familiar.mo").read_bytes(), "run make translations"


def test_what_is_no_longer_a_text_goes_and_is_named() -> None:
    own, formal = Catalog(locale="de"), Catalog(locale="de")
    for text in ("Your name", "Your shoe size"):
        own.add(text, f"de: {text}", locations=[("old.html", None)])
    formal.add("Your name", "Ihr Name", locations=[("new.html", None)])
    assert list(update(own, formal)) == ["Your shoe size"]
    assert [(one.id, one.string, one.locations) for one in own if one.id] == [
        ("Your name", "de: Your name", [("new.html", None)])
    ]


@each("tag", TAGS)
def test_the_word_for_email_and_the_marks_hold_together_as_in_the_formal_texts(tag: str) -> None:
    loose = {"de": r"\b[Ee]-[Mm]ail", "fr": r"\be-mail|« | [:;?!»]", "es": r"\be-mail"}[tag]
    assert [text for own, _ in pairs(tag) for text in said(own) if re.search(loose, text)] == []
