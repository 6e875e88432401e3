"""Names of lists and of who is responsible, on every page: one dot at an end, their language, a sentence when heard."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.settings import ListSettings
from tests.builders import ANNE, BART, CRIS, LISTS, NEWS, OFFERS, Movable, World, link_in
from tests.preferences import Page, ask, session_of
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.typed import visit

pytestmark = BY_DAY_ON_SQLITE
DOTTED = [replace(row, name=f"{row.name} Inc.", controller=f"{row.slug} S.L.", colour="#b3005e") for row in LISTS]
GERMAN = "Zeitung am Morgen"
BOTH = f"{NEWS},{OFFERS}"


Of = Callable[[list[ListSettings]], World]


@pytest.fixture
def of(make_app: Callable[..., Flask], clock: Movable) -> Iterator[Of]:
    """A world of these lists."""
    with ExitStack() as stack:

        def world(lists: list[ListSettings]) -> World:
            app = make_app(lists=tuple(lists))
            stack.enter_context(app.app_context())
            return World(app, app.test_client(), clock)

        yield world


def pages(world: World, tag: str) -> Iterator[tuple[str, TestResponse]]:
    """Every page that names lists, or who is responsible for them, in one language."""
    for path in ("/?", f"/subscribe/{NEWS}?", f"/subscribe?lists={BOTH}&", f"/embed/{NEWS}?site=example.org&"):
        yield path, world.get(f"{path}lang={tag}")
    yield "wrong", world.post(f"/subscribe/{NEWS}?lang={tag}", data={"email": "anne@"})
    trap = {"email": BART, "website": "x", "locale": tag}
    yield "one more step", world.post(f"/subscribe/{NEWS}?lang={tag}", data=trap)
    handle = visit(world, locale=tag)
    for more in ("", "&again=1", f"&also={OFFERS}"):
        yield f"inbox{more}", world.get(f"/subscribe/{NEWS}/check-inbox?r={handle}&lang={tag}{more}")
    link = world.not_me_link()
    yield "not me", world.get(link)
    yield "disowned by one-click", world.post(link)
    yield "disowned", world.post(link, data={"by": "page"})
    yield "undone", world.post(f"{link}/undo")
    yield from after_the_mail(world, tag)


def after_the_mail(world: World, tag: str) -> Iterator[tuple[str, TestResponse]]:
    world.sign_up(BART, locale=tag)
    yield "confirmed", world.post(world.confirm_link(BART))
    yield "unsubscribe", world.get(world.leave_link(BART))
    world.sign_up(CRIS, OFFERS, locale=tag)
    link = world.confirm_link(CRIS)
    world.clock.forward(hours=24)
    yield "late", world.get(link)
    yield from of_ones_own(world, tag)


def of_ones_own(world: World, tag: str) -> Iterator[tuple[str, TestResponse]]:
    ask(world, BART)
    opener = link_in(world.mails(BART)[-1], "my-data")
    opened = world.post(opener)
    yield "opened", opened
    mine, row = Page(world, opener, opened, session_of(opened)), world.parts.catalogue.by_slug(OFFERS)
    assert row is not None
    yield "joined", mine.act("join", list=OFFERS, wording=row.said_in(tag).wording_id)
    for act, fields in (("move", {"email": "new@example.net"}), ("leave", {"list": NEWS}), ("never", {}),
                        ("never-surely", {}), ("show", {})):  # fmt: skip
        yield act, mine.act(act, **fields)
    yield "used", world.get(opener)
    yield "left", world.post(world.leave_link(BART))
    yield "lifted", world.post(f"{world.leave_link(BART)}/lift")


def seen(page: TestResponse) -> str:
    """The page without what is there to be pasted."""
    return re.sub(r"<pre.*?</pre>", "", page.text, flags=re.S)


@pytest.mark.parametrize("tag", ["en", "de", "fr", "es"])
def test_no_page_has_two_dots_where_a_name_that_ends_with_one_ends_a_sentence(of: Of, tag: str) -> None:
    names = 0
    for which, page in pages(of(DOTTED), tag):
        text = re.sub(r"<[^>]+>", "", seen(page))
        names += len(re.findall(r"(?:Inc|S\.L)\.", text))
        assert not re.search(r"(?:Inc|S\.L)\.\s?\.", text), which
    assert names > 60


@pytest.mark.parametrize("tag", ["en", "fr"])
def test_every_name_on_a_page_says_the_language_that_it_is_in(of: Of, tag: str) -> None:
    """A list whose name is German, among others. A subject is as in the inbox; attributes are one text."""
    lists, said = [replace(LISTS[0], locale="de", name=GERMAN), *LISTS[1:]], 0
    for which, page in pages(of(lists), tag):
        if '<html lang="de"' in page.text:  # a link of which nothing is stored any more
            continue
        body = seen(page).partition("<main>")[2].partition("<footer")[0]
        body = re.sub(r'<dd>.*?</dd>|(?:aria-label|data-\w+)="[^"]*"', "", body)
        found = re.findall(rf"([^<>]*>[^<>]*|[^<>]*){GERMAN}", body)
        assert [one for one in found if not one.endswith(' lang="de">')] == [], which
        said += len(found)
    assert said > 15


def test_the_name_in_a_button_or_link_is_heard_as_part_of_a_sentence(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE).opened.text
    assert 'Leave<span class="away"> Newsletter</span>' in page  # begins with what is seen (WCAG 2.5.3)
    assert 'Subscribe<span class="away"> to Offers</span>' in page
    assert 'Privacy policy<span class="away"> of Example Society</span>' in page


def test_the_page_after_an_undo_names_all_lists_of_the_sign_up(world: World) -> None:
    world.post("/api/v1/subscriptions", json={"email": ANNE, "lists": [NEWS, OFFERS]})
    confirm, link = world.confirm_link(), world.not_me_link()
    world.post(confirm)
    for page in (world.get(link), world.post(link, data={"by": "page"}), world.post(f"{link}/undo")):
        assert "<strong>Newsletter and Offers</strong>" in page.text
        assert re.search(r"<title>[^<]*: Newsletter and Offers ", page.text)


def test_a_link_that_is_used_or_too_old_still_says_who_is_responsible(of: Of) -> None:
    hidden = [replace(LISTS[0], public=False, controller="The Hidden Club"), *LISTS[1:]]
    world = of(hidden)
    world.subscribe(ANNE)
    link = Page.of(world, ANNE).link
    used, again = world.get(link), world.post(link)
    world.clock.forward(hours=1)
    for page in (used, again, world.get(link)):
        assert page.status_code == 410 and "The Hidden Club" in page.text
