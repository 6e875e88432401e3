"""The guard in a real browser: it computes by itself, or there is a short wait; and autofill stays out of the trap."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from tests.support.axe import violations
from tests.support.browser import launch
from tests.support.server import Server
from tests.support.visitor import Visitor, try_out

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

VENDOR = Path(__file__).resolve().parents[1] / "subscriptions/web/static/vendor/altcha"
INBOX = "Now check your inbox"
GO_ON = "Continue"
SCREENS: list[dict[str, Any]] = [
    {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
    {"viewport": {"width": 320, "height": 640}, "forced_colors": "active", "reduced_motion": "reduce"},
]
FACTS = {
    "NAME_FULL": "Anne Example", "NAME_FIRST": "Anne", "NAME_LAST": "Example", "EMAIL_ADDRESS": "anne@example.org",
    "COMPANY_NAME": "Example Society", "ADDRESS_HOME_STREET_ADDRESS": "1 Example Street",
    "ADDRESS_HOME_CITY": "Exampletown", "ADDRESS_HOME_ZIP": "12345", "ADDRESS_HOME_COUNTRY": "DE",
    "PHONE_HOME_WHOLE_NUMBER": "+4930000000",
}  # fmt: skip


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks everybody."""
    with try_out(tmp_path_factory.mktemp("server"), "always") as server:
        yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        yield context


def visitor(context: BrowserContext, server: Server) -> Visitor:
    return Visitor(context.new_page(), server.base_url)


def listen(page: Page) -> list[str]:
    """What the console says; Chromium notes a page's status 422 as if a part of it were missing."""
    told: list[str] = []

    def say(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and message.location["url"] != page.url:
            told.append(message.text)

    page.on("console", say)
    page.on("pageerror", lambda error: told.append(str(error)))
    return told


def heading(visitor: Visitor, text: str) -> None:
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(text)


def ready(visitor: Visitor) -> None:
    """The script is there: whoever presses before goes the way without it, which is another test."""
    visitor.page.locator("html.computes").wait_for()


def trapped(visitor: Visitor, address: str) -> None:
    visitor.go("/subscribe/newsletter")
    visitor.page.locator("[name=website]").evaluate("field => field.value = 'https://example.org'")
    visitor.page.get_by_label("Email address").fill(address)
    visitor.press("Subscribe")


def test_the_browser_does_the_work_and_signs_up(context: BrowserContext, asking: Server) -> None:
    anne = visitor(context, asking)
    told = listen(anne.page)
    anne.go("/subscribe/newsletter")
    ready(anne)
    anne.page.get_by_label("Email address").fill("anne@example.org")
    anne.page.get_by_label("Email address").press("Enter")
    heading(anne, INBOX)
    anne.open_mailbox("anne@example.org")
    assert told == []
    assert context.cookies() == [] and anne.page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_on_the_page_of_one_more_step_a_press_is_enough(context: BrowserContext, asking: Server) -> None:
    bart = visitor(context, asking)
    told = listen(bart.page)
    trapped(bart, "bart@example.org")
    heading(bart, "One more step")
    ready(bart)
    expect(bart.page.locator(".wait")).to_be_hidden()
    bart.press_by_keyboard(GO_ON)
    heading(bart, INBOX)
    assert told == []


def test_while_it_computes_the_page_says_so_and_a_second_press_does_nothing(
    context: BrowserContext, asking: Server
) -> None:
    anne = visitor(context, asking)
    anne.page.route("**/challenge", lambda route: None)  # the answer never comes
    anne.go("/subscribe/newsletter")
    ready(anne)
    anne.page.get_by_label("Email address").fill("carl@example.org")
    button = anne.page.get_by_role("button", name="Subscribe")
    button.click()
    expect(anne.page.get_by_role("status")).to_contain_text("your browser is doing a small calculation")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_be_focused()
    button.click(force=True)
    assert violations(anne.page) == []


def test_where_the_challenge_does_not_come_the_wait_is_offered(context: BrowserContext, asking: Server) -> None:
    dora = visitor(context, asking)
    dora.page.route("**/challenge", lambda route: route.abort())
    dora.go("/subscribe/newsletter")
    ready(dora)
    dora.page.get_by_label("Email address").fill("dora@example.org")
    dora.press("Subscribe")
    heading(dora, "One more step")


def test_where_the_script_does_not_come_the_wait_is_offered(context: BrowserContext, asking: Server) -> None:
    dora = visitor(context, asking)
    dora.page.route("**/proof.js*", lambda route: route.abort())
    trapped(dora, "dora@example.org")
    expect(dora.page.get_by_text("Please wait 10 seconds.")).to_be_visible()
    expect(dora.page.get_by_role("button", name=GO_ON)).to_be_hidden()


@pytest.mark.parametrize("screen", SCREENS, ids=["desk", "narrow at night", "forced colours"])
def test_without_javascript_the_button_comes_when_it_is_time(
    browser: Browser, asking: Server, screen: dict[str, Any]
) -> None:
    """The animations are the browser's clock: the test looks at them, and moves them to their end."""
    with browser.new_context(java_script_enabled=False, **screen) as context:
        emil = visitor(context, asking)
        emil.sign_up("emil@example.org")
        heading(emil, "One more step")
        expect(emil.page.get_by_text("Please wait 10 seconds.")).to_be_visible()
        expect(emil.page.get_by_role("button", name=GO_ON)).to_be_hidden()
        assert emil.page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"]
        assert "The button is ready." not in emil.page.locator("form").aria_snapshot()
        assert set(emil.page.evaluate(LENGTHS)) == {10_000}
        emil.page.evaluate("document.getAnimations().forEach(one => one.finish())")
        expect(emil.page.get_by_text("Please wait 10 seconds.")).to_be_hidden()
        expect(emil.page.get_by_role("button", name=GO_ON)).to_be_visible()
        assert "The button is ready." in emil.page.locator("form").aria_snapshot()


LENGTHS = "document.getAnimations().map(one => one.effect.getTiming().duration)"


def test_pressing_before_its_time_counts_from_the_first_page(browser: Browser, asking: Server) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        emil = visitor(context, asking)
        emil.sign_up("emil@example.org")
        step = emil.page.locator("[name=step]").input_value()
        with emil.page.expect_navigation():
            emil.page.get_by_role("button", name=GO_ON, include_hidden=True).dispatch_event("click")
        heading(emil, "One more step")
        expect(emil.page.get_by_text("a little too early")).to_be_visible()
        assert emil.page.locator("[name=step]").input_value() == step


@pytest.mark.parametrize("screen", SCREENS, ids=["desk", "narrow at night", "forced colours"])
@pytest.mark.parametrize("scripts", [True, False])
def test_axe_finds_nothing_on_the_pages_of_the_guard(
    browser: Browser, asking: Server, screen: dict[str, Any], scripts: bool
) -> None:
    with browser.new_context(**screen) as context:
        if not scripts:  # axe is one itself
            context.route("**/*.js*", lambda route: route.abort())
        fritz = visitor(context, asking)
        fritz.go("/subscribe/newsletter")
        assert violations(fritz.page) == []
        trapped(fritz, "fritz@example.org")
        if scripts:
            ready(fritz)
        assert violations(fritz.page) == []
        assert fritz.page.evaluate("document.documentElement.scrollWidth") <= screen["viewport"]["width"]
        fritz.page.evaluate("document.getAnimations().forEach(one => one.finish())")
        assert violations(fritz.page) == []


def test_the_trap_is_hidden_from_eyes_keys_and_screen_readers(context: BrowserContext, asking: Server) -> None:
    gerd = visitor(context, asking)
    gerd.go("/subscribe/newsletter")
    stops = [stop.name for stop in gerd.walk_by_tab()]
    assert not [name for name in stops if "Leave this empty" in name]
    assert "Leave this empty" not in gerd.page.locator("form").aria_snapshot()
    box = gerd.page.locator("div:has(> [name=website])").bounding_box()
    assert box is not None and box["width"] * box["height"] <= 1


@pytest.fixture
def whole(playwright: Playwright) -> Iterator[BrowserContext]:
    """The browser with what is around its pages: autofill is there."""
    with launch(playwright, whole=True) as browser, browser.new_context() as context:
        yield context


@pytest.mark.parametrize("opened", [True, False])
def test_the_autofill_of_the_browser_leaves_the_trap_alone(whole: BrowserContext, asking: Server, opened: bool) -> None:
    """Chromium's own, with a whole address book entry: it fills what is shown, and would fill one called `company`."""
    hans = visitor(whole, asking)
    hans.go("/subscribe/newsletter")
    if opened:
        hans.page.locator("details.more summary").click()
    autofill(hans.page, "[name=email]")
    values = dict(hans.page.evaluate("[...document.forms[0].elements].map(one => [one.name, one.value])"))
    name = FACTS["NAME_FULL"] if opened else ""
    assert (values["email"], values["name"], values["website"]) == (FACTS["EMAIL_ADDRESS"], name, "")


def autofill(page: Page, selector: str) -> None:
    page.locator(selector).focus()  # where it is offered, and when the browser looks anew at which fields are shown
    browser = page.context.new_cdp_session(page)
    address = {"fields": [{"name": name, "value": value} for name, value in FACTS.items()]}
    browser.send("Autofill.enable")
    browser.send("Autofill.setAddresses", {"addresses": [address]})
    root = browser.send("DOM.getDocument")["root"]["nodeId"]
    node = browser.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    field = browser.send("DOM.describeNode", {"nodeId": node})["node"]["backendNodeId"]
    browser.send("Autofill.trigger", {"fieldId": field, "address": address})
    expect(page.locator(selector)).not_to_have_value("")


def test_the_widget_that_is_served_is_the_one_that_was_taken() -> None:
    """A file that somebody changed by hand would run on every visitor's machine."""
    named = dict(re.findall(r"^\| `(\S+)` \| `\S+` \| `([0-9a-f]{64})` \|$", (VENDOR / "VENDOR.md").read_text(), re.M))
    found = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in VENDOR.glob("*.js")}
    assert found == named and len(found) == 2
