"""The loop as people walk it, in a real browser and on the real server, with JavaScript and without."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.server import Server
from tests.support.visitor import CONFIRM, NOT_ME, Visitor, try_out

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with try_out(tmp_path_factory.mktemp("server")) as running:
        yield running


WITH, WITHOUT = (pytest.param(on, id=f"{word} JavaScript") for on, word in ((True, "with"), (False, "without")))
IN_BOTH_BY_DAY = pytest.mark.parametrize("visitor", [WITH, WITHOUT], indirect=True)


@pytest.fixture(params=[WITH, pytest.param(False, id="without JavaScript", marks=pytest.mark.drill)])
def visitor(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    with browser.new_context(java_script_enabled=request.param) as context:
        yield Visitor(context.new_page(), server.base_url)


@pytest.fixture
def typist(browser: Browser, server: Server) -> Iterator[Visitor]:
    """Somebody without a mouse."""
    with browser.new_context() as context:
        yield Visitor(context.new_page(), server.base_url)


def heading(visitor: Visitor, text: str) -> None:
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(text)


def count_of(visitor: Visitor, state: str) -> str:
    """Of the first list, as the time machine shows it."""
    visitor.go("/mailbox")
    return visitor.page.locator(".counts").first.locator("div", has_text=state).locator("dd").first.inner_text()


def subscribe(visitor: Visitor, address: str) -> None:
    visitor.sign_up(address)
    heading(visitor, "Now check your inbox")
    visitor.open_mail(address)
    visitor.press_in_mail(CONFIRM)
    visitor.press("Yes, subscribe me")
    heading(visitor, "You are subscribed")


@IN_BOTH_BY_DAY
def test_a_person_subscribes_leaves_and_comes_back(visitor: Visitor) -> None:
    subscribe(visitor, "anne@example.org")
    visitor.follow("Unsubscribe")
    heading(visitor, "Leave The Example Letter?")
    visitor.press("Unsubscribe")
    heading(visitor, "You are unsubscribed")
    visitor.move_clock("+1 hour")
    subscribe(visitor, "anne@example.org")
    assert (count_of(visitor, "confirmed"), count_of(visitor, "unsubscribed")) == ("1", "1")


@IN_BOTH_BY_DAY
def test_a_wrong_address_is_explained_and_what_was_typed_is_kept(visitor: Visitor) -> None:
    visitor.sign_up("anne@example", "Anne")
    expect(visitor.page.get_by_role("alert")).to_contain_text("One thing needs your attention")
    expect(visitor.page.get_by_label("Email address")).to_have_attribute("aria-invalid", "true")
    expect(visitor.page.get_by_label("Name")).to_have_value("Anne")
    visitor.page.get_by_label("Email address").fill("anne@example.org")
    visitor.press("Subscribe")
    heading(visitor, "Now check your inbox")
    visitor.open_mail("anne@example.org")
    expect(visitor.page.frame_locator("iframe.mail").locator("body")).to_contain_text("Hello Anne")


def test_looking_at_the_confirm_page_subscribes_nobody(visitor: Visitor) -> None:
    visitor.sign_up("anne@example.org")
    visitor.open_mail("anne@example.org")
    visitor.press_in_mail(CONFIRM)
    visitor.page.reload()
    heading(visitor, "Subscribe to The Example Letter?")
    assert (count_of(visitor, "pending"), count_of(visitor, "confirmed")) == ("1", "0")


def test_the_link_of_a_confirmed_mail_says_subscribed_again(visitor: Visitor) -> None:
    subscribe(visitor, "anne@example.org")
    visitor.open_mail("anne@example.org")
    visitor.press_in_mail(CONFIRM)
    heading(visitor, "You are subscribed")


def test_the_time_machine_blocks_a_sign_up_and_then_deletes_it(visitor: Visitor) -> None:
    visitor.sign_up("anne@example.org")
    visitor.open_mail("anne@example.org")
    visitor.press_in_mail(CONFIRM)
    link = visitor.page.url
    visitor.move_clock("+24 hours")
    expect(visitor.page.locator(".jobs")).to_contain_text("1 unconfirmed sign-up was blocked.")
    visitor.page.goto(link)
    heading(visitor, "The time to confirm is over")
    visitor.move_clock("+1 month")
    expect(visitor.page.locator(".jobs")).to_contain_text("1 blocked sign-up was deleted")
    expect(visitor.page.get_by_text("anne@example.org")).to_have_count(0)
    visitor.page.goto(link)
    heading(visitor, "This sign-up has been deleted")


@IN_BOTH_BY_DAY
def test_a_link_that_is_too_late_leads_to_a_fresh_mail(visitor: Visitor) -> None:
    visitor.sign_up("anne@example.org")
    visitor.open_mail("anne@example.org")
    visitor.press_in_mail(CONFIRM)
    link = visitor.page.url
    visitor.move_clock("+24 hours")
    visitor.page.goto(link)
    visitor.press("Send me a new email")
    heading(visitor, "Now check your inbox")
    visitor.open_mail("anne@example.org", mails=2)
    visitor.press_in_mail(CONFIRM)
    visitor.press("Yes, subscribe me")
    heading(visitor, "You are subscribed")


def test_not_me_deletes_the_sign_up_and_can_be_undone(visitor: Visitor) -> None:
    visitor.sign_up("anne@example.org")
    visitor.open_mail("anne@example.org")
    visitor.press_in_mail(NOT_ME)
    heading(visitor, "You did not ask for this?")
    visitor.press("This was not me")
    heading(visitor, "Thank you. That is done")
    visitor.press("Undo")
    heading(visitor, "Confirmation emails are allowed again")
    assert count_of(visitor, "pending") == "0"


def test_the_unsubscribe_button_of_a_mail_program_cancels_the_sign_up(visitor: Visitor) -> None:
    visitor.sign_up("anne@example.org")
    visitor.open_mail("anne@example.org")
    visitor.press("Unsubscribe (as your email program offers it)")
    assert count_of(visitor, "pending") == "0"


@IN_BOTH_BY_DAY
def test_a_form_that_a_program_filled_asks_for_one_more_press(visitor: Visitor) -> None:
    visitor.go("/subscribe/newsletter")
    visitor.page.locator("[name=website]").evaluate("field => field.value = 'https://example.org'")
    visitor.page.get_by_label("Email address").fill("anne@example.org")
    visitor.press("Subscribe")
    heading(visitor, "One more step")
    elsewhere = Visitor(visitor.page.context.new_page(), visitor.base_url)
    assert count_of(elsewhere, "pending") == "0"
    visitor.press("Continue")
    heading(visitor, "Now check your inbox")


def test_the_lists_of_the_start_page_are_choices_of_one_form(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.page.get_by_label("Offers").check()
    visitor.page.get_by_label("Email address").fill("anne@example.org")
    visitor.press("Subscribe")
    expect(visitor.page).to_have_title("Check your inbox: Offers · Example Society")


def test_the_whole_loop_works_by_keyboard_alone(typist: Visitor) -> None:
    typist.go("/subscribe/newsletter")
    typist.type_into("Email address", "anne@example.org")
    typist.press_by_keyboard("Subscribe to The Example Letter")
    heading(typist, "Now check your inbox")
    typist.open_mail("anne@example.org")
    typist.press_by_keyboard(CONFIRM)
    typist.press_by_keyboard("Yes, subscribe me")
    heading(typist, "You are subscribed")
    typist.press_by_keyboard("Unsubscribe")
    typist.press_by_keyboard("Unsubscribe")
    heading(typist, "You are unsubscribed")


def test_the_summary_of_errors_has_the_focus_and_leads_to_the_field(typist: Visitor) -> None:
    typist.sign_up("anne@example")
    expect(typist.page.get_by_role("alert")).to_be_focused()
    typist.page.keyboard.press("Tab")
    typist.page.keyboard.press("Enter")
    expect(typist.page.get_by_label("Email address")).to_be_focused()


def test_whoever_has_the_focus_can_be_seen(typist: Visitor) -> None:
    typist.go("/subscribe/newsletter")
    stops = list(typist.walk_by_tab())
    assert "Subscribe to The Example Letter" in [stop.name for stop in stops]
    assert not [stop.name for stop in stops if stop.outline == "none"]
