"""The three embeds on somebody's site, in a real browser: pasted as the page for owners gives them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from subscriptions.look.shades import shades
from tests.support import embeds as support
from tests.support.axe import violations
from tests.support.embeds import GROUNDS, HOSTILE, KINDS, Embeds, Served, address_field, beside_sites, inside, sign_up
from tests.typed import WRONG

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with beside_sites(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def embeds(served: Served, browser: Browser) -> Iterator[Embeds]:
    with support.opened(served, browser) as found:
        yield found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_each_embed_subscribes_a_person_and_the_mail_arrives(embeds: Embeds, kind: str, ground: str) -> None:
    address = f"{kind}-{ground.replace(' ', '-')}@example.org"
    page = embeds.paste(kind, GROUNDS[ground])
    sign_up(page, kind, address)
    embeds.mails_to(address)
    assert (page.url == f"{embeds.site.origin}/") is (kind != "plain")
    assert embeds.console == []


def test_the_script_outlives_a_page_that_hides_and_resets_everything(embeds: Embeds) -> None:
    page = embeds.paste("script", HOSTILE)
    address_field(page, "script").wait_for()  # until it is visible
    size, spacing = address_field(page, "script").evaluate(
        "one => [one.getBoundingClientRect().height, getComputedStyle(one).letterSpacing]"
    )
    assert size >= 44 and spacing == "normal"
    sign_up(page, "script", "hostile@example.org")
    embeds.mails_to("hostile@example.org")


def test_the_script_takes_font_and_colour_of_the_page(embeds: Embeds) -> None:
    page = embeds.paste("script", GROUNDS["light"] + ":root { --yestwice-accent: rgb(120, 0, 80) }")
    look = "one => [getComputedStyle(one).fontFamily, getComputedStyle(one).backgroundColor]"
    assert page.get_by_role("button", name="Subscribe").evaluate(look) == ["Georgia, serif", "rgb(120, 0, 80)"]
    page = embeds.paste("script", query="?colour=%23123456")
    assert page.get_by_role("button", name="Subscribe").evaluate(look)[1] == "rgb(18, 52, 86)"
    page = embeds.paste("script", GROUNDS["dark"], query="?colour=%23123456")  # at night in a lighter shade
    night = page.get_by_role("button", name="Subscribe").evaluate(look)[1]
    assert night == "rgb({}, {}, {})".format(*bytes.fromhex(shades("#123456", "dark").fill[1:]))


def test_the_page_hears_of_a_sign_up_and_of_no_address(embeds: Embeds) -> None:
    page = embeds.paste("script")
    address_field(page, "script").wait_for()
    page.evaluate("document.addEventListener('subscribed', (event) => { window.heard = event.detail })")
    sign_up(page, "script", "heard@example.org")
    heard = page.evaluate("window.heard")
    assert heard.keys() == {"list", "registration"} and heard["list"] == "newsletter"
    assert page.evaluate("document.cookie.length + localStorage.length + sessionStorage.length") == 0
    assert embeds.context.cookies() == []


@pytest.mark.parametrize("kind", ["frame", "script"])
def test_the_embeds_work_under_a_strict_policy_of_the_page(embeds: Embeds, kind: str) -> None:
    page = embeds.new_page()
    page.goto(f"{embeds.server.base_url}/embed/newsletter")
    support.unfold(page)
    name = page.get_by_text({"frame": "Frame", "script": "Script"}[kind], exact=True)
    named = page.locator("#notes div").filter(has=name).locator("code")
    embeds.site.policy = f"default-src 'none'; img-src 'self'; {named.inner_text()}"
    sign_up(embeds.paste(kind), kind, f"strict-{kind}@example.org")
    assert embeds.console == []


def test_a_mistake_stands_at_its_field_which_has_the_focus(embeds: Embeds) -> None:
    page = embeds.paste("script")
    wrong = {"": "Please enter your email address.", "anne@": "The part after the @ sign is missing.",
             "anne@example..org": "There are two dots in a row", "an\u200bne@example.org": "(U+200B)"}  # fmt: skip
    for typed, sentence in wrong.items():
        address_field(page, "script").fill(typed)
        page.get_by_role("button", name="Subscribe").click()
        page.locator("#error-email").filter(has_text=sentence).wait_for()
        state = address_field(page, "script").evaluate(
            """one => [one.getAttribute('aria-invalid'), one.getAttribute('aria-describedby'),
                one.getRootNode().activeElement === one]"""
        )
        assert state == ["true", "error-email", True]
    assert violations(page) == []
    sign_up(page, "script", "jörg@bücher.example")  # browsers' own rule refuses it


def test_what_a_page_says_is_said_to_screen_readers_too(embeds: Embeds) -> None:
    page = embeds.paste("script")
    sign_up(page, "script", "status@example.org")
    assert page.get_by_role("status").first.inner_text().startswith("Now check your inbox")
    assert "letters@example.org" in page.get_by_role("status").first.inner_text()
    assert violations(page) == []


def test_the_code_of_the_mail_confirms_in_the_script(embeds: Embeds) -> None:
    page = embeds.paste("script")
    sign_up(page, "script", "typed@example.org")
    page.evaluate("document.addEventListener('confirmed', (event) => { window.heard = event.detail })")
    for said in ("A code has eight letters", "2 more tries", "1 more try"):
        page.get_by_label("Code").fill("K7QM" if said.startswith("A") else WRONG)
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_label("Code")).to_be_focused()
        expect(page.get_by_label("Code")).to_have_accessible_description(re.compile(said))
    assert violations(page) == []
    page.get_by_label("Code").fill(embeds.code("typed@example.org").lower())
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_have_text(re.compile("You are subscribed.*The Example Letter"))
    expect(page.get_by_label("Code")).to_have_count(0)
    assert page.evaluate("window.heard").keys() == {"list", "registration"}
    assert violations(page) == []


def test_who_presses_twice_uses_up_one_try(embeds: Embeds) -> None:
    page = embeds.paste("script")
    sign_up(page, "script", "twice@example.org")
    page.get_by_label("Code").fill(WRONG)
    page.get_by_role("button", name="Confirm").evaluate("button => { button.click(); button.click() }")
    expect(page.get_by_label("Code")).to_have_accessible_description(re.compile("2 more tries"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Code")).to_have_accessible_description(re.compile("1 more try"))


def test_a_slip_is_asked_about_before_a_mail_and_both_buttons_answer(embeds: Embeds) -> None:
    page = embeds.paste("script")
    address_field(page, "script").fill("bart@gmial.com")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("status").filter(has_text="Did you mean bart@gmail.com?")).to_be_focused()
    assert violations(page) == []
    page.get_by_role("button", name="Keep bart@gmial.com and subscribe").click()
    expect(page.get_by_role("status").first).to_contain_text("Open the email we send to bart@gmial.com.")
    page.get_by_role("button", name="Correct it").click()
    expect(address_field(page, "script")).to_be_focused()
    expect(address_field(page, "script")).to_have_value("bart@gmial.com")
    address_field(page, "script").fill("carl@gmial.com")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("button", name="Use carl@gmail.com and subscribe").click()
    expect(page.get_by_role("status").first).to_contain_text("Open the email we send to carl@gmail.com.")
    embeds.mails_to("carl@gmail.com")
    page.goto(f"{embeds.server.base_url}/mailbox")
    assert (page.get_by_text("to bart@gmial.com").count(), page.get_by_text("to carl@gmial.com").count()) == (1, 0)


def test_the_last_state_says_what_to_do_and_sends_another_mail(embeds: Embeds) -> None:
    page = embeds.paste("script")
    sign_up(page, "script", "again@example.org")
    said = page.get_by_role("status").first
    for text in (
        "Open the email we send to again@example.org.",
        "Follow its link",
        "It can take 15 minutes",
        "Subject",
    ):
        expect(said).to_contain_text(text)
    page.get_by_role("button", name="Send another email").click()
    expect(page.get_by_role("status").last).to_contain_text("we are sending another email")
    assert violations(page) == []


def test_the_script_tells_several_lists_apart(embeds: Embeds) -> None:
    page = embeds.paste("script", query="?lists=offers")
    address_field(page, "script").fill("several@example.org")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("checkbox", name="Offers")).to_have_accessible_description(
        "Please choose at least one list."
    )
    page.get_by_role("checkbox", name="Offers").check()
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_label("Code").fill(embeds.code("several@example.org"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status").first).to_have_text(re.compile("You are subscribed.*Offers"))
    assert "The Example Letter" not in page.get_by_role("status").first.inner_text()


def test_where_a_script_does_not_come_through_the_form_goes_as_a_plain_one(embeds: Embeds) -> None:
    page = embeds.paste("script")
    page.route("**/api/v1/subscriptions?*", lambda route: route.abort())
    sign_up(page, "script", "plainly@example.org")
    assert "/subscribe/newsletter/check-inbox" in page.url
    embeds.mails_to("plainly@example.org")


def test_whose_password_manager_fills_what_nobody_sees_goes_on_in_the_frame(embeds: Embeds) -> None:
    page = embeds.paste("script")
    address_field(page, "script").fill("filled@example.org")
    page.locator("input[name=website]").evaluate("one => { one.value = 'https://example.org' }")
    page.get_by_role("button", name="Subscribe").click()
    step = page.frame_locator("iframe")
    step.get_by_role("heading", name="One more step").wait_for()
    assert step.get_by_text("filled@example.org").count() >= 1


def test_a_site_that_is_not_listed_is_told_what_to_write_where(embeds: Embeds) -> None:
    page = embeds.paste("script", on=embeds.stranger)
    with page.expect_console_message(lambda one: "origins = " in one.text) as told:
        page.get_by_role("link", name="Subscribe").wait_for()
    assert f'"{embeds.stranger.origin}"' in told.value.text and '"newsletter"' in told.value.text
    page.get_by_role("link", name="Subscribe").click()
    page.wait_for_url(f"{embeds.server.base_url}/subscribe/newsletter?lang=en")


def test_the_page_that_follows_in_a_frame_is_seen_from_its_beginning(embeds: Embeds) -> None:
    page = embeds.paste("frame")
    page.set_viewport_size({"width": 320, "height": 480})
    sign_up(page, "frame", "beginning@example.org")
    page.wait_for_function("Math.abs(document.querySelector('iframe').getBoundingClientRect().top) < 2")


def test_a_frame_is_as_high_as_what_is_in_it(embeds: Embeds) -> None:
    page = embeds.paste("frame")
    page.evaluate(
        "addEventListener('message', (event) => { window.inner = event.data.height; window.told = event.data })"
    )
    address_field(page, "frame").fill("anne@example")
    page.wait_for_function("document.querySelector('iframe').style.height")
    before = page.evaluate("document.querySelector('iframe').clientHeight")
    inside(page, "frame").get_by_role("button", name="Subscribe").click()
    page.frame_locator("iframe").locator(".problems").wait_for()
    page.wait_for_function("before => document.querySelector('iframe').clientHeight > before", arg=before)
    outer, inner = page.evaluate("[document.querySelector('iframe').clientHeight, window.inner]")
    assert outer == inner and page.evaluate("Object.keys(window.told)") == ["type", "height"]
    assert violations(page) == []


def test_no_other_window_can_set_the_height(embeds: Embeds) -> None:
    page = embeds.paste("frame")
    page.wait_for_function("document.querySelector('iframe').style.height")
    before = page.evaluate("document.querySelector('iframe').style.height")
    page.evaluate("""() => {
        dispatchEvent(new MessageEvent('message', {origin: location.origin,
            source: document.querySelector('iframe').contentWindow, data: {type: 'yestwice:height', height: 9}}));
        dispatchEvent(new MessageEvent('message', {origin: new URL(document.querySelector('iframe').src).origin,
            source: window, data: {type: 'yestwice:height', height: 9}}));
    }""")
    assert page.evaluate("document.querySelector('iframe').style.height") == before
