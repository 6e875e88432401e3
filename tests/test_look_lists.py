"""The look of a list as its visitors get it: a style sheet and a logo that browsers keep, harmless wherever opened."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.look.shades import shades
from tests.builders import BART, LISTS, NEWS, OFFERS, World
from tests.conftest import ManualClock
from tests.support.cases import ONE_DATABASE, each
from tests.test_look_pictures import FILES, SVG

COLOUR = "#7b2cbf"


@pytest.fixture
def app(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """A newsletter with a colour and a logo, and lists without."""
    (tmp_path / "logo.png").write_bytes(FILES["logo.png"])
    news = replace(LISTS[0], colour=COLOUR, logo="logo.png")
    return make_app(lists=(news, *LISTS[1:]))


@pytest.fixture
def world(app: Flask, clock: ManualClock) -> World:
    return World(app, app.test_client(), clock)


def linked(page: TestResponse, pattern: str) -> str:
    found = re.search(pattern, page.get_data(as_text=True))
    assert found is not None
    return found[1].replace("&amp;", "&")


def pages_of_the_list(world: World) -> list[TestResponse]:
    """Every page of the newsletter, from the form to the way out."""
    form = world.get(f"/subscribe/{NEWS}")
    wrong = world.sign_up_by_form("nobody")
    sent = world.get(world.sign_up_by_form(BART).headers["Location"])
    confirm, not_me = world.confirm_link(BART), world.not_me_link(BART)
    asked = [world.get(confirm), world.get(not_me), world.post(confirm), world.get(world.leave_link(BART))]
    left = [world.post(world.leave_link(BART)), world.get(confirm), world.post(not_me), world.post(f"{not_me}/undo")]
    return [form, wrong, sent, *asked, *left]


def test_every_page_of_a_list_wears_its_colour_and_its_logo(world: World) -> None:
    with world.app.app_context():
        pages = pages_of_the_list(world)
    assert len(pages) == 11
    for page in pages:
        assert f'<link rel="stylesheet" href="/lists/{NEWS}/look.css?v=' in page.text
        assert re.search(rf'<body class="\w+ look-{NEWS}"', page.text)
        assert re.search(
            rf'<img class="logo chip" src="/lists/{NEWS}/logo\?v=\w+" alt="Newsletter" width="\d+"', page.text
        )


def test_a_list_without_a_look_wears_the_design_of_the_house(world: World) -> None:
    page = world.get(f"/subscribe/{OFFERS}").text
    assert "look.css" not in page and "look-" not in page
    assert 'href="/static/mark.svg' in page


def test_the_icon_of_a_page_wears_the_colour_of_its_list(world: World) -> None:
    url = linked(world.get(f"/subscribe/{NEWS}"), r'rel="icon"[^>]* href="(/lists/[^"]+mark\.svg[^"]*)"')
    answer, day = world.get(url), shades(COLOUR, "light")
    assert (answer.mimetype, "immutable" in answer.headers["Cache-Control"]) == ("image/svg+xml", True)
    assert f'fill="{day.fill}"' in answer.text and f'stroke="{day.on_accent}"' in answer.text
    assert world.get(f"/lists/{OFFERS}/mark.svg").status_code == 404


def test_the_sheet_holds_the_shades_and_a_browser_keeps_it_while_its_address_is_of_today(world: World) -> None:
    url = linked(world.get(f"/subscribe/{NEWS}"), r'href="(/lists/[^"]+look\.css[^"]*)"')
    answer = world.get(url)
    assert (answer.status_code, answer.mimetype) == (200, "text/css")
    assert f"--accent: {COLOUR};" in answer.text
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert world.get(url.partition("?")[0]).headers["Cache-Control"] == "public, max-age=3600"
    assert world.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_another_colour_gets_another_address(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    found = set()
    for colour in ("#7b2cbf", "#0057b8"):
        app = make_app(lists=(replace(LISTS[0], colour=colour),))
        with app.app_context():
            page = World(app, app.test_client(), clock).get(f"/subscribe/{NEWS}")
            found.add(linked(page, r'href="(/lists/[^"]+look\.css[^"]*)"'))
    assert len(found) == 2


@ONE_DATABASE
@pytest.mark.parametrize("name", [name for name in FILES if name != "logo.PNG"])
def test_a_logo_is_served_as_what_it_is_and_can_do_nothing(
    make_app: Callable[..., Flask], clock: ManualClock, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    app = make_app(lists=(replace(LISTS[0], logo=name),))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        answer = world.get(linked(world.get(f"/subscribe/{NEWS}"), r'src="(/lists/[^"]+)"'))
    kind = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp", "svg": "svg+xml"}[name.rpartition(".")[2]]
    assert answer.headers["Content-Type"].partition(";")[0] == f"image/{kind}"
    assert answer.data == FILES[name]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_mail_program_of_the_web_may_show_the_logo_and_nothing_else_of_ours(world: World) -> None:
    assert world.get(f"/lists/{NEWS}/logo").headers.getlist("Cross-Origin-Resource-Policy") == ["cross-origin"]
    assert world.get(f"/subscribe/{NEWS}").headers.getlist("Cross-Origin-Resource-Policy") == ["same-origin"]


@ONE_DATABASE
@each("path", [f"/lists/{OFFERS}/logo", f"/lists/{OFFERS}/look.css", "/lists/no/logo", "/lists/no"])
def test_what_a_list_does_not_have_is_404(world: World, path: str) -> None:
    assert world.get(path).status_code == 404


def test_a_list_that_takes_no_sign_ups_any_more_keeps_its_look(
    make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    coloured = replace(LISTS[0], colour=COLOUR)
    make_app(lists=(coloured, LISTS[1]))
    app = make_app(lists=(LISTS[1],))
    with app.app_context():
        assert World(app, app.test_client(), clock).get(f"/lists/{NEWS}/look.css").status_code == 200


@pytest.mark.parametrize(
    ("drawing", "chip"), [("<g/>", True), ("<style>@media (prefers-color-scheme: dark){}</style>", False)]
)
def test_a_drawing_that_knows_the_night_gets_no_light_ground(
    make_app: Callable[..., Flask], clock: ManualClock, tmp_path: Path, drawing: str, chip: bool
) -> None:
    (tmp_path / "logo.svg").write_text(SVG.format('viewBox="0 0 9 9"').replace("<path", f"{drawing}<path"))
    app = make_app(lists=(replace(LISTS[0], logo="logo.svg"),))
    with app.app_context():
        page = World(app, app.test_client(), clock).get(f"/subscribe/{NEWS}").text
    assert ('class="logo chip"' in page) is chip
    assert ('class="logo"' in page) is not chip


def test_the_start_page_shows_each_list_in_its_own_colour(world: World) -> None:
    page = world.get("/").text
    assert f'class="choice look-{NEWS}"' in page
    assert f"/lists/{NEWS}/look.css?v=" in page
