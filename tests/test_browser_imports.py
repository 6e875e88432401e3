"""The import of a list in a real browser, on each screen and seen by a machine (axe)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.imports import lines, proved
from tests.support.axe import violations
from tests.support.server import Server
from tests.support.visitor import try_out
from tests.test_browser_looks import SCREENS, SHAPE, turn_to

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
FILE = {"name": "members.csv", "mimeType": "text/csv",
        "buffer": lines([proved("anne@example.org", "Anne"), proved("bart@example.org", ip="")]).encode()}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with try_out(tmp_path_factory.mktemp("server")) as running:
        yield running


def seen(page: Page) -> list[object]:
    """What is wrong on any screen: wider than that, small to press, or found by a machine."""
    wrong: list[object] = []
    for screen in SCREENS:
        turn_to(page, screen)
        shape = page.evaluate(SHAPE)
        fits = shape["width"] <= SCREENS[screen]["viewport"]["width"]
        wrong += [*violations(page), *shape["small"], *([] if fits else [(screen, shape)])]
    return wrong


def test_a_list_is_looked_at_begun_and_undone_on_every_screen(browser: Browser, server: Server) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{server.base_url}/admin/sign-in")
        page.get_by_role("button", name="Come in").click()
        page.get_by_role("link", name="Import", exact=True).click()
        page.get_by_label("File").set_input_files(FILE)
        page.get_by_role("button", name="Look at it").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Import: members.csv")
        assert seen(page) == []
        page.get_by_label("With proof").check()
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_role("main")).to_contain_text("It goes on by itself")
        assert seen(page) == []
        page.get_by_role("button", name="Undo this import").click()
        expect(page.get_by_role("main")).to_contain_text("undone")
        page.get_by_role("link", name="All imports").click()
        assert seen(page) == []
