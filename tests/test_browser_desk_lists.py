"""A list is made and written in a real browser without JavaScript, and its preview shows what is typed, unsaved."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.server import Server, until
from tests.support.visitor import Visitor, try_out
from tests.test_browser_desk import heading
from tests.test_browser_desk_people import seen
from tests.test_browser_looks import SCREENS
from tests.test_look_pictures import FILES

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with try_out(tmp_path_factory.mktemp("server")) as running:
        yield running


def make(page: Page, server: Server, name: str) -> None:
    Visitor(page, server.base_url).go("/admin/sign-in")
    page.get_by_role("button", name="Come in").click()
    page.get_by_role("link", name="Lists").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make a list").click()
    heading(page, name)


def test_without_javascript_the_preview_beside_the_editor_shows_what_is_typed_and_only_saving_keeps_it(
    browser: Browser, server: Server
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        make(page, server, "Evening letter")
        frame = page.frame_locator("iframe[name=preview]")
        expect(frame.get_by_role("heading", level=1)).to_have_text("Subscribe to Evening letter")
        page.get_by_role("textbox", name="Name").fill("Morning letter")
        page.get_by_label("Responsible person or organisation").fill("Example Society")
        page.get_by_role("button", name="Show").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("Subscribe to Morning letter")
        heading(page, "Evening letter")
        page.get_by_label("Preview of").select_option("confirm")
        page.get_by_role("button", name="Show").click()
        expect(frame.get_by_text("Morning letter").first).to_be_visible()
        page.get_by_label("How often you write").locator("xpath=ancestor::details/summary").click()
        page.get_by_label("How often you write").fill("once a month")
        page.get_by_role("button", name="Write the text").click()
        expect(page.get_by_label("What people agree to")).to_have_value(
            "Please send me “Morning letter” of Example Society by email, once a month. I can unsubscribe at any time."
        )
        page.get_by_role("button", name="Save").last.click()
        heading(page, "Morning letter")
        page.get_by_role("link", name="Consent texts").click()
        expect(page.get_by_text("in use")).to_have_count(1)


def test_an_uploaded_logo_is_drawn_in_each_preview_unsaved_and_on_the_pages_once_it_is_saved(
    browser: Browser, server: Server
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        make(page, server, "Logo letter")
        page.set_input_files("[name=logo]", [{"name": "a.png", "mimeType": "image/png", "buffer": FILES["logo.png"]}])
        page.get_by_label("Send a welcome email").check()
        frame = page.frame_locator("iframe[name=preview]")
        for what in ("page", "welcome"):
            page.get_by_label("Preview of").select_option(what)
            page.get_by_role("button", name="Show").click()
            until(lambda: drawn(frame.locator("img.logo")) == 301)
        page.get_by_label("Colour").fill("red")
        page.get_by_role("button", name="Save").last.click()
        assert drawn(page.get_by_alt_text("The logo, not saved yet")) == 301, "it comes along"
        page.get_by_label("Colour").fill("")
        page.get_by_role("button", name="Save").last.click()
        assert drawn(page.get_by_alt_text("The logo", exact=True)) == 301
        page.goto(f"{server.base_url}/subscribe/logo-letter")
        assert drawn(page.locator("header img.logo")) == 301


def drawn(picture: Locator) -> int:
    """How wide the picture is that a browser has made of it; nought: it was refused."""
    picture.wait_for()
    return int(picture.evaluate("(it) => it.complete ? it.naturalWidth : 0"))


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_every_page_about_a_list_is_for_everyone(browser: Browser, server: Server, screen: str) -> None:
    width, wrong = SCREENS[screen]["viewport"]["width"], dict[str, Any]()
    with browser.new_context(**SCREENS[screen]) as context:
        page = context.new_page()
        make(page, server, f"Letter for {screen.replace(',', '')}")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_label("Colour").fill("red")
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        wrong["with a language"] = seen(page, width)
        page.get_by_role("button", name="Save").last.click()
        wrong["with a problem"] = seen(page, width)
        page.get_by_role("link", name="The form on your site").click()
        page.get_by_label("Your website").fill("www.verein.example")
        page.get_by_role("button", name="Let it show the form").click()
        expect(page.get_by_text("No sign-up has come from there yet.")).to_have_count(2)
        wrong["site"] = seen(page, width)
    assert {name: what for name, what in wrong.items() if what} == {}
