"""The issue of the desk, as a new user goes: from `make run` to a deputy, in a real browser and by its pages alone."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.first_hour import FirstHour
from tests.support.server import Server
from tests.support.site import Site
from tests.support.visitor import Visitor
from tests.test_browser_desk_people import seen
from tests.test_browser_looks import SCREENS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

PICTURES = os.environ.get("PICTURES")  # a folder, for who wants to look at every step
PAGES = 17


@pytest.mark.parametrize(("screen", "is_scripted"), [("desk", True), ("phone at night", False)], ids=str)
def test_a_new_user_gets_from_an_empty_service_to_a_deputy_reading_nothing_but_the_pages(
    browser: Browser, tmp_path: Path, screen: str, is_scripted: bool
) -> None:
    options, wrong = SCREENS[screen] | {"java_script_enabled": is_scripted}, dict[str, Any]()
    with (
        Site() as site,
        Server(tmp_path, "sqlite:///subscriptions.db", LISTS=None) as server,
        browser.new_context(**options) as me,
        browser.new_context(**options) as reader,
        browser.new_context(**options) as deputy,
    ):
        mine, theirs, others = (Visitor(one.new_page(), server.base_url) for one in (me, reader, deputy))
        names = []
        for name, who in FirstHour(mine, theirs, others, site, is_scripted).walk():
            names.append(name)
            if is_scripted and name != "elsewhere":  # axe is a script
                wrong[name] = seen(who.page, options["viewport"]["width"])
            if PICTURES:
                who.page.screenshot(path=Path(PICTURES, f"{name}-{screen[:5]}.png"), full_page=True)
    assert len({*names}) == PAGES
    assert {name: what for name, what in wrong.items() if what} == {}
