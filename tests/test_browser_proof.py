"""The proof as a browser prints it: page 1 is one sheet of A4 whatever stands on it, and nothing is cut off."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from subscriptions.settings import ListSettings
from tests.builders import ANNE, LISTS, NEWS, Movable, World, through
from tests.proofs import proof, subscribe
from tests.support.axe import violations
from tests.support.cases import ONE_DATABASE
from tests.support.relay import Relay
from tests.test_commands import logging_as_it_was

__all__ = ["logging_as_it_was"]
pytestmark = [pytest.mark.browser, pytest.mark.slow, ONE_DATABASE]

FAR = "https://" + "c" * 60 + "." + "d" * 60 + ".example"
LONGEST = "a" * 64 + "@" + ".".join(["b" * 50] * 3) + ".example"
ARABIC = "أوافق على تلقي النشرة الإخبارية. " * 200
PAPER = {"width": 794, "height": 1123}  # A4 at 96 dpi
TOO_WIDE = "[...document.querySelectorAll('main *')].filter(one => one.scrollWidth > one.clientWidth + 1 && " + (
    "getComputedStyle(one).display != 'inline').map(one => one.tagName)"
)


def sheets(page: Page, path: Path, style: str = "") -> int:
    """How many the printed document takes."""
    page.goto(path.as_uri())
    if style:
        page.add_style_tag(content=style)
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))


def wrong(browser: Browser, path: Path) -> list[str]:
    with browser.new_context(viewport=PAPER, java_script_enabled=True) as context:
        page = context.new_page()
        first = sheets(page, path, ".annex { display: none }")
        whole = sheets(page, path)
        found = [] if first == 1 and whole > 1 else [f"page 1 takes {first} of {whole}"]
        page.emulate_media(media="print")
        return [*found, *page.evaluate(TOO_WIDE), *map(str, violations(page))]


def ugly(browser: Browser, world: World, folder: Path, address: str) -> dict[str, list[str]]:
    """The languages in which something is wrong, and what."""
    tags, found = world.parts.languages.tags, dict[str, list[str]]()
    for tag in tags:
        path = proof(world, folder / tag, "--language", tag, address=address).folder / "proof.html"
        found[tag] = wrong(browser, path)
    assert len(tags) == 4
    return {tag: what for tag, what in found.items() if what}


def full_of(one: ListSettings) -> ListSettings:
    """A list that says as much as it can."""
    long = "Gesellschaft & Söhne <b>mbH</b> " * 30
    return replace(one, name="W" * 100, controller=long, postal_address=long, wording=ARABIC, origins=(FAR,),
                   timezone="Asia/Kolkata")  # fmt: skip


def test_page_1_is_one_sheet_in_every_language(
    browser: Browser, relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path
) -> None:
    with through(relay, make_app, clock) as world:
        subscribe(world, relay)
        assert ugly(browser, world, tmp_path, ANNE) == {}


def test_page_1_is_one_sheet_also_where_everything_on_it_is_as_long_as_can_be(
    browser: Browser, relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path
) -> None:
    relay.behave("end", "250 2.0.0 " + "queued as " * 90, keep=True)
    with through(relay, make_app, clock, lists=[full_of(LISTS[0]), *LISTS[1:]]) as world:
        for _ in range(2):  # an earlier consent is named as well
            a_long_consent(world, relay)
        world.run("seal")
        world.run("purge")
        assert ugly(browser, world, tmp_path, LONGEST) == {}


def a_long_consent(world: World, relay: Relay) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    subscribe(world, relay, LONGEST, wording=row.wording_id, headers={"Origin": FAR})
    world.clock.forward(days=400)
    world.post(world.leave_link(LONGEST))


def test_what_somebody_typed_is_shown_and_never_run(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path
) -> None:
    evil = "<script>alert(1)</script>"
    lists = [replace(LISTS[0], name=evil, controller=evil, wording=f"{evil} ‮ abc"), *LISTS[1:]]
    relay.behave("end", f"250 {evil}", keep=True)
    with through(relay, make_app, clock, lists=lists) as world:
        subscribe(world, relay, ANNE, name="<b>Anne</b>")
        page = proof(world, tmp_path).html
    assert "<script" not in page and "<b>" not in page and page.count("&lt;script&gt;") >= 5
