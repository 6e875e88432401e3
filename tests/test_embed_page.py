"""The page for whoever runs a website: which line to add for it, one snippet, the forms in other shapes and looks."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask

from subscriptions.look.shades import shades
from subscriptions.look.tokens import DARK
from subscriptions.web.embed.presets import LOOKS
from subscriptions.web.embed.site import origins_of
from tests.builders import LISTS, NEWS, OFFERS, World
from tests.conftest import ManualClock
from tests.support.cases import ONE_DATABASE, each

KNOWN = "https://www.example.org"
PAGE, FRAME = f"/embed/{NEWS}", f"/embed/{NEWS}/frame"
BOTH = ["https://example.org", KNOWN]


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: ManualClock) -> World:
    news, *others = LISTS
    app = make_app(lists=(replace(news, origins=(KNOWN,), fields=("name",)), *others))
    return World(app, app.test_client(), clock)


def snippet(world: World, name: str, query: str = "") -> str:
    """As it is pasted."""
    found = re.search(rf'aria-label="[^"]*: {name}"[^>]*>(.*?)</pre>', world.get(f"{PAGE}?{query}").text, re.S)
    assert found is not None
    return unescape(found[1])


SITES = {
    "example.org": BOTH, "www.example.org": BOTH, "https://example.org/blog?a=b#c": BOTH,
    " https://www.example.org/ ": BOTH,
    "EXAMPLE.org/über uns": BOTH, "//example.org": BOTH, "http://example.org:8080/x": ["http://example.org:8080",
                                                                          "http://www.example.org:8080"],
    "bücher.example": ["https://xn--bcher-kva.example", "https://www.xn--bcher-kva.example"],
    "localhost:5000": ["http://localhost:5000"], "http://192.0.2.7/x": [], "ftp://example.org": [], "example": [],
    "anne@example.org": [], "not a site": [], "https://": [], "[": [], "javascript:alert(1)": [],
}  # fmt: skip


@each("typed", SITES)
def test_a_website_is_read_as_it_is_pasted_with_and_without_www(typed: str) -> None:
    assert origins_of(typed.strip()) == SITES[typed]


@ONE_DATABASE
def test_the_page_names_the_whole_line_for_each_list_that_lacks_the_website(world: World) -> None:
    told = world.get(f"{PAGE}?site=example.org&lists={OFFERS}").text
    lines = re.findall(r'aria-label="Line for config.toml: ([^"]+)"[^>]*>(.*?)</pre>', told)
    line = 'origins = ["https://www.example.org", "https://example.org"]'
    assert unescape(lines[0][1]) == line and len(lines) == 2
    assert unescape(lines[1][1]) == 'origins = ["https://example.org", "https://www.example.org"]'
    assert "Line for config.toml" not in world.get(PAGE).text
    wrong = world.get(f"{PAGE}?site=<nothing>").text
    assert "not the address of a website" in wrong and "&lt;nothing&gt;" in wrong


@ONE_DATABASE
def test_where_only_the_twin_with_or_without_www_is_missing_the_page_says_which(world: World) -> None:
    told = world.get(f"{PAGE}?site=example.org").text
    assert f"{KNOWN} is allowed, but https://example.org is not yet." in told and "Your website is not" not in told
    told = world.get(f"{PAGE}?site=example.org&lists={OFFERS}").text  # which names none of the two
    assert "Your website is not allowed yet." in told
    assert "Your website is not allowed yet." in world.get(f"{PAGE}?site=example.com").text


@ONE_DATABASE
def test_the_snippet_holds_an_element_with_a_link_to_the_same_form(world: World) -> None:
    code = snippet(world, "Skript", f"lang=de&lists={OFFERS}&compact=1&scheme=dark&colour=%23a03060")
    element = re.match(r'<yestwice-form ([^>]*)><a href="([^"]*)">Abonnieren</a></yestwice-form>\n<script ', code)
    assert element, code
    for one in (f'list="{NEWS}"', 'lang="de"', f'lists="{OFFERS}"', 'scheme="dark"', 'colour="#a03060"', 'compact="1"'):
        assert one in element[1]
    assert world.get(unescape(element[2])).text.count('type="checkbox"') == 2
    assert "compact" not in snippet(world, "script") and "colour" not in snippet(world, "script", "colour=%2314634b")


@ONE_DATABASE
@each("name", LOOKS)
def test_a_plain_form_wears_the_classes_of_the_sites_framework(world: World, name: str) -> None:
    code, preset = snippet(world, "plain form", f"look={name}"), LOOKS[name]
    for tag, classes in (
        ("form", preset.form),
        ("input", preset.input),
        ("button", preset.button),
        ("label", preset.label),
    ):
        assert (f'<{tag} class="{classes}"' in code) is bool(classes), (tag, code)
    assert ("<style>" in code) is (name == "none") and 'accept-charset="utf-8"' in code
    assert "<style>" not in world.get(PAGE).text  # our own policy would refuse it


@ONE_DATABASE
def test_a_compact_form_has_no_voluntary_fields_but_those_that_are_named(world: World) -> None:
    for query, names in (
        ("compact=1", ["email"]),
        ("compact=1&fields=name", ["email", "name"]),
        ("", ["email", "name"]),
    ):
        data = world.get(f"/api/v1/lists/{NEWS}/form?{query}").get_json()
        assert [one["name"] for one in data["fields"]] == names
        frame = world.get(f"{FRAME}?{query}").text
        assert ('id="name-newsletter"' in frame) is ("name" in names)
        assert (' framed compact">' in frame) is bool(query)


WISHES = [
    ("scheme=dark", "dark", "(min-width: 0)"),
    ("scheme=light", "light", "(max-width: 0)"),
    ("scheme=auto", "light dark", DARK),
    ("colour=%23a03060", "light dark", DARK),
]


@ONE_DATABASE
def test_a_frame_is_light_or_dark_on_every_page_in_it_as_it_was_wished(world: World) -> None:
    for query, meta, holds in WISHES:
        for page in (FRAME, f"{FRAME}/check-inbox"):
            told = world.get(f"{page}?{query}").text
            assert f'name="color-scheme" content="{meta}"' in told
            sheet = re.search(r'href="([^"]*look\.css[^"]*)"', told)
            assert sheet and "tokens.css" not in told, told[:900]
            css = world.get(unescape(sheet[1])).text
            assert css.count(holds) >= 2 and (DARK in css) is (holds == DARK)
            assert ("a03060" in css) is query.startswith("colour")
    assert shades("#a03060", "light").accent == "#a03060"
    plain = world.get(f"{FRAME}?scheme=purple").text
    assert "tokens.css" in plain and "look.css" not in plain
    assert 'action="/embed/newsletter/frame?scheme=dark' in world.get(f"{FRAME}?scheme=dark").text
