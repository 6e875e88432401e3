"""One's own page in a real browser: without JavaScript it all works, and with it a reminder comes before the end."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.server import Server
from tests.support.visitor import CONFIRM, Visitor, try_out

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with try_out(tmp_path_factory.mktemp("server")) as running:
        yield running


def opened(visitor: Visitor, address: str) -> Page:
    """Signed up, confirmed, and the link to one's own page opened."""
    visitor.sign_up(address, "Dora")
    visitor.open_mail(address)
    visitor.press_in_mail(CONFIRM)
    visitor.press("Yes, subscribe me")
    visitor.go("/my-data")
    visitor.page.get_by_label("Email address").fill(address)
    visitor.press("Email me my link")
    visitor.open_mail(address, mails=2)
    visitor.press_in_mail("Open your subscriptions and data")
    visitor.press("Open your subscriptions and data")
    return visitor.page


def test_five_minutes_before_the_end_the_page_says_so_and_more_time_puts_it_off(
    browser: Browser, server: Server
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.clock.install()
        opened(Visitor(page, server.base_url), "dora@example.org")
        reminder = page.get_by_text("This page closes in a few minutes.")
        expect(reminder).to_be_hidden()
        page.clock.fast_forward("24:00")
        expect(reminder).to_be_hidden()
        page.clock.fast_forward("02:00")
        expect(reminder).to_be_visible()


def test_a_copy_is_taken_and_the_officer_written_to_without_javascript(browser: Browser, server: Server) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        visitor = Visitor(context.new_page(), server.base_url)
        page = opened(visitor, "emil@example.org")
        visitor.press("I need more time")
        expect(page.get_by_role("status")).to_contain_text("You have more time now.")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download for programs").click()
        assert download.value.suggested_filename == "my-data.json"
        page.get_by_label("What is it about?").select_option("complaint")
        page.get_by_label("Your words").fill("Nobody answers.")
        visitor.press("Send")
        expect(page.get_by_role("status")).to_contain_text("We have your request.")
