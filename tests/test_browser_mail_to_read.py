"""Mail to read in a real browser, without JavaScript, on every screen; seen by axe."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.server import HOME, Server
from tests.support.visitor import LISTS, Visitor
from tests.test_browser_desk import heading
from tests.test_browser_desk_people import seen
from tests.test_browser_looks import SCREENS

pytestmark = [pytest.mark.browser, pytest.mark.drill, pytest.mark.timeout(300)]
LEAVE = "leave@news.example"
LETTERS = [
    (
        "Bart <bart@example.org>",
        "What do you know about me?",
        "Dear people,\r\n\r\n<b>what</b> is it?\r\n\r\nBart",
    ),
    ("x" * 70 + "@example.org", "w" * 300, "word" * 400),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Where two letters wait, one of them of words without end."""
    folder = tmp_path_factory.mktemp("server")
    lists, url = " ".join(LISTS.split("\n")), "sqlite:///subscriptions.db"
    with Server(folder, url, LISTS=lists, INBOUND__ADDRESS=LEAVE) as running:
        for number, (sender, subject, text) in enumerate(LETTERS):
            letter = f"From: {sender}\r\nMessage-ID: <{number}@x>\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()
            command = [sys.executable, "-m", "subscriptions", "mail", "receive"]
            subprocess.run(command, input=letter, cwd=HOME, env=running._environment, check=True)
        yield running


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_letters_are_read_and_dealt_with_by_everyone(browser: Browser, server: Server, screen: str) -> None:
    width, wrong = SCREENS[screen]["viewport"]["width"], {}
    with browser.new_context(**SCREENS[screen], java_script_enabled=True) as context:
        page = context.new_page()
        visitor = Visitor(page, server.base_url)
        visitor.go("/admin/sign-in")
        page.get_by_role("button", name="Come in").click()
        page.get_by_role("link", name="Mail to read").click()
        heading(page, "Mail to read")
        wrong["all"] = seen(page, width)
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}/mail-{width}.png", full_page=True)
        for number in (0, 1):
            visitor.go("/admin/mail")
            page.get_by_role("link", name="Read it").nth(number).click()
            wrong[str(number)] = seen(page, width)
        page.get_by_role("link", name="Erasure request").click()
        wrong["request"] = seen(page, width)
    assert {name: found for name, found in wrong.items() if found} == {}
