"""Makes the pictures of the documents from the running product: `python -m tests.screenshots`."""

import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import launch
from tests.support.embeds import unfold
from tests.support.first_hour import FirstHour
from tests.support.server import Server
from tests.support.site import Site
from tests.support.tour import tour
from tests.support.visitor import LISTS, Visitor, try_out
from tests.test_browser_desk import enter_a_letter

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
SHOWN = (
    "form",
    "several",
    "check-inbox",
    "mail",
    "confirm",
    "subscribed",
    "unsubscribe",
    "not-me",
    "gone",
    "time-machine",
    "preferences",
    "my-data-stored",
)
DESK = {"viewport": {"width": 1120, "height": 860}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
SITE = {"viewport": {"width": 560, "height": 760}, "color_scheme": "light"}
SNIPPETS = {"plain": "Snippet: plain form", "frame": "Snippet: frame", "script": "Snippet: script"}
GARDEN = """body { max-width: 30rem; margin: 1.5rem auto; padding: 0 1rem; color: #33291f; background: #fdf8ef;
    font: 1rem/1.5 Georgia, "Liberation Serif", serif } yestwice-form { --yestwice-accent: #7a3b12 }"""
OF_THE_DESK = ("start", "person", "proof", "list", "export")
COLOURS = 64
FILE_AT_MOST, ALL_AT_MOST = 70_000, 1_300_000


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        sizes = take(browser, "desk", DESK) | take(browser, "phone", PHONE) | embeds(browser) | first_hour(browser)
        sizes |= requests(browser)
    for name, size in sizes.items():
        print(f"{size:7,}  {name}")
    print(f"{sum(sizes.values()):7,}  together")
    return int(max(sizes.values()) > FILE_AT_MOST or sum(sizes.values()) > ALL_AT_MOST)


def take(browser: Browser, screen: str, options: dict[str, Any]) -> dict[str, int]:
    """One tour on a fresh server; the size of each picture."""
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder, try_out(Path(folder)) as server, browser.new_context(**options) as me:
        page = me.new_page()
        for name in tour(Visitor(page, server.base_url)):
            if name in SHOWN:
                sizes |= keep(f"{name}-{screen}.png", page.screenshot(full_page=True))
    return sizes


def first_hour(browser: Browser) -> dict[str, int]:
    """The pages of the desk on the way from an empty service to a deputy."""
    sizes: dict[str, int] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        Site() as site,
        browser.new_context(**DESK) as me,
        Server(Path(folder), "sqlite:///subscriptions.db", LISTS=None) as server,
    ):
        mine, theirs, others = (Visitor(me.new_page(), server.base_url) for _ in range(3))
        for name, who in FirstHour(mine, theirs, others, site).walk():
            if name in OF_THE_DESK:
                sizes |= keep(f"{name}-desk.png", who.page.screenshot(full_page=name not in ("list", "proof")))
    return sizes


def requests(browser: Browser) -> dict[str, int]:
    """What people have asked, as a privacy officer finds it."""
    with tempfile.TemporaryDirectory() as folder, try_out(Path(folder)) as server, browser.new_context(**DESK) as me:
        visitor = Visitor(me.new_page(), server.base_url)
        visitor.go("/admin/sign-in")
        visitor.page.get_by_role("button", name="Come in").click()
        enter_a_letter(visitor)
        visitor.go("/admin/requests")
        return keep("requests-desk.png", visitor.page.screenshot())


def embeds(browser: Browser) -> dict[str, int]:
    """The three embeds on somebody's site, as the page for owners gives them."""
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder, Site() as site, browser.new_context(**SITE) as me:
        lists = LISTS.replace('slug = "newsletter",', f'slug = "newsletter", origins = ["{site.origin}"],')
        with try_out(Path(folder), lists=lists) as server:
            page = me.new_page()
            for kind, region in SNIPPETS.items():
                page.goto(f"{server.base_url}/embed/newsletter")
                unfold(page)
                snippet = page.get_by_role("region", name=region).inner_text()
                page.goto(site.page("/", f"<h1>Our garden club</h1>{snippet}", style=GARDEN))
                (page.frame_locator("iframe") if kind == "frame" else page).get_by_label("Email address").wait_for()
                sizes |= keep(f"embed-{kind}.png", page.screenshot())
    return sizes


def keep(name: str, png: bytes) -> dict[str, int]:
    file = FOLDER / name
    file.write_bytes(small(png))
    return {name: file.stat().st_size}


def small(png: bytes) -> bytes:
    """The same picture with as many colours as such pages need."""
    packed = BytesIO()
    picture = Image.open(BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


if __name__ == "__main__":
    sys.exit(main())
