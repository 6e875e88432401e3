"""The first hour of somebody who has never seen the desk: from an empty service to a deputy, by its pages alone."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyotp
from playwright.sync_api import expect

from subscriptions.clock import Clock
from tests.support.server import until
from tests.support.site import Site
from tests.support.visitor import CONFIRM, Visitor

ANNE, BART, OWNER, DEPUTY = "anne@example.org", "bart@example.org", "manager@example.org", "deputy@example.org"
PASSWORD = "four words make a good one"
NAME = "Garden letter"
TEXTS = {
    "Description": "What grows in our gardens, once a month.",
    "Responsible person or organisation": "Garden Society",
    "Postal address": "1 Example Street, 12345 Exampletown",
    "Contact for privacy": "privacy@example.org",
    "Privacy policy": "https://example.org/privacy",
}


@dataclass
class FirstHour:
    """Who manages the list, who reads the site, and the deputy, each with a browser of their own."""

    manager: Visitor
    reader: Visitor
    deputy: Visitor
    site: Site
    is_scripted: bool = True  # whether readers have JavaScript

    def walk(self) -> Iterator[tuple[str, Visitor]]:
        """The name of each page, and on whose screen it is."""
        yield from self._make_a_list()
        yield from self._bring_it_to_the_site()
        yield from self._take_people_along()
        yield from self._go_live()
        yield from self._hand_over()

    def _make_a_list(self) -> Iterator[tuple[str, Visitor]]:
        me = self.manager
        me.go("/")
        me.follow("Manage lists and people")
        me.press("Come in")
        at(me, "Your lists")
        expect(me.page.get_by_text("Nobody has signed up yet.")).to_have_count(1)
        yield "start-empty", me
        me.follow("Lists")
        fill(me, "Name", NAME)
        me.press("Make a list")
        expect(me.page.get_by_role("status").first).to_contain_text("Complete its texts now.")
        expect(me.page.get_by_text("To do before you go live:")).to_be_visible()
        yield "list-new", me
        for label, text in TEXTS.items():
            fill(me, label, text)
        me.page.get_by_role("button", name="Show").click()
        preview = me.page.frame_locator("iframe[name=preview]")
        expect(preview.get_by_text(TEXTS["Description"])).to_be_visible()
        me.page.get_by_role("button", name="Save").last.click()
        expect(me.page.get_by_role("status").first).to_have_text("Saved.")
        expect(me.page.get_by_text("To do before you go live:")).to_have_count(0)
        preview.get_by_role("button", name="Subscribe").wait_for()
        yield "list", me

    def _bring_it_to_the_site(self) -> Iterator[tuple[str, Visitor]]:
        me, anne = self.manager, self.reader
        me.follow("The form on your site")
        fill(me, "Your website", self.site.origin)
        me.press("Let it show the form")
        expect(me.page.get_by_text("No sign-up has come from there yet.")).to_have_count(1)
        yield "site", me
        site = me.page.url
        anne.page.goto(self.site.page("/", f"<main><h1>Our gardens</h1>{self._snippet()}</main>"))
        anne.page.get_by_label("Email address").fill(ANNE)
        yield "elsewhere", anne
        anne.page.get_by_role("button", name="Subscribe").click()
        anne.page.get_by_role("heading", name="Now check your inbox").wait_for()
        self._confirm(ANNE)
        me.page.goto(site)
        expect(me.page.get_by_text("Sign-ups come from there, with the consent text in use.")).to_be_visible()
        self._look_up(ANNE)
        expect(me.page.locator(".lead")).to_contain_text(f"{ANNE} has been getting {NAME} since")
        me.page.locator("summary").first.click()
        yield "person", me
        persons_page = me.page.url
        me.follow("Proof of consent")
        yield "proof-form", me
        with me.page.expect_popup() as opened:
            me.page.get_by_role("button", name="Print").click()
        desk, me.page = me.page, opened.value
        at(me, "Proof of consent")
        yield "proof", me
        me.page.close()
        me.page = desk
        me.page.goto(persons_page)

    def _snippet(self) -> str:
        me = self.manager
        if self.is_scripted:
            return me.page.get_by_role("region", name="Snippet: script").inner_text()
        me.follow("A preview, a plain form, a frame and all options")
        me.page.locator("summary", has_text="A plain form").click()
        return me.page.get_by_role("region", name="Snippet: plain form").inner_text()

    def _confirm(self, address: str) -> None:
        self.reader.open_mail(address)
        self.reader.press_in_mail(CONFIRM)
        self.reader.press("Yes, subscribe me")
        at(self.reader, "You are subscribed")

    def _look_up(self, address: str) -> None:
        self.manager.go("/admin/")
        self.manager.follow("People")
        fill(self.manager, "Find somebody", address)
        self.manager.press("Search")
        at(self.manager, address)

    def _take_people_along(self) -> Iterator[tuple[str, Visitor]]:
        """Everyone; then Bart, who has asked on paper, comes and Anne leaves by the link in the file."""
        me = self.manager
        me.follow("Export")
        me.page.get_by_label("List").select_option(label=NAME)
        me.page.get_by_label("For", exact=True).select_option("listmonk")
        me.press("Show")
        [row] = self._file("Everyone")
        assert (row["email"], list(row)) == (ANNE, ["email", "name", "attributes"])
        yield "export-first", me
        me.follow("People")
        me.follow("Sign somebody up")
        fill(me, "Email address", BART)
        me.page.get_by_label(NAME).check()
        me.page.get_by_label("On paper").check()
        yield "sign-up", me
        me.press("Sign them up")
        expect(me.page.get_by_role("status").first).to_contain_text("We are sending them an email to confirm.")
        self._confirm(BART)
        self.reader.page.goto(json.loads(row["attributes"])["unsubscribe_url"])
        self.reader.press("Unsubscribe")
        self.reader.move_clock("+1 hour")  # what changed in the minute of an export is named once more
        me.go("/admin/")
        me.press("Come in")  # an hour without use ends a session
        until(self._is_well, every=0.5)  # jobs are late until they have seen the clock's new time
        yield "start", me
        me.follow("Export")
        expect(me.page.locator(".lead")).to_contain_text("1 to add, 1 to remove")
        yield "export", me
        assert [[one["email"] for one in self._file(name)] for name in ("Add", "Remove")] == [[BART], [ANNE]]
        self._look_up(ANNE)
        expect(me.page.locator(".lead")).to_contain_text("because they unsubscribed")

    def _is_well(self) -> bool:
        self.manager.go("/admin/")
        return self.manager.page.get_by_text("in the way of the service").count() == 0

    def _file(self, name: str) -> list[dict[str, str]]:
        with self.manager.page.expect_download() as download:
            self.manager.page.get_by_role("button", name=name, exact=True).click()
        with Path(download.value.path()).open(newline="", encoding="utf-8") as file:
            return [*csv.DictReader(file)]

    def _go_live(self) -> Iterator[tuple[str, Visitor]]:
        """What was tried out goes, and whoever was here without an account gets one: a live service asks for it."""
        me = self.manager
        me.follow("Lists")
        me.follow("Go live")
        yield "go-live", me
        me.page.get_by_label("Yes, remove them for good").check()
        me.press("Remove them")
        expect(me.page.get_by_role("status").first).to_contain_text("2 made-up people are removed")
        me.page.get_by_role("main").get_by_role("link", name="Accounts").click()
        self._come_in(me, self._invite(OWNER, "owner:"))
        at(me, "Your lists")

    def _invite(self, email: str, role: str) -> str:
        me = self.manager
        fill(me, "Email address", email)
        me.page.get_by_label(role).check()
        me.page.get_by_role("button", name="Make a link", exact=True).click()
        expect(me.page.locator(".notice")).to_contain_text(email)
        return me.page.locator(".notice code").inner_text()

    def _come_in(self, who: Visitor, link: str) -> None:
        who.page.goto(link)
        fill(who, "Password", PASSWORD)
        who.press("Keep it and sign in")

    def _hand_over(self) -> Iterator[tuple[str, Visitor]]:
        """The deputy's second factor is asked for from the next sign-in on."""
        me, deputy = self.manager, self.deputy
        me.follow("Accounts")
        link = self._invite(DEPUTY, "manager:")
        yield "accounts", me
        self._come_in(deputy, link)
        deputy.follow("Your account")
        deputy.follow("Set up an authenticator app")
        app = pyotp.TOTP(deputy.page.locator("p.copy code").inner_text())
        fill(deputy, "Code", app.now())
        yield "second-factor", deputy
        deputy.press("Turn it on")
        deputy.follow("Back to your account")
        deputy.press("Sign out")
        fill(deputy, "Email address", DEPUTY)
        fill(deputy, "Password", PASSWORD)
        deputy.press("Sign in")
        fill(deputy, "Code", app.at(Clock().now() + timedelta(seconds=30)))  # each code works once
        yield "second-step", deputy
        deputy.press("Sign in")
        at(deputy, "Your lists")
        expect(deputy.page.get_by_role("link", name="Accounts")).to_have_count(0)
        yield "deputy", deputy


def at(who: Visitor, heading: str) -> None:
    expect(who.page.get_by_role("heading", level=1)).to_have_text(heading)


def fill(who: Visitor, label: str, text: str) -> None:
    who.page.get_by_label(label, exact=True).first.fill(text)
