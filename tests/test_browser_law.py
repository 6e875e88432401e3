"""The law in three minutes, walked in a real browser: on a desk without JavaScript, on a phone, and begun anew."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.axe import violations
from tests.support.server import Server
from tests.support.visitor import CONFIRM, Visitor, try_out
from tests.test_browser_looks import SCREENS, SHAPE

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
LAW = "The law in three minutes"
MONTH = re.compile("1 → [01]")  # of 28 days or of 31: the times of emails count for 30


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with try_out(tmp_path_factory.mktemp("server")) as running:
        yield running


class Walker(Visitor):
    """At each step: where it is, and that the page is for everyone."""

    name = ""
    has_scripts = True  # by which a machine looks at the page

    def at(self, step: int) -> None:
        self.go("/mailbox/law")
        expect(self.page.locator("p.label").first).to_have_text(f"Step {step} of 6")
        if not self.has_scripts:
            return
        assert violations(self.page) == []
        shape = self.page.evaluate(SHAPE)
        assert (shape["headings"], shape["small"]) == (1, [])
        assert shape["width"] <= (self.page.viewport_size or {})["width"]
        if folder := os.environ.get("LOOK_AT"):
            self.page.screenshot(path=Path(folder) / f"law-{self.name}-{step}.png", full_page=True)


@pytest.mark.parametrize("screen", SCREENS)
def test_the_walk_leads_from_a_sign_up_to_its_deletion_and_to_the_proof(
    browser: Browser, server: Server, screen: str
) -> None:
    with browser.new_context(java_script_enabled=screen != "desk", **SCREENS[screen]) as context:
        me = Walker(context.new_page(), server.base_url)
        me.name, me.has_scripts = screen.replace(" ", "-"), screen != "desk"
        me.go("/")
        me.follow(LAW)
        if me.page.get_by_role("button", name="Start again").count():
            me.press("Start again")
        me.at(1)
        address = me.page.locator("bdi").first.inner_text()
        me.press("Sign up")
        me.open_mailbox(address)
        me.at(2)
        me.follow("Look at the email")
        me.go("/mailbox/law")
        me.press("Jump 24 hours")
        me.at(3)
        me.follow("Try the link in the email")
        me.press_in_mail(CONFIRM)
        expect(me.page.get_by_role("button", name="Yes, subscribe me")).to_have_count(0)
        me.follow(LAW)
        me.press("Jump a month")
        me.at(4)
        expect(me.page.locator("dl.counts dd")).to_have_text(["1 → 0", "2 → 0", "1 → 0", MONTH])
        me.press("Sign up again")
        me.open_mailbox(address)
        me.at(5)
        me.follow("Open the email")
        me.press_in_mail(CONFIRM)
        me.press("Yes, subscribe me")
        me.follow(LAW)
        me.at(6)
        me.follow("See the proof")
        if me.page.get_by_role("button", name="Come in").count():
            me.press("Come in")
        expect(me.page.get_by_role("heading", level=1)).to_have_text("Proof of consent")
        expect(me.page.locator("main .lead")).to_have_text(address)
        with context.expect_page() as opened:
            me.page.get_by_role("button", name="Print").click()
        expect(opened.value.get_by_text("On the evidence kept, this address was signed up")).to_be_visible()
        opened.value.close()
        me.at(6)


def test_what_is_pressed_late_or_twice_moves_no_clock(browser: Browser, server: Server) -> None:
    with browser.new_context() as context:
        me = Visitor(context.new_page(), server.base_url)
        me.go("/mailbox/law")
        if me.page.get_by_role("button", name="Start again").count():
            me.press("Start again")
        me.go("/mailbox")
        before = me.page.locator(".now").inner_text()
        for forward in ("24h", "1month", "nonsense", "\0"):
            answer = context.request.post(f"{server.base_url}/mailbox/law", form={"forward": forward})
            assert answer.status == 200
        strange = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        forged = context.request.post(f"{server.base_url}/mailbox/law", form={"anew": "1"}, headers=strange)
        assert forged.status == 403
        me.go("/mailbox")
        assert me.page.locator(".now").inner_text()[:16] == before[:16]
