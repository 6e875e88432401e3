"""Your account at the desk in a real browser: a passkey by its own dialogue, codes without JavaScript; seen by axe."""

from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.desk import PASSWORD
from tests.support.server import Server
from tests.support.visitor import Visitor, try_out
from tests.test_browser_desk import heading
from tests.test_browser_desk_people import seen
from tests.test_browser_looks import SCREENS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with try_out(tmp_path_factory.mktemp("server")) as running:
        yield running


def invited(browser: Browser, server: Server, email: str) -> str:
    """The path of a link, as whoever sits at the machine makes it."""
    with browser.new_context(java_script_enabled=False) as context:
        visitor = Visitor(context.new_page(), server.base_url)
        visitor.go("/admin/sign-in")
        visitor.press("Come in")
        visitor.go("/admin/accounts")
        visitor.page.get_by_label("Email address").fill(email)
        visitor.page.get_by_label("manager:").check()
        visitor.page.get_by_role("button", name="Make a link", exact=True).click()
        return visitor.page.locator(".notice code").inner_text().removeprefix(server.base_url)


def come_in(page: Page, base_url: str, path: str) -> Visitor:
    visitor = Visitor(page, base_url)
    visitor.go(path)
    page.get_by_label("Password").fill(PASSWORD)
    visitor.press("Keep it and sign in")
    return visitor


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation():
        page.locator("form[action='/admin/sign-in'] button").click()


def with_authenticator(context: BrowserContext) -> Page:
    """A page of a browser that has a fingerprint reader, and a finger on it."""
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def test_a_passkey_is_made_and_signs_in_as_localhost_and_stands_for_the_password(
    browser: Browser, server: Server
) -> None:
    path, home = invited(browser, server, "kim@example.org"), server.base_url.replace("127.0.0.1", "localhost")
    with browser.new_context() as context:
        page = with_authenticator(context)
        kim = come_in(page, home, path)
        kim.go("/admin/account/passkeys")
        page.get_by_label("Name").fill("This laptop")
        kim.press("Add a passkey")
        expect(page.get_by_role("status").first).to_contain_text("You can now sign in")
        expect(page.get_by_text("This laptop").first).to_be_visible()
        kim.go("/admin/account")
        kim.press("Sign out")
        kim.press("Sign in with a passkey")
        heading(page, "Your lists")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{home}/admin/sign-in")
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_text("Please try again")).to_be_visible()
        page.goto(f"{server.base_url}/admin/sign-in")
        expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_the_second_factor_is_set_up_without_a_script_and_every_page_of_it_is_for_everyone(
    browser: Browser, server: Server, screen: str
) -> None:
    name, width, wrong = f"{screen}@example.org", SCREENS[screen]["viewport"]["width"], dict[str, Any]()
    path = invited(browser, server, name.replace(" ", "-"))
    with browser.new_context(**SCREENS[screen]) as context:
        page = context.new_page()
        visitor = come_in(page, server.base_url, path)
        for one in ("second-factor", "passkeys", "password"):
            visitor.go(f"/admin/account/{one}")
            wrong[one] = seen(page, width)
        visitor.go("/admin/account/second-factor")
        key = page.locator("p.copy code").inner_text()
        page.get_by_label("Code", exact=True).fill(pyotp.TOTP(key).now())
        visitor.press("Turn it on")
        wrong["recovery codes"] = seen(page, width)
        recovery = page.locator(".codes code").first.inner_text()
        for one in ("account", "account/second-factor", "forgotten"):
            visitor.go(f"/admin/{one}")
            wrong[one] = seen(page, width)
        visitor.go("/admin/account")
        visitor.press("Sign out")
        sign_in(page, name.replace(" ", "-"))
        heading(page, "Your code, please")
        wrong["second step"] = seen(page, width)
        page.get_by_label("Code", exact=True).fill(recovery)
        visitor.press("Sign in")
        heading(page, "Your lists")
    assert {one: what for one, what in wrong.items() if what} == {}


def test_what_was_typed_comes_back_after_the_sign_in_and_is_sent_by_the_button(
    browser: Browser, server: Server
) -> None:
    path, wrong = invited(browser, server, "max@example.org"), list[Any]()
    with browser.new_context(**SCREENS["narrowest"]) as context:
        page = context.new_page()
        visitor = come_in(page, server.base_url, path)
        visitor.go("/admin/people")
        page.get_by_label("Find somebody").fill("somebody@example.org")
        context.clear_cookies()
        visitor.press("Search")
        heading(page, "Sign in")
        wrong += seen(page, 320)
        sign_in(page, "max@example.org")
        heading(page, "You are signed in again")
        assert [*wrong, *seen(page, 320)] == []
        visitor.press("Send it now")
        expect(page.get_by_text("Nobody with this address is subscribed or waiting.")).to_be_visible()
