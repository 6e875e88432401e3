"""Somebody at a browser: signs up, reads the try-out mailbox, presses buttons."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, Response

from tests.support.server import Server, until

LISTS = """[
  {slug = "newsletter", name = "The Example Letter",
   description = "What we do and what comes next, once a month, in plain words.",
   wording = "Yes, please send me The Example Letter by e-mail, once a month. I can unsubscribe at any time.",
   policy_url = "https://example.org/privacy", controller = "Example Society",
   postal_address = "1 Example Street, 12345 Exampletown", privacy_contact = "privacy@example.org"},
  {slug = "offers", name = "Offers"}]"""
CODE = re.compile(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b")
CONFIRM = "Continue to confirm"
NOT_ME = "This was not me"
MOST_STOPS = 60
FOCUSED = """() => {
    const it = document.activeElement;
    const name = it === document.body ? '' : (it.labels?.[0] ?? it).innerText.replace(/\\s+/g, ' ').trim();
    return [name, getComputedStyle(it).outlineStyle];
}"""


def try_out(folder: Path, proof_of_work: str | None = None, lists: str = LISTS) -> Server:
    """The real server in try-out mode, not started: two lists, the mailbox, a database of its own."""
    return Server(
        folder,
        "sqlite:///subscriptions.db",
        LISTS=" ".join(lists.split("\n")),
        MAIL__SENDER='"Example Society <letters@example.org>"',
        ABUSE__PROOF_OF_WORK=proof_of_work,
    )


class Stop(NamedTuple):
    """What has the focus: its name, and the outline that shows it."""

    name: str
    outline: str


@dataclass
class Visitor:
    """Goes where a person would: by links and buttons, and through the mailbox."""

    page: Page
    base_url: str

    def go(self, path: str) -> Response:
        answer = self.page.goto(self.base_url + path)
        assert answer is not None
        return answer

    def press(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name).first.click()

    def follow(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name).first.click()

    def sign_up(self, address: str, name: str = "", slug: str = "newsletter") -> None:
        self.go(f"/subscribe/{slug}")
        self.page.get_by_label("Email address").fill(address)
        if name:
            self.page.locator("details.more:not([open]) > summary").click()
            self.page.get_by_label("Name").fill(name)
        self.press("Subscribe")

    def open_mailbox(self, address: str, mails: int = 1) -> None:
        """The mailbox, as soon as there are so many mails to that address in it."""

        def arrived() -> bool:
            self.go("/mailbox")
            return self.page.get_by_role("link", name=f"to {address}").count() >= mails

        until(arrived, every=0.1)

    def open_mail(self, address: str, mails: int = 1) -> None:
        """The newest mail to that address."""
        self.open_mailbox(address, mails)
        self.follow(f"to {address}")
        self.page.frame_locator("iframe.mail").get_by_role("heading").first.wait_for()

    def read_code(self, address: str, mails: int = 1) -> str:
        """The code in the newest mail to that address."""
        self.open_mail(address, mails)
        found = CODE.search(self.page.frame_locator("iframe.mail").locator("body").inner_text())
        assert found is not None
        return found[0]

    def press_in_mail(self, name: str) -> None:
        """A link of the mail that is open, as its frame shows it."""
        with self.page.expect_navigation():
            self.page.frame_locator("iframe.mail").get_by_role("link", name=name).first.click()

    def move_clock(self, label: str) -> None:
        self.go("/mailbox")
        self.press(label)

    # By keyboard

    def walk_by_tab(self) -> Iterator[Stop]:
        """Everything that can have the focus, in the order in which Tab comes by."""
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            stop = self._stop()
            if not stop.name:
                return
            yield stop

    def _stop(self) -> Stop:
        """What has the focus now. Into the mail's frame, which may be another process, it goes a little later."""
        stops: list[Stop] = []

        def told() -> bool:
            inside = self.page.evaluate("document.activeElement.tagName") == "IFRAME"
            stops.append(Stop(*(self.page.frames[1] if inside else self.page.main_frame).evaluate(FOCUSED)))
            return bool(stops[-1].name) or not inside

        until(told)
        return stops[-1]

    def press_by_keyboard(self, name: str) -> None:
        """Tab to what is called so, then Enter; returns on the page it leads to."""
        assert any(name == stop.name for stop in self.walk_by_tab()), f"Tab does not reach {name}"
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type_into(self, label: str, text: str) -> None:
        assert any(stop.name.startswith(label) for stop in self.walk_by_tab()), f"Tab does not reach {label}"
        self.page.keyboard.type(text)
