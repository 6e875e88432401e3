"""What pages say: in words that an editor would let pass, of one language and one time zone, and true."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from flask import Flask

from subscriptions.languages import FOLDER
from tests.builders import ANNE, NEWS, OFFERS, Movable, World, link_in
from tests.controllers import TWO_CONTROLLERS
from tests.preferences import Page, ask, session_of
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE
OF_MAILS = ("templates/email/", "subscriptions/mail/")
# seen once: not English, or not the words of the house
OF_DESK = (
    "templates/desk/", "subscriptions/web/admin/", "subscriptions/story/", "subscriptions/domain/mail_kinds.py",
    "subscriptions/export/layouts.py", "subscriptions/domain/reasons.py", "templates/email/invitation/",
    "templates/email/lost_password/", "templates/email/factors_gone/", "templates/email/head/",
    "templates/email/request_filed/", "templates/email/requests_due/", "subscriptions/mail/numbers.py",
    "subscriptions/record/", "subscriptions/proof/", "templates/proof/", "templates/pages/law.html",
    "subscriptions/settings/", "subscriptions/jobs/", "subscriptions/web/http/condition.py",
    "subscriptions/web/http/client_ip.py", "subscriptions/web/tryout/law.py",
    *map("subscriptions/actions/{}.py".format, "accounts factors lists sessions tokens".split()),
    *map("subscriptions/{}.py".format, "findings fits start foreign fetch domain/bounces".split()),
)  # fmt: skip
NOT_ENGLISH = (
    "stored of", "Ended at", "on its way", "To type", "are at most", "in this way", "go on", "closes at", "leaves at",
    "This holds", "who is responsible for the list", "reads your email is you", "e-mail", "@-sign", r"\bmails?\b",
    r"Subscribe</span>", "It has an ending", "any list of", "Please load", "lands here", "Nothing of it is left",
    "is not named", "nor subscribe",
)  # fmt: skip


def read(file: Path) -> Catalog:
    with file.open("rb") as po:
        return read_po(po)


def of_pages(catalogue: Catalog) -> Iterator[tuple[Message, str]]:
    for message in catalogue:
        if message.id and not all(place.startswith(OF_MAILS) for place, _ in message.locations):
            texts = message.string or message.id
            for text in (texts,) if isinstance(texts, str) else texts:
                yield message, text


def is_of_desk(message: Message) -> bool:
    """Of the desk alone, whose readers are on no list."""
    return all(place.startswith(OF_DESK) for place, _ in message.locations)


@each("pattern", NOT_ENGLISH)
def test_no_text_of_a_page_has_words_that_an_editor_took_out(pattern: str) -> None:
    # the story of an address has words of its own, some as evidence keeps them, and is told at the desk alone
    texts = [(one, text) for one, text in of_pages(read(FOLDER / "messages.pot")) if not is_of_desk(one)]
    assert [text for _, text in texts if re.search(pattern, text)] == []


@each("tag", ["de", "fr"])
def test_the_word_for_email_does_not_break_at_its_hyphen(tag: str) -> None:
    texts = [text for _, text in of_pages(read(FOLDER / tag / "LC_MESSAGES" / "messages.po"))]
    assert [text for text in texts if re.search(r"\b[Ee]-[Mm]ail", text)] == []
    assert sum("\u2011" in text for text in texts) > 20


def test_french_marks_hold_on_to_their_words() -> None:
    texts = [text for _, text in of_pages(read(FOLDER / "fr" / "LC_MESSAGES" / "messages.po"))]
    assert [text for text in texts if re.search(r"« | [:;?!»]", text)] == []


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    """Lists of two time zones."""
    app = make_app(lists=TWO_CONTROLLERS)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def zones(text: str) -> set[str]:
    return set(re.findall(r"\((\w+)\)</time>", text))


def test_what_the_own_page_says_after_an_act_is_in_its_zone_and_language(world: World) -> None:
    world.subscribe(ANNE, OFFERS, locale="de")
    ask(world, ANNE)
    opener = link_in(world.mails(ANNE)[-1], "my-data")
    opened, row = world.post(opener), world.parts.catalogue.by_slug(NEWS)
    page = Page(world, opener, opened, session_of(opened))
    fields = {"list": NEWS, "wording": row.said_in("de").wording_id}  # type: ignore[union-attr]
    page.act("join", **fields)
    joined = page.act("join", **fields).text  # too soon, it says until when
    assert "<time" in joined.partition("<h1>")[0]
    assert (zones(opened.text), zones(joined)) == ({"EST"}, {"MEZ"})  # that of the newest list
    left = page.act("leave", list=OFFERS).text.partition("<h1>")[0]
    assert "Sie sind von der Liste" in left and 'lang="de"' in left
