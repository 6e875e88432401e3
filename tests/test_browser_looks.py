"""Every page in every state, by daylight and at night, on a desk, a phone and the narrowest screen."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.support.axe import COLOURS, violations
from tests.support.tour import tour
from tests.support.visitor import CONFIRM, Visitor, try_out

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

SCREENS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "phone at night": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
    # the last: there the tour goes on, where buttons are hardest to press
    "narrowest": {"viewport": {"width": 320, "height": 640}, "forced_colors": "none", "reduced_motion": "reduce"},
}
AS_IT_WAS = {"color_scheme": "light", "forced_colors": "none", "reduced_motion": "no-preference"}
PAGES = 39
SHAPE = """() => ({
    width: document.documentElement.scrollWidth,
    lang: document.documentElement.lang,
    headings: document.querySelectorAll('h1').length,
    mains: document.querySelectorAll('main').length,
    small: [...document.querySelectorAll('button, .button, input:not([type=hidden]), a, summary')]
        .filter(one => one.checkVisibility() && !one.closest('.away, p, li') && one.getBoundingClientRect().height < 44)
        .map(one => one.outerHTML),
})"""
SPACED = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
        word-spacing: 0.16em !important } p { margin-block-end: 2em !important }`);
    document.adoptedStyleSheets = [sheet];
    const width = document.documentElement.scrollWidth;
    document.adoptedStyleSheets = [];
    return width;
}"""


@dataclass
class Seen:
    """What was noticed on one screen, by the name of the page."""

    is_night: bool
    titles: dict[str, str] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)
    shapes: dict[str, dict[str, Any]] = field(default_factory=dict)
    spaced: dict[str, int] = field(default_factory=dict)
    stored: dict[str, int] = field(default_factory=dict)


@dataclass
class Tour:
    """What each screen has shown, and what became known on the way."""

    screens: dict[str, Seen] = field(default_factory=lambda: {screen: Seen("night" in screen) for screen in SCREENS})
    console: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    cookies: list[Any] = field(default_factory=list)


@pytest.fixture(scope="module")
def toured(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """One tour on a fresh server, on which each page is looked at on every screen."""
    found = Tour()
    with try_out(tmp_path_factory.mktemp("server")) as server, browser.new_context() as context:
        page = context.new_page()
        turn_to(page, "narrowest")
        _listen(page, server.base_url, found)
        for name in tour(Visitor(page, server.base_url)):
            for screen, seen in found.screens.items():
                turn_to(page, screen)
                _look(page, name, seen)
        found.cookies += context.cookies()
    return found


def turn_to(page: Page, screen: str) -> None:
    options = AS_IT_WAS | SCREENS[screen]
    page.set_viewport_size(options.pop("viewport"))
    page.emulate_media(**options)


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def seen(toured: Tour, screen: str) -> Seen:
    return toured.screens[screen]


def _listen(page: Page, base_url: str, found: Tour) -> None:
    def say(message: ConsoleMessage) -> None:
        # Chromium notes the status of an error page as if a part of the page were missing.
        if message.type in ("error", "warning") and message.location["url"] != page.url:
            found.console.append(message.text)

    page.on("console", say)
    page.on("pageerror", lambda error: found.console.append(str(error)))
    page.on("request", lambda one: None if one.url.startswith(base_url) else found.strangers.append(one.url))


def _look(page: Page, name: str, found: Seen) -> None:
    found.titles[name] = page.title()
    found.shapes[name] = page.evaluate(SHAPE)
    found.spaced[name] = page.evaluate(SPACED)
    found.stored[name] = page.evaluate("localStorage.length + sessionStorage.length")
    # by night its elements are those of the narrowest screen, in other colours
    found.violations[name] = violations(page, only=COLOURS if found.is_night else ())


def width_of(screen: str) -> int:
    return int(SCREENS[screen]["viewport"]["width"])


def test_the_tour_comes_to_every_page(seen: Seen) -> None:
    assert len(seen.titles) == PAGES


def test_axe_finds_nothing_on_any_page(seen: Seen) -> None:
    assert {name: found for name, found in seen.violations.items() if found} == {}


def test_no_page_scrolls_sideways(seen: Seen, screen: str) -> None:
    assert {name: one["width"] for name, one in seen.shapes.items() if one["width"] > width_of(screen)} == {}


def test_wide_spacing_of_letters_and_lines_pushes_nothing_off_the_screen(seen: Seen, screen: str) -> None:
    assert {name: width for name, width in seen.spaced.items() if width > width_of(screen)} == {}


ALIKE = [  # one page with more or less on it; and the page of one's own, with the one that asks for the link to it
    {"mailbox-empty", "mailbox", "time-machine"}, {"start", "several"}, {"preferences-ask", "preferences"},
    {"my-data-written", "preferences-left", "preferences-silent"},
]  # fmt: skip


def test_every_state_has_a_title_of_its_own(seen: Seen) -> None:
    names = defaultdict(set)
    for name, title in seen.titles.items():
        names[title].add(name)
    assert [alike for alike in names.values() if len(alike) > 1] == ALIKE


def test_every_page_has_a_language_one_heading_and_one_main_part(seen: Seen) -> None:
    shapes = {(one["lang"], one["headings"], one["mains"]) for one in seen.shapes.values()}
    assert shapes == {("en", 1, 1)}


def test_whatever_is_pressed_is_big_enough_for_a_finger(seen: Seen) -> None:
    assert {name: one["small"] for name, one in seen.shapes.items() if one["small"]} == {}


def test_nothing_is_loaded_from_anywhere_else(toured: Tour) -> None:
    assert toured.strangers == []


def test_the_console_of_the_browser_stays_empty(toured: Tour) -> None:
    assert toured.console == []


def test_nothing_is_left_in_the_browser(toured: Tour) -> None:
    assert toured.cookies == []
    assert {octets for seen in toured.screens.values() for octets in seen.stored.values()} == {0}


def test_the_mail_is_readable_for_everyone(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    grounds = {"light": "rgb(237, 242, 239)", "dark": "rgb(14, 21, 18)"}
    with try_out(tmp_path_factory.mktemp("server")) as server, browser.new_context() as context:
        visitor = Visitor(context.new_page(), server.base_url)
        visitor.sign_up("anne@example.org")
        visitor.open_mail("anne@example.org")
        visitor.page.goto(visitor.page.frames[1].url)
        visitor.page.get_by_role("link", name=CONFIRM).wait_for()
        for scheme in ("light", "dark"):
            visitor.page.emulate_media(color_scheme=scheme)
            assert visitor.page.evaluate("getComputedStyle(document.body).backgroundColor") == grounds[scheme]
            # a mail is a part of the mail program's page, which has the landmarks
            assert violations(visitor.page, "landmark-one-main", "region") == [], scheme
