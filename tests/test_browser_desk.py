"""The desk in a real browser, without JavaScript: in by a link, out again, and seen by a machine (axe)."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.desk import PASSWORD
from tests.support.axe import violations
from tests.support.server import Server
from tests.support.visitor import Visitor, try_out
from tests.test_browser_looks import SCREENS, SHAPE

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

LISTS = ("lists", "lists/newsletter", "lists/newsletter/wordings", "lists/newsletter/policies",
         "lists/newsletter/site", "go-live")  # fmt: skip
PAGES = (
    "",
    "people",
    *LISTS,
    "people/sign-up",
    "requests",
    "requests/new",
    "requests/1",
    "import",
    "export",
    "export/back",
    "abuse",
    "holds",
    "export?layout=listmonk",
    "health",
    "record",
    "audit",
    "tokens",
    "accounts",
    "account",
    "numbers",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with try_out(tmp_path_factory.mktemp("server")) as running:
        yield running


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_from_the_mailbox_to_a_deputy_who_comes_in_by_a_link_and_takes_an_export(
    browser: Browser, server: Server
) -> None:
    with browser.new_context(java_script_enabled=False) as owner, browser.new_context() as other:
        page, deputy = owner.new_page(), other.new_page()
        page.goto(f"{server.base_url}/")
        page.get_by_role("link", name="Manage lists and people").click()
        page.get_by_role("button", name="Come in").click()
        heading(page, "Your lists")
        page.get_by_role("link", name="Accounts").click()
        page.get_by_label("Email address").fill("deputy@example.org")
        page.get_by_label("manager:").check()
        page.get_by_role("button", name="Make a link").click()
        deputy.goto(page.locator(".notice code").inner_text())
        heading(deputy, "Choose a password")
        deputy.get_by_label("Password").fill(PASSWORD)
        deputy.get_by_role("button", name="Keep it and sign in").click()
        deputy.get_by_role("link", name="Export").click()
        with deputy.expect_download() as download:
            deputy.get_by_role("button", name="Everyone").click()
        assert download.value.suggested_filename.startswith("newsletter-everyone-")
        deputy.get_by_role("link", name="Your account").click()
        deputy.get_by_role("button", name="Sign out").click()
        heading(deputy, "Sign in")


def enter_a_letter(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("/admin/requests/new")
    page.get_by_label("By letter").check()
    page.get_by_label("Name").fill("A. Beispiel")
    page.get_by_label("How did you make sure who asks?").fill("called back")
    page.get_by_label("What do they ask?").fill("Please erase me.")
    page.get_by_role("button", name="Enter the request").click()
    expect(page.get_by_role("status")).to_have_text("The request is entered.")


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_every_page_of_the_desk_is_for_everyone(browser: Browser, server: Server, screen: str) -> None:
    with browser.new_context(**SCREENS[screen]) as context:
        visitor, wrong = Visitor(context.new_page(), server.base_url), dict[str, Any]()
        visitor.go("/admin/sign-in")
        wrong["sign-in"] = violations(visitor.page)
        visitor.page.get_by_role("button", name="Come in").click()
        enter_a_letter(visitor)
        for name in PAGES:
            visitor.go(f"/admin/{name}")
            shape = visitor.page.evaluate(SHAPE)
            is_well = (
                shape["width"] <= SCREENS[screen]["viewport"]["width"] and shape["headings"] == shape["mains"] == 1
            )
            wrong[name] = [*violations(visitor.page), *shape["small"], *([] if is_well else [shape])]
        assert {name: what for name, what in wrong.items() if what} == {}


def test_what_each_role_sees_is_for_everyone(browser: Browser, server: Server) -> None:
    """The owner's pages are walked above; the others' have other menus and fewer buttons."""
    wrong, seen = dict[str, Any](), dict[str, int]()
    with browser.new_context() as context:
        owner = context.new_page()
        owner.goto(f"{server.base_url}/admin/sign-in")
        owner.get_by_role("button", name="Come in").click()
        for role in ("viewer", "manager", "privacy"):
            owner.goto(f"{server.base_url}/admin/accounts")
            owner.get_by_label("Email address").fill(f"{role}@example.org")
            owner.get_by_label(f"{role}:").check()
            owner.get_by_role("button", name="Make a link", exact=True).click()
            with browser.new_context() as theirs:
                page = theirs.new_page()
                page.goto(owner.locator(".notice code").inner_text())
                page.get_by_label("Password").fill(PASSWORD)
                page.get_by_role("button", name="Keep it and sign in").click()
                paths = [link.get_attribute("href") for link in page.locator("header nav a").all()]
                for path in filter(None, paths):
                    page.goto(server.base_url + path)
                    wrong[f"{role} {path}"] = violations(page)
                seen[role] = len(paths)
    assert seen == {"viewer": 4, "manager": 8, "privacy": 10}
    assert {name: what for name, what in wrong.items() if what} == {}
