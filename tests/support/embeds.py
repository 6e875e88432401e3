"""Somebody's site with a form of ours pasted into it, as the page for owners gives it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page

from tests.support.server import Server
from tests.support.site import Site
from tests.support.visitor import LISTS, Visitor, try_out

Served = tuple[Server, Site, Site]
KINDS = {"plain": "Snippet: plain form", "frame": "Snippet: frame", "script": "Snippet: script"}
GROUNDS = {
    "light": "body { background: #fff; color: #222; font-family: Georgia, serif }",
    "dark": ":root { color-scheme: dark } body { background: #14181f; color: #e6e6e6 }",
    "dark and silent about it": "body { background: #14181f; color: #e6e6e6 }",
}
HOSTILE = """body * { all: unset !important; display: none !important; visibility: hidden !important;
    opacity: 0 !important; font: 90px fantasy !important; letter-spacing: 2em !important }"""


@dataclass
class Embeds:
    """A server, a site that its newsletter names and one that no list names, and a browser."""

    server: Server
    site: Site
    stranger: Site
    context: BrowserContext
    console: list[str] = field(default_factory=list)

    def new_page(self) -> Page:
        page = self.context.new_page()
        page.on("console", lambda one: self.console.append(one.text))
        page.on("pageerror", lambda one: self.console.append(str(one)))
        return page

    def snippet(self, kind: str, query: str = "") -> str:
        """As the page for owners shows it."""
        page = self.new_page()
        page.goto(f"{self.server.base_url}/embed/newsletter{query}")
        unfold(page)
        text = page.get_by_role("region", name=KINDS[kind]).inner_text()
        page.close()
        return text

    def paste(self, kind: str, style: str = "", on: Site | None = None, query: str = "") -> Page:
        """The snippet on a page of the site, open."""
        body = f"<main><h1>Our site</h1>{self.snippet(kind, query)}</main>"
        url = (on or self.site).page("/", body if style != HOSTILE else self.snippet(kind, query), style=style)
        page = self.new_page()
        page.goto(url)
        return page

    def mails_to(self, address: str) -> None:
        """Returns once a mail to it is in the mailbox."""
        page = self.new_page()
        Visitor(page, self.server.base_url).open_mailbox(address)
        page.close()

    def code(self, address: str) -> str:
        """Of the newest mail to it."""
        page = self.new_page()
        found = Visitor(page, self.server.base_url).read_code(address)
        page.close()
        return found


def unfold(page: Page) -> None:
    """All that the page for owners keeps behind a heading."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")


@contextmanager
def beside_sites(folder: Path, proof_of_work: str | None = None) -> Iterator[Served]:
    """A running server, a site that all of its lists name, and one that none names."""
    with Site() as site, Site() as stranger:
        lists = LISTS.replace("{slug", f'{{origins = ["{site.origin}"], slug')
        with try_out(folder, proof_of_work, lists) as server:
            yield server, site, stranger


@contextmanager
def opened(served: Served, browser: Browser) -> Iterator[Embeds]:
    server, site, stranger = served
    site.policy = None
    with browser.new_context() as context:
        yield Embeds(server, site, stranger, context)


def inside(page: Page, kind: str) -> Page | FrameLocator:
    """Where the form's fields are found; playwright looks into shadow roots by itself."""
    return page.frame_locator("iframe") if kind == "frame" else page


def address_field(page: Page, kind: str) -> Locator:
    return inside(page, kind).get_by_label("Email address")


def sign_up(page: Page, kind: str, address: str) -> None:
    address_field(page, kind).fill(address)
    inside(page, kind).get_by_role("button", name="Subscribe").click()
    inside(page, kind).get_by_role("heading", name="Now check your inbox").wait_for()
