"""Somebody at a browser: signs up, reads the try-out mailbox, presses buttons."""

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
CONFIRM = "Confirm my subscription"
NOT_ME = "This was not me"
MOST_STOPS = 60
FOCUSED = """() => {
    const it = document.activeElement;
    const name = it === document.body ? '' : (it.labels?.[0] ?? it).innerText.replace(/\\s+/g, ' ').trim();
    return [name, getComputedStyle(it).outlineStyle];
}"""


def try_out(folder: Path) -> Server:
    """The real server in try-out mode, not started: two lists, the mailbox, a database of its own."""
    sender = '"Example Society <letters@example.org>"'
    return Server(folder, "sqlite:///subscriptions.db", LISTS=" ".join(LISTS.split("\n")), MAIL__SENDER=sender)


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
        self.page.get_by_label("E-mail address").fill(address)
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


def tour(visitor: Visitor) -> Iterator[str]:
    """Through every page in every state it has; the name of each, while it is on the screen. Needs a fresh server."""
    yield from _asking(visitor)
    yield from _confirming_and_leaving(visitor)
    yield from _disowning(visitor)
    yield from _too_late(visitor)


def _asking(visitor: Visitor) -> Iterator[str]:
    visitor.go("/mailbox")
    yield "mailbox-empty"
    visitor.go("/")
    yield "start"
    visitor.go("/subscribe/newsletter")
    yield "form"
    visitor.sign_up("anne@example", "Anne")
    yield "form-error"
    visitor.sign_up("anne@gmial.com", "Anne")
    yield "form-hint"
    visitor.go("/subscribe/newsletter")
    visitor.page.locator("[name=website]").evaluate("field => field.value = 'https://example.org'")
    visitor.page.get_by_label("E-mail address").fill("anne@example.org")
    visitor.press("Subscribe")
    yield "one-more-step"
    visitor.go("/nowhere")
    yield "error"


def _confirming_and_leaving(visitor: Visitor) -> Iterator[str]:
    visitor.sign_up("anne@example.org", "Anne")
    yield "check-inbox"
    yield from _wrong_codes(visitor)
    visitor.open_mailbox("anne@example.org")
    yield "mailbox"
    visitor.open_mail("anne@example.org")
    yield "mail"
    visitor.press_in_mail(CONFIRM)
    yield "confirm"
    link = visitor.page.url
    visitor.press("Yes, subscribe me")
    yield "subscribed"
    visitor.follow("Unsubscribe")
    yield "unsubscribe"
    visitor.press("Unsubscribe")
    yield "unsubscribed"
    visitor.page.goto(link)
    yield "gone-ended"


def _wrong_codes(visitor: Visitor) -> Iterator[str]:
    visitor.press("Send another mail")
    yield "check-inbox-again"
    for name in ("wrong-code", "", "codes-used-up"):
        visitor.page.get_by_label("Code").fill("ABCD-EFGH")
        visitor.press("Confirm")
        if name:
            yield name


def _disowning(visitor: Visitor) -> Iterator[str]:
    visitor.sign_up("bart@example.org")
    visitor.open_mail("bart@example.org")
    visitor.press_in_mail(NOT_ME)
    yield "not-me"
    visitor.press("This was not me")
    yield "not-me-done"
    visitor.press("Undo")
    yield "not-me-undone"


def _too_late(visitor: Visitor) -> Iterator[str]:
    visitor.sign_up("cris@example.org")
    visitor.open_mail("cris@example.org")
    visitor.press_in_mail(CONFIRM)
    link = visitor.page.url
    visitor.move_clock("+24 hours")
    yield "time-machine"
    visitor.page.goto(link)
    yield "gone-late"
    visitor.move_clock("+1 month")
    visitor.page.goto(link)
    yield "gone"
