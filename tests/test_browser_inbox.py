"""From the page after the form to the subscription, in a real browser: by code, by the page that is still open."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.support.server import Server
from tests.support.site import Site
from tests.support.visitor import CONFIRM, Visitor, try_out

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ANNE, BART = "anne@example.org", "bart@example.org"
PRERENDERED = "Object.defineProperty(Document.prototype, 'prerendering', {get: () => !window.isActivated})"
HIDDEN = (
    "Object.defineProperty(Document.prototype, 'visibilityState', {get: () => window.isShown ? 'visible' : 'hidden'})"
)
ACTIVATE = "window.isActivated = true; document.dispatchEvent(new Event('prerenderingchange'))"
SHOW = "window.isShown = true; document.dispatchEvent(new Event('visibilitychange'))"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with try_out(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def mine(browser: Browser) -> Iterator[BrowserContext]:
    """The browser in which the sign-up was made."""
    with browser.new_context() as context:
        yield context


@pytest.fixture
def other(browser: Browser) -> Iterator[BrowserContext]:
    """Another browser: of a phone, of a scanner."""
    with browser.new_context() as context:
        yield context


def visitor(context: BrowserContext, server: Server) -> Visitor:
    return Visitor(context.new_page(), server.base_url)


def signed_up(context: BrowserContext, server: Server, address: str = ANNE) -> Visitor:
    one = visitor(context, server)
    one.sign_up(address)
    heading(one, "Now check your inbox")
    return one


def heading(one: Visitor, text: str) -> None:
    expect(one.page.get_by_role("heading", level=1)).to_have_text(text)


def link_of(reader: Visitor, address: str = ANNE) -> str:
    reader.open_mail(address)
    link = reader.page.frame_locator("iframe.mail").get_by_role("link", name=CONFIRM).first
    return str(link.get_attribute("href"))


def states(reader: Visitor) -> tuple[str, str]:
    """How many are pending, and how many confirmed."""
    reader.go("/mailbox")
    counts = reader.page.locator(".counts").first
    pending, confirmed = (counts.locator("div", has_text=one).locator("dd").first for one in ("pending", "confirmed"))
    return pending.inner_text(), confirmed.inner_text()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_code_read_elsewhere_confirms_where_it_is_typed(
    browser: Browser, server: Server, other: BrowserContext, script: bool
) -> None:
    with browser.new_context(java_script_enabled=script) as context:
        tab = signed_up(context, server)
        tab.page.get_by_label("Code").fill(f"  {visitor(other, server).read_code(ANNE).lower().replace('-', ' ')} ")
        tab.press("Confirm")
        heading(tab, "You are subscribed")


def test_a_wrong_code_is_explained_at_the_field_and_used_up_tries_close_it(
    mine: BrowserContext, server: Server
) -> None:
    tab = signed_up(mine, server)
    for left in ("2 more tries", "1 more try"):
        tab.page.get_by_label("Code").fill("ABCD-EFGH")
        tab.press("Confirm")
        field = tab.page.get_by_label("Code")
        expect(tab.page.get_by_role("alert")).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(left))
        expect(field).to_have_value("ABCD-EFGH")
    tab.press("Confirm")
    expect(tab.page.get_by_role("alert")).to_contain_text("The link in the email still works")
    expect(tab.page.get_by_label("Code")).to_have_count(0)


def test_a_code_is_typed_and_sent_by_keyboard_alone(
    mine: BrowserContext, other: BrowserContext, server: Server
) -> None:
    tab = signed_up(mine, server)
    code = visitor(other, server).read_code(ANNE)
    tab.type_into("Code", code)
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")
    heading(tab, "You are subscribed")


def test_another_mail_is_asked_for_by_keyboard_and_said_to_be_on_its_way(mine: BrowserContext, server: Server) -> None:
    tab = signed_up(mine, server)
    tab.press_by_keyboard("Send another email")
    expect(tab.page.get_by_role("status").filter(has_text="we are sending another email")).to_be_focused()


def test_the_link_confirms_at_once_where_the_page_of_the_sign_up_is_open(mine: BrowserContext, server: Server) -> None:
    tab, reader = signed_up(mine, server), visitor(mine, server)
    reader.open_mail(ANNE)
    reader.press_in_mail(CONFIRM)
    heading(reader, "You are subscribed")
    heading(tab, "You are subscribed")
    expect(tab.page.get_by_role("status")).to_contain_text("You can close this page now")
    expect(tab.page).to_have_title(re.compile("^You are subscribed"))
    expect(tab.page.get_by_label("Code")).to_have_count(0)
    assert states(reader) == ("0", "1")


def test_the_open_page_says_so_as_well_when_the_button_was_pressed(mine: BrowserContext, server: Server) -> None:
    tab = signed_up(mine, server)
    mine.route("**/open-tab.js*", lambda route: route.abort())
    reader = visitor(mine, server)
    reader.open_mail(ANNE)
    reader.press_in_mail(CONFIRM)
    heading(reader, "Subscribe to The Example Letter?")
    mine.unroute("**/open-tab.js*")
    reader.press("Yes, subscribe me")
    heading(tab, "You are subscribed")


def test_the_page_of_another_sign_up_vouches_for_nothing(
    mine: BrowserContext, other: BrowserContext, server: Server
) -> None:
    bystander = signed_up(mine, server, BART)
    link = link_of(signed_up(other, server))
    reader = visitor(mine, server)
    reader.page.goto(link)
    reader.page.wait_for_load_state("networkidle")
    heading(reader, "Subscribe to The Example Letter?")
    heading(bystander, "Now check your inbox")
    assert states(bystander) == ("2", "0")


@pytest.mark.parametrize("how", ["link", "form"])
def test_a_page_that_another_site_puts_into_the_browser_confirms_nothing(
    mine: BrowserContext, other: BrowserContext, server: Server, how: str
) -> None:
    body = (
        f'<a href="{signed_up(other, server).page.url}" target="_blank">Cats</a>'
        if how == "link"
        else f'<form action="{server.base_url}/subscribe/newsletter" method="post" target="_blank">'
        f'<input type="hidden" name="email" value="{ANNE}"><button>Cats</button></form>'
    )
    with Site() as site:
        page = mine.new_page()
        page.goto(site.page("/", body))
        with mine.expect_page() as opened:
            page.get_by_text("Cats").click()
        expect(opened.value.get_by_role("heading", level=1)).to_have_text("Now check your inbox")
        reader = visitor(mine, server)
        reader.page.goto(link_of(visitor(other, server)))
        reader.page.wait_for_load_state("networkidle")
        heading(reader, "Subscribe to The Example Letter?")


def test_the_page_of_the_sign_up_still_vouches_when_it_was_loaded_again(mine: BrowserContext, server: Server) -> None:
    tab, reader = signed_up(mine, server), visitor(mine, server)
    tab.page.reload()
    reader.open_mail(ANNE)
    reader.press_in_mail(CONFIRM)
    heading(reader, "You are subscribed")


def test_a_browser_that_runs_scripts_and_presses_nothing_confirms_nothing(
    mine: BrowserContext, other: BrowserContext, server: Server
) -> None:
    tab = signed_up(mine, server)
    reader = visitor(other, server)
    reader.open_mail(ANNE)
    links = reader.page.frame_locator("iframe.mail").get_by_role("link").all()
    for url in {str(one.get_attribute("href")) for one in links}:
        if url.startswith(server.base_url):
            scanner = visitor(other, server)
            scanner.page.goto(url)
            scanner.page.wait_for_load_state("networkidle")
    heading(tab, "Now check your inbox")
    assert states(reader) == ("1", "0")


@pytest.mark.parametrize(("seam", "then"), [(PRERENDERED, ACTIVATE), (HIDDEN, SHOW)], ids=["prerendered", "hidden"])
def test_a_page_that_nobody_looks_at_asks_for_nothing_until_somebody_does(
    mine: BrowserContext, server: Server, seam: str, then: str
) -> None:
    signed_up(mine, server)
    reader = visitor(mine, server)
    link = link_of(reader)
    reader.page.add_init_script(seam)
    reader.page.goto(link)
    reader.page.wait_for_load_state("networkidle")
    heading(reader, "Subscribe to The Example Letter?")
    assert states(visitor(mine, server)) == ("1", "0")
    reader.page.evaluate(then)
    heading(reader, "You are subscribed")


def test_nothing_is_kept_in_the_browser(mine: BrowserContext, server: Server) -> None:
    tab, reader = signed_up(mine, server), visitor(mine, server)
    reader.open_mail(ANNE)
    reader.press_in_mail(CONFIRM)
    heading(tab, "You are subscribed")
    assert mine.cookies() == []
    for one in (tab, reader):
        assert one.page.evaluate("localStorage.length + sessionStorage.length") == 0
        assert one.page.evaluate("indexedDB.databases().then(found => found.length)") == 0
