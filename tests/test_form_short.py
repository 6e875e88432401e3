"""The form is short: what is optional waits behind a line, and below the button stands one sentence (F37)."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from tests.builders import ANNE, LISTS, NEWS, OFFERS, World
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.support.visitor import try_out

pytestmark = BY_DAY_ON_SQLITE

FORM = f"/subscribe/{NEWS}"
COMPANY = "company: Company or club: So that we know who reads us."
KEPT = "We keep time and IP address as proof."
BOTTOM = "() => [...document.querySelectorAll('.signup button')].pop().getBoundingClientRect().bottom + scrollY"


@pytest.fixture
def asking(make_app: Callable[..., Flask], world: World) -> World:
    app = make_app(lists=(replace(LISTS[0], fields=("given_name", "family_name", COMPANY)), *LISTS[1:]))
    return World(app, app.test_client(), world.clock)


def more(text: str) -> str:
    (found,) = re.findall(r'<details class="more"([^>]*)>', text)
    return str(found)


@each("told", [{}, {"family_name": "Example"}, {"company": "Example Club"}, {"company": "x" * 201}, {"email": "anne"}])
def test_what_is_optional_opens_where_something_was_told_or_is_wrong(asking: World, told: dict[str, str]) -> None:
    shown = asking.post(FORM, data={"email": "anne@gmial.com"} | told) if told else asking.get(FORM)
    assert (" open" in more(shown.text)) is bool(told.keys() - {"email"})
    for name in ("given_name", "family_name", "company"):
        assert f'name="{name}"' in shown.text.partition("<details")[2].partition("</details>")[0]


def test_below_the_button_stands_one_sentence_and_the_rest_waits(world: World) -> None:
    for path in (FORM, "/"):
        below = world.get(path).text.rpartition("</button>")[2]
        assert f"<summary>{KEPT}</summary>" in below and "blocked after 24 hours" in below


def test_several_public_lists_are_one_form_on_the_start_page(world: World) -> None:
    start = world.get("/").text
    assert start.count('action="/subscribe"') == 1 and start.count('type="checkbox"') == 2
    assert start.count('type="email"') == 1
    answer = world.post("/subscribe", data={"email": ANNE, "lists": [NEWS, OFFERS]})
    assert answer.status_code == 303 and len(world.registrations()) == 2


def test_a_button_for_one_list_alone_says_what_it_leaves_out(world: World) -> None:
    world.post("/subscribe", data={"email": ANNE, "lists": [NEWS, OFFERS]})
    page = world.get(world.confirm_link()).text
    for slug, left in ((NEWS, "Offers"), (OFFERS, "Newsletter")):
        assert f'value="{slug}" class="quiet" aria-describedby="left-{slug}"' in page
        assert f'id="left-{slug}">This leaves out {left} for now.' in page


@pytest.mark.browser
def test_on_a_phone_the_button_is_on_the_first_screen(browser, tmp_path) -> None:  # type: ignore[no-untyped-def]
    lists = """[{slug = "newsletter", name = "The Example Letter",
      description = "What we do and what comes next, once a month, in plain words.",
      wording = "Yes, please send me The Example Letter by e-mail, once a month. I can unsubscribe at any time.",
      fields = ["given_name", "family_name", "company: Company or club: So that we know who reads us."],
      policy_url = "https://example.org/privacy", controller = "Example Society"}]"""
    with try_out(tmp_path, lists=lists) as server, browser.new_context(viewport={"width": 390, "height": 844}) as me:
        page = me.new_page()
        page.goto(f"{server.base_url}/subscribe/newsletter")
        assert page.evaluate(BOTTOM) <= 844
        button = page.locator(".signup button").last.bounding_box()
        field = page.get_by_label("mail address").bounding_box()
        assert button["width"] == field["width"] and page.get_by_label("Company").is_hidden()
        label = page.locator("label[for=email-newsletter]").bounding_box()
        assert field["y"] - label["y"] - label["height"] == pytest.approx(6, abs=0.5)
