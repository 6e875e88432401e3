"""Makes the pictures of the documents from the running product: `python -m tests.screenshots`."""

import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import launch
from tests.support.visitor import Visitor, tour, try_out

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
SHOWN = (
    "form",
    "check-inbox",
    "mail",
    "confirm",
    "subscribed",
    "unsubscribe",
    "not-me",
    "gone",
    "time-machine",
)
DESK = {"viewport": {"width": 1120, "height": 860}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
COLOURS = 64
FILE_AT_MOST, ALL_AT_MOST = 60_000, 700_000


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        sizes = take(browser, "desk", DESK) | take(browser, "phone", PHONE)
    for name, size in sizes.items():
        print(f"{size:7,}  {name}")
    print(f"{sum(sizes.values()):7,}  together")
    return int(max(sizes.values()) > FILE_AT_MOST or sum(sizes.values()) > ALL_AT_MOST)


def take(browser: Browser, screen: str, options: dict[str, Any]) -> dict[str, int]:
    """One tour on a fresh server; the size of each picture."""
    sizes = {}
    with tempfile.TemporaryDirectory() as folder, try_out(Path(folder)) as server, browser.new_context(**options) as me:
        page = me.new_page()
        for name in tour(Visitor(page, server.base_url)):
            if name in SHOWN:
                file = FOLDER / f"{name}-{screen}.png"
                file.write_bytes(small(page.screenshot(full_page=True)))
                sizes[file.name] = file.stat().st_size
    return sizes


def small(png: bytes) -> bytes:
    """The same picture with as many colours as such pages need."""
    packed = BytesIO()
    picture = Image.open(BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


if __name__ == "__main__":
    sys.exit(main())
