"""Somebody is looked up and unsubscribed in a real browser, without JavaScript, on every screen; seen by axe."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.axe import violations
from tests.support.server import Server
from tests.support.visitor import CONFIRM, Visitor, try_out
from tests.test_browser_desk import heading
from tests.test_browser_looks import SCREENS, SHAPE

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

ANNE = "anne@example.org"


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Where Anne has subscribed."""
    with try_out(tmp_path_factory.mktemp("server")) as running, browser.new_context() as context:
        anne = Visitor(context.new_page(), running.base_url)
        anne.sign_up(ANNE)
        other = Visitor(browser.new_context().new_page(), running.base_url)
        other.open_mail(ANNE)
        other.press_in_mail(CONFIRM)
        other.press("Yes, subscribe me")
        heading(other.page, "You are subscribed")
        other.page.context.close()
        yield running


def seen(page: Page, width: int) -> list[Any]:
    """What is wrong with the page at hand."""
    shape = page.evaluate(SHAPE)
    is_well = shape["width"] <= width and shape["headings"] == shape["mains"] == 1
    return [*violations(page), *shape["small"], *([] if is_well else [shape])]


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_somebody_is_found_and_every_page_about_them_is_for_everyone(
    browser: Browser, server: Server, screen: str
) -> None:
    width, wrong = SCREENS[screen]["viewport"]["width"], dict[str, Any]()
    with browser.new_context(**SCREENS[screen]) as context:
        page = context.new_page()
        visitor = Visitor(page, server.base_url)
        visitor.go("/admin/sign-in")
        page.get_by_role("button", name="Come in").click()
        for typed in ("nobody@example.org", "anne", ANNE):
            visitor.go("/admin/people")
            page.get_by_label("Find somebody").fill(typed)
            page.get_by_role("button", name="Search").click()
            wrong[typed] = seen(page, width)
        heading(page, ANNE)
        assert "anne" not in page.url
        page.get_by_role("button", name="Sign them up for another list").click()
        heading(page, "Sign somebody up")
        wrong["sign up"] = seen(page, width)
        page.get_by_role("radio", name="On paper").check()
        page.get_by_role("button", name="Sign them up").click()
        assert "choose at least one list" in page.get_by_role("alert").inner_text()
        wrong["no list"] = seen(page, width)
        visitor.go("/admin/export/back")
        page.get_by_label("Addresses").fill(f"{ANNE}\nnobody@example.org\nnonsense")
        page.get_by_role("button", name="Show how many").click()
        assert page.get_by_role("button", name="Unsubscribe 1 address").is_visible()
        wrong["who left elsewhere"] = seen(page, width)
        visitor.go("/admin/people")
        page.get_by_label("Find somebody").fill(ANNE)
        page.get_by_role("button", name="Search").click()
        for one in page.locator("summary").all():
            one.click()
        wrong["proofs"] = seen(page, width)
        for act in ("Correct", "Unsubscribe them", "Stop emails", "Restrict", "Erase"):
            link = page.get_by_role("link", name=act, exact=True)
            if not link.count():  # two acts stand there, the others behind
                page.get_by_text("More", exact=True).click()
            link.click()
            heading(page, act)
            wrong[act] = seen(page, width)
            page.get_by_role("link", name="Back without changing anything").click()
        page.get_by_role("link", name="Proof of consent").click()
        wrong["proof, asked for"] = seen(page, width)
        with page.expect_popup() as opened:
            page.get_by_role("button", name="Print").click()
        heading(opened.value, "Proof of consent")
        wrong["proof"] = seen(opened.value, width)
    assert {name: what for name, what in wrong.items() if what} == {}
