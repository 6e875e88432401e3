"""Names, addresses and contacts stand on pages as they are: no dot lost, no order changed, each a link that can be."""

import re
from collections.abc import Callable
from dataclasses import replace

from flask import Flask

from subscriptions.look.tokens import FILE
from tests.builders import ANNE, LISTS, NEWS, World
from tests.preferences import Page
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE


def of_controller(make_app: Callable[..., Flask], world: World, **texts: str) -> World:
    app = make_app(lists=(replace(LISTS[0], **texts), *LISTS[1:]))
    return World(app, app.test_client(), world.clock)


@each("tag", ["en", "de", "fr", "es"])
@each("name", ["Taller Ejemplo S.L.", "Example Society", "Y. & Co. Inc."])
def test_a_legal_name_keeps_its_dots_and_gets_no_second_one(
    make_app: Callable[..., Flask], world: World, tag: str, name: str
) -> None:
    page = of_controller(make_app, world, controller=name).get(f"/subscribe/{NEWS}?lang={tag}").text
    shown = name.replace("&", "&amp;")
    (after,) = re.findall(rf"\S+\s?: {re.escape(shown)}(.{{2}})", page)
    assert after == (" " + after[1] if name.endswith(".") else ". ")


@each("contact", ["privacy@example.org", "https://example.org/contact", "By post, please"])
def test_a_contact_is_a_link_where_it_can_be_one(make_app: Callable[..., Flask], world: World, contact: str) -> None:
    page = of_controller(make_app, world, privacy_contact=contact).get(f"/subscribe/{NEWS}").text
    assert (f'href="{contact}"' in page or f'href="mailto:{contact}"' in page) is ("post" not in contact)


def test_an_address_within_a_sentence_is_set_apart_on_every_page(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up("bart@example.org")
    link = world.confirm_link("bart@example.org")
    pages = [world.get(link), world.post(link), Page.of(world, ANNE).opened]
    for page in pages:
        assert re.search(r"<bdi>(bart|anne)@example\.org</bdi>", page.text)


def test_names_of_lists_say_their_language(world: World) -> None:
    assert '<span lang="en">Newsletter</span></label>' in world.get("/?lang=de").text


def test_words_break_where_their_language_says_and_addresses_do_not() -> None:
    css = FILE.with_name("style.css").read_text("utf-8")
    assert (
        "hyphens: auto" in css and re.search(r"bdi,[^{]*\{ hyphens: manual", css) and "overflow-wrap: anywhere" in css
    )


def test_who_sees_with_forced_colours_tells_the_first_button_from_a_quiet_one() -> None:
    forced = (
        FILE.with_name("style.css").read_text("utf-8").partition("(forced-colors: active)")[2].partition("@media")[0]
    )
    assert re.search(r"button:not\(\.quiet[^{]*\{ color: ButtonFace; background: ButtonText", forced)
