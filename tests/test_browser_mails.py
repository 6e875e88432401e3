"""Mails and lists with a look of their own in a real browser: by day, at night, on the narrowest screen, on paper."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.axe import COLOURS, violations
from tests.support.server import Server
from tests.test_look_pictures import FILES

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

LISTS = """[{{slug = "newsletter", name = "The Example Letter", colour = "#ffcc00", logo = "{logo}", welcome = true,
  policy_url = "https://example.org/privacy", controller = "Example Society", postal_address = "1 Example Street",
  privacy_contact = "privacy@example.org"}}, {{slug = "offers", name = "Offers", colour = "#00ffff"}}]"""
WIDTHS = "[document.documentElement.scrollWidth, innerWidth]"
HEIGHT = "() => document.querySelector('iframe.mail').clientHeight"
WHOLE = f"""() => {{
    const page = document.querySelector('iframe.mail').contentDocument?.querySelector('.sheet')?.ownerDocument;
    return page && ({HEIGHT})() === page.documentElement.scrollHeight;
}}"""
MAIL = "/mailbox/templates/newsletter/welcome/en"
PHONE = {"width": 320, "height": 640}
BY_DAY_AND_NIGHT: dict[str, dict[str, Any]] = {"day": {"color_scheme": "light"}, "night": {"color_scheme": "dark"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("server")
    (folder / "logo.png").write_bytes(FILES["logo.png"])
    lists = " ".join(LISTS.format(logo=folder / "logo.png").split("\n"))
    with Server(folder, "sqlite:///subscriptions.db", LISTS=lists) as running:
        yield running


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    options: dict[str, Any] = {"viewport": PHONE} | getattr(request, "param", {})
    with browser.new_context(**options) as context:
        yield context.new_page()


def mails(page: Page, server: Server) -> list[str]:
    page.goto(f"{server.base_url}/mailbox/templates")
    return [str(one) for one in page.evaluate("[...document.querySelectorAll('.matrix a')].map(one => one.href)")]


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.drill) for part in range(1, 5))])
def test_every_mail_fits_the_narrowest_screen_and_is_readable_for_everyone(
    part: int, page: Page, server: Server
) -> None:
    """Each fifth by day, so that each kind and each language of four is among them."""
    found = mails(page, server)[part::5]
    assert len(found) >= 10
    wrong = {}
    for url in found:
        page.goto(f"{url}/body")
        # a mail is a part of the mail program's page, which has the landmarks
        wrong |= {(url, look): what for look, what in _wrong(page, BY_DAY_AND_NIGHT, "landmark-one-main", "region")}
    assert wrong == {}


def _wrong(page: Page, looks: Mapping[str, dict[str, Any]], *ignored: str) -> Iterator[tuple[str, list[str]]]:
    """What is wrong with the page in each of these media: too wide, or not for everyone."""
    for name, media in looks.items():
        page.emulate_media(**media)
        width, screen = page.evaluate(WIDTHS)
        # by night its elements are the same, in other colours
        found = violations(page, *ignored, only=COLOURS if name == "night" else ())
        found += [f"{width} wide"] if width > screen else []
        if found:
            yield name, found


@pytest.mark.parametrize("path", ["/", "/subscribe/newsletter", "/mailbox/templates", MAIL])
def test_a_list_in_a_glaring_colour_is_readable_for_everyone(page: Page, server: Server, path: str) -> None:
    page.goto(server.base_url + path)
    contrast = {"contrast": {"color_scheme": "light", "contrast": "more"}}
    assert dict(_wrong(page, BY_DAY_AND_NIGHT | contrast)) == {}


def test_a_mail_on_a_phone_is_shown_whole_and_the_page_scrolls_not_the_frame(page: Page, server: Server) -> None:
    page.goto(server.base_url + MAIL)
    page.wait_for_function(WHOLE)
    on_phone = page.evaluate(HEIGHT)
    page.set_viewport_size({"width": 1000, "height": 700})
    page.wait_for_function(f"() => ({WHOLE})() && ({HEIGHT})() < {on_phone}")


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_scripts_a_mail_scrolls_in_its_frame(page: Page, server: Server) -> None:
    page.goto(server.base_url + MAIL)
    box = page.locator("iframe.mail").bounding_box()
    assert box is not None and box["height"] > 700
    assert page.frame_locator("iframe.mail").get_by_role("link", name="Unsubscribe").count() == 1


def test_the_logo_is_drawn_on_pages_and_in_the_welcome_mail(page: Page, server: Server) -> None:
    for path in ("/subscribe/newsletter", f"{MAIL}/body"):
        page.goto(server.base_url + path)
        page.wait_for_function("document.querySelector('img.logo').naturalWidth === 301")


@pytest.mark.parametrize("page", [{"color_scheme": "dark"}], indirect=True)
def test_paper_is_white_and_shows_no_buttons(page: Page, server: Server) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{server.base_url}/subscribe/newsletter")
    assert not page.get_by_role("button").first.is_visible()
    link = page.get_by_role("link", name="Privacy policy").first
    assert link.evaluate("one => getComputedStyle(one).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("page", [{"forced_colors": "active"}], indirect=True)
def test_forced_colours_leave_every_button_an_edge(page: Page, server: Server) -> None:
    page.goto(f"{server.base_url}/subscribe/newsletter")
    button = page.get_by_role("button").first
    assert button.evaluate("one => getComputedStyle(one).borderTopStyle") == "solid"
