"""One form for several lists in a real browser: with the mouse, by keyboard alone, and seen by a machine (axe)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.axe import violations
from tests.support.server import Server
from tests.support.visitor import Visitor
from tests.test_browser_looks import SCREENS, SHAPE, SPACED

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

LISTS = """[
  {slug = "newsletter", name = "The Example Letter", description = "Once a month, in plain words.",
   wording = "Yes, please send me The Example Letter.", policy_url = "https://example.org/privacy",
   controller = "Example Society", fields = ["salutation", "given_name", "family_name", "company: Company or club"]},
  {slug = "events", name = "Events", wording = "Yes, please send me the events."},
  {slug = "offers", name = "Offers"}]"""
ANNE = "anne@example.org"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, "sqlite:///subscriptions.db", LISTS=" ".join(LISTS.split("\n"))) as running:
        yield running


def heading(visitor: Visitor, text: str) -> None:
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(text)


def open_mail(visitor: Visitor) -> None:
    visitor.open_mail(ANNE)
    visitor.press_in_mail("Continue to confirm")


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_person_ticks_two_lists_takes_one_of_them_and_later_the_other(
    browser: Browser, server: Server, scripts: bool
) -> None:
    with browser.new_context(java_script_enabled=scripts) as context:
        visitor = Visitor(context.new_page(), server.base_url)
        visitor.go("/subscribe")
        boxes = visitor.page.get_by_role("checkbox")
        assert [boxes.nth(n).is_checked() for n in range(boxes.count())] == [False, False, False]
        visitor.page.get_by_label("The Example Letter").check()
        visitor.page.get_by_label("Events").check()
        visitor.page.get_by_label("Email address").fill(ANNE)
        visitor.page.locator("details.more summary").click()
        visitor.page.get_by_label("Last name").fill("Example")
        visitor.page.get_by_label("Title").fill("Ms")
        visitor.press("Subscribe")
        heading(visitor, "Now check your inbox")
        visitor.open_mail(ANNE)
        expect(visitor.page.frame_locator("iframe.mail").get_by_text("Hello Ms Example,")).to_be_visible()
        visitor.press_in_mail("Continue to confirm")
        heading(visitor, "Choose what to subscribe to")
        link = visitor.page.url
        visitor.press("Only Events")
        heading(visitor, "You are subscribed")
        expect(visitor.page.get_by_role("link", name="Unsubscribe from Events")).to_be_visible()
        visitor.page.goto(link)
        visitor.press("Subscribe to The Example Letter")
        expect(visitor.page.get_by_role("link", name="Unsubscribe from")).to_have_count(2)


def test_the_whole_way_goes_by_keyboard_alone(browser: Browser, server: Server) -> None:
    with browser.new_context() as context:
        visitor = Visitor(context.new_page(), server.base_url)
        visitor.go("/subscribe")
        for name in ("The Example Letter", "Offers"):
            assert any(stop.name == name for stop in visitor.walk_by_tab()), f"Tab does not reach {name}"
            visitor.page.keyboard.press("Space")
        visitor.type_into("Email address", ANNE)
        visitor.press_by_keyboard("Subscribe")
        heading(visitor, "Now check your inbox")
        open_mail(visitor)
        visitor.press_by_keyboard("Subscribe to both")
        heading(visitor, "You are subscribed")


def test_a_form_that_lacks_something_begins_with_what_and_leads_there(browser: Browser, server: Server) -> None:
    with browser.new_context() as context:
        visitor = Visitor(context.new_page(), server.base_url)
        visitor.go("/subscribe")
        visitor.page.get_by_label("Email address").fill(ANNE)
        visitor.press("Subscribe")
        expect(visitor.page.get_by_role("alert")).to_be_focused()
        visitor.page.get_by_role("link", name="Please choose at least one list.").click()
        expect(visitor.page.get_by_role("group", name="I agree to this:")).to_be_focused()


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_of_the_way_is_for_everyone(browser: Browser, server: Server, screen: str) -> None:
    options = SCREENS[screen]
    with browser.new_context(**options) as context:
        visitor = Visitor(context.new_page(), server.base_url)
        visitor.go("/subscribe")
        _look(visitor, options["viewport"]["width"])
        visitor.page.get_by_label("Email address").fill("anne@example")
        visitor.press("Subscribe")
        _look(visitor, options["viewport"]["width"])
        for name in ("The Example Letter", "Events", "Offers"):
            visitor.page.get_by_label(name).check()
        visitor.page.get_by_label("Email address").fill(ANNE)
        visitor.press("Subscribe")
        open_mail(visitor)
        for name in ("Only Offers", "Subscribe to both"):
            _look(visitor, options["viewport"]["width"])
            visitor.press(name)
        _look(visitor, options["viewport"]["width"])


def _look(visitor: Visitor, width: int) -> None:
    assert violations(visitor.page) == []
    shape = visitor.page.evaluate(SHAPE)
    assert (shape["headings"], shape["mains"], shape["small"]) == (1, 1, [])
    assert max(shape["width"], visitor.page.evaluate(SPACED)) <= width
